"""The WebSocket transport against servers that do right and wrong."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import struct
import traceback

import pytest
import trustme

from openai_realtime.errors import ConfigurationError, ConnectFailed, ConnectionClosed
from openai_realtime.transports import Endpoint
from openai_realtime.transports.websocket import connect

from .tiny_servers import (
    BINARY,
    CLOSE,
    TEXT,
    Handler,
    accept,
    close_frame,
    endpoint,
    frame,
    listening,
    read_frame,
    read_request,
    wait_for_close,
)

KEY = "sk-proj-0123456789"
BEARER = {"Authorization": f"Bearer {KEY}"}

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


def everything_said(error: BaseException) -> str:
    """What a log, a traceback or a debugger would show of an error."""
    shown = [str(error), repr(error), repr(error.args), repr(vars(error))]
    return "".join([*shown, *traceback.format_exception(error)])


async def failure(target: Endpoint) -> ConnectFailed:
    """Fail to connect; return the error, which names the URL and never the key."""
    with pytest.raises(ConnectFailed) as caught:
        await connect(target)
    # The source lines of this file are in a traceback, so it names the key as KEY only.
    assert KEY not in everything_said(caught.value)
    assert caught.value.url == target.safe_url
    assert target.safe_url in str(caught.value)
    return caught.value


def answering(*parts: bytes) -> Handler:
    """A server that answers any request with these parts, one packet each."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()
            # Two turns of the loop, so that the client sees the parts one by one.
            await asyncio.sleep(0.01)

    return handle


def sending(*frames: bytes) -> Handler:
    """A server that accepts, sends these frames and waits for the client to go."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        writer.writelines(frames)
        await writer.drain()
        await wait_for_close(reader, writer)

    return handle


def refusal(status: str, body: bytes, *headers: str) -> tuple[bytes, bytes]:
    """The head and the body of an HTTP answer."""
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "\r\n")
    return "\r\n".join(lines).encode(), body


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that nobody knows."""
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """TLS for a server, with a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """TLS for a client that trusts that authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


# --- connecting --------------------------------------------------------------------


async def test_the_handshake_carries_what_the_endpoint_says() -> None:
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


async def test_a_user_agent_of_the_caller_is_kept() -> None:
    """A header that the caller gives takes the place of ours."""
    seen: dict[str, str] = {}

    async def handle(reader: Reader, writer: Writer) -> None:
        seen.update(await accept(reader, writer))
        await wait_for_close(reader, writer)

    async with listening(handle) as port:
        target = endpoint(f"ws://127.0.0.1:{port}", headers={"user-agent": "mine/1"})
        await (await connect(target)).close()
    assert seen["user-agent"] == "mine/1"


async def test_user_information_becomes_basic_authorization() -> None:
    """A login in the URL is sent as one, and not in the Host header."""
    seen: dict[str, str] = {}

    async def handle(reader: Reader, writer: Writer) -> None:
        seen.update(await accept(reader, writer))
        await wait_for_close(reader, writer)

    async with listening(handle) as port:
        await (await connect(endpoint(f"ws://me:p%20w@127.0.0.1:{port}/"))).close()
    assert seen["authorization"] == "Basic bWU6cCB3"
    assert seen["host"] == f"127.0.0.1:{port}"


async def test_proxies_of_the_environment_are_not_asked_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A local emulator is reached although the environment names a proxy."""
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:1")
    monkeypatch.delenv("no_proxy", raising=False)
    async with listening(sending()) as port:
        transport = await connect(Endpoint(f"ws://127.0.0.1:{port}/"))
        await transport.close()


async def test_proxies_of_the_environment_are_used(
    monkeypatch: pytest.MonkeyPatch,
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


async def test_a_proxy_that_refuses_is_a_failed_connect() -> None:
    """The message names the proxy as the one that failed, and hides its login."""
    async with listening(answering(b"HTTP/1.1 407 No\r\n\r\n")) as port:
        proxy = f"http://user:{KEY}@127.0.0.1:{port}"
        error = await failure(Endpoint("ws://server.invalid/", proxy=proxy))
    assert "proxy" in str(error)
    assert "407" in str(error)


async def test_a_proxy_that_is_not_there() -> None:
    """It is the proxy that is missing, not the server behind it."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        proxy = f"http://user:{KEY}@127.0.0.1:{unused.getsockname()[1]}"
        error = await failure(Endpoint("wss://server.invalid/", proxy=proxy))
    assert "the proxy for" in str(error)
    assert error.retryable


async def test_a_socks_proxy_is_used() -> None:
    """The name of the server is resolved by the proxy, as SOCKS 5 allows."""
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
        target = Endpoint("ws://server.invalid/", proxy=f"socks5://127.0.0.1:{port}")
        await (await connect(target)).close()
    assert asked == [b"server.invalid"]


