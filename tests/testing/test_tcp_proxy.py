"""The proxy over real sockets: what passes, what breaks, and that nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import math
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import pytest
import trustme

from openai_realtime import RealtimeAPI, RealtimeClient
from openai_realtime.errors import ConfigurationError, ConnectFailed, ConnectionClosed
from openai_realtime.testing import Direction, Line, Scope, TcpProxy, Then, tcp_proxy
from openai_realtime.transports import Endpoint, Transport
from openai_realtime.transports.websocket import connect

DEADLINE_S = 10
PATH = "/v1/realtime"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Ends:
    """The two ends of connections through a proxy, and what a server has seen."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[End] = asyncio.Queue()

    async def server_end(self) -> End:
        """The server's end of the next connection that arrives."""
        return await asyncio.wait_for(self.arrived.get(), DEADLINE_S)


class End:
    """One end of a connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        self.writer.write(data)
        await self.writer.drain()

    async def receive(self, count: int) -> bytes:
        """Receive so many bytes."""
        return await asyncio.wait_for(self.reader.readexactly(count), DEADLINE_S)

    async def rest(self) -> bytes:
        """Receive all that comes until the end."""
        return await asyncio.wait_for(self.reader.read(), DEADLINE_S)

    async def until_reset(self) -> None:
        """Receive until the connection is reset."""
        with pytest.raises(ConnectionResetError):
            await self.rest()

    def hears_nothing(self) -> bool:
        """Whether neither bytes nor an end have come so far."""
        inside = cast("Any", self.reader)
        return not inside._buffer and not self.reader.at_eof()


@contextlib.asynccontextmanager
async def listening(
    handler: Handler, context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Run a TCP server whose handlers end by themselves; yield its port."""
    ends: list[asyncio.StreamWriter] = []
    tasks: list[asyncio.Task[None]] = []

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(writer)
        tasks.append(asyncio.create_task(_quietly(handler(reader, writer))))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in ends:
            writer.transport.abort()
        await asyncio.sleep(0)


async def _quietly(handling: Awaitable[None]) -> None:
    with contextlib.suppress(OSError):
        await handling


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, and hang up when the client does."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture
async def echo_port() -> AsyncIterator[int]:
    """The port of a server that sends back what comes."""
    async with listening(echo) as port:
        yield port


@pytest.fixture
async def ends() -> Ends:
    """What a test uses to play the server itself."""
    return Ends()


