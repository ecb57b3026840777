"""Sees every event that the emulator makes in any test, and holds it to the rules.

Installed once for a run by `tests/conftest.py`. It listens at the four doors through
which a protocol is moved, so that it makes no difference whether a test drives the
protocol in memory or a server over sockets. Every event is validated against the
service's schema, where that is beside the repository, and fed to the rules of order of
its session. The test in which the first deviation happened fails with it.

Seen as well are the events of the old dialect, as they are written, and the only event
of a client that is turned away behind the upgrade; both are validated.

Not seen is what happens to an event behind its protocol: faults that were ordered, and
what the server of a test loses or reorders on its way to a socket. Nor are answers over
HTTP, the codes of closes, servers in processes of their own, and the rest of a session
that has deviated once. The tests of `tests/emulator/serving` and of clients look there.

With ``EMULATOR_COVERAGE`` set to a folder, it also notes there which test has shown
what; `scripts/make_coverage_page.py` makes a page of it.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import jsonschema_rs
import msgspec

from openai_realtime._json import parse_json
from openai_realtime.codec import encode_event
from openai_realtime.core.outputs import Send
from openai_realtime.events import RealtimeEvent

from ..wire.schema_file import PROTOCOL, events_of, name_of, schema
from .event_order import Fields, OrderChecker, TranslationChecker

COVERAGE_FOLDER = "EMULATOR_COVERAGE"
ACCEPTED = "accepted"
NO_EVENT = "(no event)"

# What is not answered when it is taken, or not at once.
_SILENT = ("input_audio_buffer.append", "session.close")

DOORS = ("open", "receive", "receive_frame", "handle_timeout")
"""Through which a protocol is moved; each returns what it says."""

# What answers a turn that ends, and so may come with a request that it is not about.
_BUSY = ("conversation_already_has_active_response", "rate_limit_exceeded")
_SHOWN = 600


class Machine(NamedTuple):
    """A protocol of the emulator's: where it is, and what it may say."""

    module: str
    name: str
    surface: str
    rules: Callable[[], OrderChecker | TranslationChecker]


MACHINES = (
    Machine(
        "openai_realtime.emulator.protocol", "EmulatorProtocol", "ga", OrderChecker
    ),
    Machine(
        "openai_realtime.emulator.translation",
        "TranslationProtocol",
        "translation",
        TranslationChecker,
    ),
)

FAREWELL = ("openai_realtime.emulator.serving.reception", "_Farewell", "open")
BETA = ("openai_realtime.emulator.serving.frames", "BetaFrames", "write")
"""Where else events are made: module, class, method."""


@cache
def validator_of(union: str, name: str) -> Any:
    """Return what validates events of one type, or None where there is no such type."""
    found = [event for event in events_of(union) if name_of(event) == name]
    if not found:
        return None
    document = {"anyOf": found, "$defs": schema()["$defs"]}
    return jsonschema_rs.Draft202012Validator(document)


HAS_SCHEMA = (PROTOCOL / "realtime.schema.json").exists()


def check_schema(fields: Fields, union: str) -> None:
    """Check one event against the schema, where that is to be had."""
    if not HAS_SCHEMA:
        return
    validator = validator_of(union, fields["type"])
    assert validator is not None, f"{union} has no {fields['type']}"
    if not validator.is_valid(fields):
        problems = [str(error.message) for error in validator.iter_errors(fields)]
        raise AssertionError("; ".join(problems)[:_SHOWN])


def is_valid(fields: Fields, union: str) -> bool:
    """Tell whether an event is one of a union's, as far as there is a schema."""
    if not HAS_SCHEMA:
        return True
    validator = validator_of(union, fields["type"])
    return validator is not None and bool(validator.is_valid(fields))


@dataclass
class _Session:
    """What is known of one session; a broken one is not looked at any more."""

    surface: str
    rules: OrderChecker | TranslationChecker
    broken: bool = False


