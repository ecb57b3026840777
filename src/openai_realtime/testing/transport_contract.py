"""What every transport promises, as tests for those that are written elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Iterator
from typing import Protocol, TypeAlias

import pytest

from ..errors import ConnectionClosed
from ..transports import Transport

__all__ = ["TransportContract", "TransportPeer"]

# Together far more than the buffers of two sockets hold.
_HEAVY_FRAME_CHARS = 1_000_000
_HEAVY_FRAMES = 200

# 15 MiB of audio in base64, which is a valid event (PROTOCOL.md section 3.6).
_LONG_FRAME_CHARS = 20 * 1024 * 1024

# How long a call has to wait to count as one that waits.
_STUCK_S = 0.1


class TransportPeer(Protocol):
    """The other end of a connection, by which a test sees what the transport does."""

    async def send(self, frame: bytes | str) -> None:
        """Send one text message, given as text or as bytes, which may be no UTF-8."""
        ...

    async def recv(self) -> bytes | str:
        """Return the next message; it must not be read before somebody asks for it.

        Raises:
            ConnectionClosed: The connection is over.
        """
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection with this code and reason."""
        ...

    def abort(self) -> None:
        """Break the connection, as a network does, without a word."""
        ...


_Ends: TypeAlias = tuple[Transport, TransportPeer]


