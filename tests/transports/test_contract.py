"""The transports of this package keep what every transport promises."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import websockets.asyncio.server
import websockets.exceptions

from openai_realtime.errors import ConnectionClosed, LocalProtocolError
from openai_realtime.testing import TransportContract, TransportPeer
from openai_realtime.transports import Connector, Transport
from openai_realtime.transports.memory import MemoryTransport, memory_pair
from openai_realtime.transports.websocket import WebSocketLibrary, connector_of

from .tiny_servers import endpoint

Ends = tuple[Transport, TransportPeer]


class WebSocketPeer:
    """A server's connection."""

    def __init__(self, connection: websockets.asyncio.server.ServerConnection) -> None:
        self._connection = connection

    async def send(self, frame: bytes | str) -> None:
        """Send a text message, whatever its bytes are."""
        await self._connection.send(frame, text=True)

    async def recv(self) -> bytes | str:
        """Return the next message."""
        try:
            return await self._connection.recv(decode=True)
        except websockets.exceptions.ConnectionClosed as exc:
            if exc.rcvd is None:
                raise ConnectionClosed(1006) from exc
            raise ConnectionClosed(exc.rcvd.code, exc.rcvd.reason) from exc

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection."""
        await self._connection.close(code, reason)

    def abort(self) -> None:
        """Break it."""
        self._connection.transport.abort()


@contextlib.asynccontextmanager
async def websocket_ends(connect: Connector) -> AsyncIterator[Ends]:
    """Join two ends by a socket of this machine."""
    arrived: asyncio.Future[TransportPeer] = asyncio.get_running_loop().create_future()
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


class OurContract(TransportContract):
    """What is promised by all, and what ours promise beyond it."""

    @pytest.mark.parametrize("code", [0, 999, 1005, 1006, 1015, 2000, 5000])
    async def test_a_code_that_no_close_frame_has_is_refused(self, code: int) -> None:
        """Nothing has happened then: the connection can still be closed properly."""
        async with self.ends() as (transport, peer):
            with pytest.raises(LocalProtocolError, match=str(code)):
                await transport.close(code)
            closing = asyncio.create_task(transport.close(4000, "own"))
            with pytest.raises(ConnectionClosed, match="4000"):
                await peer.recv()
            await closing


class OverAWebSocket(OurContract):
    """What is promised, over a socket of this machine."""

    library: WebSocketLibrary

    def ends(self) -> contextlib.AbstractAsyncContextManager[Ends]:
        """Join them by the library of the class."""
        return websocket_ends(connector_of(self.library))


class TestPicows(OverAWebSocket):
    """The default for WebSockets."""

    library = "picows"


class TestWebsockets(OverAWebSocket):
    """The other one."""

    library = "websockets"


class TestMemory(OurContract):
    """Two ends in one process."""

    @contextlib.asynccontextmanager
    async def ends(self) -> AsyncIterator[Ends]:
        """Join them by nothing."""
        yield memory_pair(limit=4)


# --- the contract itself: transports that break it are found out ---


class Delegating:
    """A transport that passes everything on to another one."""

    def __init__(self, inner: MemoryTransport) -> None:
        self.inner = inner

    async def send(self, frame: bytes | str) -> None:
        """Pass a frame on."""
        await self.inner.send(frame)

    async def recv(self) -> bytes | str:
        """Ask for a frame."""
        return await self.inner.recv()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it."""
        await self.inner.close(code, reason)


class Forgetful(Delegating):
    """Takes a frame out first, and suspends then, with the frame in its hand."""

    async def recv(self) -> bytes | str:
        """Lose the frame when cancelled at the wrong moment."""
        frame = await self.inner.recv()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return frame


class Swallowing(Delegating):
    """Never lets a sender wait, and so has no bound."""

    async def send(self, frame: bytes | str) -> None:
        """Send in the background."""
        task = asyncio.create_task(self.inner.send(frame))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())


class Overtaken(Delegating):
    """Suspends before it takes a frame over, so that a later one may be first."""

    async def send(self, frame: bytes | str) -> None:
        """Send short frames sooner."""
        for _ in range(len(frame) // 4):
            await asyncio.sleep(0)
        await self.inner.send(frame)


class Renaming(Delegating):
    """Closes with a code of its own."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Forget what was asked for."""
        await self.inner.close(1000)


class Hasty(Delegating):
    """Breaks off, when it is closed, what is being sent."""

    def __init__(self, inner: MemoryTransport) -> None:
        super().__init__(inner)
        self._sending = False

    async def send(self, frame: bytes | str) -> None:
        """Note that somebody sends."""
        self._sending = True
        await self.inner.send(frame)
        self._sending = False

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Wait for nobody."""
        if self._sending:
            self.inner.abort()
        await self.inner.close(code, reason)


class Checking(Delegating):
    """Wants text to be UTF-8."""

    async def recv(self) -> bytes | str:
        """Fail over a wrong byte."""
        frame = await self.inner.recv()
        return frame.decode() if isinstance(frame, bytes) else frame


@pytest.mark.parametrize(
    ("broken", "promise", "arguments"),
    [
        (Forgetful, "test_cancelling_recv_loses_nothing", ()),
        (Swallowing, "test_a_sender_waits_for_a_reader_that_is_slow", ()),
        (Overtaken, "test_senders_keep_their_order_and_survive_a_cancel", ()),
        (Hasty, "test_a_close_waits_behind_what_is_being_sent", ()),
        (Renaming, "test_our_close_reaches_the_peer", (4000, "own")),
        (Checking, "test_what_is_no_utf8_arrives", ()),
    ],
)
async def test_a_broken_promise_is_found(
    broken: type[Delegating], promise: str, arguments: tuple[object, ...]
) -> None:
    """The contract fails a transport that keeps all but one of the promises."""

    class Broken(TransportContract):
        # What hangs is as good as what fails.
        patience_s = 1.0

        @contextlib.asynccontextmanager
        async def ends(self) -> AsyncIterator[Ends]:
            near, far = memory_pair(limit=4)
            yield broken(near), far
            near.abort()

    failures = (AssertionError, pytest.fail.Exception, TimeoutError, ValueError)
    with pytest.raises(failures):
        await getattr(Broken(), promise)(*arguments)
    # A test that fails in the middle leaves behind what it has begun.
    begun = asyncio.all_tasks() - {asyncio.current_task()}
    for task in begun:
        task.cancel()
    await asyncio.gather(*begun, return_exceptions=True)


async def test_the_contract_wants_to_know_the_ends() -> None:
    """Who forgets to say how to join the ends is told so."""
    with pytest.raises(NotImplementedError, match=r"ends\(\)"):
        await TransportContract().test_an_empty_frame_is_a_frame()
