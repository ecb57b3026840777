"""Audio that is appended from any thread: order, limits, and what cannot be sent."""

from __future__ import annotations

import asyncio
import threading
from array import array

import pytest

from openai_realtime import AudioError, ConnectionClosed, LocalProtocolError
from openai_realtime.sync import RealtimeClient, outbox
from openai_realtime.sync.outbox import OUTBOX_LIMIT_BYTES
from openai_realtime.testing import LiveServer
from openai_realtime.transports import Endpoint, Transport, websocket

from .conftest import TIMEOUT_S


def test_audio_comes_before_what_follows_it(client: RealtimeClient) -> None:
    """What is appended is whole and in order when the response is asked for."""
    client.update_session(turn_detection=None)
    pieces = [array("h", [number] * 480) for number in range(200)]
    for piece in pieces:
        client.append_input_audio(piece)
    client.create_response().wait(TIMEOUT_S)
    spoken = client.conversation.get_items()[0]
    assert spoken.formatted.audio == b"".join(piece.tobytes() for piece in pieces)


def test_a_buffer_may_be_used_again(client: RealtimeClient) -> None:
    """What is appended is what the buffer held then, whatever it holds later."""
    client.update_session(turn_detection=None)
    buffer = bytearray(9600)
    for number in range(10):
        buffer[:] = bytes([number]) * 9600
        client.append_input_audio(buffer)
    client.create_response().wait(TIMEOUT_S)
    spoken = client.conversation.get_items()[0]
    assert spoken.formatted.audio == b"".join(bytes([n]) * 9600 for n in range(10))


def test_what_is_no_audio_is_refused_at_once(client: RealtimeClient) -> None:
    """Wrong audio is raised to who appends it."""
    with pytest.raises(AudioError):
        client.append_input_audio(b"123")


def test_audio_needs_a_connection(server: LiveServer) -> None:
    """Before and behind a connection there is nowhere to send audio to."""
    client = RealtimeClient(url=server.url)
    for _ in range(2):
        with pytest.raises(LocalProtocolError, match="audio cannot be sent"):
            client.append_input_audio(bytes(960))
        with client:
            client.append_input_audio(bytes(960))


def test_audio_is_sent_from_an_iterable(client: RealtimeClient) -> None:
    """`send_audio` takes pieces from a generator, and says how long they were."""
    client.update_session(turn_detection=None)
    assert client.send_audio(bytes(4800) for _ in range(10)) == 1.0
    assert client.create_response().wait(TIMEOUT_S).status == "completed"


class Valve:
    """A connection that takes audio only while it is open.

    Attributes:
        taken: How many pieces of audio were taken.
    """

    def __init__(self) -> None:
        self.taken = 0
        self._is_open = asyncio.Event()
        self._inner: Transport | None = None

    async def connect(self, endpoint: Endpoint) -> Transport:
        """Connect to the server behind it."""
        self._inner = await websocket.connect(endpoint)
        return self

    async def send(self, frame: bytes | str) -> None:
        """Let a frame through, sooner or later."""
        assert self._inner is not None
        if "input_audio_buffer.append" in str(frame[:80]):
            await self._is_open.wait()
            self.taken += 1
        await self._inner.send(frame)

    async def recv(self) -> bytes | str:
        """Return what the server says."""
        assert self._inner is not None
        return await self._inner.recv()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection."""
        assert self._inner is not None
        await self._inner.close(code, reason)

    def open(self, client: RealtimeClient) -> None:
        """Let audio through from now on."""
        client._loop.run(self._is_open.set)  # type: ignore[attr-defined]


PIECE = bytes(9600)


def test_one_who_is_too_fast_waits(server: LiveServer) -> None:
    """While the network takes nothing, five seconds of audio wait, and no more."""
    valve = Valve()
    client = RealtimeClient(url=server.url, transport=valve.connect)
    count = 2 * OUTBOX_LIMIT_BYTES // len(PIECE)
    put: list[int] = []

    def append() -> None:
        for number in range(count):
            client.append_input_audio(PIECE)
            put.append(number)

    with client:
        appending = threading.Thread(target=append)
        appending.start()
        while len(put) < count // 2:
            appending.join(0.001)
            assert appending.is_alive()
        assert valve.taken == 0
        assert len(put) == count // 2
        valve.open(client)
        appending.join(TIMEOUT_S)
        client.realtime.flush()
        assert valve.taken == count


def test_audio_that_cannot_be_sent_is_counted(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What did not go out before the end is counted, and the next connection is new."""
    monkeypatch.setattr(outbox, "_GRACE_S", 0.01)
    valve = Valve()
    client = RealtimeClient(url=server.url, transport=valve.connect)
    with client:
        client.append_input_audio(PIECE)
        client.append_input_audio(PIECE)
    assert client._background.outbox.dropped_bytes == 2 * len(PIECE)  # type: ignore[attr-defined]
    with client:
        valve.open(client)
        client.append_input_audio(PIECE)
        client.realtime.flush()
    assert valve.taken == 1


def test_one_who_goes_on_learns_of_the_end(server: LiveServer) -> None:
    """Audio that is appended behind the end of the connection is refused."""
    client = RealtimeClient(url=server.url)
    with client:
        server.fail("close 1011 'trouble' at response.created")
        client.send_user_message_content("Hello")
        client.wait_closed()
        with pytest.raises(ConnectionClosed):
            client.append_input_audio(PIECE)
