"""Running the tools that the model calls, and asking for consent where that is due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias, cast

from ..core.outputs import Emit, Output, RunTool
from ..core.protocol import RealtimeProtocol
from ..core.tool_failure import ToolFailure
from ..errors import LocalProtocolError, ToolError
from ..events import ErrorOccurred, ToolApprovalRequested
from ..resources.formatted import FormattedItem
from ..task_scope import TaskScope, being_cancelled
from .call_context import ToolContext
from .invocation import invoke
from .tool import Approval, Tool

__all__ = ["ToolRunner"]

logger: logging.Logger = logging.getLogger("openai_realtime.tools")


class _Run:
    """One run of a tool, or of the function that decides about it.

    Attributes:
        call: What is answered.
        context: What the tool may know.
        task: What runs it; None until it has begun.
    """

    def __init__(self, call: RunTool, context: ToolContext) -> None:
        self.call = call
        self.context = context
        self.task: asyncio.Task[None] | None = None


_Work: TypeAlias = Callable[[_Run], Awaitable[None]]
_Fail: TypeAlias = Callable[[_Run, BaseException], None]


class ToolRunner:
    """Runs the tools of one client, each in a task of its own.

    Args:
        context: Makes the context of a call, for the client that the tools are for.
        protocol: Returns the session, which is another one after a reset.
        perform: Carries out what follows from the end of a run.
        clock: The time.

    Attributes:
        tools: The tools, by name.
    """

    def __init__(
        self,
        *,
        context: Callable[..., ToolContext],
        protocol: Callable[[], RealtimeProtocol],
        perform: Callable[[Iterable[Output]], None],
        clock: Callable[[], float],
    ) -> None:
        self._new_context = context
        self._protocol = protocol
        self._perform = perform
        self._clock = clock
        self._scope = TaskScope()
        self._runs: dict[str, _Run] = {}
        self.tools: dict[str, Tool] = {}

    # --- what the session asks for ---

    def run(self, call: RunTool) -> None:
        """Run a tool, and report what came of it."""
        self._start(call, self._run, self._run_failed)

    def decide(self, request: ToolApprovalRequested) -> bool:
        """Let a tool's own function decide whether a call may run.

        Returns:
            Whether it has one; else the user is to be asked.
        """
        tool = self.tools.get(request.name)
        if request.server_label is not None or tool is None or tool.approval is None:
            return False
        call = RunTool(
            request.approval_id,
            request.name,
            request.arguments,
            request.response_id or "",
        )
        self._start(call, self._decide, self._decision_failed)
        return True

    def stop(self, call_id: str) -> None:
        """Stop a tool whose call was answered without it; a thread runs on unheard."""
        run = self._runs.pop(call_id, None)
        if run is None:
            return
        run.context.cancel.request()
        if run.task is not None and run.task is not asyncio.current_task():
            run.task.cancel()

    def forget(self) -> None:
        """Forget all tools."""
        self.tools.clear()

    def forget_calls(self) -> None:
        """Let what runs run on; its results go nowhere."""
        self._runs.clear()

    async def end(self) -> None:
        """Stop all that runs, but for the tool that calls this."""
        await self._scope.stop()

    # --- runs ---

    def _start(self, call: RunTool, work: _Work, fail: _Fail) -> None:
        run = _Run(call, self._context(call))
        self._runs[call.call_id] = run
        run.task = self._scope.start(self._guard(run, work, fail))

    async def _guard(self, run: _Run, work: _Work, fail: _Fail) -> None:
        """Do the work of a run; however it fails, its call is answered."""
        try:
            await work(run)
        except asyncio.CancelledError as exc:
            if being_cancelled():
                run.context.cancel.request()
                raise
            # Something that the tool waited for was cancelled, not the tool.
            fail(run, exc)
        except Exception as exc:
            fail(run, exc)
        finally:
            if self._is_wanted_still(run):
                del self._runs[run.call.call_id]

    def _is_wanted_still(self, run: _Run) -> bool:
        """Whether a run is the one that answers its call.

        A new connection may use an id anew while a tool of the former one runs on.
        """
        return self._runs.get(run.call.call_id) is run

    def _context(self, call: RunTool) -> ToolContext:
        return self._new_context(
            call_id=call.call_id,
            name=call.name,
            item=self._item_of(call.call_id),
            response_id=call.response_id,
        )

    def _item_of(self, call_id: str) -> FormattedItem | None:
        for item in reversed(self._protocol().conversation.get_items()):
            tool = item.formatted.tool
            if tool is not None and tool.call_id == call_id:
                return item
        return None

    def _tool_of(self, call: RunTool) -> Tool:
        tool = self.tools.get(call.name)
        if tool is None:
            raise ToolError(f"there is no tool {call.name!r} any more")
        return tool

    # --- tools ---

    async def _run(self, run: _Run) -> None:
        call = run.call
        output = await self._tool_of(call).run(call.arguments, run.context)
        if self._is_wanted_still(run):
            protocol, now = self._protocol(), self._clock()
            self._perform(protocol.tool_finished(call.call_id, output, now=now))

    def _run_failed(self, run: _Run, exc: BaseException) -> None:
        """Tell of a failed tool: the user all of it, the model what is its business.

        What an exception says may be internal; a `ToolError` is written for the model.
        """
        call = run.call
        self._tell(call, exc, f"tool {call.name!r}")
        if not self._is_wanted_still(run):
            return
        message = f"the tool {call.name} failed"
        if isinstance(exc, ToolError):
            message = str(exc)
        failure, now = ToolFailure.FAILED, self._clock()
        self._perform(
            self._protocol().tool_failed(call.call_id, failure, message, now=now)
        )

    # --- consent ---

    async def _decide(self, run: _Run) -> None:
        tool = self._tool_of(run.call)
        approval = cast("Approval", tool.approval)
        arguments = tool.read(run.call.arguments)
        agreed = await invoke(approval, run.context, arguments)
        self._settle(run, agreed=bool(agreed), reason="")

    def _decision_failed(self, run: _Run, exc: BaseException) -> None:
        """Take a failure for a no; of a `ToolError` the model is told the reason."""
        if isinstance(exc, ToolError):
            self._settle(run, agreed=False, reason=str(exc))
            return
        self._tell(run.call, exc, f"the approval of tool {run.call.name!r}")
        self._settle(run, agreed=False, reason="")

    def _settle(self, run: _Run, *, agreed: bool, reason: str) -> None:
        if not self._is_wanted_still(run):
            return
        call_id, protocol, now = run.call.call_id, self._protocol(), self._clock()
        try:
            if agreed:
                outputs = protocol.approve_tool_call(call_id, now=now)
            else:
                outputs = protocol.reject_tool_call(call_id, reason, now=now)
        except LocalProtocolError as exc:
            # The user has interrupted, or answered the call, and needs no telling.
            logger.debug("a decision came too late: %s", exc)
            return
        self._perform(outputs)

    def _tell(self, call: RunTool, exc: BaseException, what: str) -> None:
        logger.error("%s failed", what, exc_info=exc)
        failure = exc
        if not isinstance(failure, ToolError):
            failure = ToolError(f"{what} failed: {exc!r}")
            failure.__cause__ = exc
        self._perform([Emit("error", ErrorOccurred(error=failure, context=call))])
