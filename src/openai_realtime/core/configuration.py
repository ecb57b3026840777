"""What the session is asked to be, and what the server has accepted.

What is wanted is one nested JSON object, into which every change is merged. Changes
are kept apart until the server has answered, so that a refused one can be taken back
without undoing another. Tools registered with handlers stand beside it and are added to
whatever ``tools`` the user set by hand, so that an update of one never loses the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, TypeGuard, cast

import msgspec

from .._struct import UNSET, Opt
from ..dialect import nested_config, to_config
from ..errors import ConfigurationError, ToolError
from ..events import SessionUpdate
from ..resources.audio import TurnDetection, TurnDetectionType
from ..resources.brief import Brief
from ..resources.limits import APIError
from ..resources.session import Session, SessionConfig
from ..resources.tools import ToolDefinition
from .config_difference import difference, overlap

__all__ = ["Change", "Configuration", "merge"]

# What cannot be changed once connected (PROTOCOL.md section 3), and the way out.
_FIXED = {
    "model": "pass model= to RealtimeClient",
    "type": "it follows from the address connected to",
}


class Change(Brief, msgspec.Struct, eq=False):
    """One change of the configuration, and the update that tells the server.

    Attributes:
        config: What to send; None where the server has accepted all of it already.
        fields: What was changed, nested; nothing where only registered tools changed.
        notes: What had to be dropped, for the user.
        awaited: Whether a caller waits for the server's answer.
        event_id: The id of the update, once there is one.
        sent_at: When the update went out.
        given_up: Whether its answer is no longer waited for; it still has its place in
            the order of answers, which do not name what they answer.
        adds_tool: The tool that was registered with it, if one was.
        carries_refused: Whether it tells of a tool that was refused meanwhile.
    """

    config: SessionConfig | None
    fields: dict[str, Any]
    notes: tuple[str, ...] = ()
    awaited: bool = False
    event_id: str | None = None
    sent_at: float = 0.0
    given_up: bool = False
    adds_tool: ToolDefinition | None = None
    carries_refused: bool = False


class Configuration:
    """The configuration of one client, across its connections.

    Attributes:
        tools: The registered tools, by name.
        acknowledged: The session as the server last described it, or None.
        assistant_spoke: Whether the connection has had audio of the assistant, which
            fixes the voice.
    """

    def __init__(self) -> None:
        self.tools: dict[str, ToolDefinition] = {}
        self.acknowledged: Session | None = None
        self.assistant_spoke: bool = False
        self._settled: dict[str, Any] = {}
        self._changes: list[Change] = []
        self._offered: dict[str, Change] = {}
        self._pending: deque[Change] = deque()
        self._ever_registered: set[str] = set()

    # --- what is wanted ---

    @property
    def wanted(self) -> dict[str, Any]:
        """What the user asked for, nested, without registered tools."""
        wanted = self._settled
        for change in self._changes:
            wanted = merge(wanted, change.fields)
        return wanted

    @property
    def manual_turns(self) -> bool:
        """Whether the user says when a turn is over: turn detection is null.

        A server that does not say has its default, which is to detect turns.
        """
        accepted = _accepted_turn_detection(self.acknowledged)
        if accepted is UNSET:
            return _wanted_turn_detection(self.wanted) is None
        return accepted is None

    @property
    def interrupted_by_speech(self) -> bool:
        """Whether the server stops a response when the user begins to speak."""
        return _does(self.acknowledged, "interrupt_response")

    @property
    def answers_turns(self) -> bool:
        """Whether the server answers by itself a turn that it has found."""
        return _does(self.acknowledged, "create_response")

    @property
    def answers_silence(self) -> bool:
        """Whether the server speaks by itself when nobody has spoken for too long.

        With ``create_response`` off it answers no turns; but only with
        ``interrupt_response`` off too it never does (PROTOCOL.md section 3.3).
        """
        return self.answers_turns or self.interrupted_by_speech

    @property
    def _turns_by(self) -> str:
        """The kind of turn detection that a change is about where it names none."""
        wanted = _wanted_turn_detection(self.wanted)
        if isinstance(wanted, dict):
            return cast("dict[str, str]", wanted)["type"]
        accepted = _accepted_turn_detection(self.acknowledged)
        if wanted is UNSET and isinstance(accepted, TurnDetection):
            return accepted.type
        return TurnDetectionType.SERVER_VAD.value

    @property
    def empty(self) -> bool:
        """Whether nothing was asked for, so that the server's defaults may stand."""
        return not self.wanted and not self.tools

    def whole(self) -> Change:
        """Return all that is wanted, for a new connection."""
        fields = dict(self.wanted)
        if self.tools:
            fields["tools"] = self._all_tools()
        return Change(to_config(fields, SessionConfig), {})

    # --- changing it ---

    def change(self, fields: Mapping[str, Any]) -> Change:
        """Merge an update in, and return what to send for it.

        Raises:
            ConfigurationError: A field is unknown, fixed, contradictory, out of bounds
                or of a wrong type; nothing has changed then.
            ToolError: A tool by hand has the name of a registered one.
        """
        for name, way_out in _FIXED.items():
            if name in fields:
                raise ConfigurationError(
                    f"`{name}` cannot be changed by an update: {way_out}"
                )
        changed, notes = nested_config(fields, SessionConfig, turns_by=self._turns_by)
        self._check_tools(changed.get("tools"))
        to_config(merge(self.wanted, changed), SessionConfig)
        self._check_voice(changed)
        change = Change(None, changed, notes)
        self._changes.append(change)
        if "tools" in changed:
            changed = {**changed, "tools": self._all_tools()}
        new = self._not_yet_accepted(changed)
        if new or self.acknowledged is None:
            change.config = to_config(new, SessionConfig)
        return change

    def _not_yet_accepted(self, changed: dict[str, Any]) -> dict[str, Any]:
        """Return what the server must be told: the minimal difference.

        What an unanswered update is about is told in any case: it may be refused, and
        it is answered before this one.
        """
        if self.acknowledged is None:
            return changed
        new = difference(changed, self.acknowledged.to_dict())
        for pending in self._pending:
            new = merge(new, overlap(changed, pending.fields))
        return new

    def _check_voice(self, changed: Mapping[str, Any]) -> None:
        """Refuse another voice after the first audio (PROTOCOL.md section 3)."""
        accepted = _voice_of(self.acknowledged)
        if not self.assistant_spoke or not accepted:
            return
        voice = _wanted_of(changed, "audio", "output", "voice")
        if voice not in (UNSET, accepted):
            raise ConfigurationError(
                f"`voice` cannot become {voice!r} now: the assistant has spoken on "
                f"this connection, as {accepted!r}; set it before, or connect anew"
            )

    def check_new_tool(self, definition: ToolDefinition) -> None:
        """Refuse a tool that cannot be registered.

        Raises:
            ToolError: A tool of this name is registered already, or set by hand; or
                the definition cannot be sent.
        """
        if any(tool.get("name") == definition.name for tool in self._tools_by_hand()):
            raise ToolError(
                f"a tool named {definition.name!r} was set by hand, in "
                "update_session(tools=...); take it out there, or choose another name"
            )
        if definition.name in self.tools:
            raise ToolError(
                f"a tool named {definition.name!r} is registered already; "
                f"remove_tool({definition.name!r}) first, or choose another name"
            )
        try:
            to_config({"tools": [definition.to_dict()]}, SessionConfig)
        except ConfigurationError as exc:
            raise ToolError(f"tool {definition.name!r}: {exc}") from exc

    def add_tool(self, definition: ToolDefinition) -> Change:
        """Register a tool and return the update that tells the server.

        Raises:
            ToolError: It cannot be registered (`check_new_tool`).
        """
        self.check_new_tool(definition)
        self.tools[definition.name] = definition
        self._ever_registered.add(definition.name)
        change = self.tools_again()
        change.adds_tool = definition
        return change

    def check_registered(self, definition: ToolDefinition) -> None:
        """Refuse a tool that is not one of ours, though another one may have its name.

        Raises:
            ToolError: It is not registered, or the server has refused it.
        """
        name = definition.name
        if self.tools.get(name) is not definition:
            which = (
                "another tool of this name is" if name in self.tools else "it is not"
            )
            raise ToolError(f"tool {name!r} cannot be removed: {which} registered")

    def remove_tool(self, name: str) -> Change:
        """Forget a tool and return the update that tells the server.

        Raises:
            ToolError: No tool of this name is registered.
        """
        if name not in self.tools:
            known = ", ".join(sorted(self.tools)) or "none"
            raise ToolError(
                f"no tool named {name!r} is registered; registered: {known}"
            )
        del self.tools[name]
        return self.tools_again()

    def offers_without_handler(self, name: str) -> bool:
        """Whether the session offers a function that never had a handler of ours.

        A tool just removed may still be called; such a call is ours to answer.
        """
        if any(tool.get("name") == name for tool in self._tools_by_hand()):
            return True
        if name in self._ever_registered:
            return False
        session = self.acknowledged
        tools = session.tools if session is not None else UNSET
        return any(
            isinstance(tool, ToolDefinition) and tool.name == name
            for tool in tools or []
        )

    # --- what becomes of a change ---

    def begin_connection(self) -> None:
        """Keep all changes for good: what was unanswered cannot be refused any more."""
        self.acknowledged = None
        self.assistant_spoke = False
        self._offered.clear()
        self._pending.clear()
        self._settled = self.wanted
        self._changes = []

    def keep(self, change: Change) -> None:
        """Keep a change that no server had to accept."""
        if change in self._changes:
            self._changes.remove(change)
            self._settled = merge(self._settled, change.fields)

    def offer(self, change: Change, event_id: str) -> SessionUpdate | None:
        """Return the update to send for a change; None where none is needed."""
        change.event_id = event_id
        if change.config is None:
            self.keep(change)
            return None
        self._offered[event_id] = change
        return SessionUpdate(event_id=event_id, session=change.config)

    def sent(self, event: SessionUpdate, *, now: float) -> None:
        """Note that an update went out, ours or one that the user sent by hand."""
        event_id = event.event_id or ""
        change = self._offered.pop(event_id, None)
        if change is None:
            change = Change(event.session, event.session.to_dict(), event_id=event_id)
        change.sent_at = now
        self._pending.append(change)

    def not_sent(self, event: SessionUpdate) -> Change | None:
        """Take back a change whose update could not be sent, and return it."""
        change = self._offered.pop(event.event_id or "", None)
        if change is not None:
            self.take_back(change)
        return change

    def connection_ended(self) -> list[Change]:
        """Return the changes whose callers wait in vain, taken back."""
        waited_for = [
            change
            for change in (*self._offered.values(), *self._pending)
            if change.awaited and not change.given_up
        ]
        for change in waited_for:
            self.take_back(change)
        self._offered.clear()
        self._pending.clear()
        self.assistant_spoke = False
        return waited_for

    def accepted(self) -> Change | None:
        """Note `session.updated`: it answers the oldest update and does not name it.

        Returns:
            The change that is accepted by it, if anybody still waits for that.
        """
        if not self._pending:
            return None
        change = self._pending.popleft()
        self.keep(change)
        return None if change.given_up else change

    def next_timeout(self, patience_s: float) -> float | None:
        """Return when the oldest update has been unanswered for so long."""
        waited_for = (each for each in self._pending if not each.given_up)
        oldest = next(waited_for, None)
        return None if oldest is None else oldest.sent_at + patience_s

    def give_up(self, patience_s: float, *, now: float) -> list[Change]:
        """Take back the updates that have been unanswered for so long; return them."""
        overdue = [
            change
            for change in self._pending
            if not change.given_up and change.sent_at + patience_s <= now
        ]
        for change in overdue:
            self.take_back(change)
        return overdue

    def take_back(self, change: Change) -> None:
        """Undo a change whose caller was told that it failed, or gave up.

        Where the update has gone out, its answer is still to come, and is nobody's.
        """
        change.given_up = True
        if change in self._changes:
            self._changes.remove(change)

    def refused(self, change: Change) -> bool:
        """Undo a change that the server refused; a tool that it brought is gone too.

        Returns:
            Whether it was refused for the tool of an earlier one: then the tools are
            to be told again, without that.
        """
        self._pending.remove(change)
        if change in self._changes:
            self._changes.remove(change)
        if change.carries_refused and not change.awaited:
            return True
        tool = change.adds_tool
        if tool is not None and self.tools.get(tool.name) is tool:
            del self.tools[tool.name]
            for later in (*self._offered.values(), *self._pending):
                sends_tools = later.config is not None and bool(later.config.tools)
                later.carries_refused |= sends_tools
        return False

    def tools_again(self) -> Change:
        """Return the update that tells the server of the tools as they are."""
        return Change(to_config({"tools": self._all_tools()}, SessionConfig), {})

    @property
    def oldest_pending(self) -> Change | None:
        """The first update that the server has not answered."""
        return next(iter(self._pending), None)

    def refused_by(self, error: APIError) -> Change | None:
        """Return the pending update that an error answers, if any.

        Some servers leave the id of the offending event out; an error without one that
        is about the session answers the oldest update.
        """
        if isinstance(error.event_id, str):
            named = (c for c in self._pending if c.event_id == error.event_id)
            return next(named, None)
        about_session = isinstance(error.param, str) and error.param.startswith(
            "session"
        )
        return self.oldest_pending if about_session else None

    # --- tools ---

    def _check_tools(self, tools: object) -> None:
        if tools is None:
            return
        if not _is_list(tools):
            # Not shown: the definition of an MCP server holds credentials.
            raise ConfigurationError(
                f"`tools` is a list of tools, not a {type(tools).__name__}"
            )
        for tool in tools:
            if not isinstance(tool, dict):
                raise ConfigurationError(
                    f"a tool is an object such as {{'type': 'function', 'name': ...}}, "
                    f"not {tool!r}"
                )
            name = cast("dict[str, Any]", tool).get("name")
            if name in self.tools:
                raise ToolError(
                    f"a tool named {name!r} is registered with a handler already; "
                    f"remove_tool({name!r}) first, or leave it out"
                )

    def _tools_by_hand(self) -> list[dict[str, Any]]:
        return cast("list[dict[str, Any]]", self.wanted.get("tools") or [])

    def _all_tools(self) -> list[dict[str, Any]]:
        registered = [tool.to_dict() for tool in self.tools.values()]
        return [*self._tools_by_hand(), *registered]


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _accepted_turn_detection(session: Session | None) -> Opt[TurnDetection | None]:
    """Return what a session says of turn detection: UNSET where it says nothing."""
    if session is None or not session.audio or not session.audio.input:
        return UNSET
    return session.audio.input.turn_detection


