"""What travels over WebSocket transports: texts, pieces, and too much."""

from __future__ import annotations

import asyncio
import struct

import pytest

from openai_realtime.errors import ConnectionClosed
from openai_realtime.transports import Connector

from .tiny_servers import (
    BINARY,
    CLOSE,
    TEXT,
    Reader,
    Writer,
    accept,
    endpoint,
    frame,
    listening,
    read_frame,
    sending,
    wait_for_close,
)


async def test_wrong_bytes_and_binary_frames_arrive(connect: Connector) -> None:
    """Judging content is the codec's: the connection survives what is not text."""
    frames = (frame(TEXT, b'{"bad": "\xff"}'), frame(BINARY, b"\x00\x01"))
    async with listening(sending(*frames, frame(TEXT, b"good"))) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        received = [await transport.recv() for _ in range(3)]
        await transport.close()
    assert received == [b'{"bad": "\xff"}', b"\x00\x01", b"good"]


async def test_we_send_text_frames(connect: Connector) -> None:
    """Bytes go out as text, for the protocol knows no binary frames."""
    got: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        got.set_result(await read_frame(reader))
        await wait_for_close(reader, writer)

    async with listening(handle) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        await transport.send(b'{"type": "x"}')
        assert await got == (TEXT, b'{"type": "x"}')
        await transport.close()


async def test_a_message_in_pieces_arrives_whole(connect: Connector) -> None:
    """A server may cut a message into frames wherever it likes."""
    pieces = (frame(TEXT, b"on", final=False), frame(0, b"e", final=True))
    async with listening(sending(*pieces)) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        assert await transport.recv() == b"one"
        await transport.close()


async def test_cancelling_recv_inside_a_message_in_pieces(connect: Connector) -> None:
    """The pieces that have come are kept for the next call."""
    more = asyncio.Event()

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        writer.write(frame(TEXT, b"on", final=False))
        await more.wait()
        writer.write(frame(0, b"e"))
        await wait_for_close(reader, writer)

    async with listening(handle) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(transport.recv(), timeout=0.02)
        more.set()
        assert await transport.recv() == b"one"
        await transport.close()


async def test_a_cancel_that_meets_the_rest_of_a_message(connect: Connector) -> None:
    """Nothing is lost where the last piece comes in the moment of the cancel."""
    more = asyncio.Event()

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        writer.write(frame(TEXT, b"on", final=False))
        await more.wait()
        writer.write(frame(0, b"e") + frame(TEXT, b"two"))
        await wait_for_close(reader, writer)

    async with listening(handle) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        waiting = asyncio.create_task(transport.recv())
        # The first piece is there.
        await asyncio.sleep(0.02)
        more.set()
        for _ in range(100):
            # It arrives within one of these turns, and the cancel stands behind each.
            asyncio.get_running_loop().call_soon(waiting.cancel)
            received = await asyncio.gather(waiting, return_exceptions=True)
            if received == [b"one"]:
                break
            waiting = asyncio.create_task(transport.recv())
            await asyncio.sleep(0)
        else:
            received = [await waiting]
        assert received == [b"one"]
        assert await transport.recv() == b"two"
        await transport.close()


@pytest.mark.parametrize(
    "frames",
    [
        (frame(TEXT, b"x" * 1001),),
        (frame(TEXT, b"x" * 600, final=False), frame(0, b"x" * 401)),
    ],
    ids=["one frame", "two frames"],
)
async def test_a_message_beyond_the_limit_is_1009(
    connect: Connector, frames: tuple[bytes, ...]
) -> None:
    """Too long a message ends the connection with the code for it, for both."""
    got: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        writer.writelines(frames)
        got.set_result(await read_frame(reader))

    async with listening(handle) as port:
        url = f"ws://127.0.0.1:{port}/"
        transport = await connect(endpoint(url, max_message_bytes=1000))
        with pytest.raises(ConnectionClosed) as caught:
            # The first piece of a message is not yet a message.
            await transport.recv()
        opcode, payload = await got
    assert caught.value.code == 1009
    assert (opcode, payload[:2]) == (CLOSE, struct.pack("!H", 1009))


async def test_a_message_beyond_the_limit_from_a_peer_that_stays(
    connect: Connector,
) -> None:
    """Who sends too much and then ignores our close cannot hold up the reader."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        writer.write(frame(TEXT, b"x" * 1001))
        await asyncio.Event().wait()

    async with listening(handle) as port:
        url = f"ws://127.0.0.1:{port}/"
        target = endpoint(url, max_message_bytes=1000, close_timeout_s=0.05)
        transport = await connect(target)
        with pytest.raises(ConnectionClosed) as caught:
            await transport.recv()
    assert caught.value.code == 1009
