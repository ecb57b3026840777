"""Work in a thread of its own, for what would block the event loop of the server.

What is made goes through a queue with a limit: a worker that is ahead waits until it is
fetched. Whoever fetches never waits: there is something, or a `Pause` to try again.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from typing import Generic, TypeAlias, TypeVar

from .pause import POLL, Pause

__all__ = ["Outbox", "in_background"]

T = TypeVar("T")

_LIMIT = 64
# How soon a worker that waits for room notices that nobody wants its work any more.
_GLANCE_S = 0.05


class _End:
    """The last thing in the queue.

    Attributes:
        error: What the work has failed with, or None.
    """

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Outbox(Generic[T]):
    """Where a worker puts what it has made."""

    def __init__(self) -> None:
        self._queue: queue.Queue[T | _End] = queue.Queue(_LIMIT)
        self._closed = threading.Event()
        self._stop: Callable[[], object] | None = None
        self._lock = threading.Lock()

    @property
    def closed(self) -> bool:
        """Whether nobody wants the work any more."""
        return self._closed.is_set()

    def put(self, thing: T) -> bool:
        """Hand something over, as soon as there is room; False when nobody wants it."""
        return self._put(thing)

    def stop_with(self, stop: Callable[[], object]) -> None:
        """Say what ends a wait of the worker, to be called from another thread.

        It is called at once where nobody wants the work already.
        """
        with self._lock:
            self._stop = stop
            closed = self.closed
        if closed:
            stop()

    def close(self) -> None:
        """Tell the worker that nobody wants its work any more."""
        with self._lock:
            self._closed.set()
            stop = self._stop
        if stop is not None:
            stop()

    def fetch(self) -> T | _End | None:
        """Return what comes next, or None while there is nothing."""
        try:
            return self._queue.get_nowait()
        except queue.Empty:
            return None

    def end(self, error: BaseException | None) -> None:
        """Say that there is no more."""
        self._put(_End(error))

    def _put(self, thing: T | _End) -> bool:
        while not self.closed:
            try:
                self._queue.put(thing, timeout=_GLANCE_S)
            except queue.Full:
                continue
            return True
        return False


_Work: TypeAlias = Callable[[Outbox[T]], None]


def in_background(
    work: _Work[T], name: str, *, room: threading.Semaphore | None = None
) -> Generator[T | Pause]:
    """Do `work` in a thread, and yield what it puts out, with pauses in between.

    The thread starts with the first question, or as soon as there is room for it.
    Closing this generator closes the outbox, upon which the work has to end.

    Args:
        work: What to do.
        name: What the thread is called.
        room: Where there is room for so many at a time; the thread takes up one place.

    Raises:
        Exception: Whatever the work has failed with.
        RuntimeError: It has ended with what is no `Exception`.
    """
    outbox: Outbox[T] = Outbox()
    while room is not None and not room.acquire(blocking=False):
        yield POLL
    _start(work, outbox, name, room)
    try:
        while True:
            thing = outbox.fetch()
            if isinstance(thing, _End):
                if isinstance(thing.error, Exception):
                    raise thing.error
                if thing.error is not None:
                    # What ends a thread, such as SystemExit, is not to end the server.
                    what = f"{name} ended with {type(thing.error).__name__}"
                    raise RuntimeError(what) from thing.error
                return
            yield POLL if thing is None else thing
    finally:
        outbox.close()


def _start(
    work: _Work[T], outbox: Outbox[T], name: str, room: threading.Semaphore | None
) -> None:
    """Begin the work, and make room behind it, however it ends."""

    def leave() -> None:
        if room is not None:
            room.release()

    def run() -> None:
        error: BaseException | None = None
        try:
            work(outbox)
        except BaseException as exc:
            error = exc
        finally:
            # First, for whoever fetches may take time.
            leave()
        outbox.end(error)

    try:
        # A daemon: what hangs outside does not keep the program from ending.
        threading.Thread(target=run, name=name, daemon=True).start()
    except RuntimeError:
        # The system has no more threads.
        leave()
        raise
