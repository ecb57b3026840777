"""What a tool may know of the call that it answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ToolError
from ..resources.formatted import FormattedItem

if TYPE_CHECKING:
    # Whoever writes `ctx.client.` wants to see its verbs.
    from ..client import RealtimeClient

__all__ = ["CancelSignal", "ToolContext"]

T = TypeVar("T")


class CancelSignal:
    """Says whether a call is still wanted; for threads, which nobody can cancel.

    It is set when a run is stopped: its time is up, the user interrupted, somebody else
    has answered the call, or the client disconnects. A coroutine is cancelled as well.
    """

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def requested(self) -> bool:
        """Whether the run was stopped; what it returns goes nowhere then."""
        return self._event.is_set()

    def request(self) -> None:
        """Ask the run to stop, from any thread."""
        self._event.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Block the thread until the run is stopped, or for so many seconds.

        In place of ``time.sleep``, it ends early when there is no point in going on.
        It is not for coroutines, which it would keep from running.

        Returns:
            Whether the run was stopped.
        """
        return self._event.wait(timeout)

    def raise_if_requested(self) -> None:
        """Leave the function, if the run was stopped.

        Raises:
            asyncio.CancelledError: It was. ``except Exception`` lets it pass.
        """
        if self.requested:
            raise asyncio.CancelledError("the call is not wanted any more")

    def __repr__(self) -> str:
        return f"CancelSignal(requested={self.requested})"


@dataclass(frozen=True, slots=True, eq=False)
class ToolContext:
    """The call that a tool answers; a parameter annotated with it receives it.

    Attributes:
        client: The client that runs the tool. Its coroutines belong to its loop: `run`
            lets a plain function, which is in a thread, use them.
        call_id: Names the call.
        name: The name under which the tool was called.
        item: The call as an item of the conversation; None where the server has not
            announced it.
        response_id: The response that made the call.
        cancel: Is set when the run is stopped.
    """

    client: RealtimeClient
    call_id: str = ""
    name: str = ""
    item: FormattedItem | None = field(default=None, repr=False)
    response_id: str = ""
    cancel: CancelSignal = field(default_factory=CancelSignal)
    _loop: asyncio.AbstractEventLoop = field(
        default_factory=asyncio.get_running_loop, init=False, repr=False
    )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the client's loop, wait for it, return its result.

        For plain functions: ``ctx.run(ctx.client.interrupt())``.

        Raises:
            ToolError: It was called inside the loop, where ``await`` does it.
            Exception: Whatever the coroutine raises.
        """
        if _running_loop() is self._loop:
            work.close()
            raise ToolError(
                f"tool {self.name!r} called ctx.run() inside the event loop, which "
                "would wait for itself; await the coroutine instead"
            )
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