@pytest.fixture
async def own_port(ends: Ends) -> AsyncIterator[int]:
    """The port of a server that does nothing by itself."""

    async def hand_over(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        ends.arrived.put_nowait(End(reader, writer))

    async with listening(hand_over) as port:
        yield port


@contextlib.asynccontextmanager
async def client_of(proxy: TcpProxy) -> AsyncIterator[End]:
    """A client of whatever is behind the proxy."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield End(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


class Clock:
    """Time that passes when somebody sleeps, and what was slept."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


# --- what passes ---


async def test_bytes_pass_both_ways_and_are_counted(echo_port: int) -> None:
    """Everything arrives as it was sent, on every connection."""
    sent = bytes(range(256)) * 4000
    async with TcpProxy("127.0.0.1", echo_port) as proxy:
        for number in range(1, 3):
            async with client_of(proxy) as client:
                sending = asyncio.create_task(client.send(sent))
                assert await client.receive(len(sent)) == sent
                await sending
                assert proxy.connections == number
                assert proxy.open_connections >= 1
        assert proxy.bytes_up == proxy.bytes_down == 2 * len(sent)


async def test_hanging_up_is_passed_on_for_its_direction(
    ends: Ends, own_port: int
) -> None:
    """A server hears the end of what a client sends, and may still answer."""
    async with TcpProxy("127.0.0.1", own_port) as proxy, client_of(proxy) as client:
        await client.send(b"question")
        client.writer.write_eof()
        server = await ends.server_end()
        assert await server.rest() == b"question"
        await server.send(b"answer")
        server.writer.write_eof()
        assert await client.rest() == b"answer"


@pytest.mark.parametrize("who", ["client", "server"])
async def test_a_reset_is_passed_on(ends: Ends, own_port: int, who: str) -> None:
    """When one side resets its connection the other one sees a reset."""
    async with TcpProxy("127.0.0.1", own_port) as proxy, client_of(proxy) as client:
        await client.send(b"x")
        server = await ends.server_end()
        await server.receive(1)
        first, second = (client, server) if who == "client" else (server, client)
        raw = first.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        first.writer.transport.abort()
        await second.until_reset()


async def test_a_server_that_is_not_there_resets_the_client() -> None:
    """A client has been accepted before the proxy knows."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with TcpProxy("127.0.0.1", port) as proxy, client_of(proxy) as client:
            await client.until_reset()


async def test_a_server_is_found_by_its_name(echo_port: int) -> None:
    """Each address of the name is tried."""
    async with TcpProxy("localhost", echo_port) as proxy, client_of(proxy) as client:
        await client.send(b"x")
        assert await client.receive(1) == b"x"


async def test_whoever_sends_too_fast_has_to_wait(ends: Ends, own_port: int) -> None:
    """While a client does not read, the server's sending comes to a halt."""
    async with TcpProxy("127.0.0.1", own_port) as proxy, client_of(proxy) as client:
        await client.send(b"x")
        server = await ends.server_end()
        server.writer.transport.set_write_buffer_limits(high=0)
        chunk = bytes(1_000_000)
        total = 0
        while True:
            sending = asyncio.create_task(server.send(chunk))
            total += len(chunk)
            done, _ = await asyncio.wait({sending}, timeout=0.2)
            if not done:
                break
            assert total < 100_000_000, "the proxy takes what nobody reads"
        assert len(await client.receive(total)) == total
        await sending
        assert proxy.bytes_down == total


async def test_tls_passes(echo_port: int) -> None:
    """The proxy knows bytes only, so a certificate is verified through it."""
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with (
        listening(echo, serving) as port,
        TcpProxy("127.0.0.1", port) as proxy,
    ):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", proxy.port, ssl=trusting
        )
        client = End(reader, writer)
        await client.send(b"secret")
        assert await client.receive(6) == b"secret"
        assert proxy.bytes_down > 6
        writer.transport.abort()


# --- cuts ---


@pytest.mark.parametrize("count", [0, 1, 1000, 300_000])
@pytest.mark.parametrize("direction", ["up", "down"])
async def test_a_cut_lets_exactly_its_bytes_through(
    ends: Ends, own_port: int, count: int, direction: Direction
) -> None:
    """Both sides see the end then, one of them behind these bytes."""
    line = Line(cut_after=count)
    lines = {direction: line}
    async with TcpProxy("127.0.0.1", own_port, **lines) as proxy:  # type: ignore[arg-type]
        async with client_of(proxy) as client:
            server = await ends.server_end()
            sender, receiver = (
                (client, server) if direction == "up" else (server, client)
            )
            data = bytes(range(250)) * 2000
            sending = asyncio.create_task(sender.send(data))
            assert await receiver.rest() == data[:count]
            receiver.writer.write_eof()
            assert await sender.rest() == b""
            with contextlib.suppress(OSError):
                await sending
        passed = proxy.bytes_up if direction == "up" else proxy.bytes_down
        assert passed == count


async def test_a_cut_may_be_a_reset(ends: Ends, own_port: int) -> None:
    """Both sides see a reset instead of an end."""
    async with TcpProxy("127.0.0.1", own_port) as proxy, client_of(proxy) as client:
        server = await ends.server_end()
        proxy.cut_after(10, direction="up", then="reset")
        await client.send(bytes(20))
        await client.until_reset()
        await server.until_reset()
        assert proxy.bytes_up == 10


async def test_a_cut_may_leave_it_half_open(ends: Ends, own_port: int) -> None:
    """Nothing more passes in any direction; once restored, not a byte is missing."""
    async with TcpProxy("127.0.0.1", own_port) as proxy, client_of(proxy) as client:
        server = await ends.server_end()
        proxy.cut_after(4, then="half_open")
        await server.send(b"12345678")
        assert await client.receive(4) == b"1234"
        await client.send(b"x")
        await a_while()
        assert client.hears_nothing()
        assert server.hears_nothing()
        proxy.restore()
        assert await client.receive(4) == b"5678"
        assert await server.receive(1) == b"x"


