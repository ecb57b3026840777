"""What runs behind a client that never awaits."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ParamSpec, TypeVar

from .handler_thread import HandlerThread
from .loop_thread import LoopThread
from .outbox import Outbox

__all__ = ["Background"]

P = ParamSpec("P")
T = TypeVar("T")


class Background:
    """A loop in a thread, a thread for handlers, and what is on its way.

    When nobody holds it any more, the client was given up: it disconnects.

    Args:
        leave: Disconnects; it may be called at any time.

    Attributes:
        loop: Where everything happens.
        handlers: Where plain handlers run.
        outbox: What goes out without anybody waiting for that.
    """

    def __init__(self, leave: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.loop: LoopThread = LoopThread(leave)
        self.handlers: HandlerThread = HandlerThread(self.loop)
        self.outbox: Outbox = Outbox(self.loop)
        # At the end of the program it is the loop that sees to this.
        given_up = weakref.finalize(self, _give_up, self.loop, self.handlers)
        given_up.atexit = False

    def connect(self, connect: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Connect, and keep the threads if that succeeds."""
        self.handlers.keep()
        self.outbox.begin()
        try:
            self.loop.call_and_stay(connect)
        except BaseException:
            self.handlers.end()
            raise

    def say(
        self,
        work: Callable[P, Coroutine[Any, Any, T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run what sends something, behind what is on its way."""
        return self.loop.call(self._behind, partial(work, *args, **kwargs))

    def end(self, disconnect: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Disconnect, let the handlers see the end, and end the threads."""
        self.loop.call(self._finish, disconnect)
        self.handlers.end()
        self.loop.end()

    async def _behind(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        await self.outbox.sent()
        return await work()

    async def _finish(
        self, disconnect: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        await self.outbox.finish()
        await disconnect()


def _give_up(loop: LoopThread, handlers: HandlerThread) -> None:
    handlers.let_end()
    loop.abandon()
