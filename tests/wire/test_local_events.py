"""The utility events: events like all others, but for the wire."""

from __future__ import annotations

import base64
import copy
import json
import pickle

import pytest

from openai_realtime import UNSET, encode_event
from openai_realtime.errors import LocalProtocolError, RealtimeError, ServerError
from openai_realtime.events import (
    LOCAL_EVENTS,
    ClientEvent,
    Closed,
    ConversationAnomaly,
    ConversationInterrupted,
    ConversationItemAppended,
    ConversationItemCompleted,
    ConversationUpdated,
    Dialect,
    ErrorOccurred,
    InputAudioBufferAppend,
    LocalEvent,
    RealtimeEvent,
    RealtimeEventSeen,
    ResponseCancel,
    ServerEvent,
    ToolApprovalRequested,
    ToolCalled,
)
from openai_realtime.resources import AnomalyKind, Delta, FormattedItem, MessageItem

ITEM = FormattedItem("item_1", MessageItem(role="assistant"), "in_progress")
ITEM.formatted.add_audio(b"\x01\x02")

EXAMPLES: dict[str, LocalEvent] = {
    "conversation.updated": ConversationUpdated(item=ITEM, delta=Delta(audio=b"\x01")),
    "conversation.interrupted": ConversationInterrupted(item=ITEM, sample_count=240),
    "conversation.item.appended": ConversationItemAppended(item=ITEM),
    "conversation.item.completed": ConversationItemCompleted(item=ITEM),
    "conversation.anomaly": ConversationAnomaly(
        kind=AnomalyKind.ITEM_UNKNOWN,
        detail="a delta came for an item that was never announced",
        item_id="item_1",
        context=ResponseCancel(event_id="e"),
    ),
    "tool.called": ToolCalled(
        call_id="call_1", name="f", arguments="{}", response_id="resp_1"
    ),
    "tool.approval_requested": ToolApprovalRequested(
        approval_id="call_1", name="f", arguments="{}"
    ),
    "realtime.event": RealtimeEventSeen(
        time=1.5, source="client", event=ResponseCancel(event_id="e"), raw=b"{}"
    ),
    "error": ErrorOccurred(
        error=ServerError("no such item", type="invalid_request_error"),
        context=ResponseCancel(),
    ),
    "close": Closed(code=1001, reason="session cap", clean=False, retryable=True),
}

EVERY_EXAMPLE = pytest.mark.parametrize(
    ("name", "event"), EXAMPLES.items(), ids=EXAMPLES
)


def test_every_utility_event_has_an_example() -> None:
    """The tests below leave no utility event out."""
    assert {name: type(event) for name, event in EXAMPLES.items()} == LOCAL_EVENTS


@EVERY_EXAMPLE
def test_utility_event_is_an_event(name: str, event: LocalEvent) -> None:
    """One `isinstance`, one `type` and one `event_id` do for every event."""
    assert isinstance(event, RealtimeEvent)
    assert isinstance(event, LocalEvent)
    assert not isinstance(event, ClientEvent | ServerEvent)
    assert event.type == name
    assert event.event_id is UNSET


@EVERY_EXAMPLE
@pytest.mark.parametrize("dialect", ["ga", "beta"])
def test_utility_event_never_travels(
    name: str, event: LocalEvent, dialect: Dialect
) -> None:
    """What is derived here is nothing to send."""
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        encode_event(event, dialect=dialect)


@EVERY_EXAMPLE
def test_utility_event_is_described_as_json(name: str, event: LocalEvent) -> None:
    """A journal writes whatever it is handed as JSON."""
    described = event.to_dict()
    assert json.loads(json.dumps(described)) == described
    assert described["type"] == name


@EVERY_EXAMPLE
def test_utility_event_equals_its_copy(name: str, event: LocalEvent) -> None:
    """Events are values, and no event equals one of another kind."""
    assert copy.copy(event) == event
    assert [other for other in EXAMPLES.values() if other == event] == [event]
    assert pickle.loads(pickle.dumps(event)).type == name


@pytest.mark.parametrize("cls", [LocalEvent, *LOCAL_EVENTS.values()])
def test_utility_event_is_never_read(cls: type[LocalEvent]) -> None:
    """What is derived here and described there cannot be made of a description."""
    with pytest.raises(LocalProtocolError, match="is derived"):
        cls.from_dict({"type": "close"})


def test_change_is_described_with_item_and_delta() -> None:
    """An update says what the item is, and shows added audio as base64."""
    described = EXAMPLES["conversation.updated"].to_dict()
    assert described["item"] == ITEM.to_dict()
    assert described["item"]["audio_bytes"] == 2
    assert described["delta"] == {"audio": base64.b64encode(b"\x01").decode()}


def test_what_is_not_there_is_described_as_null() -> None:
    """An interruption of nothing has no item, and is still whole."""
    assert ConversationInterrupted().to_dict() == {
        "type": "conversation.interrupted",
        "item": None,
        "sample_count": 0,
    }
    assert ConversationUpdated(item=ITEM).to_dict()["delta"] is None


def test_passing_event_is_described_by_its_json_form() -> None:
    """What passed is described as it travels, and the frame by its size."""
    event = InputAudioBufferAppend(audio=b"\x01")
    seen = RealtimeEventSeen(time=1.5, source="client", event=event, raw="{…}")
    assert seen.to_dict() == {
        "type": "realtime.event",
        "time": 1.5,
        "source": "client",
        "event": event.to_dict(),
        "raw": "<5 bytes>",
    }


def test_credentials_are_described_as_hidden() -> None:
    """The description of an event tells that there was a credential, not which."""
    event = RealtimeEvent.from_dict(
        {
            "type": "session.created",
            "event_id": "e",
            "session": {
                "client_secret": {"value": "ek_1", "expires_at": 1},
                "tools": [
                    {"type": "mcp", "server_label": "m", "authorization": "a key"},
                    {"type": "mcp", "server_label": "n", "headers": None},
                ],
            },
        }
    )
    seen = RealtimeEventSeen(time=1.5, source="server", event=event)
    session = seen.to_dict()["event"]["session"]
    assert session["client_secret"] == "<hidden>"
    assert session["tools"][0]["authorization"] == "<hidden>"
    assert session["tools"][1]["headers"] is None


@pytest.mark.parametrize(
    ("context", "described"),
    [
        (None, None),
        ("server.error", "server.error"),
        (b"\xff\xfe", "<2 bytes>"),
        ('{"a": 1}', "<8 bytes>"),
        (ResponseCancel(), {"type": "response.cancel"}),
        (ValueError("odd"), "ValueError: odd"),
        ((1, b"2"), "(1, <1 bytes>)"),
    ],
    ids=repr,
)
def test_error_is_described_with_its_context(
    context: object, described: object
) -> None:
    """What went wrong is text, and what it concerns is shown without its frame."""
    occurred = ErrorOccurred(error=RealtimeError("no"), context=context)
    assert occurred.to_dict() == {
        "type": "error",
        "error": "RealtimeError: no",
        "context": described,
    }


def test_given_event_id_is_described() -> None:
    """Whoever numbers the events finds the numbers in the descriptions."""
    event = Closed(code=1000, reason="", clean=True, retryable=False, event_id="e1")
    assert event.to_dict()["event_id"] == "e1"
