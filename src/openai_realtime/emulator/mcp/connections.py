"""The MCP servers of one session: imported, offered, and called once approved.

The session is told which tools its configuration names; what follows from that happens
in its schedule (PROTOCOL.md section 6.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, cast

from ..._struct import UNSET, UnsetType
from ...events import (
    ConversationItemAdded,
    ConversationItemDone,
    McpListToolsCompleted,
    McpListToolsFailed,
    McpListToolsInProgress,
    ResponseMcpCallCompleted,
    ResponseMcpCallFailed,
    ResponseMcpCallInProgress,
    ServerEvent,
)
from ...resources.items import (
    Item,
    McpApprovalResponseItem,
    McpCallItem,
    McpListToolsItem,
    McpProtocolError,
    ObjectType,
)
from ...resources.tools import McpTool, SessionTool, ToolDefinition
from ..brains.action import CallMcp
from ..brains.prompt import McpOffer
from ..ids import Ids
from ..refusal import Refusal, invalid_value, missing
from ..schedule import Schedule, Step, Steps
from ..session.entry import Entry
from ..session.history import History
from .definition import TARGETS, is_allowed, needs_approval
from .server import McpResult, McpServer, McpServers, McpServerTool

__all__ = ["CALL_S", "McpConnections", "call_item"]

_IMPORT_S = 0.2

# So many imports and open questions are remembered, the latest ones.
_MOST_IMPORTS = 256
_MOST_ASKED = 1_000

CALL_S = 0.3
"""How long a call takes, in real time."""

# JSON-RPC 2.0, section 5.1, which MCP is built on.
_METHOD_NOT_FOUND = -32601


_T = TypeVar("_T")


class _Asked(NamedTuple):
    """A call that waits for its approval."""

    action: CallMcp
    arguments: str
    output_index: int


@dataclass
class _Import:
    """An import of tools: from where, what is there, and how it has ended.

    One that is hidden was for a response out of band.
    """

    target: str | None
    server: McpServer
    hidden: bool
    ready: bool = False
    failed: bool = False


class McpConnections:
    """Knows the MCP servers of one session.

    Args:
        servers: What the servers are.
        history: The conversation, which imports and approved calls are items of.
        schedule: What runs both.
        ids: Names them.
    """

    def __init__(
        self, servers: McpServers, *, history: History, schedule: Schedule, ids: Ids
    ) -> None:
        self._servers = servers
        self._history = history
        self._schedule = schedule
        self._ids = ids
        self._imports: dict[str, _Import] = {}
        self._asked: dict[str, _Asked] = {}

    # --- imports ---

    def check_tools(self, tools: object, root: str) -> None:
        """Refuse a server that says nowhere where it is, or is there twice.

        Args:
            tools: The tools as the client gave them; what else is wrong with them is
                for others to say.
            root: ``session`` or ``response``.

        Raises:
            Refusal: There is such a server among them.
        """
        seen: set[str] = set()
        for index, fields in _mcp_tools(tools):
            label: str = fields["server_label"]
            param = f"{root}.tools[{index}]"
            if label in seen:
                raise invalid_value(
                    f"{param}.server_label",
                    f"There are two MCP servers with the label '{label}'.",
                )
            seen.add(label)
            # Once imported, its label is enough (PROTOCOL.md section 3.4).
            named = any(fields.get(target) is not None for target in TARGETS)
            known = self._imports.get(label)
            if not named and (known is None or known.failed):
                raise missing(f"{param}.server_url")

    def connect(
        self,
        tools: Iterable[SessionTool] | UnsetType | None,
        *,
        now: float,
        again: bool = False,
        out_of_band: bool = False,
    ) -> None:
        """Begin to import the tools of the servers that are new to the session.

        Args:
            tools: The tools that are to be there.
            now: The time.
            again: Whether those that could not be imported are tried once more.
            out_of_band: Whether the conversation is to know nothing of it (PROTOCOL.md
                section 6.5).
        """
        for tool in tools or ():
            if not isinstance(tool, McpTool):
                continue
            target = _target_of(tool)
            known = self._imports.get(tool.server_label)
            if known is None or target not in (None, known.target):
                url = tool.server_url if isinstance(tool.server_url, str) else None
                server = self._servers.find(tool.server_label, url)
            elif (known.failed and again) or (known.hidden and not out_of_band):
                target, server = known.target, known.server
            else:
                continue
            begun = _Import(target, server, hidden=out_of_band)
            _remember(self._imports, tool.server_label, begun, _MOST_IMPORTS)
            item_id = self._reserved_id()
            self._schedule.start(item_id, self._import(item_id, tool, begun), now=now)

    def _import(self, item_id: str, tool: McpTool, begun: _Import) -> Steps:
        """Import the tools of one server (PROTOCOL.md section 6.4, point 1)."""
        entry = Entry(_list_item(item_id, tool, ()))
        added: list[ServerEvent] = []
        if not begun.hidden:
            # The item is there from the beginning: clients retrieve it at once.
            self._history.add(entry)
            added = [_added(entry)]
        yield Step([McpListToolsInProgress(item_id=item_id), *added], _IMPORT_S)
        reached = not begun.server.unreachable
        entry.item = _list_item(item_id, tool, begun.server.tools if reached else ())
        begun.ready, begun.failed = reached, not reached
        ended = McpListToolsCompleted if reached else McpListToolsFailed
        done = [] if begun.hidden else _done(entry)
        self._history.release(item_id)
        yield Step([*done, ended(item_id=item_id)])

    def _reserved_id(self) -> str:
        """Name an item that is to come: until then nobody else may take the name."""
        item_id = self._ids("item")
        self._history.reserve(item_id)
        return item_id

    def offers(self, tools: Iterable[SessionTool]) -> tuple[McpOffer, ...]:
        """Return the tools of those servers that may be called by now."""
        return tuple(
            McpOffer(tool.server_label, _as_function(offered))
            for tool in tools
            if isinstance(tool, McpTool)
            for offered in self._imported(tool.server_label)
            if is_allowed(tool, offered.name, read_only=offered.read_only)
        )

    def _imported(self, label: str) -> tuple[McpServerTool, ...]:
        known = self._imports.get(label)
        return known.server.tools if known is not None and known.ready else ()

    # --- calls ---

    def needs_approval(self, action: CallMcp, tools: Iterable[SessionTool]) -> bool:
        """Tell whether a call is to be approved first."""
        for tool in tools:
            if isinstance(tool, McpTool) and tool.server_label == action.server_label:
                known = {t.name: t for t in self._imported(action.server_label)}
                offered = known.get(action.name)
                read_only = offered is not None and offered.read_only
                return needs_approval(tool, action.name, read_only=read_only)
        return False

    def run(self, action: CallMcp, arguments: str) -> McpResult:
        """Answer a call."""
        if action.output is not None or action.error is not None:
            return McpResult(action.output, action.error)
        known = self._imports.get(action.server_label)
        if known is None or not known.ready:
            label = action.server_label
            message = f"This session has imported no MCP server '{label}'."
            error = McpProtocolError(code=_METHOD_NOT_FOUND, message=message)
            return McpResult(error=error)
        return known.server.call(action.name, arguments)

    # --- approvals ---

    def ask(
        self, item_id: str, action: CallMcp, arguments: str, output_index: int
    ) -> None:
        """Note that the item of that id asks for the approval of a call."""
        asked = _Asked(action, arguments, output_index)
        _remember(self._asked, item_id, asked, _MOST_ASKED)

    def forget(self, item_id: str) -> None:
        """Wait for no answer to what an item asks: it was deleted."""
        self._asked.pop(item_id, None)

    def check_item(self, item: Item) -> None:
        """Refuse an answer to what was never asked, or was answered.

        Raises:
            Refusal: The item is such an answer.
        """
        if not isinstance(item, McpApprovalResponseItem):
            return
        if item.approval_request_id not in self._asked:
            raise Refusal(
                "There is no approval request with the id "
                f"'{item.approval_request_id}' that waits for an answer.",
                code="item_not_found",
                param="item.approval_request_id",
            )

    def take_answer(self, item: Item, *, now: float) -> None:
        """Run the call that an item of the client's approves, if it is one that does.

        PROTOCOL.md section 6.4, point 4.
        """
        if not isinstance(item, McpApprovalResponseItem):
            return
        asked = self._asked.pop(item.approval_request_id)
        if item.approve:
            item_id = self._reserved_id()
            steps = self._approved(item_id, item.approval_request_id, asked)
            self._schedule.start(item_id, steps, now=now)

    def _approved(self, item_id: str, request_id: str, asked: _Asked) -> Steps:
        """Run a call that belongs to no response any more."""
        item = call_item(item_id, asked.action, asked.arguments, request_id)
        entry = Entry(item)
        self._history.add(entry)
        index = asked.output_index
        yield Step(
            [
                _added(entry),
                ResponseMcpCallInProgress(item_id=item_id, output_index=index),
            ],
            CALL_S,
        )
        result = self.run(asked.action, asked.arguments)
        entry.item = call_item(
            item_id, asked.action, asked.arguments, request_id, result
        )
        ended = ResponseMcpCallFailed if result.error else ResponseMcpCallCompleted
        yield Step([ended(item_id=item_id, output_index=index), *_done(entry)])


def call_item(
    item_id: str,
    action: CallMcp,
    arguments: str,
    request_id: str | None,
    result: McpResult | None = None,
) -> McpCallItem:
    """Make the item of a call; without a result it is still under way."""
    return McpCallItem(
        id=item_id,
        object=ObjectType.ITEM,
        server_label=action.server_label,
        name=action.name,
        arguments=arguments,
        approval_request_id=request_id,
        # Null, not absent: clients' models insist on it.
        output=result.output if result else None,
        error=result.error if result else None,
    )


def _list_item(
    item_id: str, tool: McpTool, tools: Iterable[McpServerTool]
) -> McpListToolsItem:
    listed = [
        offered.listed()
        for offered in tools
        if is_allowed(tool, offered.name, read_only=offered.read_only)
    ]
    return McpListToolsItem(
        id=item_id,
        object=ObjectType.ITEM,
        server_label=tool.server_label,
        tools=listed,
    )


def _added(entry: Entry) -> ServerEvent:
    return ConversationItemAdded(previous_item_id=entry.previous_id, item=entry.item)


def _done(entry: Entry) -> list[ServerEvent]:
    if entry.deleted:
        return []
    return [ConversationItemDone(previous_item_id=entry.previous_id, item=entry.item)]


def _remember(known: dict[str, _T], key: str, value: _T, most: int) -> None:
    """Put something in, and take the oldest out where that is one too many."""
    known.pop(key, None)
    known[key] = value
    if len(known) > most:
        del known[next(iter(known))]


def _mcp_tools(tools: object) -> Iterator[tuple[int, dict[str, Any]]]:
    """Find the MCP servers that have a label in what may be anything."""
    elements = cast("list[object]", tools) if isinstance(tools, list) else []
    for index, element in enumerate(elements):
        if not isinstance(element, dict):
            continue
        fields = cast("dict[str, Any]", element)
        label = fields.get("server_label")
        if fields.get("type") == "mcp" and isinstance(label, str) and label:
            yield index, fields


def _target_of(tool: McpTool) -> str | None:
    for name in TARGETS:
        target = getattr(tool, name)
        if target is not None and target is not UNSET:
            return f"{name} {target}"
    return None


def _as_function(tool: McpServerTool) -> ToolDefinition:
    parameters: Mapping[str, Any] = tool.input_schema
    return ToolDefinition(
        name=tool.name, description=tool.description, parameters=dict(parameters)
    )
