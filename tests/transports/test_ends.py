"""The ways in which a WebSocket connection ends."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import struct

import pytest

from openai_realtime.errors import ConnectionClosed
from openai_realtime.transports import Connector, Endpoint

from .tiny_servers import (
    BEARER,
    CLOSE,
    KEY,
    PING,
    PONG,
    TEXT,
    Reader,
    Writer,
    accept,
    close_frame,
    endpoint,
    fall_silent,
    frame,
    listening,
    read_frame,
    sending,
    wait_for_close,
)


def soon_out_of_patience(port: int) -> Endpoint:
    """Return where to connect, with a keep-alive that waits for hardly anything."""
    return endpoint(
        f"ws://127.0.0.1:{port}/",
        ping_interval_s=0.01,
        ping_timeout_s=0.02,
        close_timeout_s=0.02,
    )


async def test_an_empty_close_frame_is_1005(connect: Connector) -> None:
    """A close frame without a code has a code of its own."""
    async with listening(sending(frame(CLOSE, b""))) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        with pytest.raises(ConnectionClosed) as caught:
            await transport.recv()
    assert (caught.value.code, caught.value.reason) == (1005, "")


async def test_an_empty_close_frame_is_answered(connect: Connector) -> None:
    """The answer has no code either, or the ordinary one: 0 must not be sent."""
    got: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        writer.write(frame(CLOSE, b""))
        got.set_result(await read_frame(reader))

    async with listening(handle) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        opcode, payload = await got
        await transport.close()
    assert opcode == CLOSE
    assert payload in (b"", struct.pack("!H", 1000))


@pytest.mark.parametrize(
    "wrong",
    [
        frame(0, b"the rest"),
        frame(TEXT, b"a ", final=False) + frame(TEXT, b"message"),
        bytes((0xC1, 1)) + b"x",
    ],
    ids=["no beginning", "no end", "compressed"],
)
async def test_frames_that_break_the_rules_are_1002(
    connect: Connector, wrong: bytes
) -> None:
    """Pieces of nothing, and what nobody asked for, end the connection."""
    async with listening(sending(wrong)) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        with pytest.raises(ConnectionClosed) as caught:
            await transport.recv()
    assert caught.value.code == 1002


async def test_no_close_frame_is_1006(connect: Connector) -> None:
    """A server that just hangs up has not closed the connection."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)

    async with listening(handle) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        with pytest.raises(ConnectionClosed) as caught:
            await transport.recv()
    assert caught.value.code == 1006


async def test_a_reset_is_1006(connect: Connector) -> None:
    """A connection that the network tears down ends like one that is dropped."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        # With a linger of zero seconds a close is a reset.
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with listening(handle) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        with pytest.raises(ConnectionClosed) as caught:
            await transport.recv()
    assert caught.value.code == 1006


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_a_peer_that_never_answers_our_close(
    connect: Connector,
    secure: bool,
    server_tls: ssl.SSLContext,
    trusting: ssl.SSLContext,
) -> None:
    """close() returns after its deadline, and the end is the one we asked for."""
    async with listening(fall_silent, server_tls if secure else None) as port:
        url = f"{'wss' if secure else 'ws'}://127.0.0.1:{port}/"
        transport = await connect(endpoint(url, ssl=trusting, close_timeout_s=0.05))
        await transport.close(1000, "done")
        with pytest.raises(ConnectionClosed) as caught:
            await transport.recv()
    assert (caught.value.code, caught.value.reason) == (1000, "done")


async def test_closing_while_a_send_is_stuck(connect: Connector) -> None:
    """A peer that reads nothing cannot hold up the close either."""
    async with listening(fall_silent) as port:
        url = f"ws://127.0.0.1:{port}/"
        transport = await connect(endpoint(url, close_timeout_s=0.05))
        stuck = asyncio.create_task(transport.send("x" * 20_000_000))
        await asyncio.sleep(0)
        await transport.close(1000, "done")
        for call in (stuck, transport.recv(), transport.send("late")):
            with pytest.raises(ConnectionClosed, match="done"):
                await call


async def test_the_peers_close_wins_over_ours(connect: Connector) -> None:
    """When the server has closed for a reason, closing after it does not hide that."""
    async with listening(sending(close_frame(3000, "bad key"))) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        with pytest.raises(ConnectionClosed):
            await transport.recv()
        await transport.close()
        with pytest.raises(ConnectionClosed, match=r"3000 \(bad key\)"):
            await transport.recv()


async def test_a_peer_that_closes_and_stays(connect: Connector) -> None:
    """A server that closes the WebSocket and not the line cannot hold up the reader."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        writer.write(close_frame(1001, "max"))
        await asyncio.Event().wait()

    async with listening(handle) as port:
        url = f"ws://127.0.0.1:{port}/"
        transport = await connect(endpoint(url, close_timeout_s=0.05))
        with pytest.raises(ConnectionClosed, match="1001"):
            await transport.recv()


async def test_pings_are_sent_and_answered(connect: Connector) -> None:
    """A peer that answers stays, and its own pings are answered too."""
    heard: list[bytes] = []

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        writer.write(frame(PING, b"theirs"))
        opcodes: list[int] = []
        while opcodes.count(PING) < 3:
            opcode, payload = await read_frame(reader)
            opcodes.append(opcode)
            if opcode == PING:
                writer.write(frame(PONG, payload))
            if opcode == PONG:
                heard.append(payload)
        writer.write(frame(TEXT, b"alive"))
        await wait_for_close(reader, writer)

    async with listening(handle) as port:
        target = endpoint(
            f"ws://127.0.0.1:{port}/", ping_interval_s=0.01, ping_timeout_s=20
        )
        transport = await connect(target)
        assert await transport.recv() == b"alive"
        await transport.close()
    assert heard == [b"theirs"]


async def test_a_dead_peer_is_found_while_a_send_waits(connect: Connector) -> None:
    """Keep-alive does not wait behind what nobody reads."""
    async with listening(fall_silent) as port:
        transport = await connect(soon_out_of_patience(port))
        stuck = asyncio.create_task(transport.send("x" * 20_000_000))
        for call in (transport.recv(), stuck):
            with pytest.raises(ConnectionClosed) as caught:
                await call
            assert caught.value.code in (1006, 1011)
            assert caught.value.retryable


async def test_a_peer_that_answers_no_ping_is_1011(connect: Connector) -> None:
    """Keep-alive finds a dead connection, and a new one can help."""
    async with listening(fall_silent) as port:
        transport = await connect(soon_out_of_patience(port))
        with pytest.raises(ConnectionClosed) as caught:
            await transport.recv()
    assert caught.value.code == 1011
    assert caught.value.retryable


async def test_no_level_of_logging_shows_the_key(
    connect: Connector, caplog: pytest.LogCaptureFixture
) -> None:
    """With everything logged there is, the handshake's headers are not there."""
    with caplog.at_level(1):
        async with listening(sending(frame(TEXT, b"x" * 2000))) as port:
            url = f"ws://127.0.0.1:{port}/?api-key={KEY}"
            target = endpoint(url, headers=BEARER, max_message_bytes=1000)
            transport = await connect(target)
            with pytest.raises(ConnectionClosed):
                await transport.recv()
    assert KEY not in caplog.text
    names = {record.name.partition(".")[0] for record in caplog.records}
    assert names <= {"aiofastnet", "asyncio", "openai_realtime"}
    ours = [r for r in caplog.records if r.name.startswith("openai_realtime")]
    assert {record.levelno for record in ours} <= {logging.DEBUG}