def _voice_of(session: Session | None) -> object:
    """Return the voice of a session as JSON; None where the server does not tell."""
    if session is None or not session.audio or not session.audio.output:
        return None
    return session.audio.output.to_dict().get("voice")


def _does(session: Session | None, setting: str) -> bool:
    """Whether turn detection does what is on unless it was turned off."""
    detection = _accepted_turn_detection(session)
    return detection is not None and getattr(detection, setting, UNSET) is not False


def _wanted_turn_detection(wanted: Mapping[str, Any]) -> object:
    """Return what was asked of turn detection: UNSET where nothing was."""
    return _wanted_of(wanted, "audio", "input", "turn_detection")


def _wanted_of(wanted: Mapping[str, Any], *path: str) -> object:
    """Return what was asked of a setting: UNSET where nothing was."""
    found: object = wanted
    for key in path:
        if not isinstance(found, Mapping):
            return UNSET
        found = cast("Mapping[str, object]", found).get(key, UNSET)
    return found


def merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Merge a partial configuration into a whole one, key by key, changing neither.

    Objects are merged at every depth, as the guides' partial updates imply
    (PROTOCOL.md section 3); null, lists and values replace, and so does an object of
    another ``type``.
    """
    if "type" in change and "type" in base and change["type"] != base["type"]:
        return dict(change)
    merged = dict(base)
    for key, value in change.items():
        present = merged.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            merged[key] = merge(
                cast("dict[str, Any]", present), cast("dict[str, Any]", value)
            )
        else:
            merged[key] = value
    return merged