@dataclass
class Recorder:
    """Watches all sessions of a run.

    Attributes:
        test: The test that is running.
        deviations: What was wrong in it, the first one first.
        shown: Which tests made an event of the server's appear.
        outcomes: Which tests had a client's event accepted or refused.
    """

    test: str = ""
    deviations: list[str] = field(default_factory=list)
    shown: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    outcomes: dict[tuple[str, str], set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )
    _sessions: WeakKeyDictionary[Any, _Session] = field(
        default_factory=WeakKeyDictionary
    )
    _inside: threading.local = field(default_factory=threading.local)

    def install(self) -> None:
        """Listen to all protocols that there are.

        Raises:
            AssertionError: A door is not where it was, and nobody would be heard there.
        """
        for machine in MACHINES:
            for door in DOORS:
                _wrap(
                    (machine.module, machine.name, door),
                    functools.partial(self._watched, machine=machine),
                )
        _wrap(FAREWELL, self._watched_farewell)
        _wrap(BETA, self._watched_beta)

    def begin(self, test: str) -> None:
        """Forget what came before: a test begins."""
        self.test = test
        self.deviations.clear()

    def check(self) -> None:
        """Fail with the first deviation of the test that is running, if any."""
        if self.deviations:
            first = self.deviations[0]
            self.deviations.clear()
            raise AssertionError(f"the emulator broke a rule: {first}")

    def rules_of(self, protocol: Any) -> OrderChecker | TranslationChecker:
        """Return what the rules remember of a session."""
        return self._sessions[protocol].rules

    def write(self, folder: Path) -> None:
        """Write down what was shown, into a file of this process's own."""
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "server": {name: sorted(tests) for name, tests in self.shown.items()},
            "client": [
                [name, outcome, sorted(tests)]
                for (name, outcome), tests in self.outcomes.items()
            ],
        }
        (folder / f"{os.getpid()}.json").write_text(json.dumps(content))

    def _watched(
        self, door: Callable[..., list[Any]], machine: Machine
    ) -> Callable[..., list[Any]]:
        @functools.wraps(door)
        def watched(protocol: Any, *args: Any, **options: Any) -> list[Any]:
            if getattr(self._inside, "protocol", None) is protocol:
                return door(protocol, *args, **options)
            self._inside.protocol = protocol
            try:
                outputs = door(protocol, *args, **options)
            finally:
                self._inside.protocol = None
            frame = args[0] if args and door.__name__.startswith("receive") else None
            events = [output.event for output in outputs if isinstance(output, Send)]
            self._take(protocol, machine, frame, events)
            return outputs

        return watched

    def _watched_farewell(
        self, door: Callable[..., list[Any]]
    ) -> Callable[..., list[Any]]:
        @functools.wraps(door)
        def watched(*args: Any, **options: Any) -> list[Any]:
            outputs = door(*args, **options)
            sent = [output.event for output in outputs if isinstance(output, Send)]
            said = [msgspec.json.decode(encode_event(event)) for event in sent]
            if [fields["type"] for fields in said] != ["error"]:
                self.deviations.append(f"a farewell says {said}")
            for fields in said:
                self._check_alone(fields, "ga.server")
            return outputs

        return watched

    def _watched_beta(
        self, door: Callable[..., Sequence[bytes]]
    ) -> Callable[..., Sequence[bytes]]:
        @functools.wraps(door)
        def watched(frames: Any, event: RealtimeEvent) -> Sequence[bytes]:
            written = door(frames, event)
            # What was damaged to order stays so in any dialect.
            if is_valid(msgspec.json.decode(encode_event(event)), "ga.server"):
                for frame in written:
                    fields = msgspec.json.decode(frame)
                    if not is_valid(_without_nulls(fields), "beta.server"):
                        self._check_alone(fields, "beta.server")
            return written

        return watched

    def _check_alone(self, fields: Fields, union: str) -> None:
        """Check one event that belongs to no session that is known here."""
        try:
            check_schema(fields, union)
        except AssertionError as exc:
            self.deviations.append(f"{exc}\nat {json.dumps(fields)[:_SHOWN]}")

    def _take(
        self,
        protocol: Any,
        machine: Machine,
        request: Any,
        events: Iterable[RealtimeEvent],
    ) -> None:
        session = self._sessions.get(protocol)
        if session is None:
            session = _Session(machine.surface, machine.rules())
            self._sessions[protocol] = session
        refusals: list[Fields] = []
        shown = False
        for event in events:
            shown = True
            fields = msgspec.json.decode(encode_event(event))
            if fields["type"] == "error":
                refusals.append(fields["error"])
            self.shown[_key(machine.surface, fields["type"])].add(self.test)
            if not session.broken:
                self._hold(session, fields)
        if request is not None:
            self._note(session, request, refusals, silent=not shown)

    def _hold(self, session: _Session, fields: Fields) -> None:
        """Check one event."""
        try:
            check_schema(fields, f"{session.surface}.server")
            session.rules.feed_fields(fields)
        except Exception as exc:
            session.broken = True
            shown = json.dumps(fields)[:_SHOWN]
            self.deviations.append(f"{type(exc).__name__}: {exc}\nat {shown}")

    def _note(
        self, session: _Session, request: Any, refusals: list[Fields], *, silent: bool
    ) -> None:
        """Note what became of a client's event, and whether the answer names it."""
        name, event_id = _request_of(request)
        if silent and not name.endswith(_SILENT):
            # The session is over; nobody looks at what comes now.
            return
        refusals = [error for error in refusals if _answers(name, event_id, error)]
        for error in refusals:
            if not _names(error, event_id):
                self.deviations.append(f"an error that does not name {name}: {error}")
            outcome = str(error.get("code"))
            self.outcomes[_key(session.surface, name), outcome].add(self.test)
        if not refusals:
            self.outcomes[_key(session.surface, name), ACCEPTED].add(self.test)


