"""Sees every event that the emulator sends in any test, and holds it to the rules.

Installed once for a run by `tests/conftest.py`. It listens at the four doors through
which a protocol is moved, so that it makes no difference whether a test drives the
protocol in memory or a server over sockets. Every event is validated against the
service's schema, where that is beside the repository, and fed to the rules of order of
its session. The test in which the first deviation happened fails with it.

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
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import jsonschema_rs
import msgspec

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

_DOORS = ("open", "receive", "receive_frame", "handle_timeout")
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
        """Listen to all protocols that there are."""
        for machine in MACHINES:
            try:
                module = importlib.import_module(machine.module)
            except ModuleNotFoundError as exc:
                if exc.name != machine.module:
                    raise
                continue
            cls = getattr(module, machine.name)
            for door in _DOORS:
                if door in vars(cls):
                    setattr(cls, door, self._watched(getattr(cls, door), machine))

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
        refusals = [error for error in refusals if _answers(name, error)]
        for error in refusals:
            if error.get("event_id") not in (None, event_id):
                self.deviations.append(f"an error about another event: {error}")
            outcome = str(error.get("code"))
            self.outcomes[_key(session.surface, name), outcome].add(self.test)
        if not refusals:
            self.outcomes[_key(session.surface, name), ACCEPTED].add(self.test)


def _answers(name: str, error: Fields) -> bool:
    """Tell an error that answers a request from a reply to a turn that cannot begin.

    That one has no request (PROTOCOL.md section 3.3, `interrupt_response`).
    """
    busy = error.get("code") == "conversation_already_has_active_response"
    return name == "response.create" or not busy


def _key(surface: str, name: str) -> str:
    return name if surface == "ga" else f"{surface}: {name}"


def _request_of(request: Any) -> tuple[str, str | None]:
    """Return the type and the id of a client's event, however it was handed over."""
    if isinstance(request, RealtimeEvent):
        event_id = request.event_id
        return request.type, event_id if isinstance(event_id, str) else None
    try:
        head = _HEADS.decode(request)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return NO_EVENT, _AnyId()
    shown = head.type if isinstance(head.type, str) else NO_EVENT
    # One that is too long is cut, so that the answer is no longer than the question.
    event_id = head.event_id
    return shown, event_id[:512] if isinstance(event_id, str) else None


class _Head(msgspec.Struct):
    """What a frame says of itself."""

    type: Any = None
    event_id: Any = None


_HEADS = msgspec.json.Decoder(_Head)


class _AnyId(str):
    """Stands for the id of a frame that could not be read: any that is found in it."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


RECORDER = Recorder()
