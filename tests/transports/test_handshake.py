"""What a WebSocket transport asks for when it connects, and what it refuses to."""

from __future__ import annotations

import pytest

from openai_realtime.errors import ConfigurationError
from openai_realtime.transports import Connector

from .tiny_servers import (
    BEARER,
    KEY,
    Reader,
    Writer,
    accept,
    endpoint,
    everything_said,
    listening,
    wait_for_close,
)


async def test_the_handshake_carries_what_the_endpoint_says(connect: Connector) -> None:
    """Path, headers and subprotocols arrive; compression and others' names do not."""
    seen: dict[str, str] = {}

    async def handle(reader: Reader, writer: Writer) -> None:
        seen.update(await accept(reader, writer, "Sec-WebSocket-Protocol: realtime"))
        await wait_for_close(reader, writer)

    async with listening(handle) as port:
        url = f"ws://127.0.0.1:{port}/v1/realtime?model=m"
        protocols = ("realtime", f"openai-insecure-api-key.{KEY}")
        target = endpoint(url, headers=BEARER, subprotocols=protocols)
        transport = await connect(target)
        await transport.close()
    assert seen[":path"] == "/v1/realtime?model=m"
    assert seen["authorization"] == f"Bearer {KEY}"
    assert seen["sec-websocket-protocol"] == ", ".join(protocols)
    assert seen["user-agent"].startswith("openai-realtime")
    assert "sec-websocket-extensions" not in seen


async def test_a_user_agent_of_the_caller_is_kept(connect: Connector) -> None:
    """A header that the caller gives takes the place of ours."""
    seen: dict[str, str] = {}

    async def handle(reader: Reader, writer: Writer) -> None:
        seen.update(await accept(reader, writer))
        await wait_for_close(reader, writer)

    async with listening(handle) as port:
        target = endpoint(f"ws://127.0.0.1:{port}", headers={"user-agent": "mine/1"})
        await (await connect(target)).close()
    assert seen["user-agent"] == "mine/1"


async def test_user_information_becomes_basic_authorization(connect: Connector) -> None:
    """A login in the URL is sent as one, and not in the Host header."""
    seen: dict[str, str] = {}

    async def handle(reader: Reader, writer: Writer) -> None:
        seen.update(await accept(reader, writer))
        await wait_for_close(reader, writer)

    async with listening(handle) as port:
        await (await connect(endpoint(f"ws://me:p%20w@127.0.0.1:{port}/"))).close()
    assert seen["authorization"] == "Basic bWU6cCB3"
    assert seen["host"] == f"127.0.0.1:{port}"


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1/realtime",
        "api.openai.com/v1/realtime",
        "ws://",
        "ws://host:0/",
        "ws://host:99999/",
        "ws://host:port/",
        "ws://[::1/",
        "ws://host/with space",
        "ws://host/#fragment",
        "ws://" + "a" * 64 + ".example/",
        "",
    ],
)
async def test_a_url_that_cannot_work_is_refused(connect: Connector, url: str) -> None:
    """Wrong scheme, host, port or characters: the URL is named, nothing is sent."""
    with pytest.raises(ConfigurationError) as caught:
        await connect(endpoint(url))
    assert url in str(caught.value)


async def test_a_refused_url_hides_its_key(connect: Connector) -> None:
    """Even a URL of the wrong scheme may hold a credential."""
    with pytest.raises(ConfigurationError) as caught:
        await connect(endpoint(f"https://u:{KEY}@host/?api-key={KEY}&token={KEY}"))
    assert KEY not in everything_said(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"Authorization": f"Bearer {KEY}\n"}},
        {"headers": {"Bad Name": "x"}},
        {"subprotocols": (f"openai-insecure-api-key.{KEY} ",)},
    ],
)
async def test_headers_that_would_break_the_request_are_refused(
    connect: Connector, options: dict[str, object]
) -> None:
    """A key read from a file with its line break is told as such, and not shown."""
    with pytest.raises(ConfigurationError) as caught:
        await connect(endpoint("ws://127.0.0.1:1/", **options))
    assert KEY not in everything_said(caught.value)
