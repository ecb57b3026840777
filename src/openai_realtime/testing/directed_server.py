"""What a test tells a server to do, and asks of it, wherever the server runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, TypeAlias

from ..emulator.brains.brain import Brain
from ..emulator.brains.script import Scenario, ScriptBrain
from ..emulator.faults import Fault, FaultCount, fault_from_dict, parse_fault
from ..errors import ConfigurationError
from ..events import RealtimeEvent
from .event_log import EventLog, SeenEvent
from .expectation import Expectation
from .replaceable_brain import ReplaceableBrain
from .seen_session import SeenSession

__all__ = ["DirectedServer", "FaultLike", "ScriptLike"]

ScriptLike: TypeAlias = (
    str | Mapping[str, Any] | PathLike[str] | Sequence[str | Mapping[str, Any]]
)
"""A scenario: TOML text, a dict, the path of a file, or a list of replies."""

FaultLike: TypeAlias = str | Mapping[str, object] | Fault
"""A fault: as text, as a dict, or as an object of `openai_realtime.emulator.faults`."""

_MAX_SESSIONS = 10_000


class DirectedServer(ABC):
    """A server that says what a test wants, and remembers what it was told.

    Attributes:
        events: What it has received and sent, in order.
    """

    def __init__(self, brain: Brain | None, max_events: int) -> None:
        self.events: EventLog = EventLog(max_events)
        self._brain = ReplaceableBrain(brain)
        self._sessions: dict[str, SeenSession] = {}
        self._numbers = 0
        # What `reset` returns to.
        self._first_script: ScriptBrain | None = None
        self._first_faults: list[Fault] = []

    @property
    def sessions(self) -> list[SeenSession]:
        """The sessions so far, in order; of very many the latest."""
        return list(self._sessions.values())

    def script(self, scenario: ScriptLike) -> None:
        """Let the server say what a scenario says, from the next reply on.

        It takes the place of the scenario before it; the faults that this one has
        ordered stay. The MCP servers of a scenario are those of the sessions that begin
        from now on.

        Args:
            scenario: TOML text, a dict of the same shape, the `pathlib.Path` of a file,
                or a list. In a list a text, or a table without ``when``, answers the
                user's first message, the next one the second, and so on; a table with
                ``when`` is a reply as in a file. See docs/scenarios.md.

        Raises:
            ConfigurationError: The scenario cannot be read; the message says where.
            OSError: There is no such file.
        """
        brain = _script_brain(scenario)
        self._order(_faults_of(brain))
        self._brain.replace(brain)

    def fail(self, *faults: FaultLike) -> None:
        """Order faults, for the sessions that run and for those that come.

        Args:
            faults: What is to go wrong, as ``omit response.done``, ``close 1011 'gone'
                at 7``, ``stall 2 at response.output_audio.delta#3``, ``drop at 12 on
                connection 1``, ``refuse 503``; or the same as dicts or objects.

        Raises:
            ConfigurationError: A fault cannot be read; none is ordered then.
        """
        self._order([_fault(each) for each in faults])

    def reset(self) -> None:
        """Be as when it was made, for the next test: its script, its faults, no events.

        Sessions go on, and so does their numbering: ``in_session=1`` is the first
        session since the server was made. What the server was made with, faults too,
        holds again, and the faults count from their beginning.
        """
        self._brain.restore()
        self._clear_faults()
        self.events.clear()
        if self._first_script is not None:
            self._brain.replace(self._first_script)
        self._order(self._first_faults)

    @property
    @abstractmethod
    def fault_counts(self) -> Sequence[FaultCount]:
        """What was ordered to go wrong, and how often it has happened."""

    @abstractmethod
    def _order(self, faults: Sequence[Fault]) -> None:
        """Let faults happen to what runs and to what comes."""

    @abstractmethod
    def _clear_faults(self) -> None:
        """Let no fault happen any more, as far as that can be taken back."""

    def __repr__(self) -> str:
        sessions, events = len(self._sessions), len(self.events)
        return f"<{type(self).__name__}: {sessions} sessions, {events} events>"

    # --- for what is built on this ---

    def _begin(
        self,
        brain: Brain | None,
        script: ScriptLike | None,
        faults: Sequence[FaultLike],
    ) -> None:
        """Order what is to hold from the beginning."""
        ordered = [*_faults_of(brain)]
        if script is not None:
            self._first_script = _script_brain(script)
            self._brain.replace(self._first_script)
            ordered += _faults_of(self._first_script)
        self._first_faults = [*ordered, *(_fault(each) for each in faults)]
        self._order(self._first_faults)

    def _session(self, id: str) -> SeenSession:
        """Return the session of this id; a new one is counted."""
        if id not in self._sessions:
            self._numbers += 1
            self._sessions[id] = SeenSession(self._numbers, id, self.events)
            if len(self._sessions) > _MAX_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
        return self._sessions[id]

    def _found(
        self, expected: Expectation, seen: SeenEvent | None, waited_s: float
    ) -> RealtimeEvent:
        """Return the event that was expected.

        Raises:
            AssertionError: There is none.
        """
        __tracebackhide__ = True
        if seen is None or seen.event is None:
            raise AssertionError(expected.complaint(self.events, waited_s))
        return seen.event


def _script_brain(scenario: ScriptLike) -> ScriptBrain:
    if isinstance(scenario, Mapping):
        return ScriptBrain(Scenario.from_dict(scenario))
    if isinstance(scenario, PathLike):
        return ScriptBrain(Scenario.load(scenario))
    if not isinstance(scenario, str):
        return ScriptBrain(Scenario.from_dict({"reply": _replies(scenario)}))
    if scenario.strip().endswith(".toml") and "\n" not in scenario.strip():
        raise ConfigurationError(
            f"a text is the scenario itself; for the file {scenario!r} give "
            f"pathlib.Path({scenario!r})"
        )
    return ScriptBrain(Scenario.from_toml(scenario))


def _replies(answers: Sequence[str | Mapping[str, Any]]) -> list[Any]:
    """Write a list of answers as the replies of a scenario."""
    replies: list[Any] = []
    turn = 0
    for answer in answers:
        # Whatever else may be in the list, the scenario complains of.
        reply: Any = {"say": answer} if isinstance(answer, str) else answer
        is_table = isinstance(reply, Mapping)
        if is_table and "when" not in reply:
            turn += 1
            reply = {"when": {"turn": turn}, **reply}
        replies.append(reply)
    return replies


def _faults_of(brain: Brain | None) -> list[Fault]:
    """Return what a brain's script wants to go wrong."""
    return list(getattr(brain, "faults", ()))


def _fault(fault: FaultLike) -> Fault:
    if isinstance(fault, str):
        return parse_fault(fault)
    return fault if isinstance(fault, Fault) else fault_from_dict(fault)
