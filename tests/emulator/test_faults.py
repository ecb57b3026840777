"""Faults to order: how they are written, and what they do to a session's events."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime.codec import decode_event, encode_event
from openai_realtime.core.outputs import Close, Send
from openai_realtime.emulator.faults import (
    Abort,
    AddUnknownFields,
    CloseSession,
    Corrupt,
    DropConnection,
    Duplicate,
    Fault,
    FaultCount,
    FaultInjector,
    FaultPlan,
    InjectError,
    InjectUnknownEvent,
    Omit,
    Pause,
    RefuseHandshake,
    Reorder,
    SendFrame,
    SlowHandshake,
    Stall,
    Step,
    When,
    fault_from_dict,
    parse_fault,
)
from openai_realtime.emulator.faults.action import ACTIONS, EVENT_TYPES
from openai_realtime.emulator.ids import CountedIds
from openai_realtime.emulator.outputs import Failure
from openai_realtime.emulator.protocol import EmulatorProtocol
from openai_realtime.errors import ConfigurationError, RemoteProtocolError
from openai_realtime.events import (
    Error,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    RealtimeEvent,
    ResponseOutputTextDelta,
    UnknownEvent,
)

# --- how they are written ---


@pytest.mark.parametrize(
    ("text", "table", "fault"),
    [
        (
            "omit response.done",
            {"do": "omit", "at": "response.done"},
            Fault(Omit(), When("response.done")),
        ),
        (
            "close 1011 'gone' at 7",
            {"do": "close", "code": 1011, "reason": "gone", "at": 7},
            Fault(CloseSession(1011, "gone"), When(number=7)),
        ),
        (
            'close 4000 "it\'s over" every',
            {"do": "close", "code": 4000, "reason": "it's over", "every": True},
            Fault(CloseSession(4000, "it's over"), When(number=None)),
        ),
        (
            "stall 2.5 at response.output_audio.delta#3",
            {"do": "stall", "seconds": 2.5, "at": "response.output_audio.delta#3"},
            Fault(Stall(2.5), When("response.output_audio.delta", 3)),
        ),
        ("stall 1e-3", {"do": "stall", "seconds": 0.001}, Fault(Stall(0.001))),
        ("drop", {"do": "drop"}, Fault(DropConnection())),
        (
            "duplicate every error",
            {"do": "duplicate", "every": "error"},
            Fault(Duplicate(), When("error", None)),
        ),
        (
            "reorder at 3 on connection 2",
            {"do": "reorder", "at": 3, "connection": 2},
            Fault(Reorder(), When(number=3), connection=2),
        ),
        (
            "corrupt response.done",
            {"do": "corrupt", "at": "response.done"},
            Fault(Corrupt(), When("response.done")),
        ),
        (
            "corrupt utf8 on connection 1 at 2",
            {"do": "corrupt", "what": "utf8", "at": 2, "connection": 1},
            Fault(Corrupt("utf8"), When(number=2), connection=1),
        ),
        (
            "unknown-fields every",
            {"do": "unknown-fields", "every": True},
            Fault(AddUnknownFields(), When(number=None)),
        ),
        (
            "unknown-event 'a.b' at 2",
            {"do": "unknown-event", "type": "a.b", "at": 2},
            Fault(InjectUnknownEvent("a.b"), When(number=2)),
        ),
        (
            "error 'rate_limit_exceeded' 'Slow down.' session.updated",
            {
                "do": "error",
                "code": "rate_limit_exceeded",
                "message": "Slow down.",
                "at": "session.updated",
            },
            Fault(
                InjectError("rate_limit_exceeded", "Slow down."),
                When("session.updated"),
            ),
        ),
        ("error", {"do": "error"}, Fault(InjectError())),
        ("slow 3", {"do": "slow", "seconds": 3}, Fault(SlowHandshake(3))),
        (
            "  refuse   503 on connection 1 ",
            {"do": "refuse", "status": 503, "connection": 1},
            Fault(RefuseHandshake(503), connection=1),
        ),
    ],
)
def test_a_fault_is_written_as_text_or_as_a_table(
    text: str, table: dict[str, Any], fault: Fault
) -> None:
    """Both forms say the same, and a fault writes itself as it is read."""
    assert parse_fault(text) == fault_from_dict(table) == fault
    assert parse_fault(str(fault)) == fault


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SECONDS = st.floats(0, 1e9) | st.integers(0, 1000)
ACTIONS_OF_EVENTS = st.one_of(
    st.builds(CloseSession, st.integers(3000, 4999), TEXTS),
    st.builds(Stall, SECONDS),
    st.builds(Corrupt, st.sampled_from(["json", "utf8"])),
    st.builds(InjectUnknownEvent, TEXTS.filter(lambda text: text not in {"", "error"})),
    st.builds(InjectError, TEXTS, TEXTS, TEXTS),
    *(st.just(cls()) for cls in (DropConnection, Duplicate, Reorder, Omit)),
)
ACTIONS_OF_HANDSHAKES = st.one_of(
    st.builds(SlowHandshake, SECONDS), st.builds(RefuseHandshake, st.integers(200, 599))
)
NUMBERS = st.none() | st.integers(1, 1000)
WHENS = st.builds(When, st.none() | st.sampled_from(sorted(EVENT_TYPES)), NUMBERS)


@given(
    st.builds(Fault, ACTIONS_OF_EVENTS, WHENS, NUMBERS)
    | st.builds(Fault, ACTIONS_OF_HANDSHAKES, connection=NUMBERS)
)
def test_what_a_fault_writes_is_read_as_the_same_fault(fault: Fault) -> None:
    """Whatever is in it: quotes, blanks, words of the grammar."""
    assert parse_fault(str(fault)) == fault


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["nothing is ordered", "omit", "refuse", "example"]),
        ("'omit'x", ["\"'omit'x\"", "quote"]),
        ("close 1011 'gone", ['"\'gone"', "quote"]),
        ("omitt response.done", ["'omitt'", "'omit'", "duplicate"]),
        ("close", ["code is missing", "close CODE ['REASON']"]),
        ("close soon", ["'soon'", "whole number"]),
        ("close 1011 gone", ["'gone'", "close CODE ['REASON']", "'gone' at 7"]),
        ("close 1006 at 7", ["1006", "3000 to 4999", "`drop`"]),
        ("close 1000.0", ["1000.0", "whole number"]),
        (f"close 1000 '{'x' * 124}'", ["124 bytes", "123"]),
        ("stall", ["seconds is missing"]),
        ("stall response.done", ["seconds is missing"]),
        ("stall long", ["'long'", "number of seconds"]),
        ("stall -1", ["-1", "0 or more"]),
        ("stall inf", ["'inf'", "number of seconds"]),
        ("stall e5", ["'e5'", "number of seconds"]),
        ("stall " + "9" * 5_000, ["too large"]),
        ("stall 1" + "0" * 400, ["too large"]),
        ("omit at e5", ["'e5'", "no event"]),
        ("omit .e5", ["'.e5'", "no event"]),
        ("omit at " + "9" * 5_000, ["too large"]),
        ("omit response.done#" + "9" * 5_000, ["too large"]),
        ("omit on connection " + "9" * 5_000, ["too large"]),
        ("close " + "9" * 5_000, ["too large"]),
        ("omit respons.done", ["'respons.done'", "did you mean 'response.done'?"]),
        ("omit response.done#0", ["0", "the first is 1"]),
        ("omit response.done#x", ["'x'", "whole number"]),
        ("omit response.done#", ["''", "whole number"]),
        ("omit at", ["`at`", "the number or the type"]),
        ("omit at 2.5", ["2.5", "number or the type"]),
        ("omit 3", ["'3'", "`at N`", "`every TYPE`"]),
        ("omit at 3 at 4", ["`at`", "twice"]),
        ("omit at 3 every", ["exclude"]),
        ("omit every response.done#2", ["'response.done#2'", "'response.done'"]),
        ("omit evry", ["'evry'", "'every'"]),
        ("omit on 3", ["`connection N`"]),
        ("omit on connection", ["`connection N`"]),
        ("omit on connection 0", ["0", "the first is 1"]),
        ("omit 'response.done'", ["'response.done'", "out of place"]),
        ("corrupt jsn", ["'jsn'", "json, utf8"]),
        ("unknown-event 'response.done'", ["'response.done'", "no event"]),
        ("unknown-event thing", ["'thing'", "['TYPE']"]),
        ("refuse 101", ["101", "200 to 599"]),
        ("refuse 503 at 2", ["'at'", "connection, status"]),
        ("slow 1 response.done", ["'at'", "connection, seconds"]),
        ("duplicate twice", ["'twice'", "out of place"]),
    ],
)
def test_a_text_that_cannot_be_read_says_why(text: str, words: list[str]) -> None:
    """The error quotes the word at fault, what is possible, and an example."""
    with pytest.raises(ConfigurationError) as caught:
        parse_fault(text)
    message = str(caught.value)
    for word in (repr(text), "for example: ", *words):
        assert word in message
    assert parse_fault(message.rpartition("for example: ")[2])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, ["'do' is missing", "omit"]),
        ({"do": 5}, ["5", "text"]),
        ({"do": "omitt"}, ["'omitt'", "'omit'"]),
        ({"do": "close"}, ["code is missing"]),
        ({"do": "close", "code": "1011"}, ["'1011'", "whole number"]),
        ({"do": "close", "code": True}, ["True", "whole number"]),
        ({"do": "close", "code": 1011, "raeson": "x"}, ["'raeson'", "'reason'"]),
        ({"do": "close", "code": 1011, "reason": 5}, ["5", "text"]),
        ({"do": "close", "code": 1011, "reason": "\ud800"}, ["text"]),
        ({"do": "stall", "seconds": True}, ["True", "number of seconds"]),
        ({"do": "stall", "seconds": float("nan")}, ["nan", "0 or more"]),
        ({"do": "corrupt", "what": ["json"]}, ["['json']", "json, utf8"]),
        ({"do": "omit", "at": 0}, ["0", "first is 1"]),
        ({"do": "omit", "at": True}, ["True"]),
        ({"do": "omit", "at": 10**5_000}, ["too large"]),
        ({"do": "omit", "connection": 10**5_000}, ["too large"]),
        ({"do": "close", "code": 10**5_000}, ["code of a close", "too large"]),
        ({"do": "stall", "seconds": 10**5_000}, ["length of a stall", "too large"]),
        ({"do": "omit", "at": [1]}, ["[1]", "number or the type"]),
        ({"do": "omit", "at": 1, "every": True}, ["exclude"]),
        ({"do": "omit", "every": False}, ["False", "text"]),
        ({"do": "omit", "every": "nothing"}, ["'nothing'"]),
        ({"do": "omit", "connection": "1"}, ["'1'", "whole number"]),
        ({"do": "slow", "seconds": 1, "at": 2}, ["'at'", "connection, seconds"]),
        ({"do": "error", "code": None}, ["None", "text"]),
    ],
)
def test_a_table_that_cannot_be_read_says_why(
    table: dict[str, Any], words: list[str]
) -> None:
    """The error names the key or the value, and its example is a table too."""
    with pytest.raises(ConfigurationError) as caught:
        fault_from_dict(table)
    message = str(caught.value)
    for word in ("for example: {'do': ", *words):
        assert word in message


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_the_example_of_each_fault_is_one_of_it(action: Any) -> None:
    """What an error shows as an example works, and begins like its usage."""
    assert type(parse_fault(action.example).action) is action
    assert action.usage.split()[0] == action.word


def test_a_handshake_waits_for_no_event() -> None:
    """A fault of the handshake with a place for an event is refused."""
    with pytest.raises(ConfigurationError, match="happens at the handshake"):
        Fault(SlowHandshake(1), When("response.done"))


# --- what they do ---


class Shell:
    """Carries out what an injector says, in virtual time, and keeps what was sent.

    Events are numbered deltas of text unless they are given.
    """

    def __init__(self, *faults: str) -> None:
        self.injector = FaultInjector(map(parse_fault, faults))
        self.now = 100.0
        self.sent: list[bytes] = []
        self.log: list[Any] = []

    def send(self, *events: RealtimeEvent | int) -> list[Step]:
        """Let the protocol send these events at once."""
        outputs = [
            Send(delta(event) if isinstance(event, int) else event) for event in events
        ]
        return self.take(*outputs)

    def take(self, *outputs: Any) -> list[Step]:
        """Let the protocol have these outputs at once."""
        steps = self.injector.take(outputs, now=self.now)
        for step in steps:
            if isinstance(step, Pause):
                self.log.append(("pause", step.until - 100))
            elif isinstance(step, SendFrame):
                self.sent.append(step.data)
                self.log.append(shown(step.data))
            else:
                self.log.append(step)
        return steps

    def counts(self) -> list[int]:
        """How often each fault came to pass."""
        return [times for _, times in self.injector.counts]


def delta(number: int) -> RealtimeEvent:
    """An event that is told apart by its number."""
    return ResponseOutputTextDelta(
        event_id=f"event_{number}",
        response_id="resp_1",
        item_id="item_1",
        output_index=0,
        content_index=0,
        delta=str(number),
    )


CLEARED = InputAudioBufferCleared(event_id="event_c")


def shown(frame: bytes) -> Any:
    """A frame in short: the number of a delta, the type of any other event."""
    try:
        event = decode_event(frame, direction="server")
    except RemoteProtocolError:
        return "broken"
    if isinstance(event, ResponseOutputTextDelta):
        return int(event.delta)
    return event.type


def test_without_faults_everything_is_as_ordered() -> None:
    """Events become their frames; a failure and a close pass as they are."""
    shell = Shell()
    failure = Failure("the voice failed", ValueError())
    close = Close(1001, "expired")
    assert shell.take(Send(delta(1)), failure, close) == [
        SendFrame(encode_event(delta(1))),
        failure,
        close,
    ]
    assert shell.injector.counts == shell.injector.never == ()


@pytest.mark.parametrize(
    ("place", "hit"),
    [
        ("", [1]),
        ("at 1", [1]),
        ("at 3", [3]),
        ("at 9", []),
        ("response.output_text.delta", [1]),
        ("at response.output_text.delta#2", [2]),
        ("input_audio_buffer.cleared", ["input_audio_buffer.cleared"]),
        ("at response.output_text.delta#4", [4]),
        ("every response.output_text.delta", [1, 2, 3, 4]),
        ("every", [1, 2, 3, "input_audio_buffer.cleared", 4]),
        ("response.done", []),
    ],
)
def test_a_fault_happens_at_its_event(place: str, hit: list[Any]) -> None:
    """At the n-th of all, the n-th of a type, or every one; and it is counted."""
    shell = Shell(f"omit {place}")
    shell.send(1, 2)
    shell.send(3, CLEARED, 4)
    everything = [1, 2, 3, "input_audio_buffer.cleared", 4]
    assert shell.log == [event for event in everything if event not in hit]
    [fault] = [parse_fault(f"omit {place}")]
    assert shell.injector.counts == (FaultCount(fault, len(hit)),)
    assert shell.injector.never == (() if hit else (fault,))


@pytest.mark.parametrize(
    ("faults", "log"),
    [
        ("close 1011 'gone' at 2", [1, Close(1011, "gone")]),
        ("drop at 2", [1, Abort()]),
        ("stall 2.5 at 2", [1, ("pause", 2.5), 2, 3, 4]),
        ("duplicate at 2", [1, 2, 2, 3, 4]),
        ("reorder at 2", [1, 3, 2, 4]),
        ("omit at 2", [1, 3, 4]),
        ("corrupt at 2", [1, "broken", 3, 4]),
        ("corrupt utf8 at 2", [1, "broken", 3, 4]),
        ("unknown-event at 2", [1, "emulator.unknown_event", 2, 3, 4]),
        ("unknown-event 'x.y' at 2", [1, "x.y", 2, 3, 4]),
        ("unknown-fields at 2", [1, 2, 3, 4]),
        ("error at 2", [1, "error", 2, 3, 4]),
        # Several at once, whatever their order.
        ("duplicate at 2; stall 1 at 2", [1, ("pause", 1.0), 2, 2, 3, 4]),
        ("stall 1 at 2; stall 2 at 2", [1, ("pause", 1.0), ("pause", 3.0), 2, 3, 4]),
        ("error at 2; unknown-event at 2", [1, "emulator.unknown_event", "error", 2]),
        ("omit at 2; duplicate at 2; error at 2", [1, "error", 3, 4]),
        ("duplicate at 2; corrupt at 2", [1, "broken", "broken", 3, 4]),
        ("corrupt utf8 at 2; unknown-fields at 2", [1, "broken", 3, 4]),
        ("duplicate at 2; duplicate at 2", [1, 2, 2, 2, 2, 3, 4]),
        ("close 1011 at 2; error at 2", [1, "error", Close(1011, "")]),
        ("drop at 2; close 1011 at 2", [1, Close(1011, "")]),
        ("reorder at 2; duplicate at 2", [1, 3, 2, 2, 4]),
        # An event that waits for the next one, whatever happens to that.
        ("reorder every", [2, 1, 4, 3]),
        ("reorder at 2; reorder at 3", [1, 3, 2, 4]),
        ("reorder at 2; omit at 3", [1, 2, 4]),
        ("reorder at 2; stall 1 at 3", [1, ("pause", 1.0), 3, 2, 4]),
        ("reorder at 2; error at 3", [1, "error", 3, 2, 4]),
        ("reorder at 2; error at 2", [1, "error", 3, 2, 4]),
        ("reorder at 2; close 1011 at 3", [1, 2, Close(1011, "")]),
        ("reorder at 2; drop at 3", [1, Abort()]),
        ("reorder at 4", [1, 2, 3]),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_what_a_fault_does(faults: str, log: list[Any], together: bool) -> None:
    """To the event it is for, and to nothing else; also with others at the same."""
    shell = Shell(*faults.split("; "))
    if together:
        shell.send(1, 2, 3, 4)
    else:
        for number in range(1, 5):
            shell.send(number)
            shell.now = max(shell.now, 100 + pauses(shell.log))
    assert shell.log[: len(log)] == log


def pauses(log: list[Any]) -> float:
    """Until when the pauses of a log last."""
    ends = [entry[1] for entry in log if isinstance(entry, tuple) and len(entry) == 2]
    return max((end for end in ends if isinstance(end, float)), default=0.0)


def test_only_what_happened_counts() -> None:
    """A fault has not come to pass where nothing was left for it to happen to."""
    shell = Shell(
        "omit at 2", "duplicate at 2", "corrupt at 2", "reorder at 2", "error at 2"
    )
    shell.send(1, 2, 3)
    assert shell.counts() == [1, 0, 0, 0, 1]
    shell = Shell("close 1011 at 2", "drop at 2", "omit at 2", "omit at 3")
    shell.send(1, 2, 3)
    assert shell.counts() == [1, 0, 0, 0]
    shell = Shell("reorder every")
    shell.send(1, 2, 3)
    assert shell.counts() == [2]


@pytest.mark.parametrize("text", ["close 4001 at 2", "drop at 2"])
def test_an_end_at_an_event_that_the_dialect_lacks(text: str) -> None:
    """It comes to pass all the same; what only changes the event does not."""
    injector = FaultInjector(
        map(parse_fault, (text, "duplicate at 1")), encode=lambda _: ()
    )
    outputs = [Send(InputAudioBufferCleared())] * 3
    [end] = injector.take(outputs, now=0.0)
    assert isinstance(end, Close | Abort)
    assert [fault.times for fault in injector.counts] == [1, 0]


def test_an_end_from_outside_replaces_one_that_was_planned() -> None:
    """Nobody knows whether that was carried out; what is held still comes before."""
    shell = Shell("reorder at 1", "stall 1 at 2", "close 4001 at 2")
    shell.send(1, 2)
    close = Close(1012, "going")
    assert shell.injector.end(close) == [close]
    shell = Shell("reorder at 1")
    shell.send(1)
    [frame, end] = shell.injector.end(close)
    assert isinstance(frame, SendFrame)
    assert end == close
    assert shell.injector.take([Send(InputAudioBufferCleared())], now=0.0) == []


def test_an_event_that_nothing_follows_comes_before_the_close() -> None:
    """The session's own close, or the server's, lets go what was held."""
    shell = Shell("reorder at 2")
    shell.send(1, 2)
    assert shell.log == [1]
    shell.take(Close(1001, "expired"))
    assert shell.log == [1, 2, Close(1001, "expired")]


@pytest.mark.parametrize("end", ["close 1011", "drop"])
def test_nothing_follows_an_end(end: str) -> None:
    """Neither events nor another close; only failures are still reported."""
    shell = Shell(end, "stall 5 at 1")
    shell.send(1, 2)
    ends = list(shell.log)
    failure = Failure("the voice failed", ValueError())
    shell.send(3)
    assert shell.take(Send(delta(4)), Close(1000, "")) == []
    shell.now += 60
    assert shell.take(failure, Close(1000, "")) == [failure]
    assert shell.log == [*ends, failure]


def test_a_stall_holds_up_what_comes_while_it_lasts() -> None:
    """Whatever the protocol sends meanwhile is told to wait for the same moment."""
    shell = Shell("stall 2 at 2", "stall 3 at 4")
    shell.send(1, 2)
    shell.now += 1.5
    shell.send(3)
    shell.send(4)
    shell.now += 10
    shell.send(5)
    assert shell.log == [
        *(1, ("pause", 2.0), 2),
        *(("pause", 2.0), 3),
        # It begins when the first one is over.
        *(("pause", 2.0), ("pause", 5.0), 4),
        5,
    ]
    assert shell.injector.take([], now=100.0) == []


def test_broken_json_is_text_and_no_json() -> None:
    """The frame is cut off, but never inside a character."""
    for text in ("plain", "grüße", "日本語" * 9, "🎈" * 5):
        shell = Shell("corrupt")
        event = InputAudioBufferCommitted(event_id=text, item_id=text)
        shell.send(event)
        [frame] = shell.sent
        assert encode_event(event).startswith(frame)
        frame.decode()
        with pytest.raises(json.JSONDecodeError):
            json.loads(frame)


def test_broken_utf8_is_no_text_and_else_the_event() -> None:
    """One byte is wrong, inside a string; without it, it is the event."""
    shell = Shell("corrupt utf8")
    shell.send(delta(1))
    [frame] = shell.sent
    with pytest.raises(UnicodeDecodeError):
        frame.decode()
    assert frame.replace(b"\xff", b"") == encode_event(delta(1))
    assert json.loads(frame.decode("latin-1"))["event_id"] == "event_1"


def test_an_unknown_event_is_a_whole_event() -> None:
    """It has an id of its own, and fields with values of every kind."""
    shell = Shell("unknown-event 'x.y' every")
    shell.send(1, 2)
    events = [decode_event(frame, direction="server") for frame in shell.sent]
    assert [event.event_id for event in events] == [
        "event_fault_1",
        "event_1",
        "event_fault_2",
        "event_2",
    ]
    assert isinstance(events[0], UnknownEvent)
    assert events[0].type == "x.y"
    assert len(events[0].data) > 2


def test_an_injected_error_says_what_was_ordered() -> None:
    """Its kind, code and message; it answers none of the client's events."""
    shell = Shell("error 'overloaded' 'Too much.' 'kind'", "error at 2")
    shell.send(1, 2)
    first, _, second, _ = (json.loads(frame) for frame in shell.sent)
    assert first["error"] == {
        "type": "kind",
        "code": "overloaded",
        "message": "Too much.",
        "param": None,
        "event_id": None,
    }
    assert second["error"]["type"] == "server_error"
    assert second["error"]["code"] is None
    error = decode_event(shell.sent[0], direction="server")
    assert isinstance(error, Error)