@pytest.mark.parametrize("proxy", ["ftp://h:1", "no url", "http://h:port", "http://"])
async def test_a_proxy_that_is_none_is_refused(proxy: str) -> None:
    """A wrong proxy URL is told before anything is sent."""
    with pytest.raises(ConfigurationError, match="proxy"):
        await connect(Endpoint("ws://server.invalid/", proxy=proxy))


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
async def test_a_url_that_cannot_work_is_refused(url: str) -> None:
    """Wrong scheme, host, port or characters: the URL is named, nothing is sent."""
    with pytest.raises(ConfigurationError) as caught:
        await connect(endpoint(url))
    assert url in str(caught.value)


async def test_a_refused_url_hides_its_key() -> None:
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
    options: dict[str, object],
) -> None:
    """A key read from a file with its line break is told as such, and not shown."""
    with pytest.raises(ConfigurationError) as caught:
        await connect(endpoint("ws://127.0.0.1:1/", **options))
    assert KEY not in everything_said(caught.value)


# --- no connection -----------------------------------------------------------------


async def test_nothing_listens() -> None:
    """A closed port: worth another try, and how to start a local server."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = await failure(endpoint(f"ws://127.0.0.1:{port}/", headers=BEARER))
    assert "openai-realtime serve" in str(error)
    assert error.retryable
    assert error.status is None


async def test_an_unknown_host() -> None:
    """A name that does not resolve is told as such."""
    error = await failure(endpoint(f"ws://nonexistent.invalid/?api-key={KEY}"))
    assert "cannot be resolved" in str(error)
    assert error.retryable


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        ("400 Bad Request", False),
        ("401 Unauthorized", False),
        ("403 Forbidden", False),
        ("404 Not Found", False),
        ("429 Too Many Requests", True),
        ("500 Internal Server Error", True),
        ("503 Service Unavailable", True),
        ("520 Only A Proxy Says This", True),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["one packet", "two packets"])
async def test_a_refused_handshake(
    status: str, retryable: bool, together: bool
) -> None:
    """Status, body and whether to retry, also when the body comes later."""
    body = b'{"error": {"message": "we cannot let you in", "code": "x"}}'
    parts = refusal(status, body)
    handler = answering(b"".join(parts)) if together else answering(*parts)
    async with listening(handler) as port:
        error = await failure(endpoint(f"ws://127.0.0.1:{port}/", headers=BEARER))
    assert error.status == int(status[:3])
    assert error.body == body.decode()
    assert error.body in str(error)
    assert error.retryable is retryable


async def test_a_refusal_over_tls(
    server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """The body of a refusal is read from an encrypted connection too."""
    answer = b"".join(refusal("401 Unauthorized", b"no such key"))
    async with listening(answering(answer), server_tls) as port:
        error = await failure(endpoint(f"wss://127.0.0.1:{port}/", ssl=trusting))
    assert (error.status, error.body) == (401, "no such key")


async def test_a_refusal_in_chunks() -> None:
    """A body of unknown length is put together from its chunks."""
    head = b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = (b"5\r\nnot y\r\n", b"2;x=y\r\nou\r\n", b"0\r\n\r\n")
    async with listening(answering(head, *chunks)) as port:
        error = await failure(endpoint(f"ws://127.0.0.1:{port}/"))
    assert error.body == "not you"


async def test_a_refusal_without_a_length() -> None:
    """A body that ends with the connection is read to its end."""
    parts = (b"HTTP/1.1 403 Forbidden\r\n\r\n", b"not ", b"you")
    async with listening(answering(*parts)) as port:
        error = await failure(endpoint(f"ws://127.0.0.1:{port}/"))
    assert error.body == "not you"


async def test_a_long_refusal_is_cut() -> None:
    """Of a whole web page the first 500 characters are enough."""
    parts = refusal("502 Bad Gateway", b"<html>\r\n" + b"x" * 10_000)
    async with listening(answering(*parts)) as port:
        error = await failure(endpoint(f"ws://127.0.0.1:{port}/"))
    assert len(error.body) == 500
    assert error.body.startswith("<html> xxx")
    assert error.body.endswith("...")


async def test_a_refusal_that_quotes_the_key() -> None:
    """A server that repeats what it was sent does not bring the key into our log."""
    body = f"bad header: Bearer {KEY}".encode()
    async with listening(answering(*refusal("401 No", body))) as port:
        error = await failure(endpoint(f"ws://127.0.0.1:{port}/", headers=BEARER))
    assert error.body == "bad header: Bearer ***"


async def test_a_redirect_is_not_followed() -> None:
    """Credentials do not go where a server says; the message tells where that is."""
    asked: list[str] = []

    async def elsewhere(reader: Reader, writer: Writer) -> None:
        asked.append((await read_request(reader))[":path"])

    async with listening(elsewhere) as other:
        location = f"Location: ws://127.0.0.1:{other}/here"
        answer = refusal("307 Temporary Redirect", b"", location)
        async with listening(answering(*answer)) as port:
            error = await failure(endpoint(f"ws://127.0.0.1:{port}/", headers=BEARER))
    assert error.status == 307
    assert f"ws://127.0.0.1:{other}/here" in str(error)
    assert not error.retryable
    assert asked == []


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x00\xff" * 20_000,
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
    ],
    ids=["another protocol", "noise", "no upgrade", "wrong answer to the key"],
)
async def test_an_answer_that_is_no_websocket(answer: bytes) -> None:
    """Something else listens there: trying again will not change it."""
    async with listening(answering(answer)) as port:
        error = await failure(endpoint(f"ws://127.0.0.1:{port}/", headers=BEARER))
    assert "WebSocket" in str(error)
    assert not error.retryable


async def test_a_server_that_hangs_up() -> None:
    """A connection that ends before the answer is a failed connect."""
    async with listening(answering()) as port:
        error = await failure(endpoint(f"ws://127.0.0.1:{port}/", headers=BEARER))
    assert "closed the connection" in str(error)
    assert error.retryable


async def test_a_server_that_echoes_the_key_as_subprotocol() -> None:
    """The key-bearing subprotocols come back whole, and stay out of the error."""

    async def handle(reader: Reader, writer: Writer) -> None:
        echo = f"Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.{KEY}"
        await accept(reader, writer, echo)
        await wait_for_close(reader, writer)

    async with listening(handle) as port:
        protocols = ("realtime", f"openai-insecure-api-key.{KEY}")
        url = f"ws://127.0.0.1:{port}/"
        error = await failure(endpoint(url, subprotocols=protocols))
    assert error.__cause__ is None


async def silent(reader: Reader, writer: Writer) -> None:
    """Read everything and answer nothing."""
    await reader.read()


async def test_a_silent_server() -> None:
    """Nobody answers the handshake: the deadline ends it, and the socket is closed."""
    left = asyncio.Event()

    async def handle(reader: Reader, writer: Writer) -> None:
        await reader.read()
        left.set()

    async with listening(handle) as port:
        url = f"ws://127.0.0.1:{port}/"
        error = await failure(endpoint(url, headers=BEARER, open_timeout_s=0.05))
        await left.wait()
    assert "0.05 s" in str(error)
    assert error.retryable


async def test_a_server_that_is_silent_in_tls() -> None:
    """The deadline holds for the TLS handshake as well."""
    async with listening(silent) as port:
        url = f"wss://127.0.0.1:{port}/"
        error = await failure(endpoint(url, open_timeout_s=0.05))
    assert error.retryable


async def test_cancelling_connect_hangs_up() -> None:
    """A connect that is given up leaves no session behind."""
    asked, left = asyncio.Event(), asyncio.Event()

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        asked.set()
        await reader.read()
        left.set()

    async with listening(handle) as port:
        opening = asyncio.create_task(connect(endpoint(f"ws://127.0.0.1:{port}/")))
        await asked.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await left.wait()


# --- TLS ---------------------------------------------------------------------------


async def test_a_trusted_certificate(
    server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """With an authority that signed it, the connection carries frames."""
    async with listening(sending(frame(TEXT, b"secret")), server_tls) as port:
        transport = await connect(endpoint(f"wss://127.0.0.1:{port}/", ssl=trusting))
        assert await transport.recv() == b"secret"
        await transport.close()


async def test_certificates_are_verified_by_default(server_tls: ssl.SSLContext) -> None:
    """A certificate of an unknown authority is refused when no context is given."""
    asked: list[dict[str, str]] = []

    async def handle(reader: Reader, writer: Writer) -> None:
        asked.append(await read_request(reader))

    async with listening(handle, server_tls) as port:
        error = await failure(endpoint(f"wss://127.0.0.1:{port}/", headers=BEARER))
    assert "certificate" in str(error)
    assert not error.retryable
    assert asked == []


async def test_a_certificate_for_another_host(
    authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    """A trusted authority is not enough: the name must be right too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("another.example").configure_cert(context)
    async with listening(silent, context) as port:
        error = await failure(endpoint(f"wss://127.0.0.1:{port}/", ssl=trusting))
    assert "certificate" in str(error)


