"""What the session is asked to be, and what the server has accepted.

What is wanted is one nested JSON object, into which every change is merged. Changes
are kept apart until the server has answered, so that a refused one can be taken back
without undoing another. Tools registered with handlers stand beside it and are added to
whatever ``tools`` the user set by hand, so that an update of one never loses the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, cast

from .._struct import UNSET
from ..dialect import nested_config, to_config
from ..errors import ToolError
from ..resources.audio import TurnDetection
from ..resources.session import Session, SessionConfig
from ..resources.tools import ToolDefinition

__all__ = ["Configuration", "merge"]


class _Change:
    """One change of the configuration.

    Attributes:
        fields: What was changed, nested.
        sent: The update that told the server.
    """

    __slots__ = ("fields", "sent")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.sent: SessionConfig | None = None


class Configuration:
    """The configuration of one client, across its connections.

    Attributes:
        tools: The registered tools, by name.
        acknowledged: The session as the server last described it, or None.
        pending: The ids of our updates that the server has not answered, oldest first.
        awaited: Those of them whose caller waits for the answer.
    """

    def __init__(self) -> None:
        self._settled: dict[str, Any] = {}
        self._changes: list[_Change] = []
        self.tools: dict[str, ToolDefinition] = {}
        self.acknowledged: Session | None = None
        self.pending: deque[str] = deque()
        self.awaited: set[str] = set()
        self._ever_registered: set[str] = set()

    @property
    def wanted(self) -> dict[str, Any]:
        """What the user asked for, nested, without registered tools."""
        wanted = self._settled
        for change in self._changes:
            wanted = merge(wanted, change.fields)
        return wanted

    @property
    def turn_detection(self) -> TurnDetection | None:
        """How turns are found: as acknowledged, else as wanted; None is by hand."""
        session = self.acknowledged or to_config(self.wanted, SessionConfig)
        if session.audio is UNSET or session.audio.input is UNSET:
            return None
        found = session.audio.input.turn_detection
        return None if found is UNSET else found

    @property
    def empty(self) -> bool:
        """Whether nothing was asked for, so that the server's defaults may stand."""
        return not self.wanted and not self.tools

    def whole(self) -> SessionConfig:
        """Return all that is wanted, for a new connection."""
        fields = dict(self.wanted)
        if self.tools:
            fields["tools"] = self._all_tools()
        return to_config(fields, SessionConfig)

    def change(
        self, fields: Mapping[str, Any]
    ) -> tuple[SessionConfig, tuple[str, ...]]:
        """Merge an update and return what to send for it, and notes for the user.

        Raises:
            ConfigurationError: A field is unknown, contradictory or of a wrong type;
                nothing has changed then.
        """
        changed, notes = nested_config(fields, SessionConfig)
        self._check_names(changed.get("tools") or [])
        merged = merge(self.wanted, changed)
        to_config(merged, SessionConfig)
        added = _Change(changed)
        self._changes.append(added)
        if "tools" in changed:
            changed = {**changed, "tools": self._all_tools()}
        added.sent = to_config(changed, SessionConfig)
        return added.sent, notes

    def take_back(self, sent: SessionConfig) -> None:
        """Undo a change that the server has refused."""
        self._changes = [change for change in self._changes if change.sent is not sent]

    def answer(self, event_id: str) -> bool:
        """Note that an update was answered, or that nobody waits for it any more.

        Returns:
            Whether a caller was waiting for the answer.
        """
        if event_id in self.pending:
            self.pending.remove(event_id)
        was_awaited = event_id in self.awaited
        self.awaited.discard(event_id)
        return was_awaited

    def settle(self) -> None:
        """Keep all changes for good: none can be refused any more."""
        self._settled = self.wanted
        self._changes = []

    def add_tool(self, definition: ToolDefinition) -> SessionConfig:
        """Register a tool and return the update that tells the server.

        Raises:
            ToolError: A tool of this name is registered already.
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
        self.tools[definition.name] = definition
        self._ever_registered.add(definition.name)
        return to_config({"tools": self._all_tools()}, SessionConfig)

    def remove_tool(self, name: str) -> SessionConfig:
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
        return to_config({"tools": self._all_tools()}, SessionConfig)

    def offers_without_handler(self, name: str) -> bool:
        """Whether the session offers a function that never had a handler of ours.

        A tool just removed may still be called; such a call is ours to answer.
        """
        if name in self._ever_registered:
            return False
        if any(tool.get("name") == name for tool in self._tools_by_hand()):
            return True
        session = self.acknowledged
        tools = session.tools if session is not None else UNSET
        return any(
            isinstance(tool, ToolDefinition) and tool.name == name
            for tool in tools or []
        )

    def _check_names(self, tools: list[dict[str, Any]]) -> None:
        for tool in tools:
            if tool.get("name") in self.tools:
                raise ToolError(
                    f"a tool named {tool['name']!r} is registered with a handler "
                    f"already; remove_tool({tool['name']!r}) first, or leave it out"
                )

    def _tools_by_hand(self) -> list[dict[str, Any]]:
        return cast("list[dict[str, Any]]", self.wanted.get("tools", []))

    def _all_tools(self) -> list[dict[str, Any]]:
        registered = [tool.to_dict() for tool in self.tools.values()]
        return [*self._tools_by_hand(), *registered]


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
