"""Calling functions of the user's, plain ones and coroutines alike."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from .annotations import underlying

__all__ = ["invoke"]


async def invoke(function: Callable[..., Any], *args: Any) -> Any:
    """Call a coroutine function in the loop, and a plain one in a thread.

    Cancelling it cancels a coroutine; a thread runs on unheard.
    """
    if inspect.iscoroutinefunction(underlying(function)):
        return await function(*args)
    result = await asyncio.to_thread(_call, function, *args)
    return await result if inspect.isawaitable(result) else result


def _call(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except StopIteration as exc:
        # A future cannot carry this one; the call would never end.
        raise RuntimeError("the handler ran out of items") from exc