async def a_while() -> None:
    """Give everything that could happen the turns to happen."""
    for _ in range(20):
        await asyncio.sleep(0.001)


async def test_a_cut_of_a_running_connection_counts_from_now(echo_port: int) -> None:
    """What has passed before the order does not count."""
    async with TcpProxy("127.0.0.1", echo_port) as proxy, client_of(proxy) as client:
        await client.send(bytes(100))
        await client.receive(100)
        proxy.cut_after(3, scope="running")
        await client.send(b"12345")
        assert await client.rest() == b"123"
        async with client_of(proxy) as other:
            await other.send(bytes(100))
            assert await other.receive(100) == bytes(100)


async def test_an_idle_connection_is_cut_at_once_after_no_more_bytes(
    echo_port: int,
) -> None:
    """Nothing has to pass for it."""
    async with TcpProxy("127.0.0.1", echo_port) as proxy, client_of(proxy) as client:
        await client.send(b"x")
        await client.receive(1)
        proxy.cut_after(0)
        assert await client.rest() == b""


async def test_the_next_connection_only(echo_port: int) -> None:
    """The one that is there and the one after the next know nothing of it."""
    async with TcpProxy("127.0.0.1", echo_port) as proxy:
        async with client_of(proxy) as before:
            await before.send(b"x")
            await before.receive(1)
            proxy.cut_after(2, scope="next")
            await before.send(b"1234")
            assert await before.receive(4) == b"1234"
        for answer in (b"12", b"1234"):
            async with client_of(proxy) as client:
                await client.send(b"1234")
                client.writer.write_eof()
                assert await client.rest() == answer


async def test_what_was_ordered_for_the_next_one_can_be_taken_back(
    echo_port: int,
) -> None:
    """After `restore` everything passes again."""
    async with TcpProxy(
        "127.0.0.1", echo_port, up=Line(half_open=True), down=Line(cut_after=1)
    ) as proxy:
        proxy.cut_after(2, scope="next")
        proxy.restore()
        async with client_of(proxy) as client:
            await client.send(b"1234")
            assert await client.receive(4) == b"1234"


# --- resets, silence, delays, refusals ---


async def test_a_reset_ends_all_that_is_open(ends: Ends, own_port: int) -> None:
    """Both sides of every connection see it, and new connections are served."""
    async with (
        TcpProxy("127.0.0.1", own_port) as proxy,
        client_of(proxy) as first,
        client_of(proxy) as second,
    ):
        servers = [await ends.server_end(), await ends.server_end()]
        proxy.reset()
        proxy.reset()
        for end in (first, second, *servers):
            await end.until_reset()
        async with client_of(proxy) as third:
            await third.send(b"x")
            assert await (await ends.server_end()).receive(1) == b"x"


@pytest.mark.parametrize("end", ["hang up", "reset"])
async def test_half_open_means_that_nobody_learns_anything(
    ends: Ends, own_port: int, end: str
) -> None:
    """Neither bytes nor the end of the other side arrive, until it is restored."""
    async with TcpProxy("127.0.0.1", own_port) as proxy, client_of(proxy) as client:
        server = await ends.server_end()
        proxy.half_open()
        await server.send(b"down")
        await client.send(b"up")
        if end == "reset":
            raw = server.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            server.writer.transport.abort()
        else:
            server.writer.write_eof()
        await a_while()
        assert client.hears_nothing()
        assert proxy.open_connections == 1
        assert proxy.bytes_up == proxy.bytes_down == 0
        proxy.restore()
        if end == "reset":
            await client.until_reset()
        else:
            assert await client.rest() == b"down"
            assert await server.receive(2) == b"up"


async def test_one_direction_may_be_half_open(ends: Ends, own_port: int) -> None:
    """The other one goes on."""
    async with TcpProxy("127.0.0.1", own_port) as proxy, client_of(proxy) as client:
        server = await ends.server_end()
        proxy.half_open(direction="up", scope="running")
        await client.send(b"up")
        await server.send(b"down")
        assert await client.receive(4) == b"down"
        assert server.hears_nothing()


