"""What every transport promises, held against each of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Protocol

import pytest
import websockets.asyncio.server
import websockets.exceptions

from openai_realtime.errors import ConnectionClosed
from openai_realtime.transports import Transport
from openai_realtime.transports.memory import memory_pair
from openai_realtime.transports.websocket import connect

from .tiny_servers import endpoint


class Peer(Protocol):
    """The other end, which a test uses to see what the transport does."""

    async def send(self, frame: str) -> None: ...
    async def recv(self) -> bytes | str: ...
    async def close(self, code: int = 1000, reason: str = "") -> None: ...
    def abort(self) -> None: ...


class WebSocketPeer:
    """A server's connection, made by a library that we do not use ourselves."""

    def __init__(self, connection: websockets.asyncio.server.ServerConnection) -> None:
        self._connection = connection

    async def send(self, frame: str) -> None:
        await self._connection.send(frame)

    async def recv(self) -> bytes | str:
        try:
            return await self._connection.recv(decode=True)
        except websockets.exceptions.ConnectionClosed as exc:
            if exc.rcvd is None:
                raise ConnectionClosed(1006) from exc
            raise ConnectionClosed(exc.rcvd.code, exc.rcvd.reason) from exc

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._connection.close(code, reason)

    def abort(self) -> None:
        self._connection.transport.abort()


Ends = tuple[Transport, Peer]


@contextlib.asynccontextmanager
async def websocket_ends() -> AsyncIterator[Ends]:
    """A connection over a socket of this machine."""
    arrived: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def handle(connection: websockets.asyncio.server.ServerConnection) -> None:
        arrived.set_result(WebSocketPeer(connection))
        await done.wait()

    async with websockets.asyncio.server.serve(
        handle, "127.0.0.1", 0, max_queue=1, max_size=None, close_timeout=1
    ) as server:
        port = server.sockets[0].getsockname()[1]
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        try:
            yield transport, await arrived
        finally:
            done.set()
            await transport.close()


@contextlib.asynccontextmanager
async def memory_ends() -> AsyncIterator[Ends]:
    """A pair in memory."""
    yield memory_pair(limit=4)


@pytest.fixture(params=[memory_ends, websocket_ends], ids=["memory", "websocket"])
async def ends(request: pytest.FixtureRequest) -> AsyncIterator[Ends]:
    """The transport under test and its peer."""
    async with request.param() as pair:
        yield pair


def as_text(frame: bytes | str) -> str:
    """The text of a frame, which a transport may return as bytes."""
    return frame.decode() if isinstance(frame, bytes) else frame


async def send_until_stuck(
    transport: Transport, frames: Iterable[str]
) -> tuple[asyncio.Task[None], list[str]]:
    """Send until a call suspends; return that call and the frames handed over."""
    sent: list[str] = []
    for frame in frames:
        sending = asyncio.create_task(transport.send(frame))
        sent.append(frame)
        done, _ = await asyncio.wait({sending}, timeout=0.1)
        if not done:
            return sending, sent
        await sending
    pytest.fail("send() never suspended, though nobody read")


def heavy_frames() -> Iterator[str]:
    """More text than the buffers of two sockets hold."""
    return (f"{number:04}" + "x" * 1_000_000 for number in range(200))


async def test_frames_arrive_in_order_both_ways(ends: Ends) -> None:
    """What is sent first is read first, in either direction."""
    transport, peer = ends
    for number in range(4):
        await transport.send(f"up {number}")
        await peer.send(f"down {number}")
    for number in range(4):
        assert as_text(await peer.recv()) == f"up {number}"
        assert as_text(await transport.recv()) == f"down {number}"


async def test_bytes_and_str_are_the_same_text(ends: Ends) -> None:
    """A frame may be given as text or as its UTF-8."""
    transport, peer = ends
    await transport.send("é")
    await transport.send("é".encode())
    assert [as_text(await peer.recv()) for _ in range(2)] == ["é", "é"]


async def test_an_empty_frame_is_a_frame(ends: Ends) -> None:
    """Nothing but the length is lost with an empty message."""
    transport, peer = ends
    await transport.send("")
    await peer.send("")
    assert as_text(await peer.recv()) == as_text(await transport.recv()) == ""


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1001, "away"), (3000, "ü"), (4000, "own")]
)
async def test_our_close_reaches_the_peer(ends: Ends, code: int, reason: str) -> None:
    """Both sides see the code and the reason that we closed with."""
    transport, peer = ends
    closing = asyncio.create_task(transport.close(code, reason))
    with pytest.raises(ConnectionClosed) as theirs:
        await peer.recv()
    await closing
    with pytest.raises(ConnectionClosed) as ours:
        await transport.recv()
    for error in (theirs.value, ours.value):
        assert (error.code, error.reason) == (code, reason)


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1000, ""), (1001, "max"), (3000, "bad key"), (4000, "beta"), (1013, "")],
)
async def test_the_peers_close_reaches_us(ends: Ends, code: int, reason: str) -> None:
    """recv() and send() tell the code and the reason that the peer gave, again too."""
    transport, peer = ends
    closing = asyncio.create_task(peer.close(code, reason))
    for call in (transport.recv(), transport.recv(), transport.send("late")):
        with pytest.raises(ConnectionClosed) as caught:
            await call
        assert (caught.value.code, caught.value.reason) == (code, reason)
    await closing


