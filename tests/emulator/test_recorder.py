"""The recorder hears all that the emulator makes, and fails who breaks a rule."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from openai_realtime.core.outputs import Send
from openai_realtime.emulator.ids import CountedIds
from openai_realtime.emulator.protocol import EmulatorProtocol
from openai_realtime.emulator.serving.frames import BetaFrames
from openai_realtime.events import Error, RealtimeEvent, ResponseCreate
from openai_realtime.resources.limits import APIError

from ..wire.schema_file import needs_protocol_files
from . import recorder
from .event_order import OrderChecker
from .recorder import ACCEPTED, DOORS, MACHINES, NO_EVENT, Machine, Recorder

COMMIT = "input_audio_buffer.commit"


def error(code: str | None, event_id: str | None) -> Error:
    """Make a refusal."""
    told = APIError(
        type="invalid_request_error",
        code=code,
        message="No.",
        param=None,
        event_id=event_id,
    )
    return Error(event_id="event_x", error=told)


class Answers:
    """A protocol that opens as the emulator does, and then says what it is told."""

    def __init__(self, *events: RealtimeEvent) -> None:
        self._events = events

    def open(self, now: float) -> list[Any]:
        return EmulatorProtocol(ids=CountedIds()).open(now)

    def receive_frame(self, data: str | bytes, *, now: float) -> list[Any]:
        return [Send(event) for event in self._events]

    def receive(self, event: RealtimeEvent, *, now: float) -> list[Any]:
        return self.receive_frame(b"", now=now)

    def handle_timeout(self, *, now: float) -> list[Any]:
        return self.receive_frame(b"", now=now)


class Copy(Recorder):
    """A recorder of its own, which watches one class only."""

    def __init__(self) -> None:
        super().__init__(test="this one")
        machine = Machine("", "", "ga", OrderChecker)
        # A class of its own each time, since it is changed.
        self.watched = type("Watched", (Answers,), {})
        for door in DOORS:
            around = self._watched(getattr(Answers, door), machine)
            setattr(self.watched, door, around)


def after(*events: RealtimeEvent, frame: str | bytes | RealtimeEvent) -> Copy:
    """Return what a recorder has noted of a request that was answered so."""
    copy = Copy()
    protocol = copy.watched(*events)
    protocol.open(0.0)
    if isinstance(frame, RealtimeEvent):
        protocol.receive(frame, now=0.0)
    else:
        protocol.receive_frame(frame, now=0.0)
    return copy


def said(**fields: Any) -> str:
    """Write a request."""
    return json.dumps({"type": COMMIT, **fields})


def test_every_door_is_watched() -> None:
    """Of each protocol, and what writes events elsewhere."""
    for machine in MACHINES:
        cls = getattr(importlib.import_module(machine.module), machine.name)
        for door in DOORS:
            assert hasattr(vars(cls)[door], "__wrapped__"), (cls, door)
    for module, name, method in (recorder.FAREWELL, recorder.BETA):
        cls = getattr(importlib.import_module(module), name)
        assert hasattr(vars(cls)[method], "__wrapped__"), (cls, method)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("openai_realtime.emulator.protocol", "RenamedProtocol"),
        ("openai_realtime.emulator.outputs", "Failure"),
    ],
)
def test_a_door_that_is_gone_is_an_error(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str
) -> None:
    """Nobody would be heard there, and every test would pass."""
    machine = Machine(module, name, "ga", OrderChecker)
    monkeypatch.setattr(recorder, "MACHINES", (machine,))
    with pytest.raises(AssertionError, match=f"there is no {module}.{name}.open"):
        Recorder().install()


def test_a_module_that_is_gone_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As above, for all of it."""
    machine = Machine("openai_realtime.emulator.gone", "It", "ga", OrderChecker)
    monkeypatch.setattr(recorder, "MACHINES", (machine,))
    with pytest.raises(ModuleNotFoundError):
        Recorder().install()


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        (said(event_id="mine"), error("invalid_value", "mine")),
        (said(), error("invalid_value", None)),
        (said(event_id=7), error("invalid_value", None)),
        (said(event_id="x" * 600), error("invalid_value", "x" * 512)),
        (said(event_id="mine"), error("invalid_event", None)),
        ('{"event_id": "found"', error("invalid_event", "found")),
        # A turn that cannot be answered, while somebody asks for something else.
        (said(), error("conversation_already_has_active_response", None)),
    ],
)
def test_a_right_answer_is_taken(frame: str, answer: Error) -> None:
    """A refusal names its request, where that has an id that can be read."""
    assert after(answer, frame=frame).deviations == []


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        (said(event_id="mine"), error("invalid_value", None)),
        (said(event_id="mine"), error("invalid_value", "another")),
        (said(), error("invalid_value", "another")),
        (said(event_id="mine"), error("invalid_event", "another")),
        (
            ResponseCreate(event_id="mine"),
            error("conversation_already_has_active_response", "another"),
        ),
    ],
)
def test_a_refusal_that_does_not_name_its_request(
    frame: str | RealtimeEvent, answer: Error
) -> None:
    """It is a deviation, of which the test hears."""
    copy = after(answer, frame=frame)
    with pytest.raises(AssertionError, match="does not name"):
        copy.check()
    copy.check()


def test_what_breaks_the_order_is_told_once() -> None:
    """The session is broken then, and says nothing new to the rules."""
    copy = after(error(None, None), frame=said())
    assert copy.deviations == []
    twice = error("invalid_value", None)
    copy = after(twice, twice, twice, frame=said())
    [deviation] = copy.deviations
    assert "an event_id came twice" in deviation


@needs_protocol_files
def test_what_is_not_in_the_schema_is_told() -> None:
    """Also when its order is right."""
    wrong = replace(error("invalid_value", None), error=None)  # type: ignore[arg-type]
    copy = Copy()
    protocol = copy.watched(wrong)
    protocol.open(0.0)
    protocol.handle_timeout(now=0.0)
    assert len(copy.deviations) == 1


def test_what_was_shown_is_noted() -> None:
    """By the type of the request and how it ended, for the page."""
    assert after(frame=said()).outcomes == {}
    refused = after(error("invalid_value", None), frame=said())
    assert refused.outcomes == {(COMMIT, "invalid_value"): {"this one"}}
    unread = after(error("invalid_event", None), frame="{")
    assert unread.outcomes == {(NO_EVENT, "invalid_event"): {"this one"}}
    taken = after(frame='{"type": "input_audio_buffer.append"}')
    assert taken.outcomes == {("input_audio_buffer.append", ACCEPTED): {"this one"}}


@needs_protocol_files
def test_the_old_dialect_is_looked_at() -> None:
    """What is written wrongly there is a deviation, though the event was right."""

    class Wrong(BetaFrames):
        def write(self, event: RealtimeEvent) -> tuple[bytes, ...]:
            return (b'{"type": "response.text.done"}',)

    copy = Recorder()
    write = copy._watched_beta(Wrong.write)
    write(Wrong(), error("invalid_value", None))
    [deviation] = copy.deviations
    assert "response.text.done" in deviation


def test_a_farewell_is_looked_at() -> None:
    """Who is turned away hears one error, and nothing else."""

    def events() -> Iterator[list[RealtimeEvent]]:
        yield [error("invalid_api_key", None)]
        yield []
        yield [ResponseCreate()]

    found: list[int] = []
    for said_last in events():
        copy = Recorder()
        outputs = [Send(event) for event in said_last]
        copy._watched_farewell(lambda outputs=outputs: outputs)()  # type: ignore[misc]
        found.append(len(copy.deviations))
    assert found[0] == 0
    assert all(found[1:])