async def test_a_slow_line_passes_so_many_bytes_in_a_second(echo_port: int) -> None:
    """In steps of a twentieth of a second, on the clock that was given."""
    clock = Clock()
    async with TcpProxy(
        "127.0.0.1",
        echo_port,
        up=Line(bytes_per_s=1000),
        clock=clock,
        sleep=clock.sleep,
    ) as proxy:
        async with client_of(proxy) as client:
            await client.send(bytes(2000))
            await client.receive(2000)
        assert clock.now == pytest.approx(1002.0)
        assert max(clock.slept) == pytest.approx(0.05)


async def test_latency_holds_up_every_chunk(ends: Ends, own_port: int) -> None:
    """And what follows it; both directions are told apart."""
    clock = Clock()
    async with (
        TcpProxy("127.0.0.1", own_port, clock=clock, sleep=clock.sleep) as proxy,
        client_of(proxy) as client,
    ):
        proxy.slow_down(latency_s=0.25, direction="down")
        server = await ends.server_end()
        for data in (b"one", b"two"):
            await server.send(data)
            assert await client.receive(3) == data
            await client.send(data)
            assert await server.receive(3) == data
        assert clock.slept == [0.25, 0.25]
        proxy.restore()
        await server.send(b"three")
        assert await client.receive(5) == b"three"
        assert clock.slept == [0.25, 0.25]


async def test_new_connections_may_be_refused(echo_port: int) -> None:
    """Those that are open go on; later the same port accepts again."""
    async with TcpProxy("127.0.0.1", echo_port) as proxy, client_of(proxy) as client:
        await client.send(b"x")
        await client.receive(1)
        for _ in range(2):
            await proxy.refuse()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", proxy.port)
        await client.send(b"y")
        assert await client.receive(1) == b"y"
        proxy.accept()
        proxy.accept()
        async with client_of(proxy) as other:
            await other.send(b"z")
            assert await other.receive(1) == b"z"


# --- how it ends ---


@contextlib.asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """No task outlives the block, and no socket is left to the garbage collector."""
    before = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() <= before
    gc.collect()


@pytest.mark.parametrize("state", ["open", "half open", "cut", "delayed", "stuck"])
async def test_leaving_ends_everything(ends: Ends, own_port: int, state: str) -> None:
    """Whatever a connection is waiting for, it is closed and its tasks are gone."""
    async with nothing_left():
        async with TcpProxy("127.0.0.1", own_port) as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            client, server = End(reader, writer), await ends.server_end()
            if state == "half open":
                proxy.half_open()
            elif state == "cut":
                proxy.cut_after(0)
            elif state == "delayed":
                proxy.slow_down(latency_s=3600)
            server.writer.write(bytes(50_000_000 if state == "stuck" else 1))
            await a_while()
            assert proxy.open_connections == 1
        assert proxy.open_connections == 0
        with contextlib.suppress(ConnectionResetError):
            await client.rest()
        writer.transport.abort()
        await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(6))
async def test_whoever_connects_at_the_last_moment_is_not_forgotten(
    echo_port: int, turns: int
) -> None:
    """Accepted already or not, the connection ends with the proxy."""
    async with nothing_left():
        with socket.socket() as late:
            late.setblocking(False)
            async with TcpProxy("127.0.0.1", echo_port) as proxy:
                await asyncio.sleep(0)
                late.connect_ex(("127.0.0.1", proxy.port))
                for _ in range(turns):
                    await asyncio.sleep(0)
            with contextlib.suppress(ConnectionResetError):
                read = asyncio.get_running_loop().sock_recv(late, 1)
                assert await asyncio.wait_for(read, DEADLINE_S) == b""


async def test_cancelling_leaves_nothing_behind(ends: Ends, own_port: int) -> None:
    """Neither inside the block nor while it is left."""
    async with nothing_left():
        running = asyncio.Event()

        async def use() -> None:
            async with TcpProxy("127.0.0.1", own_port) as proxy, client_of(proxy):
                await ends.server_end()
                running.set()
                await asyncio.Event().wait()

        user = asyncio.create_task(use())
        await running.wait()
        user.cancel()
        await asyncio.sleep(0)
        user.cancel()
        with pytest.raises(asyncio.CancelledError):
            await user
        for _ in range(5):
            await asyncio.sleep(0)


