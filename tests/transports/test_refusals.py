"""WebSocket transports where no connection comes about."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest

from openai_realtime.transports import Connector

from .tiny_servers import (
    BEARER,
    KEY,
    Reader,
    Writer,
    accept,
    answering,
    endpoint,
    failure,
    listening,
    read_request,
    refusal,
    silent,
    wait_for_close,
)


async def test_nothing_listens(connect: Connector) -> None:
    """A closed port: worth another try, and how to start a local server."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = await failure(
            connect, endpoint(f"ws://127.0.0.1:{port}/", headers=BEARER)
        )
    assert "openai-realtime serve" in str(error)
    assert error.retryable
    assert error.status is None


async def test_an_unknown_host(connect: Connector) -> None:
    """A name that does not resolve is told as such."""
    error = await failure(connect, endpoint(f"ws://nonexistent.invalid/?api-key={KEY}"))
    assert "cannot be resolved" in str(error)
    assert error.retryable


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        ("400 Bad Request", False),
        ("401 Unauthorized", False),
        ("403 Forbidden", False),
        ("404 Not Found", False),
        ("429 Too Many Requests", True),
        ("500 Internal Server Error", True),
        ("503 Service Unavailable", True),
        ("520 Only A Proxy Says This", True),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["one packet", "two packets"])
async def test_a_refused_handshake(
    connect: Connector, status: str, retryable: bool, together: bool
) -> None:
    """Status, body and whether to retry, also when the body comes later."""
    body = b'{"error": {"message": "we cannot let you in", "code": "x"}}'
    parts = refusal(status, body)
    handler = answering(b"".join(parts)) if together else answering(*parts)
    async with listening(handler) as port:
        error = await failure(
            connect, endpoint(f"ws://127.0.0.1:{port}/", headers=BEARER)
        )
    assert error.status == int(status[:3])
    assert error.body == body.decode()
    assert error.body in str(error)
    assert error.retryable is retryable


async def test_a_refusal_over_tls(
    connect: Connector, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """The body of a refusal is read from an encrypted connection too."""
    answer = b"".join(refusal("401 Unauthorized", b"no such key"))
    async with listening(answering(answer), server_tls) as port:
        error = await failure(
            connect, endpoint(f"wss://127.0.0.1:{port}/", ssl=trusting)
        )
    assert (error.status, error.body) == (401, "no such key")


async def test_a_refusal_in_chunks(connect: Connector) -> None:
    """A body of unknown length is put together from its chunks."""
    head = b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = (b"5\r\nnot y\r\n", b"2;x=y\r\nou\r\n", b"0\r\n\r\n")
    async with listening(answering(head, *chunks)) as port:
        error = await failure(connect, endpoint(f"ws://127.0.0.1:{port}/"))
    assert error.body == "not you"


async def test_a_refusal_without_a_length(connect: Connector) -> None:
    """A body that ends with the connection is read to its end."""
    parts = (b"HTTP/1.1 403 Forbidden\r\n\r\n", b"not ", b"you")
    async with listening(answering(*parts)) as port:
        error = await failure(connect, endpoint(f"ws://127.0.0.1:{port}/"))
    assert error.body == "not you"


async def test_a_long_refusal_is_cut(connect: Connector) -> None:
    """Of a whole web page the first 500 characters are enough."""
    parts = refusal("502 Bad Gateway", b"<html>\r\n" + b"x" * 10_000)
    async with listening(answering(*parts)) as port:
        error = await failure(connect, endpoint(f"ws://127.0.0.1:{port}/"))
    assert len(error.body) == 500
    assert error.body.startswith("<html> xxx")
    assert error.body.endswith("...")


async def test_a_refusal_that_quotes_the_key(connect: Connector) -> None:
    """A server that repeats what it was sent does not bring the key into our log."""
    body = f"bad header: Bearer {KEY}".encode()
    async with listening(answering(*refusal("401 No", body))) as port:
        error = await failure(
            connect, endpoint(f"ws://127.0.0.1:{port}/", headers=BEARER)
        )
    assert error.body == "bad header: Bearer ***"


async def test_a_redirect_is_not_followed(connect: Connector) -> None:
    """Credentials do not go where a server says; the message tells where that is."""
    asked: list[str] = []

    async def elsewhere(reader: Reader, writer: Writer) -> None:
        asked.append((await read_request(reader))[":path"])

    async with listening(elsewhere) as other:
        location = f"Location: ws://127.0.0.1:{other}/here"
        answer = refusal("307 Temporary Redirect", b"", location)
        async with listening(answering(*answer)) as port:
            error = await failure(
                connect, endpoint(f"ws://127.0.0.1:{port}/", headers=BEARER)
            )
    assert error.status == 307
    assert f"ws://127.0.0.1:{other}/here" in str(error)
    assert not error.retryable
    assert asked == []


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x00\xff" * 20_000,
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
    ],
    ids=["another protocol", "noise", "no upgrade", "wrong answer to the key"],
)
async def test_an_answer_that_is_no_websocket(
    connect: Connector, answer: bytes
) -> None:
    """Something else listens there: trying again will not change it."""
    async with listening(answering(answer)) as port:
        error = await failure(
            connect, endpoint(f"ws://127.0.0.1:{port}/", headers=BEARER)
        )
    assert "WebSocket" in str(error)
    assert not error.retryable