FIELD = "emulator_unknown_field"


def session_outputs(*frames: dict[str, Any]) -> list[Any]:
    """What a session of the emulator asks for, from its beginning to silence."""
    protocol = EmulatorProtocol(ids=CountedIds())
    outputs = protocol.open(0.0)
    for frame in frames:
        outputs += protocol.receive_frame(json.dumps(frame), now=0.0)
    while (due := protocol.next_timeout()) is not None and due < 600:
        outputs += protocol.handle_timeout(now=due)
    return outputs


PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "name": "weather", "parameters": PARAMETERS}
CONVERSATION: list[dict[str, Any]] = [
    {"type": "session.update", "session": {"type": "realtime", "tools": [TOOL]}},
    {
        "type": "conversation.item.create",
        "item": {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Count to three"}],
        },
    },
    {
        "type": "response.create",
        "response": {"output_modalities": ["text"], "metadata": {"mine": "1"}},
    },
]


def test_unknown_fields_are_in_all_objects_but_somebodys_own() -> None:
    """Every event still reads as itself, and data with free keys gets none."""
    outputs = session_outputs(*CONVERSATION)
    injector = FaultInjector([parse_fault("unknown-fields every")])
    steps = injector.take(outputs, now=0.0)
    assert len(steps) == len(outputs)
    for step, output in zip(steps, outputs, strict=True):
        assert isinstance(step, SendFrame)
        event = decode_event(step.data, direction="server")
        assert msgspec.to_builtins(event) == msgspec.to_builtins(output.event)
        assert json.loads(step.data)[FIELD]
    frames = [step.data for step in steps if isinstance(step, SendFrame)]
    sent = {event["type"]: event for event in map(json.loads, frames)}
    session = sent["session.updated"]["session"]
    assert FIELD in session["audio"]["input"]["turn_detection"]
    assert FIELD in session["tools"][0]
    assert session["tools"][0]["parameters"] == PARAMETERS
    done = sent["response.done"]["response"]
    assert FIELD in done["output"][0]["content"][0]
    assert FIELD in done["usage"]["input_token_details"]
    assert done["metadata"] == {"mine": "1"}