async def test_tls_to_a_plain_text_server() -> None:
    """wss:// to a server without TLS says so, and trying again is no use."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(handle) as port:
        error = await failure(endpoint(f"wss://127.0.0.1:{port}/", headers=BEARER))
    assert "ws://" in str(error)
    assert not error.retryable


# --- frames ------------------------------------------------------------------------


async def test_wrong_bytes_and_binary_frames_arrive() -> None:
    """Judging content is the codec's: the connection survives what is not text."""
    frames = (frame(TEXT, b'{"bad": "\xff"}'), frame(BINARY, b"\x00\x01"))
    async with listening(sending(*frames, frame(TEXT, b"good"))) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        received = [await transport.recv() for _ in range(3)]
        await transport.close()
    assert received == [b'{"bad": "\xff"}', b"\x00\x01", b"good"]


async def test_we_send_text_frames() -> None:
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


async def test_a_message_in_pieces_arrives_whole() -> None:
    """A server may cut a message into frames wherever it likes."""
    pieces = (frame(TEXT, b"on", final=False), frame(0, b"e", final=True))
    async with listening(sending(*pieces)) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        assert await transport.recv() == b"one"
        await transport.close()


async def test_cancelling_recv_inside_a_message_in_pieces() -> None:
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


async def test_a_frame_of_20_mb_arrives_whole() -> None:
    """15 MiB of audio in base64 is a valid event."""
    payload = bytes(range(32, 96)) * 330_000
    async with listening(sending(frame(TEXT, payload))) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        assert await transport.recv() == payload
        await transport.close()