async def test_a_server_that_hangs_up(connect: Connector) -> None:
    """A connection that ends before the answer is a failed connect."""
    async with listening(answering()) as port:
        error = await failure(
            connect, endpoint(f"ws://127.0.0.1:{port}/", headers=BEARER)
        )
    assert "closed the connection" in str(error)
    assert error.retryable


async def test_a_server_that_echoes_the_key_as_subprotocol(connect: Connector) -> None:
    """The key-bearing subprotocols come back whole, and stay out of the error."""

    async def handle(reader: Reader, writer: Writer) -> None:
        echo = f"Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.{KEY}"
        await accept(reader, writer, echo)
        await wait_for_close(reader, writer)

    async with listening(handle) as port:
        protocols = ("realtime", f"openai-insecure-api-key.{KEY}")
        url = f"ws://127.0.0.1:{port}/"
        error = await failure(connect, endpoint(url, subprotocols=protocols))
    assert error.__cause__ is None


async def test_a_server_that_wants_compression(connect: Connector) -> None:
    """An extension that was not offered cannot be chosen."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer, "Sec-WebSocket-Extensions: permessage-deflate")
        await reader.read()

    async with listening(handle) as port:
        error = await failure(connect, endpoint(f"ws://127.0.0.1:{port}/"))
    assert not error.retryable


async def test_a_silent_server(connect: Connector) -> None:
    """Nobody answers the handshake: the deadline ends it, and the socket is closed."""
    left = asyncio.Event()

    async def handle(reader: Reader, writer: Writer) -> None:
        await reader.read()
        left.set()

    async with listening(handle) as port:
        url = f"ws://127.0.0.1:{port}/"
        error = await failure(
            connect, endpoint(url, headers=BEARER, open_timeout_s=0.05)
        )
        await left.wait()
    assert "0.05 s" in str(error)
    assert error.retryable


async def test_a_server_that_is_silent_in_tls(connect: Connector) -> None:
    """The deadline holds for the TLS handshake as well."""
    async with listening(silent) as port:
        url = f"wss://127.0.0.1:{port}/"
        error = await failure(connect, endpoint(url, open_timeout_s=0.05))
    assert error.retryable


async def test_cancelling_connect_hangs_up(connect: Connector) -> None:
    """A connect that is given up leaves no session behind."""
    asked, left = asyncio.Event(), asyncio.Event()

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        asked.set()
        await reader.read()
        left.set()

    async with listening(handle) as port:
        opening = asyncio.create_task(connect(endpoint(f"ws://127.0.0.1:{port}/")))
        await asked.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await left.wait()