def _wrap(place: tuple[str, str, str], watched: Callable[[Any], Any]) -> None:
    """Put something around a method, which has to be there."""
    module, name, method = place
    cls = getattr(importlib.import_module(module), name, None)
    assert method in vars(cls or object), f"there is no {module}.{name}.{method}"
    setattr(cls, method, watched(getattr(cls, method)))


def _answers(name: str, event_id: str | None, error: Fields) -> bool:
    """Tell an error that answers a request from a reply to a turn that cannot begin.

    That one has no request (PROTOCOL.md section 3.3, `interrupt_response`).
    """
    if error.get("event_id") is not None or error.get("code") not in _BUSY:
        return True
    return name == "response.create" and event_id is None


def _names(error: Fields, event_id: str | None) -> bool:
    """Tell whether an error names its request.

    What could not be read as an event need not have been searched for an id.
    """
    named = error.get("event_id")
    if error.get("code") == "invalid_event":
        return event_id == _UNREADABLE or named in (None, event_id)
    return named == event_id


def _without_nulls(value: Any) -> Any:
    """Leave out the fields that are null, and put the first item behind something.

    The schema of the old dialect knows few of the nulls that the service sends.
    """
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return kept | (
        {"previous_item_id": "root"}
        if "previous_item_id" in value and not value["previous_item_id"]
        else {}
    )


def _key(surface: str, name: str) -> str:
    return name if surface == "ga" else f"{surface}: {name}"


def _request_of(request: Any) -> tuple[str, str | None]:
    """Return the type and the id of a client's event, however it was handed over."""
    if isinstance(request, RealtimeEvent):
        return request.type, _cut(request.event_id)
    try:
        head = _head_of(request)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return NO_EVENT, _UNREADABLE
    shown = head.type if isinstance(head.type, str) else NO_EVENT
    return shown, _cut(head.event_id)


def _head_of(frame: str | bytes) -> _Head:
    try:
        return _HEADS.decode(frame)
    except msgspec.MsgspecError:
        # Half of a pair of surrogates is no mistake.
        return msgspec.convert(parse_json(frame), _Head)


def _cut(event_id: Any) -> str | None:
    """Return an id as an answer has it: one that is too long is cut."""
    return event_id[:512] if isinstance(event_id, str) and event_id else None


class _Head(msgspec.Struct):
    """What a frame says of itself."""

    type: Any = None
    event_id: Any = None


_HEADS = msgspec.json.Decoder(_Head)


# Stands for the id of a frame that cannot be read.
_UNREADABLE = "(unreadable)"

RECORDER = Recorder()