async def test_it_can_be_entered_again(echo_port: int) -> None:
    """What was ordered and counted stays; the port may be another one."""
    proxy = TcpProxy("127.0.0.1", echo_port)
    for number in range(1, 3):
        async with proxy, client_of(proxy) as client:
            await client.send(b"x")
            assert await client.receive(1) == b"x"
            assert proxy.bytes_up == number


# --- what it is told ---


def test_it_has_no_port_before_it_runs() -> None:
    """Asking for it, or for a URL, says how to make it run."""
    proxy = TcpProxy("127.0.0.1", 1)
    for ask in (lambda: proxy.port, lambda: proxy.url_for("/x"), proxy.accept):
        with pytest.raises(ConfigurationError, match="async with"):
            ask()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"latency_s": -1}, "latency_s cannot be -1"),
        ({"latency_s": math.nan}, "latency_s cannot be nan"),
        ({"latency_s": math.inf}, "latency_s cannot be inf"),
        ({"bytes_per_s": 0}, "bytes_per_s cannot be 0"),
        ({"bytes_per_s": math.nan}, "bytes_per_s cannot be nan"),
        ({"cut_after": -1}, "cut_after cannot be -1"),
        ({"then": "explode"}, "then cannot be 'explode'; choose one of close, reset"),
    ],
)
def test_a_line_that_cannot_be(settings: dict[str, Any], word: str) -> None:
    """The error names the value and what is possible."""
    with pytest.raises(ConfigurationError, match=word):
        Line(**settings)


def test_an_order_that_cannot_be_changes_nothing() -> None:
    """A wrong direction, scope or number is refused before anything is taken over."""
    proxy = TcpProxy("127.0.0.1", 1)
    before = dict(vars(proxy))
    for order in (
        lambda: proxy.cut_after(-1),
        lambda: proxy.cut_after(1, direction=cast("Direction", "left")),
        lambda: proxy.cut_after(1, scope=cast("Scope", "all")),
        lambda: proxy.cut_after(1, then=cast("Then", "explode")),
        lambda: proxy.slow_down(latency_s=-1, scope="next"),
        lambda: proxy.half_open(direction=cast("Direction", "left")),
        lambda: proxy.restore(scope=cast("Scope", "all")),
    ):
        with pytest.raises(ConfigurationError):
            order()
    assert vars(proxy) == before


# --- this library's client, and the emulator behind the proxy ---


@pytest.fixture
async def proxy(emulator_url: str) -> AsyncIterator[TcpProxy]:
    """A proxy before an emulator."""
    port = int(emulator_url.rpartition(":")[2].partition("/")[0])
    async with TcpProxy("127.0.0.1", port) as proxy:
        yield proxy


async def open_transport(proxy: TcpProxy, **options: Any) -> Transport:
    """Connect this library's transport through the proxy."""
    return await connect(Endpoint(proxy.url_for(PATH), proxy=None, **options))


