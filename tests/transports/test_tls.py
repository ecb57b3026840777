"""WebSocket transports over TLS, and the certificates that they trust."""

from __future__ import annotations

import ssl

import trustme

from openai_realtime.transports import Connector

from .tiny_servers import (
    BEARER,
    TEXT,
    Reader,
    Writer,
    endpoint,
    failure,
    frame,
    listening,
    read_request,
    sending,
    silent,
)


async def test_a_trusted_certificate(
    connect: Connector, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """With an authority that signed it, the connection carries frames."""
    async with listening(sending(frame(TEXT, b"secret")), server_tls) as port:
        transport = await connect(endpoint(f"wss://127.0.0.1:{port}/", ssl=trusting))
        assert await transport.recv() == b"secret"
        await transport.close()


async def test_certificates_are_verified_by_default(
    connect: Connector, server_tls: ssl.SSLContext
) -> None:
    """A certificate of an unknown authority is refused when no context is given."""
    asked: list[dict[str, str]] = []

    async def handle(reader: Reader, writer: Writer) -> None:
        asked.append(await read_request(reader))

    async with listening(handle, server_tls) as port:
        error = await failure(
            connect, endpoint(f"wss://127.0.0.1:{port}/", headers=BEARER)
        )
    assert "certificate" in str(error)
    assert not error.retryable
    assert asked == []


async def test_a_certificate_for_another_host(
    connect: Connector, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    """A trusted authority is not enough: the name must be right too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("another.example").configure_cert(context)
    async with listening(silent, context) as port:
        error = await failure(
            connect, endpoint(f"wss://127.0.0.1:{port}/", ssl=trusting)
        )
    assert "certificate" in str(error)


async def test_tls_to_a_plain_text_server(connect: Connector) -> None:
    """wss:// to a server without TLS says so, and trying again is no use."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(handle) as port:
        error = await failure(
            connect, endpoint(f"wss://127.0.0.1:{port}/", headers=BEARER)
        )
    assert "ws://" in str(error)
    assert not error.retryable