@pytest.mark.parametrize(
    "frames",
    [
        (frame(TEXT, b"x" * 1001),),
        (frame(TEXT, b"x" * 600, final=False), frame(0, b"x" * 401)),
    ],
    ids=["one frame", "two frames"],
)
async def test_a_message_beyond_the_limit_is_1009(frames: tuple[bytes, ...]) -> None:
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


# --- the end -----------------------------------------------------------------------


async def test_an_empty_close_frame_is_1005() -> None:
    """A close frame without a code has a code of its own."""
    async with listening(sending(frame(CLOSE, b""))) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        with pytest.raises(ConnectionClosed) as caught:
            await transport.recv()
    assert (caught.value.code, caught.value.reason) == (1005, "")


async def test_no_close_frame_is_1006() -> None:
    """A server that just hangs up has not closed the connection."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)

    async with listening(handle) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        with pytest.raises(ConnectionClosed) as caught:
            await transport.recv()
    assert caught.value.code == 1006


async def test_a_reset_is_1006() -> None:
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
    secure: bool, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """close() returns after its deadline, and the end is the one we asked for."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        await asyncio.Event().wait()

    async with listening(handle, server_tls if secure else None) as port:
        url = f"{'wss' if secure else 'ws'}://127.0.0.1:{port}/"
        transport = await connect(endpoint(url, ssl=trusting, close_timeout_s=0.05))
        await transport.close(1000, "done")
        with pytest.raises(ConnectionClosed) as caught:
            await transport.recv()
    assert (caught.value.code, caught.value.reason) == (1000, "done")


async def test_closing_while_a_send_is_stuck() -> None:
    """A peer that reads nothing cannot hold up the close either."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        await asyncio.Event().wait()

    async with listening(handle) as port:
        url = f"ws://127.0.0.1:{port}/"
        transport = await connect(endpoint(url, close_timeout_s=0.05))
        stuck = asyncio.create_task(transport.send("x" * 20_000_000))
        await asyncio.sleep(0)
        await transport.close(1000, "done")
        for call in (stuck, transport.recv(), transport.send("late")):
            with pytest.raises(ConnectionClosed, match="done"):
                await call


async def test_the_peers_close_wins_over_ours() -> None:
    """When the server has closed for a reason, closing after it does not hide that."""
    async with listening(sending(close_frame(3000, "bad key"))) as port:
        transport = await connect(endpoint(f"ws://127.0.0.1:{port}/"))
        with pytest.raises(ConnectionClosed):
            await transport.recv()
        await transport.close()
        with pytest.raises(ConnectionClosed, match=r"3000 \(bad key\)"):
            await transport.recv()


async def test_a_peer_that_answers_no_ping_is_1011() -> None:
    """Keep-alive finds a dead connection, and a new one can help."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        await asyncio.Event().wait()

    async with listening(handle) as port:
        target = endpoint(
            f"ws://127.0.0.1:{port}/",
            ping_interval_s=0.01,
            ping_timeout_s=0.02,
            close_timeout_s=0.02,
        )
        transport = await connect(target)
        with pytest.raises(ConnectionClosed) as caught:
            await transport.recv()
    assert caught.value.code == 1011
    assert caught.value.retryable


# --- logging -----------------------------------------------------------------------


async def test_no_level_of_logging_shows_the_key(
    caplog: pytest.LogCaptureFixture,
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
    assert {record.levelno for record in ours} == {logging.DEBUG}
