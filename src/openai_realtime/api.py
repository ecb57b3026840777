"""`RealtimeAPI`: a thin typed wrapper over the connection.

It sends any event and receives every event, and knows nothing of sessions, items or
turns. What arrives is dispatched as ``server.NAME``, what is sent as ``client.NAME``;
one task reads, where the transport does not hand over what it gets.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from itertools import count
from typing import Any, NamedTuple, Protocol, Self
from urllib.parse import parse_qs, urlsplit

import msgspec

from ._struct import UNSET
from .beta_transport import BetaTransport
from .codec import decode_event, encode_event
from .dialect import Dialect
from .errors import (
    ConfigurationError,
    ConnectionClosed,
    LocalProtocolError,
    RealtimeError,
    RemoteProtocolError,
)
from .events import (
    Closed,
    ErrorOccurred,
    InputAudioBufferAppend,
    RealtimeEvent,
    SessionCreated,
    SessionUpdate,
    UnknownEvent,
)
from .events._base import changed_copy
from .journal import Journal
from .providers import Credential, OpenAI, Provider
from .providers.provider import completed
from .subscriptions import ConnectionSubscriptions
from .task_scope import being_cancelled
from .transports import Transport, TransportChoice
from .transports.choice import OpenTransport, connector_for
from .transports.transport import check_close_code, delivers

__all__ = ["ConnectionState", "RealtimeAPI"]

logger: logging.Logger = logging.getLogger("openai_realtime.api")

# Frames that may wait to be written while the server does not read. They are answers
# made during reception, which must not wait; beyond this the connection is given up.
_OUTBOX_LIMIT = 1024
_NOT_READ = (1008, f"{_OUTBOX_LIMIT} events wait and the server does not read")

# Events that are read before everybody else has a turn, where more are there already.
# Waiting for a frame that has come need not suspend; in a burst nobody would see an
# event, be pinged or time out until its end. It is small against a stream's buffer.
_READ_IN_A_ROW = 64


class ConnectionState(Enum):
    """Where the connection is."""

    CLOSED = "closed"
    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"


# Asked for with every event; to look it up in the enumeration takes longer.
_OPEN = ConnectionState.OPEN


class ConnectionObserver(Protocol):
    """Is shown everything that happens on a connection, before it is dispatched."""

    def event_sent(self, event: RealtimeEvent, frame: bytes | str) -> None:
        """An event goes out."""

    def event_received(self, event: RealtimeEvent, frame: bytes | str) -> None:
        """An event came in."""

    def problem_occurred(self, problem: ErrorOccurred) -> None:
        """Something went wrong that does not end the connection."""

    def connection_ended(self, end: ConnectionClosed) -> None:
        """The connection is over."""


class _Outgoing(NamedTuple):
    """A frame that waits to be written, and who waits for that."""

    frame: bytes
    sent: asyncio.Future[None] | None

    def succeeded(self) -> None:
        if self.sent is not None and not self.sent.done():
            self.sent.set_result(None)

    def failed(self, exc: ConnectionClosed) -> None:
        if self.sent is not None and not self.sent.done():
            self.sent.set_exception(exc)


class RealtimeAPI(ConnectionSubscriptions):
    """Sends and receives events over one connection at a time.

    Events: ``server.*`` and ``client.*`` by wire name (a bare wire name is the
    server's), ``realtime.event`` (all of them, with time, source and raw frame),
    ``error`` and ``close``.

    Attributes:
        state: Where the connection is.
    """

    def __init__(
        self,
        *,
        url: str | None = None,
        api_key: Credential | None = None,
        model: str | None = None,
        provider: Provider | None = None,
        dialect: Dialect | None = None,
        headers: Mapping[str, str] | None = None,
        ssl: ssl.SSLContext | None = None,
        transport: TransportChoice | None = None,
        dangerously_allow_api_key_in_browser: bool = False,
        event_ids: Callable[[], str] | None = None,
        log_content: bool | None = None,
    ) -> None:
        """Prepare a connection; nothing is opened yet.

        Args:
            url: Where to connect; ``OPENAI_REALTIME_URL`` or the OpenAI service
                without one.
            api_key: The key, or a function that is asked for it at each connection;
                ``OPENAI_API_KEY`` without one. It is sent to whatever `url` names.
            model: The model, put into the address unless that names one.
            provider: Whose service it is, in place of `url` and `api_key`; see
                `openai_realtime.providers`.
            dialect: ``"beta"`` for servers that speak the old dialect: all events are
                translated, both ways. Without it, what the provider speaks.
            headers: More headers for the handshake.
            ssl: A TLS context, for instance with a certificate authority of your own.
            transport: What the connection goes over: ``"picows"``, ``"websockets"``, a
                coroutine function from an `Endpoint` to a `Transport`, an object with
                such a method ``connect``, or an open `Transport`.
            dangerously_allow_api_key_in_browser: Consent to a key in a browser.
            event_ids: Makes the ids of the events that are sent, each of them new;
                random ones without.
            log_content: Whether the log shows what is said in events; without it,
                whether ``OPENAI_REALTIME_LOG`` is ``content``.

        Raises:
            ConfigurationError: Two arguments contradict each other, or one is unusable.
        """
        super().__init__()
        self._provider = _provider(
            provider, url, api_key, dangerously_allow_api_key_in_browser
        )
        self._dialect: Dialect = _dialect(dialect or self._provider.dialect)
        self._model = model
        self._extra_headers = dict(headers or {})
        self._tls = ssl
        self._connector = connector_for(transport)
        self._journal = Journal(log_content)
        self._transport: Transport | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._opening: asyncio.Future[Transport] | None = None
        self._outbox: deque[_Outgoing] = deque()
        self._end: ConnectionClosed | None = None
        self._ended_with: Closed | None = None
        self._closing: asyncio.Task[None] | None = None
        self._observer: ConnectionObserver | None = None
        # What every update has to name; the connection decides it (PROTOCOL.md 4.1).
        self._session_type = "realtime"
        self._event_ids = event_ids or _unlike_any_other()
        self.state: ConnectionState = ConnectionState.CLOSED

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open."""
        return self.state is ConnectionState.OPEN

    @property
    def was_lost(self) -> bool:
        """Whether the last connection was ended by the other side or the network."""
        return self._end is not None

    def observe(self, observer: ConnectionObserver) -> None:
        """Show everything to an observer first; `RealtimeClient` is one."""
        self._observer = observer

    def new_event_id(self) -> str:
        """Return an id for a client event that no other has."""
        return self._event_ids()

    # --- lifetime ---

    async def connect(self, *, model: str | None = None) -> None:
        """Open the connection; no event of the server is waited for.

        Raises:
            ConfigurationError: No key for the real service, or no usable address.
            ConnectFailed: The server cannot be reached or refuses.
            LocalProtocolError: It is open already.

        Cancelling it leaves nothing open.
        """
        if self.state is not ConnectionState.CLOSED:
            raise LocalProtocolError(
                f"cannot connect while the connection is {self.state.value}; "
                "close it first"
            )
        self.state = ConnectionState.CONNECTING
        self._end = None
        self._opening = asyncio.ensure_future(self._open(model or self._model))
        try:
            transport = await self._opening
        except asyncio.CancelledError:
            self.state = ConnectionState.CLOSED
            if being_cancelled():
                raise
            raise ConnectionClosed(1000, "closed while connecting") from None
        except BaseException as exc:
            self.state = ConnectionState.CLOSED
            self._journal.not_connected(exc)
            raise
        finally:
            self._opening = None
        self._transport = transport
        self.state = ConnectionState.OPEN
        self._journal.connected()
        self._reader = self._begin_reading(transport)

    async def _open(self, model: str | None) -> Transport:
        """Find out where to connect, and do it."""
        if isinstance(self._connector, OpenTransport):
            self._session_type = "realtime"
            self._journal.connecting(None)
            line = await self._connector()
        else:
            endpoint = await self._provider.resolve(model=model, dialect=self._dialect)
            endpoint = completed(endpoint, self._extra_headers, self._tls)
            self._session_type = _session_type_at(endpoint.url)
            self._journal.connecting(endpoint)
            line = await self._connector(endpoint)
        return BetaTransport(line) if self._dialect == "beta" else line

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection and wait for its end; without one, do nothing.

        Cancelling it leaves the closing to the transport's own deadline.

        Raises:
            LocalProtocolError: No connection can be closed with that code.
        """
        check_close_code(code)
        if self._opening is not None:
            self._opening.cancel()
        transport, reader = self._transport, self._reader
        if transport is None or reader is None:
            return
        if self.state is ConnectionState.OPEN:
            self.state = ConnectionState.CLOSING
            await transport.close(code, reason)
        await asyncio.wait([reader])
        await self._stop_workers()

    async def wait_closed(self) -> Closed:
        """Wait until the connection has ended, whoever ends it.

        Returns:
            How it ended; at once where there is no connection any more.

        Raises:
            LocalProtocolError: There was none yet.

        Cancelling it is safe.
        """
        if self._ended_with is None and self._reader is None:
            raise LocalProtocolError("there is no connection to wait for: connect()")
        while self._reader is not None:
            await asyncio.wait([self._reader])
        assert self._ended_with is not None
        return self._ended_with

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    # --- sending ---

    async def send(
        self,
        event: RealtimeEvent | str,
        data: Mapping[str, Any] | None = None,
        /,
        **fields: Any,
    ) -> str | None:
        """Send an event: an object, or its name with its fields.

        What is given by name is sent as it is, also where we do not know it; ``bytes``
        in it become base64. An ``event_id`` is added where there is none, except to
        audio.

        Returns:
            The event's id, as the server will name it in an `error`.

        Raises:
            LocalProtocolError: Not connected, or the event is not JSON.
            ConnectionClosed: The connection has ended.

        Cancelling it while it waits for the network does not take the event back.
        """
        if isinstance(event, str):
            event, frame = self._from_fields(event, {**(data or {}), **fields})
        else:
            event = self._completed(event)
            frame = encode_event(event)
        transport = self.require_open(event)
        if self._writer is None:
            self._note_sent(event, frame)
            try:
                await transport.send(frame)
            except ConnectionClosed:
                raise
            except Exception as exc:
                await _close_failed(transport, exc, "writing failed")
                raise _as_end(exc) from exc
        else:
            sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            # It has its place first: what follows from it is posted behind it.
            self._outbox.append(_Outgoing(frame, sent))
            self._note_sent(event, frame)
            await sent
        return event.event_id or None

    def post(self, event: RealtimeEvent) -> None:
        """Send an event without waiting for the network, in order with `send`.

        This is how answers are sent from within reception, which never waits.
        """
        event = self._completed(event)
        frame = encode_event(event)
        transport = self.require_open(event)
        if len(self._outbox) >= _OUTBOX_LIMIT:
            self._give_up(transport)
            raise ConnectionClosed(*_NOT_READ)
        self._outbox.append(_Outgoing(frame, None))
        self._note_sent(event, frame)
        if self._writer is None:
            self._writer = asyncio.create_task(
                self._write(transport), name="openai_realtime.writer"
            )

    async def flush(self) -> None:
        """Return when all that was posted has been handed to the network, or cannot be.

        Cancelling it takes nothing back.
        """
        if self._writer is not None:
            await asyncio.wait([self._writer])

    def require_open(self, wanted: str | RealtimeEvent) -> Transport:
        """Return the open connection's transport, or say what cannot be done.

        Args:
            wanted: What it is for: an event that is to be sent, or words for it.

        Raises:
            ConnectionClosed: The connection was ended by the other side.
            LocalProtocolError: There is none, or we have closed it.
        """
        if self._end is not None:
            raise ConnectionClosed(self._end.code, self._end.reason)
        if self._transport is None or self.state is not _OPEN:
            name = wanted if isinstance(wanted, str) else wanted.type
            raise LocalProtocolError(
                f"{name} cannot be sent: not connected; call connect() first"
            )
        return self._transport

    def _give_up(self, transport: Transport) -> None:
        """Close a connection whose other side does not read."""
        self._end = ConnectionClosed(*_NOT_READ)
        self._report(RealtimeError(_NOT_READ[1]), None)
        self._closing = asyncio.create_task(transport.close(*_NOT_READ))

    def _completed(self, event: RealtimeEvent) -> RealtimeEvent:
        """Add what the service or we need and users leave out; audio needs nothing."""
        if isinstance(event, InputAudioBufferAppend):
            return event
        if isinstance(event, SessionUpdate) and not event.session.type:
            # Every update must name it (PROTOCOL.md section 3.1).
            session = msgspec.structs.replace(event.session, type=self._session_type)
            event = changed_copy(event, session=session)
        return self._with_id(event)

    def _with_id(self, event: RealtimeEvent) -> RealtimeEvent:
        if event.event_id is not UNSET:
            return event
        return changed_copy(event, event_id=self.new_event_id())

    def _from_fields(
        self, name: str, fields: dict[str, Any]
    ) -> tuple[RealtimeEvent, bytes]:
        """Build an event from its name and fields, without losing unknown ones."""
        content = {"type": name} | {k: v for k, v in fields.items() if k != "type"}
        if name != "input_audio_buffer.append":
            content.setdefault("event_id", self.new_event_id())
        frame = encode_event(UnknownEvent.of(content))
        with contextlib.suppress(RemoteProtocolError):
            return decode_event(frame, direction="client"), frame
        return UnknownEvent.of(content), frame

    def _note_sent(self, event: RealtimeEvent, frame: bytes) -> None:
        self._journal.event("client", event, frame)
        if self._observer is not None:
            self._observer.event_sent(event, frame)
        self._dispatch_travelled("client", event, frame)

    async def _write(self, transport: Transport) -> None:
        """Write what was posted, in order, until nothing is left."""
        try:
            while self._outbox and self._transport is transport:
                outgoing = self._outbox.popleft()
                try:
                    await transport.send(outgoing.frame)
                except Exception as exc:
                    # The reader meets the same end and reports it.
                    await _close_failed(transport, exc, "writing failed")
                    end = _as_end(exc)
                    outgoing.failed(end)
                    self._fail_outbox(end)
                else:
                    outgoing.succeeded()
        finally:
            self._writer = None

    def _fail_outbox(self, end: ConnectionClosed) -> None:
        for outgoing in self._outbox:
            outgoing.failed(end)
        self._outbox.clear()

    # --- receiving ---

    def _begin_reading(self, transport: Transport) -> asyncio.Future[None]:
        """Take in what arrives from now on; what is returned is done at the end."""
        if not delivers(transport):
            return asyncio.create_task(
                self._read(transport), name="openai_realtime.reader"
            )
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def ended(end: ConnectionClosed) -> None:
            try:
                self._ended(end)
            finally:
                over.set_result(None)

        transport.deliver_to(self._take_in, ended)
        return over

    async def _read(self, transport: Transport) -> None:
        """Read until the connection ends; nothing that arrives ends it."""
        ended = ConnectionClosed(1006, "the reader was cancelled")
        try:
            for number in count(1):
                if number % _READ_IN_A_ROW == 0:
                    await asyncio.sleep(0)
                self._take_in(await transport.recv())
        except Exception as exc:
            ended = _as_end(exc)
            await _close_failed(transport, exc, "reading failed")
        finally:
            self._ended(ended)

    def _take_in(self, frame: bytes | str) -> None:
        """Decode a message and pass it on."""
        try:
            event = decode_event(frame, direction="server")
        except RemoteProtocolError as exc:
            # Its message quotes the frame, which is not for the log.
            logger.warning("a frame of %d bytes is no event", len(frame))
            self._report(exc, frame)
            return
        if type(event) is SessionCreated:
            self._session_type = event.session.type or self._session_type
        self._receive(event, frame)

    def _receive(self, event: RealtimeEvent, frame: bytes | str) -> None:
        try:
            self._journal.event("server", event, frame)
            if self._observer is not None:
                self._observer.event_received(event, frame)
            self._dispatch_travelled("server", event, frame)
        except Exception as exc:
            logger.exception("%s could not be taken in", type(event).__name__)
            failure = RealtimeError(f"{event.type} could not be taken in: {exc!r}")
            failure.__cause__ = exc
            self._report(failure, event)

    def _report(self, error: RealtimeError, context: Any) -> None:
        problem = ErrorOccurred(error=error, context=context)
        if self._observer is not None:
            self._observer.problem_occurred(problem)
        self.dispatch("error", problem)

    def _ended(self, end: ConnectionClosed) -> None:
        self._transport = None
        self._reader = None
        self._fail_outbox(end)
        if self.state is ConnectionState.OPEN:
            # Who sends later learns how it ended, unless we ended it ourselves.
            self._end = end
        self.state = ConnectionState.CLOSED
        self._journal.closed(end)
        closed = self._ended_with = closed_event(end)
        if self._observer is not None:
            self._observer.connection_ended(end)
        self.dispatch("close", closed)
        self._end_subscriptions(end)


async def _close_failed(transport: Transport, exc: Exception, reason: str) -> None:
    """Close a transport that has failed in a way of its own, not by ending."""
    if not isinstance(exc, ConnectionClosed):
        with contextlib.suppress(Exception):
            await transport.close(1011, reason)


def _as_end(exc: Exception) -> ConnectionClosed:
    """Return the end of the connection that a transport's exception means."""
    if isinstance(exc, ConnectionClosed):
        return exc
    logger.error("the transport failed", exc_info=exc)
    end = ConnectionClosed(1006, f"the transport failed: {exc}")
    end.__cause__ = exc
    return end


def _unlike_any_other() -> Callable[[], str]:
    """Return a source of ids that no other client draws."""
    prefix, numbers = f"evt_{os.urandom(6).hex()}", count(1)
    return lambda: f"{prefix}_{next(numbers)}"


def closed_event(end: ConnectionClosed) -> Closed:
    """Return the event that tells of a connection's end."""
    return Closed(
        code=end.code, reason=end.reason, clean=end.clean, retryable=end.retryable
    )


def _session_type_at(url: str) -> str:
    """Return the type of the sessions at an address (PROTOCOL.md section 4.1)."""
    intent = parse_qs(urlsplit(url).query).get("intent", [""])[-1]
    return intent if intent == "transcription" else "realtime"


def _provider(
    provider: Provider | None,
    url: str | None,
    api_key: Credential | None,
    key_in_browser: bool,
) -> Provider:
    """Return who is asked where to connect."""
    if provider is None:
        return OpenAI(
            url=url,
            api_key=api_key,
            dangerously_allow_api_key_in_browser=key_in_browser,
        )
    if url is not None or api_key is not None or key_in_browser:
        raise ConfigurationError(
            "url=, api_key= and dangerously_allow_api_key_in_browser= are the"
            " provider's: pass them to it, or leave out provider="
        )
    return provider


def _dialect(dialect: Dialect) -> Dialect:
    if dialect not in ("ga", "beta"):
        raise ConfigurationError(f"dialect={dialect!r} is neither 'ga' nor 'beta'")
    return dialect