class TransportContract:
    """The promises of `Transport`, as tests; for pytest.

    A subclass says how a transport is joined to a peer, and inherits the tests. They
    are coroutines: use pytest-asyncio, by its mode ``auto`` or by the mark ``asyncio``
    on the subclass, or anyio with its backend asyncio::

        class TestMyTransport(TransportContract):
            @contextlib.asynccontextmanager
            async def ends(self):
                peer = await MyServer.start()
                yield await my_connect(peer.endpoint), peer
                await peer.stop()

    Attributes:
        patience_s: How many seconds a test may take; whatever hangs fails by it.
    """

    patience_s: float = 30.0

    def ends(self) -> contextlib.AbstractAsyncContextManager[_Ends]:
        """Return an open transport and its peer, for the time of one test."""
        raise NotImplementedError("say in ends() how a transport is joined to a peer")

    @contextlib.asynccontextmanager
    async def _joined(self) -> AsyncGenerator[_Ends]:
        async with asyncio.timeout(self.patience_s), self.ends() as ends:
            yield ends

    async def test_frames_arrive_in_order_both_ways(self) -> None:
        """What is sent first is read first, in either direction."""
        async with self._joined() as (transport, peer):
            for number in range(4):
                await transport.send(f"up {number}")
                await peer.send(f"down {number}")
            for number in range(4):
                assert _as_text(await peer.recv()) == f"up {number}"
                assert _as_text(await transport.recv()) == f"down {number}"

    async def test_bytes_and_str_are_the_same_text(self) -> None:
        """A frame may be given as text or as its UTF-8."""
        async with self._joined() as (transport, peer):
            await transport.send("é")
            await transport.send("é".encode())
            assert [_as_text(await peer.recv()) for _ in range(2)] == ["é", "é"]

    async def test_an_empty_frame_is_a_frame(self) -> None:
        """Nothing but the length is lost with an empty message."""
        async with self._joined() as (transport, peer):
            await transport.send("")
            await peer.send("")
            assert _as_text(await peer.recv()) == _as_text(await transport.recv()) == ""

    async def test_a_long_frame_arrives_whole(self) -> None:
        """15 MiB of audio are a valid event, in either direction."""
        async with self._joined() as (transport, peer):
            frame = "0123456789abcdef" * (_LONG_FRAME_CHARS // 16)
            for send, receive in ((transport, peer), (peer, transport)):
                sending = asyncio.create_task(send.send(frame))
                # Not compared by assert, which would print both.
                same = _as_text(await receive.recv()) == frame
                assert same, "a long frame did not arrive as it was sent"
                await sending

    async def test_what_is_no_utf8_arrives(self) -> None:
        """Judging content is the codec's work: the connection survives a wrong byte."""
        async with self._joined() as (transport, peer):
            await peer.send(b'{"bad": "\xff"}')
            await peer.send("good")
            assert await transport.recv() == b'{"bad": "\xff"}'
            assert _as_text(await transport.recv()) == "good"

    @pytest.mark.parametrize(
        ("code", "reason"), [(1000, ""), (1001, "away"), (3000, "ü"), (4000, "own")]
    )
    async def test_our_close_reaches_the_peer(self, code: int, reason: str) -> None:
        """Both sides see the code and the reason that we closed with."""
        async with self._joined() as (transport, peer):
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
    async def test_the_peers_close_reaches_us(self, code: int, reason: str) -> None:
        """recv() and send() tell the code and reason that the peer gave, again too."""
        async with self._joined() as (transport, peer):
            closing = asyncio.create_task(peer.close(code, reason))
            for call in (transport.recv(), transport.recv(), transport.send("late")):
                with pytest.raises(ConnectionClosed) as caught:
                    await call
                assert (caught.value.code, caught.value.reason) == (code, reason)
            await closing

    async def test_messages_before_the_end_are_read_first(self) -> None:
        """The end does not overtake what was sent before it."""
        async with self._joined() as (transport, peer):
            await peer.send("last words")
            closing = asyncio.create_task(peer.close())
            assert _as_text(await transport.recv()) == "last words"
            with pytest.raises(ConnectionClosed):
                await transport.recv()
            await closing

    async def test_closing_twice_is_harmless(self) -> None:
        """The first close counts, the second returns, and sending says how it ended."""
        async with self._joined() as (transport, peer):
            first = asyncio.create_task(transport.close(4001, "first"))
            with pytest.raises(ConnectionClosed):
                await peer.recv()
            await asyncio.gather(first, transport.close(4002, "second"))
            await transport.close()
            with pytest.raises(ConnectionClosed, match="4001"):
                await transport.send("late")

    async def test_a_close_ends_a_waiting_recv(self) -> None:
        """Somebody who waits for a message learns of our own close."""
        async with self._joined() as (transport, peer):
            waiting = asyncio.create_task(transport.recv())
            await asyncio.sleep(0)
            closing = asyncio.create_task(transport.close(1000, "enough"))
            with pytest.raises(ConnectionClosed):
                await peer.recv()
            with pytest.raises(ConnectionClosed, match="enough"):
                await waiting
            await closing

    async def test_a_long_reason_is_cut_between_characters(self) -> None:
        """A close frame holds 123 bytes of reason, and no half character."""
        async with self._joined() as (transport, peer):
            closing = asyncio.create_task(transport.close(4000, "é" * 100))
            with pytest.raises(ConnectionClosed) as caught:
                await peer.recv()
            await closing
            assert caught.value.reason == "é" * 61

    async def test_cancelling_recv_loses_nothing(self) -> None:
        """However a recv() is cancelled, the next one returns the message."""
        async with self._joined() as (transport, peer):
            for steps in range(6):
                waiting = asyncio.create_task(transport.recv())
                await asyncio.sleep(0)
                await peer.send(f"message {steps}")
                # The further the loop turns, the nearer the cancel is to the delivery.
                for _ in range(steps):
                    await asyncio.sleep(0)
                waiting.cancel()
                try:
                    frame = await waiting
                except asyncio.CancelledError:
                    frame = await transport.recv()
                assert _as_text(frame) == f"message {steps}"

    async def test_only_one_recv_at_a_time(self) -> None:
        """Two readers would tear the stream apart, so the second is told."""
        async with self._joined() as (transport, peer):
            waiting = asyncio.create_task(transport.recv())
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError):
                await transport.recv()
            await peer.send("for the first")
            assert _as_text(await waiting) == "for the first"

    async def test_a_sender_waits_for_a_reader_that_is_slow(self) -> None:
        """send() suspends while nobody reads, resumes with a reader, loses nothing."""
        async with self._joined() as (transport, peer):
            sending, sent = await _send_until_stuck(transport, _heavy_frames())
            received = [_as_text(await peer.recv()) for _ in sent]
            await sending
            assert received == sent

    async def test_senders_keep_their_order_and_survive_a_cancel(self) -> None:
        """Frames go out in the order of the calls, that of a cancelled call as well."""
        async with self._joined() as (transport, peer):
            stuck, sent = await _send_until_stuck(transport, _heavy_frames())

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
            received = [_as_text(await peer.recv()) for _ in range(len(sent) + 3)]
            assert received == [*sent, "second", "third", "last"]
            await asyncio.gather(third, following)
            assert second.cancelled()

    async def test_a_close_waits_behind_what_is_being_sent(self) -> None:
        """A peer that reads slowly gets all that was sent, and then our close."""
        async with self._joined() as (transport, peer):
            stuck, sent = await _send_until_stuck(transport, _heavy_frames())
            closing = asyncio.create_task(transport.close(4000, "done"))
            await asyncio.sleep(0)
            received = [_as_text(await peer.recv()) for _ in sent]
            with pytest.raises(ConnectionClosed) as caught:
                await peer.recv()
            await closing
            await asyncio.wait({stuck})
            # Whether that call returns or tells of the end: its frame has arrived.
            stuck.exception()
            same = received == sent
            assert same, "a frame was lost, or came in another order"
            assert (caught.value.code, caught.value.reason) == (4000, "done")

    async def test_an_end_wakes_waiting_senders(self) -> None:
        """A sender that waits for a reader learns that there will be none."""
        async with self._joined() as (transport, peer):
            stuck, _ = await _send_until_stuck(transport, _heavy_frames())
            behind = asyncio.create_task(transport.send("behind"))
            await asyncio.sleep(0)
            peer.abort()
            for sending in (stuck, behind):
                with pytest.raises(ConnectionClosed) as caught:
                    await sending
                assert caught.value.code == 1006

    async def test_a_lost_connection_is_1006(self) -> None:
        """Without a close frame the code is 1006, and a new connection can help."""
        async with self._joined() as (transport, peer):
            peer.abort()
            with pytest.raises(ConnectionClosed) as caught:
                await transport.recv()
            assert (caught.value.code, caught.value.reason) == (1006, "")
            assert caught.value.retryable
            await transport.close()
            with pytest.raises(ConnectionClosed, match="1006"):
                await transport.send("late")

    async def test_cancelling_close_does_not_stop_it(self) -> None:
        """Who gives up waiting for the end still gets the connection closed."""
        async with self._joined() as (transport, peer):
            closing = asyncio.create_task(transport.close(1000, "bye"))
            await asyncio.sleep(0)
            closing.cancel()
            with pytest.raises(ConnectionClosed, match="bye"):
                await peer.recv()
            with pytest.raises(ConnectionClosed, match="bye"):
                await transport.recv()


def _as_text(frame: bytes | str) -> str:
    """The text of a frame, which a transport may return as bytes."""
    return frame.decode() if isinstance(frame, bytes) else frame


async def _send_until_stuck(
    transport: Transport, frames: Iterable[str]
) -> tuple[asyncio.Task[None], list[str]]:
    """Send until a call suspends; return that call and the frames handed over."""
    sent: list[str] = []
    for frame in frames:
        sending = asyncio.create_task(transport.send(frame))
        sent.append(frame)
        done, _ = await asyncio.wait({sending}, timeout=_STUCK_S)
        if not done:
            return sending, sent
        await sending
    pytest.fail("send() never suspended, though nobody read")


def _heavy_frames() -> Iterator[str]:
    """More text than the buffers of two sockets hold."""
    return (
        f"{number:04}" + "x" * _HEAVY_FRAME_CHARS for number in range(_HEAVY_FRAMES)
    )