@given(
    st.lists(
        st.builds(Fault, ACTIONS_OF_EVENTS, st.builds(When, number=st.integers(1, 12))),
        max_size=6,
    )
)
def test_any_faults_keep_what_they_do_not_touch(faults: list[Fault]) -> None:
    """The other events come in order, once each, up to the end that was ordered."""
    touched = {fault.when.number for fault in faults}
    shell = Shell()
    for fault in faults:
        shell.injector.add(fault)
    for number in range(1, 14):
        shell.send(number)
    untouched = [
        entry for entry in shell.log if isinstance(entry, int) and entry not in touched
    ]
    ends = [
        fault.when.number
        for fault in faults
        if isinstance(fault.action, CloseSession | DropConnection)
    ]
    last = min((number for number in ends if number), default=14)
    # A close lets go what was held, which no fault of its own need have touched.
    assert untouched == [number for number in range(1, last) if number not in touched]


# --- of one session and of a server ---


def test_a_fault_may_be_ordered_while_a_session_runs() -> None:
    """Its events are counted from then on."""
    shell = Shell()
    shell.send(1, 2, 3)
    shell.injector.add(parse_fault("omit at 2"))
    shell.send(4, 5, 6)
    assert shell.log == [1, 2, 3, 4, 6]
    assert shell.counts() == [1]


