"""WebSocket transports through proxies, which have credentials of their own."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest

from openai_realtime.errors import ConfigurationError, ConnectFailed
from openai_realtime.transports import Connector, Endpoint
from openai_realtime.transports.websocket import connector_of

from .tiny_servers import (
    KEY,
    TEXT,
    Reader,
    Writer,
    accept,
    answering,
    everything_said,
    failure,
    frame,
    listening,
    read_request,
    sending,
    wait_for_close,
)


async def test_proxies_of_the_environment_are_not_asked_for_this_machine(
    connect: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A local emulator is reached although the environment names a proxy."""
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:1")
    monkeypatch.delenv("no_proxy", raising=False)
    async with listening(sending()) as port:
        transport = await connect(Endpoint(f"ws://127.0.0.1:{port}/"))
        await transport.close()


async def test_proxies_of_the_environment_are_used(
    connect: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other hosts are reached through the proxy, unless no_proxy names them."""
    asked: list[str] = []

    async def proxy(reader: Reader, writer: Writer) -> None:
        asked.append((await read_request(reader))[":path"])
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await accept(reader, writer)
        await wait_for_close(reader, writer)

    async with listening(proxy) as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "direct.invalid")
        await (await connect(Endpoint("ws://server.invalid/"))).close()
        with pytest.raises(ConnectFailed, match="cannot be resolved"):
            await connect(Endpoint("ws://direct.invalid/"))
    assert asked == ["server.invalid:80"]


async def test_a_proxy_that_refuses_is_a_failed_connect(connect: Connector) -> None:
    """The message names the proxy as the one that failed, and hides its login."""
    async with listening(answering(b"HTTP/1.1 407 No\r\n\r\n")) as port:
        proxy = f"http://user:{KEY}@127.0.0.1:{port}"
        error = await failure(connect, Endpoint("ws://server.invalid/", proxy=proxy))
    assert "proxy" in str(error)
    assert "407" in str(error)


async def test_a_proxy_that_is_not_there(connect: Connector) -> None:
    """It is the proxy that is missing, not the server behind it."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        proxy = f"http://user:{KEY}@127.0.0.1:{unused.getsockname()[1]}"
        error = await failure(connect, Endpoint("wss://server.invalid/", proxy=proxy))
    assert "the proxy for" in str(error)
    assert error.retryable


@pytest.mark.parametrize("proxy", ["ftp://h:1", "no url", "http://h:port", "http://"])
async def test_a_proxy_that_is_none_is_refused(connect: Connector, proxy: str) -> None:
    """A wrong proxy URL is told before anything is sent."""
    with pytest.raises(ConfigurationError, match="proxy"):
        await connect(Endpoint("ws://server.invalid/", proxy=proxy))


async def tunnel(reader: Reader, writer: Writer) -> None:
    """Be an HTTP proxy: open a tunnel to where CONNECT asks for."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    host, _, port = head.split(" ")[1].rpartition(":")
    there, back = await asyncio.open_connection(host, int(port))
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def carry(source: Reader, target: Writer) -> None:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
        target.close()

    await asyncio.gather(carry(reader, back), carry(there, writer))


async def test_tls_through_a_proxy(
    connect: Connector, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """The proxy carries what it cannot read, and the server's name is verified."""
    servers = listening(sending(frame(TEXT, b"secret")), server_tls)
    async with servers as port, listening(tunnel) as proxy:
        target = Endpoint(
            f"wss://127.0.0.1:{port}/",
            ssl=trusting,
            proxy=f"http://127.0.0.1:{proxy}",
        )
        transport = await connect(target)
        assert await transport.recv() == b"secret"
        await transport.close()


async def test_a_proxy_hears_our_login(connect: Connector) -> None:
    """A login in the proxy's URL is shown to the proxy, and to nobody behind it."""
    seen: list[dict[str, str]] = []

    async def proxy(reader: Reader, writer: Writer) -> None:
        seen.append(await read_request(reader))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        seen.append(await accept(reader, writer))
        await wait_for_close(reader, writer)

    async with listening(proxy) as port:
        target = Endpoint(
            "ws://server.invalid/", proxy=f"http://me:p%40w@127.0.0.1:{port}"
        )
        await (await connect(target)).close()
    assert seen[0]["proxy-authorization"] == "Basic bWU6cEB3"
    assert "proxy-authorization" not in seen[1]


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_a_socks_5_proxy_is_used(connect: Connector, scheme: str) -> None:
    """By either name, the proxy resolves the name of the server."""
    asked: list[bytes] = []

    async def proxy(reader: Reader, writer: Writer) -> None:
        _, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(b"\x05\x00")
        *_, length = await reader.readexactly(5)
        asked.append(await reader.readexactly(length))
        await reader.readexactly(2)
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        await accept(reader, writer)
        await wait_for_close(reader, writer)

    async with listening(proxy) as port:
        target = Endpoint("ws://server.invalid/", proxy=f"{scheme}://127.0.0.1:{port}")
        await (await connect(target)).close()
    assert asked == [b"server.invalid"]


async def test_a_socks_4_proxy_is_used(connect: Connector) -> None:
    """It is given the address and the port, for it knows no names."""
    asked: list[bytes] = []

    async def proxy(reader: Reader, writer: Writer) -> None:
        asked.append((await reader.readexactly(8))[2:])
        await reader.readuntil(b"\0")
        writer.write(b"\x00\x5a" + bytes(6))
        await accept(reader, writer)
        await wait_for_close(reader, writer)

    async with listening(proxy) as port:
        target = Endpoint("ws://127.0.0.9:80/", proxy=f"socks4://127.0.0.1:{port}")
        await (await connect(target)).close()
    assert asked == [b"\x00\x50\x7f\x00\x00\x09"]


async def test_a_login_that_websockets_cannot_send() -> None:
    """It is told so, instead of sending another password."""
    target = Endpoint("ws://server.invalid/", proxy=f"http://me:{KEY}%2F@127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="login") as caught:
        await connector_of("websockets")(target)
    assert KEY not in everything_said(caught.value)