async def test_messages_before_the_end_are_read_first(ends: Ends) -> None:
    """The end does not overtake what was sent before it."""
    transport, peer = ends
    await peer.send("last words")
    closing = asyncio.create_task(peer.close())
    assert as_text(await transport.recv()) == "last words"
    with pytest.raises(ConnectionClosed):
        await transport.recv()
    await closing


async def test_closing_twice_is_harmless(ends: Ends) -> None:
    """The first close counts, the second returns, and sending says how it ended."""
    transport, peer = ends
    first = asyncio.create_task(transport.close(4001, "first"))
    with pytest.raises(ConnectionClosed):
        await peer.recv()
    await asyncio.gather(first, transport.close(4002, "second"))
    await transport.close()
    with pytest.raises(ConnectionClosed, match="4001"):
        await transport.send("late")


async def test_a_close_ends_a_waiting_recv(ends: Ends) -> None:
    """Somebody who waits for a message learns of our own close."""
    transport, peer = ends
    waiting = asyncio.create_task(transport.recv())
    await asyncio.sleep(0)
    closing = asyncio.create_task(transport.close(1000, "enough"))
    with pytest.raises(ConnectionClosed):
        await peer.recv()
    with pytest.raises(ConnectionClosed, match="enough"):
        await waiting
    await closing


async def test_a_long_reason_is_cut_between_characters(ends: Ends) -> None:
    """A close frame holds 123 bytes of reason, and no half character."""
    transport, peer = ends
    closing = asyncio.create_task(transport.close(4000, "é" * 100))
    with pytest.raises(ConnectionClosed) as caught:
        await peer.recv()
    await closing
    assert caught.value.reason == "é" * 61


async def test_cancelling_recv_loses_nothing(ends: Ends) -> None:
    """However a recv() is cancelled, the next one returns the message."""
    transport, peer = ends
    for steps in range(6):
        waiting = asyncio.create_task(transport.recv())
        await asyncio.sleep(0)
        await peer.send(f"message {steps}")
        # The further the loop turns, the nearer the cancel comes to the delivery.
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        try:
            frame = await waiting
        except asyncio.CancelledError:
            frame = await transport.recv()
        assert as_text(frame) == f"message {steps}"


async def test_only_one_recv_at_a_time(ends: Ends) -> None:
    """Two readers would tear the stream apart, so the second is told."""
    transport, peer = ends
    waiting = asyncio.create_task(transport.recv())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError):
        await transport.recv()
    await peer.send("for the first")
    assert as_text(await waiting) == "for the first"


async def test_a_sender_waits_for_a_reader_that_is_slow(ends: Ends) -> None:
    """send() suspends while nobody reads, resumes with the reader, loses nothing."""
    transport, peer = ends
    sending, sent = await send_until_stuck(transport, heavy_frames())
    received = [as_text(await peer.recv()) for _ in sent]
    await sending
    assert received == sent


async def test_senders_keep_their_order_and_survive_a_cancel(ends: Ends) -> None:
    """Frames go out in the order of the calls, that of a cancelled call as well."""
    transport, peer = ends
    stuck, sent = await send_until_stuck(transport, heavy_frames())

    async def follow() -> None:
        await stuck
        await transport.send("last")

    second = asyncio.create_task(transport.send("second"))
    await asyncio.sleep(0)
    third = asyncio.create_task(transport.send("third"))
    await asyncio.sleep(0)
    second.cancel()
    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    received = [as_text(await peer.recv()) for _ in range(len(sent) + 3)]
    assert received == [*sent, "second", "third", "last"]
    await asyncio.gather(third, following)
    assert second.cancelled()


async def test_an_end_wakes_waiting_senders(ends: Ends) -> None:
    """A sender that waits for a reader learns that there will be none."""
    transport, peer = ends
    stuck, _ = await send_until_stuck(transport, heavy_frames())
    behind = asyncio.create_task(transport.send("behind"))
    await asyncio.sleep(0)
    peer.abort()
    for sending in (stuck, behind):
        with pytest.raises(ConnectionClosed) as caught:
            await sending
        assert caught.value.code == 1006


async def test_a_lost_connection_is_1006(ends: Ends) -> None:
    """Without a close frame the code is 1006, and a new connection can help."""
    transport, peer = ends
    peer.abort()
    with pytest.raises(ConnectionClosed) as caught:
        await transport.recv()
    assert (caught.value.code, caught.value.reason) == (1006, "")
    assert caught.value.retryable
    await transport.close()
    with pytest.raises(ConnectionClosed, match="1006"):
        await transport.send("late")


async def test_cancelling_close_does_not_stop_it(ends: Ends) -> None:
    """Who gives up waiting for the end still gets the connection closed."""
    transport, peer = ends
    closing = asyncio.create_task(transport.close(1000, "bye"))
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(ConnectionClosed, match="bye"):
        await peer.recv()
    with pytest.raises(ConnectionClosed, match="bye"):
        await transport.recv()