async def end_of(transport: Transport) -> ConnectionClosed:
    """Receive until the connection is over, and return how it ended."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                await transport.recv()
    except ConnectionClosed as end:
        return end
    finally:
        await transport.close()


@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize(
    ("count", "direction"), [(0, "up"), (50, "up"), (0, "down"), (50, "down")]
)
async def test_a_cut_in_the_handshake_is_a_failed_connect(
    proxy: TcpProxy, count: int, direction: Direction, then: Then
) -> None:
    """No status, and the next try may be better: it is."""
    proxy.cut_after(count, direction=direction, then=then, scope="next")
    with pytest.raises(ConnectFailed) as caught:
        await open_transport(proxy)
    assert caught.value.status is None
    transport = await open_transport(proxy)
    await transport.close()


async def test_refused_connections_are_a_failed_connect(proxy: TcpProxy) -> None:
    """It says that nothing listens there, and that trying again can help."""
    await proxy.refuse()
    with pytest.raises(ConnectFailed, match="nothing listens") as caught:
        await open_transport(proxy)
    assert caught.value.retryable


async def test_a_silent_server_is_a_failed_connect(proxy: TcpProxy) -> None:
    """The deadline for opening ends the wait."""
    proxy.half_open()
    with pytest.raises(ConnectFailed, match="did not answer") as caught:
        await open_transport(proxy, open_timeout_s=0.05)
    assert caught.value.retryable


@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize("direction", ["up", "down"])
async def test_a_cut_in_a_session_is_a_connection_closed(
    proxy: TcpProxy, direction: Direction, then: Then
) -> None:
    """Without a close frame it has the code 1006, and a new connection can help."""
    transport = await open_transport(proxy)
    await transport.recv()
    proxy.cut_after(20, direction=direction, then=then)
    with contextlib.suppress(ConnectionClosed):
        await transport.send('{"type":"input_audio_buffer.clear"}')
    end = await end_of(transport)
    assert (end.code, end.clean, end.retryable) == (1006, False, True)


async def test_a_reset_in_a_session_is_a_connection_closed(proxy: TcpProxy) -> None:
    """As a cut; what was received before is still read."""
    transport = await open_transport(proxy)
    assert b"session.created" in cast("bytes", await transport.recv())
    proxy.reset()
    assert (await end_of(transport)).code == 1006


async def test_a_half_open_session_is_found_by_its_pings(proxy: TcpProxy) -> None:
    """Nobody says that the connection is over, and still it does not last."""
    transport = await open_transport(
        proxy, ping_interval_s=0.05, ping_timeout_s=0.05, close_timeout_s=0.05
    )
    await transport.recv()
    proxy.half_open()
    end = await end_of(transport)
    assert end.retryable


async def test_a_client_sees_how_its_session_ended(proxy: TcpProxy) -> None:
    """The wrapper over the connection passes the outcome on as a `close` event."""
    api = RealtimeAPI(url=proxy.url_for(PATH))
    await api.connect()
    await api.wait_for_next("server.session.created", timeout=DEADLINE_S)
    closing = asyncio.create_task(api.wait_for_next("close", timeout=DEADLINE_S))
    await asyncio.sleep(0)
    proxy.reset()
    closed = await closing
    assert closed.code == 1006
    await api.close()


async def test_a_conversation_over_a_slow_line_is_the_same(
    emulator_url: str,
) -> None:
    """However late and in however small pieces, everything arrives."""
    port = int(emulator_url.rpartition(":")[2].partition("/")[0])
    clock = Clock()
    slow = Line(latency_s=0.1, bytes_per_s=50_000)
    async with (
        TcpProxy(
            "127.0.0.1", port, up=slow, down=slow, clock=clock, sleep=clock.sleep
        ) as proxy,
        RealtimeClient(url=proxy.url_for(PATH)) as client,
    ):
        content = [{"type": "input_text", "text": "Count to three"}]
        await client.send_user_message_content(content)
        item = await client.wait_for_next_completed_item(timeout=DEADLINE_S)
        while item.role != "assistant":
            item = await client.wait_for_next_completed_item(timeout=DEADLINE_S)
        assert item.formatted.transcript == "One, two, three."
    assert clock.now > 1000


async def test_no_room_for_a_connection_is_not_the_end(
    echo_port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where no file is left to open, whoever waits is accepted later."""
    loop = asyncio.get_running_loop()
    accept, refusals = loop.sock_accept, iter(range(2))

    async def no_room(listener: socket.socket) -> Any:
        if next(refusals, None) is not None:
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept(listener)

    monkeypatch.setattr(tcp_proxy, "_NO_ROOM_PAUSE_S", 0.0)
    monkeypatch.setattr(loop, "sock_accept", no_room)
    async with TcpProxy("127.0.0.1", echo_port) as proxy, client_of(proxy) as client:
        await client.send(b"here")
        assert await client.receive(4) == b"here"
    assert caplog.text.count("could not be accepted") == 2


async def test_a_side_that_never_hangs_up_does_not_hold_the_other(
    ends: Ends, own_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cut is over after a while, also where one side goes on sending nothing."""
    monkeypatch.setattr(tcp_proxy, "_HANG_UP_S", 0.0)
    async with TcpProxy("127.0.0.1", own_port) as proxy, client_of(proxy) as client:
        server = await ends.server_end()
        proxy.cut_after(0)
        assert await client.rest() == b""
        assert await server.rest() == b""
        async with asyncio.timeout(DEADLINE_S):
            while proxy.open_connections:  # noqa: ASYNC110
                await asyncio.sleep(0)
