"""A thread with an event loop, for those who have none.

It begins with the first call and ends with the last one, unless it is kept: a client
keeps it while it is connected. It is a daemon, so a program that forgets to disconnect
ends all the same; and at that end it still says goodbye to the server.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, ParamSpec, TypeVar

from ..errors import ConnectionClosed, LocalProtocolError

__all__ = ["LoopThread"]

P = ParamSpec("P")
T = TypeVar("T")

logger: logging.Logger = logging.getLogger("openai_realtime.sync")

# How long calls of other threads, and tools, may go on after the end.
_GRACE_S = 1.0

# How long a program's end waits for clients that were forgotten.
_AT_EXIT_S = 3.0

# On Windows Ctrl-C does not wake a thread that waits for a lock, so it looks up.
_LOOK_UP_S = 0.2

_WAITS_FOR_ITSELF = (
    "this call would wait for itself: it was made on the client's own event loop, by a "
    "coroutine handler, a coroutine tool or a predicate; make that a plain function, "
    "which may call anything"
)


class _Running:
    """A thread that runs, and whose it is.

    Attributes:
        loop: Its event loop.
        pool: The threads of plain tools.
        tool_threads: Those of them that have begun.
        users: How many calls are under way.
        kept: Whether it goes on without any.
        ending: Whether it is about to end.
    """

    def __init__(self, serve: Callable[[_Running], None]) -> None:
        self.loop = asyncio.new_event_loop()
        self.tool_threads: list[threading.Thread] = []
        self.pool = ThreadPoolExecutor(
            thread_name_prefix="openai_realtime tool", initializer=self._note_thread
        )
        self.loop.set_default_executor(self.pool)
        self.users = 0
        self.kept = False
        self.ending = False
        self.thread = threading.Thread(
            target=serve, args=(self,), name="openai_realtime loop", daemon=True
        )
        self.thread.start()

    def _note_thread(self) -> None:
        self.tool_threads.append(threading.current_thread())

    def join(self, timeout_s: float | None) -> None:
        """Wait for the thread, and a moment for its tools."""
        self.thread.join(timeout_s)
        deadline = time.monotonic() + _GRACE_S
        for thread in self.tool_threads:
            # One of them may be what makes the client end.
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))


class LoopThread:
    """Runs coroutines for callers in any other thread.

    Args:
        leave: What is to be done before the loop ends.
    """

    def __init__(self, leave: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._leave = leave
        self._lock = threading.RLock()
        self._running: _Running | None = None
        self._former: _Running | None = None

    # --- calling ---

    def call(
        self,
        work: Callable[P, Coroutine[Any, Any, T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a coroutine function, and return or raise what it returns or raises.

        An exception that strikes the waiting caller, Ctrl-C above all, cancels it.

        Raises:
            LocalProtocolError: The loop itself would have to wait.
            ConnectionClosed: Somebody ended the loop meanwhile.
        """
        return self._call(partial(work, *args, **kwargs), keep=False)

    def call_and_stay(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Like `call`; if it succeeds, the thread goes on until `end`."""
        return self._call(work, keep=True)

    def _call(self, work: Callable[[], Coroutine[Any, Any, T]], *, keep: bool) -> T:
        self.check_may_wait()
        with self._lock:
            running = self._running or self._start()
            running.users += 1
            # Under the lock, so that an end that is ordered later comes later.
            future = asyncio.run_coroutine_threadsafe(_begin(work), running.loop)
        succeeded = False
        try:
            result = _result_of(future)
            succeeded = True
            return result
        finally:
            self._done_with(running, keep=keep and succeeded)

    def run(self, work: Callable[[], T]) -> T:
        """Run a plain function where nothing else happens to the client meanwhile.

        That is on the loop, or here where there is none.
        """
        if self.is_here:
            return work()
        with self._lock:
            if self._running is None:
                return work()
        return self.call(_as_coroutine, work)

    def post(self, work: Callable[[], None]) -> bool:
        """Let the loop run a plain function soon, in order with all else.

        Returns:
            Whether there is a loop; else nothing is done.
        """
        with self._lock:
            if self._running is None:
                return False
            self._running.loop.call_soon_threadsafe(work)
            return True

    def check_may_wait(self) -> None:
        """Let nobody wait on the loop, for the loop.

        Raises:
            LocalProtocolError: This is the loop's thread.
        """
        if self.is_here:
            raise LocalProtocolError(_WAITS_FOR_ITSELF)

    @property
    def is_here(self) -> bool:
        """Whether it is the current thread."""
        here = threading.current_thread()
        return any(
            each is not None and each.thread is here
            for each in (self._running, self._former)
        )

    # --- lifetime ---

    def end(self, timeout_s: float | None = None) -> None:
        """End the thread, and return when it has ended; without one, do nothing.

        Who still waits for anything on the loop gets `ConnectionClosed`.
        """
        with self._lock:
            running = self._running
            if running is not None:
                self._let_end(running)
        if running is not None:
            running.join(timeout_s)

    def abandon(self) -> None:
        """Let the thread end, without waiting and without any lock.

        This is for the garbage collector, which may call it in any thread.
        """
        running = self._running
        if running is not None and not running.loop.is_closed():
            running.loop.call_soon_threadsafe(self._wind_up_soon, running)

    def _start(self) -> _Running:
        if self._former is not None:
            # Two loops at once would be two threads that change the client.
            self._former.thread.join()
            self._former = None
        self._running = _Running(self._serve)
        return self._running

    def _serve(self, running: _Running) -> None:
        """Run the loop until it is wound up; this is the thread."""
        try:
            running.loop.run_forever()
        finally:
            running.pool.shutdown(wait=False, cancel_futures=True)
            running.loop.close()
            atexit.unregister(self._at_exit)

    def _done_with(self, running: _Running, *, keep: bool) -> None:
        with self._lock:
            running.users -= 1
            if keep and running is self._running:
                running.kept = True
                atexit.register(self._at_exit)
            idle = not running.users and not running.kept and running is self._running
            if idle:
                self._let_end(running)
        if idle:
            running.join(None)

    def _let_end(self, running: _Running) -> None:
        self._former, self._running = running, None
        running.loop.call_soon_threadsafe(self._wind_up_soon, running)

    def _at_exit(self) -> None:
        self.end(_AT_EXIT_S)

    def _wind_up_soon(self, running: _Running) -> None:
        if not running.ending:
            running.ending = True
            running.loop.create_task(self._wind_up(running.loop))

    async def _wind_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Leave no task behind, and stop the loop."""
        try:
            await self._leave()
        except Exception:
            logger.exception("leaving failed")
        try:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if others:
                await asyncio.wait(others, timeout=_GRACE_S)
            left = [task for task in others if not task.done()]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await loop.shutdown_asyncgens()
        finally:
            loop.stop()


async def _begin(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    # Made only here: a coroutine that is never run would be complained about.
    return await work()


async def _as_coroutine(work: Callable[[], T]) -> T:
    return work()


def _result_of(future: Future[T]) -> T:
    """Wait for a result; whatever interrupts the waiting cancels the work."""
    try:
        if sys.platform == "win32":
            while not future.done():
                wait([future], _LOOK_UP_S)
        return future.result()
    except CancelledError:
        raise ConnectionClosed(1000, "disconnected meanwhile") from None
    except BaseException:
        future.cancel()
        raise