def test_a_session_takes_no_fault_of_the_handshake() -> None:
    """It would never come to pass."""
    with pytest.raises(ConfigurationError, match="'refuse 503'"):
        FaultInjector([parse_fault("refuse 503")])


def test_an_event_of_several_frames_is_one_event() -> None:
    """As many as the encoder makes share what happens to it, none included."""
    frames = {1: [b'{"a":""}', b'{"b":""}'], 2: [], 3: [b'{"c":""}']}
    injector = FaultInjector(
        map(parse_fault, ["reorder at 1", "duplicate at 2", "corrupt at 3"]),
        encode=lambda event: frames[int(getattr(event, "delta", 0))],
    )
    steps = injector.take([Send(delta(number)) for number in (1, 2, 3)], now=0.0)
    assert steps == [
        SendFrame(b'{"a":""}'),
        SendFrame(b'{"b":""}'),
        SendFrame(b'{"c"'),
    ]
    assert [times for _, times in injector.counts] == [1, 0, 1]


def test_a_plan_tells_every_connection_what_it_meets() -> None:
    """Handshakes are delayed and refused, some on one connection only."""
    plan = FaultPlan(
        map(
            parse_fault,
            [
                "slow 1",
                "slow 2 on connection 2",
                "refuse 503 on connection 1",
                "refuse 429 on connection 1",
                "omit every on connection 3",
            ],
        )
    )
    arrivals = [plan.arrive() for _ in range(3)]
    assert [each.number for each in arrivals] == [1, 2, 3]
    assert [each.delay_s for each in arrivals] == [1, 3, 1]
    assert [each.status for each in arrivals] == [503, None, None]
    assert [len(each.faults) for each in arrivals] == [0, 0, 1]
    assert [times for _, times in plan.counts] == [3, 1, 1, 0, 0]
    assert [str(fault) for fault in plan.never] == [
        "refuse 429 on connection 1",
        "omit every on connection 3",
    ]


def test_a_plan_counts_what_happens_in_all_sessions() -> None:
    """Each session meets the faults afresh, and has its own count."""
    plan = FaultPlan([parse_fault("omit at 1")])
    first, second = plan.arrive().injector(), plan.arrive().injector()
    assert plan.never
    for injector in (first, second):
        assert injector.take([Send(delta(1))], now=0.0) == []
    assert [times for _, times in first.counts] == [1]
    assert [times for _, times in plan.counts] == [2]
    assert plan.never == ()


def test_a_plan_may_change_while_the_server_runs() -> None:
    """For connections to come, and with its count for one that is there already."""
    plan = FaultPlan()
    running = plan.arrive().injector()
    tally = plan.add(parse_fault("omit at 1"))
    running.add(tally.fault, tally)
    assert running.take([Send(delta(1))], now=0.0) == []
    assert plan.arrive().injector().take([Send(delta(1))], now=0.0) == []
    assert [times for _, times in plan.counts] == [2]
    plan.clear()
    assert len(plan.arrive().injector().take([Send(delta(1))], now=0.0)) == 1
