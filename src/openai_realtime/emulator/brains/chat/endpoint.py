"""The connection to a chat server: one request, answered event by event.

It has an event loop of its own, in the worker's thread, for that is how a request can
be given up at any moment: while it connects, waits for an answer, or reads one.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ....errors import ConfigurationError
from ...worker import Outbox
from ..action import Action, Fail
from .completion import Completion
from .failure import failed, refused

if TYPE_CHECKING:
    import httpx2

__all__ = ["ChatEndpoint"]

_CONNECT_S = 10.0
_LONGEST_ERROR_BYTES = 64 * 1024
_EVENT_STREAM = "text/event-stream"


class ChatEndpoint:
    """Where chats are answered.

    Args:
        url: The API, such as ``http://localhost:11434/v1``.
        api_key: Its key, if it needs one.
        timeout_s: How long the server may be silent.

    Raises:
        ConfigurationError: The URL is none, the key cannot be sent, or the package
            httpx2 is not installed.
    """

    def __init__(self, url: str, api_key: str | None, timeout_s: float) -> None:
        try:
            import httpx2
        except ImportError as exc:
            raise ConfigurationError(
                "ChatBrain needs the package httpx2; install it with "
                "pip install 'openai-realtime[chat]'"
            ) from exc
        _check_url(httpx2, url)
        # Who copies the whole address from a manual means the same.
        self.url: str = url.rstrip("/").removesuffix("/chat/completions")
        self._api_key = (api_key or "").strip()
        if not self._api_key.isascii() or not self._api_key.isprintable():
            raise ConfigurationError(
                "the key of the chat server has characters that no header can carry"
            )
        if not 0 < timeout_s < float("inf"):
            raise ConfigurationError(
                f"timeout_s cannot be {timeout_s}; it must be more than 0"
            )
        self._timeout = httpx2.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_S))
        self._tls = _tls_for(httpx2, url)

    def __repr__(self) -> str:
        return f"ChatEndpoint({self.url!r})"

    def complete(
        self, body: dict[str, Any], completion: Completion, outbox: Outbox[Action]
    ) -> None:
        """Ask, and put out what is to be done, until the answer ends.

        Closing the outbox closes the connection.
        """
        asyncio.run(self._until_closed(body, completion, outbox))

    async def _until_closed(
        self, body: dict[str, Any], completion: Completion, outbox: Outbox[Action]
    ) -> None:
        loop = asyncio.get_running_loop()
        asking = asyncio.ensure_future(self._ask(body, completion, outbox))

        def stop() -> None:
            # The loop may have ended by itself already.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(asking.cancel)

        outbox.stop_with(stop)
        with contextlib.suppress(asyncio.CancelledError):
            await asking

    async def _ask(
        self, body: dict[str, Any], completion: Completion, outbox: Outbox[Action]
    ) -> None:
        """Ask, and translate everything that can go wrong outside."""
        import httpx2

        try:
            await self._stream(body, completion, outbox)
        except httpx2.TimeoutException:
            seconds = self._timeout.read
            fail = failed(f"at {self.url} has been silent for {seconds:g} s")
        except httpx2.ConnectError as exc:
            fail = failed(f"at {self.url} cannot be reached: {exc}")
        except (httpx2.HTTPError, httpx2.StreamError) as exc:
            reason = str(exc) or type(exc).__name__
            fail = failed(f"at {self.url} broke the connection: {reason}")
        else:
            return
        self._put(outbox, [fail])

    async def _stream(
        self, body: dict[str, Any], completion: Completion, outbox: Outbox[Action]
    ) -> None:
        import httpx2

        async with (
            httpx2.AsyncClient(timeout=self._timeout, verify=self._tls) as client,
            client.stream(
                "POST",
                f"{self.url}/chat/completions",
                json={**body, "stream": True},
                headers=self._headers(),
            ) as response,
        ):
            if not response.is_success:
                text = await _text(response)
                self._put(outbox, [refused(response.status_code, text)])
                return
            kind = response.headers.get("content-type", "")
            if not kind.lower().startswith(_EVENT_STREAM):
                what = f"answered with {kind or 'no content type'}, not {_EVENT_STREAM}"
                self._put(outbox, [failed(f"{what}; it has to stream")])
                return
            async for event in httpx2.EventSource(response):
                # An event may set no more than the time to reconnect after.
                if not event.data:
                    continue
                if not self._put(outbox, completion.event(event.data)):
                    return
                if completion.ended:
                    return
            self._put(outbox, completion.close())

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": _EVENT_STREAM}
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        return headers

    def _put(self, outbox: Outbox[Action], actions: Iterable[Action]) -> bool:
        """Put something out; False when nobody wants it any more."""
        return all(outbox.put(self._without_key(action)) for action in actions)

    def _without_key(self, action: Action) -> Action:
        """Take the key out of what a server says of it."""
        if not isinstance(action, Fail) or not self._api_key:
            return action
        return Fail(action.message.replace(self._api_key, "[key]"), action.code)


def _tls_for(httpx2: Any, url: str) -> ssl.SSLContext:
    """Prepare TLS once for all requests: reading certificates takes a while."""
    if httpx2.URL(url).scheme == "https":
        context: ssl.SSLContext = httpx2.create_ssl_context()
        return context
    # Nothing is encrypted, so nobody need be trusted.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _check_url(httpx2: Any, url: str) -> None:
    _check_secrets(url)
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as exc:
        raise ConfigurationError(f"{url!r} is no URL of a chat server: {exc}") from exc
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigurationError(
            f"{url!r} is no URL of a chat server; it must look like "
            "http://localhost:11434/v1"
        )


def _check_secrets(url: str) -> None:
    """Refuse what may hold a key, for the URL is shown in messages, repr and log.

    Neither is it shown here.
    """
    if "?" in url or "#" in url:
        raise ConfigurationError(
            "the URL of the chat server must not have a query or a fragment: "
            "/chat/completions is added to its end; a key in it is given as api_key "
            "instead"
        )
    authority = url.partition("//")[2] or url
    if "@" in authority.partition("/")[0]:
        raise ConfigurationError(
            "the URL of the chat server must not hold a password; give it as api_key"
        )


async def _text(response: httpx2.Response) -> str:
    """Read the body of an error, as far as it is of any use."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _LONGEST_ERROR_BYTES:
            break
    return body[:_LONGEST_ERROR_BYTES].decode("utf-8", "replace")
