"""Tasks that belong to somebody, and end with it.

A tool or a handler may end the very thing that runs it, for instance by disconnecting,
even from a task that it has started itself. So each task remembers, in a context
variable that its own tasks inherit, that it is inside; and stopping leaves it out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any

__all__ = ["TaskScope", "being_cancelled"]

_inside: ContextVar[frozenset[asyncio.Task[Any]]] = ContextVar(
    "openai_realtime.inside", default=frozenset()
)


class TaskScope:
    """Starts tasks, and stops those that still run.

    Attributes:
        tasks: The tasks that run.
    """

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine as a task of this scope."""
        task = asyncio.get_running_loop().create_task(_mark_inside(work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def stop(self, *, grace_s: float = 0.0) -> int:
        """Let the tasks end by themselves for a while, then cancel and await the rest.

        The task that calls this, directly or through tasks of its own, goes on.

        Returns:
            How many were cancelled.
        """
        others = self.tasks - _inside.get()
        if others and grace_s:
            await asyncio.wait(others, timeout=grace_s)
        running = [task for task in others if not task.done()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        return len(running)


def being_cancelled() -> bool:
    """Whether the current task was asked to end, as opposed to what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _mark_inside(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.current_task()
    if task is not None:
        _inside.set(_inside.get() | {task})
    await work
