"""A key or a token, or what fetches one."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from ..errors import ConfigurationError, ConnectFailed
from .browser import in_browser

__all__ = ["Credential", "fetched"]

Credential: TypeAlias = str | Callable[[], str | Awaitable[str]]
"""A key or a token, or a plain or coroutine function that is asked for one each time.

Plain functions run in a thread, so they may use the network.
"""

# What fetches a token over the network answers in seconds, or not at all.
_PATIENCE_S = 30.0


async def fetched(credential: Credential | None, name: str, url: str) -> str | None:
    """Return what is to be shown to the server, or None where there is nothing.

    Args:
        credential: What was given.
        name: The argument it was given as, for errors.
        url: Where it is to be shown, without credentials, for errors.

    Raises:
        ConfigurationError: The function returned no text.
        ConnectFailed: The function failed, or took longer than half a minute; trying
            again may help.
    """
    if credential is None or isinstance(credential, str):
        return credential or None
    patience = asyncio.timeout(_PATIENCE_S)
    try:
        async with patience:
            secret = await _asked(credential)
    except Exception as exc:
        if patience.expired():
            raise ConnectFailed(
                f"the function given as {name}= did not return within "
                f"{_PATIENCE_S:g} s",
                url=url,
            ) from exc
        raise ConnectFailed(
            f"the function given as {name}= failed: {type(exc).__name__}",
            url=url,
        ) from exc
    if not isinstance(secret, str) or not secret:
        kind = "an empty text" if secret == "" else f"a {type(secret).__name__}"
        raise ConfigurationError(
            f"the function given as {name}= returned {kind}; it must return the key"
        )
    return secret


async def _asked(fetch: Callable[[], Any]) -> Any:
    if inspect.iscoroutinefunction(fetch) or in_browser():
        # A browser has no threads.
        secret = fetch()
    else:
        secret = await asyncio.to_thread(fetch)
    return await secret if inspect.isawaitable(secret) else secret
