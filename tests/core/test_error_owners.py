"""Whose an error of the server is, and which ones are nobody's."""

from __future__ import annotations

import pytest

from openai_realtime.core.error_owners import HARMLESS_RACES, ErrorOwners
from openai_realtime.events import (
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemTruncate,
    Error,
    InputAudioBufferAppend,
    InputAudioBufferCommit,
    RealtimeEvent,
    ResponseCancel,
    ResponseCreate,
)
from openai_realtime.resources import (
    APIError,
    FunctionCallOutputItem,
    InputAudioPart,
    InputImagePart,
    InputTextPart,
    MessageItem,
    OutputAudioPart,
    ResponseConfig,
)

from .server_events import error

RACING: list[RealtimeEvent] = [
    ResponseCancel(event_id="e"),
    ConversationItemTruncate(
        event_id="e", item_id="a", content_index=0, audio_end_ms=1
    ),
    ConversationItemDelete(event_id="e", item_id="a"),
    InputAudioBufferCommit(event_id="e"),
    ResponseCreate(event_id="e"),
]


def details(code: str | None, event_id: str | None = "e") -> APIError:
    """Return an error of this code that names an event."""
    return APIError(type="t", message="no", code=code, event_id=event_id)


def answer(event_id: str) -> Error:
    """Return a server's `error` that names an event."""
    event = error("invalid_value", event_id=event_id)
    assert isinstance(event, Error)
    return event


@pytest.mark.parametrize("code", [*HARMLESS_RACES, "invalid_value", None])
@pytest.mark.parametrize("event", RACING, ids=lambda event: event.type)
def test_every_cell_of_the_table_of_races(
    code: str | None, event: RealtimeEvent
) -> None:
    """A race is harmless where the table says so of the event, and nowhere else."""
    owners = ErrorOwners()
    owners.racing(event)
    losers = HARMLESS_RACES.get(code or "", ())
    assert owners.is_harmless(details(code)) is (type(event) in losers)


def test_race_of_an_event_by_hand_is_the_users() -> None:
    """Who cancels through the raw door hears that it came too late."""
    owners = ErrorOwners()
    owners.sent(ResponseCancel(event_id="e"))
    assert not owners.is_harmless(details("response_cancel_not_active"))


def test_race_is_lost_once() -> None:
    """Each of our events is answered once; a second such error is something else."""
    owners = ErrorOwners()
    owners.racing(ResponseCancel(event_id="e"))
    assert owners.is_harmless(details("response_cancel_not_active"))
    assert not owners.is_harmless(details("response_cancel_not_active"))


def test_error_without_an_id_is_of_an_event_that_may_have_raced() -> None:
    """Some servers leave the id of the offending event out."""
    owners = ErrorOwners()
    owners.racing(ConversationItemDelete(event_id="d", item_id="a"))
    owners.racing(ResponseCancel(event_id="c"))
    assert owners.is_harmless(details("response_cancel_not_active", None))
    assert not owners.is_harmless(details("response_cancel_not_active", None))
    assert not owners.is_harmless(details("item_not_found", "other"))
    assert owners.is_harmless(details("item_not_found", "d"))


def test_racing_events_are_forgotten_in_time() -> None:
    """What was answered by nobody is not remembered for ever."""
    owners = ErrorOwners()
    for number in range(100):
        owners.racing(ResponseCancel(event_id=f"e{number}"))
    assert not owners.is_harmless(details("response_cancel_not_active", "e0"))
    assert owners.is_harmless(details("response_cancel_not_active", "e99"))


def test_offending_event_is_attached() -> None:
    """The error shows what caused it, and not only an id."""
    owners = ErrorOwners()
    sent = ResponseCancel(event_id="e", response_id="r1")
    owners.sent(sent)
    caused = owners.error_of(answer("e"))
    assert caused.event is sent
    assert (caused.code, caused.event_id) == ("invalid_value", "e")
    assert owners.error_of(answer("other")).event is None


def test_sent_events_are_forgotten_in_time() -> None:
    """A long session does not keep all that ever went out."""
    owners = ErrorOwners()
    for number in range(300):
        owners.sent(ResponseCancel(event_id=f"e{number}"))
    owners.sent(ResponseCancel())
    assert owners.error_of(answer("e0")).event is None
    assert owners.error_of(answer("e299")).event is not None


def test_audio_is_not_kept_for_errors() -> None:
    """An error needs no audio, and memory is not for it."""
    owners = ErrorOwners()
    part = InputAudioPart(audio=b"\x01\x00" * 100)
    text = InputTextPart(text="hi")
    item = MessageItem(role="user", content=[text, part])
    owners.sent(ConversationItemCreate(event_id="item", item=item))
    owners.sent(InputAudioBufferAppend(event_id="append", audio=b"\x01\x00" * 100))
    appended = owners.error_of(answer("append")).event
    assert appended == InputAudioBufferAppend(event_id="append", audio=b"")
    created = owners.error_of(answer("item")).event
    assert created.item.content == [text, InputAudioPart(audio=b"")]
    assert item.content == [text, part]


@pytest.mark.parametrize(
    "item",
    [
        MessageItem(role="user", content=[InputTextPart(text="hi")]),
        MessageItem(role="user"),
        FunctionCallOutputItem(call_id="c", output="1"),
    ],
    ids=["text", "nothing", "output"],
)
def test_items_without_audio_are_kept_as_they_are(
    item: MessageItem | FunctionCallOutputItem,
) -> None:
    """Nothing is left out where nothing is long."""
    owners = ErrorOwners()
    event = ConversationItemCreate(event_id="e", item=item)
    owners.sent(event)
    assert owners.error_of(answer("e")).event == event


def test_server_that_names_events_names_ours() -> None:
    """An error without an id answers nobody, once others have had one."""
    owners = ErrorOwners()
    nameless = details("invalid_value", None)
    assert owners.may_be_of_ours(nameless)
    assert not owners.may_be_of_ours(details("session_expired", None))
    owners.error_of(answer("e"))
    assert not owners.may_be_of_ours(nameless)
    assert owners.may_be_of_ours(details("invalid_value", "e"))


@pytest.mark.parametrize("where", ["item", "response"])
def test_images_and_spoken_audio_are_not_kept_for_errors(where: str) -> None:
    """A picture is a megabyte, and so is a reply."""
    image = InputImagePart(image_url="data:image/png;base64," + "A" * 1_000)
    spoken = OutputAudioPart(audio=b"\x01\x00" * 100, transcript="hi")
    item = MessageItem(role="user", content=[image, spoken])
    owners = ErrorOwners()
    if where == "item":
        owners.sent(ConversationItemCreate(event_id="e", item=item))
    else:
        config = ResponseConfig(input=[item])
        owners.sent(ResponseCreate(event_id="e", response=config))
    kept = owners.error_of(answer("e")).event
    [told] = [kept.item] if where == "item" else kept.response.input
    assert told.content == [
        InputImagePart(image_url=""),
        OutputAudioPart(audio=b"", transcript="hi"),
    ]
