"""Iterating over what blocks, without stopping the event loop."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Generator, Iterable
from typing import Generic, NamedTuple, TypeVar

__all__ = ["ThreadIterator"]

logger: logging.Logger = logging.getLogger("openai_realtime.audio")

_T = TypeVar("_T")


class _End(NamedTuple):
    """The end of the iterable, and what ended it if it did not end by itself."""

    error: BaseException | None


class ThreadIterator(Generic[_T]):
    """An asynchronous iterator over a blocking iterable, pulled by a thread of its own.

    The thread is at most one item ahead, and waits then. `close` lets it end: at once
    where it waits, else when the iterable has given the item that it is about to give;
    nobody waits for that. Where it ends, it closes the iterable if that is a generator.

    Args:
        items: What is iterated over, by nobody else.
    """

    def __init__(self, items: Iterable[_T]) -> None:
        self._items = items
        self._loop = asyncio.get_running_loop()
        # Two at most: one item, and the end.
        self._arrived: asyncio.Queue[_T | _End] = asyncio.Queue()
        self._room = threading.Semaphore(1)
        self._closed = False
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(self._pull,), name="openai_realtime", daemon=True
        ).start()

    def __aiter__(self) -> ThreadIterator[_T]:
        return self

    async def __anext__(self) -> _T:
        arrived = await self._arrived.get()
        if not isinstance(arrived, _End):
            self._room.release()
            return arrived
        self._arrived.put_nowait(_End(None))
        if arrived.error is not None:
            raise arrived.error
        raise StopAsyncIteration

    def close(self) -> None:
        """Take no more items."""
        self._closed = True
        self._room.release()

    def _pull(self) -> None:
        """Hand over item after item; this runs in the thread."""
        try:
            iterator = iter(self._items)
            try:
                while self._has_room():
                    self._hand_over(next(iterator))
            finally:
                if isinstance(iterator, Generator):
                    iterator.close()
        except StopIteration:
            self._hand_over(_End(None))
        # Whatever it is, it belongs to whoever iterates.
        except BaseException as exc:
            if self._closed:
                logger.error("%r failed when it was closed", self._items, exc_info=exc)
            self._hand_over(_End(exc))

    def _has_room(self) -> bool:
        self._room.acquire()
        return not self._closed

    def _hand_over(self, arrived: _T | _End) -> None:
        try:
            self._loop.call_soon_threadsafe(self._arrived.put_nowait, arrived)
        except RuntimeError:
            # The loop has ended, and with it everybody who waited.
            self.close()
