"""Waiting until an event loop has nothing left to do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, ref

__all__ = ["until_quiet", "watch_threads"]

T = TypeVar("T")

_log = logging.getLogger("openai_realtime.testing")

# How long a plain function in a thread is waited for, in real time.
_THREAD_PATIENCE_S = 10.0

# A loop that is still busy after so many rounds has a task that never waits.
_MAX_ROUNDS = 100_000
# How many rounds to run where the loop does not say whether it has work.
_BLIND_ROUNDS = 200


class _WatchedThreads(ThreadPoolExecutor):
    """Runs functions in threads, and knows which ones are under way.

    Attributes:
        running: What is under way, as far as the loop has learnt.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(thread_name_prefix="openai_realtime.testing")
        self._loop = loop
        self._ended = asyncio.Event()
        self.running: set[Future[Any]] = set()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        answer: Future[T] = Future()
        super().submit(self._work, answer, lambda: fn(*args, **kwargs))
        self.running.add(answer)
        return answer

    async def next_end(self, timeout_s: float) -> bool:
        """Wait for the end of one; tell whether there was one in time."""
        self._ended.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                return await self._ended.wait()
        return False

    def _work(self, answer: Future[T], call: Callable[[], T]) -> None:
        if answer.set_running_or_notify_cancel():
            try:
                answer.set_result(call())
            except BaseException as exc:
                answer.set_exception(exc)
        # Behind the answer, so that the loop has that before it counts this as ended.
        # A loop that is closed needs to know nothing any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._note_end, answer)

    def _note_end(self, answer: Future[Any]) -> None:
        self.running.discard(answer)
        self._ended.set()


# By loop; each belongs to its loop, and lives as long as that.
_watched: WeakKeyDictionary[asyncio.AbstractEventLoop, ref[_WatchedThreads]]
_watched = WeakKeyDictionary()


def watch_threads() -> None:
    """Let the running loop's threads be seen by `until_quiet`.

    Tools that are plain functions run there. It sets the loop's default executor, which
    the loop shuts down at its own end, as it does with any.
    """
    loop = asyncio.get_running_loop()
    if _threads_of(loop) is None:
        threads = _WatchedThreads(loop)
        loop.set_default_executor(threads)
        _watched[loop] = ref(threads)


async def until_quiet() -> None:
    """Return when every task of the running loop waits for something.

    Plain functions that run in threads are waited for, up to 10 s. Sockets, timers of
    the loop and threads of your own are not.

    Raises:
        RuntimeError: Some task never waits.
    """
    loop = asyncio.get_running_loop()
    threads = _threads_of(loop)
    await _run_what_is_ready(loop)
    while threads is not None and threads.running:
        if not await threads.next_end(_THREAD_PATIENCE_S):
            _log.warning(
                "a plain function still runs in a thread after %g s; it is not waited "
                "for any longer",
                _THREAD_PATIENCE_S,
            )
            threads.running.clear()
        await _run_what_is_ready(loop)


def _threads_of(loop: asyncio.AbstractEventLoop) -> _WatchedThreads | None:
    threads = _watched.get(loop)
    return None if threads is None else threads()


async def _run_what_is_ready(loop: asyncio.AbstractEventLoop) -> None:
    # asyncio has no public way to ask; other loops are given rounds enough.
    ready: Sized | None = getattr(loop, "_ready", None)
    if ready is None:
        for _ in range(_BLIND_ROUNDS):
            await asyncio.sleep(0)
        return
    for _ in range(_MAX_ROUNDS):
        await asyncio.sleep(0)
        if not ready:
            return
    raise RuntimeError(
        "the event loop does not come to rest: some task runs on and on without "
        "waiting for anything"
    )
