"""`RealtimeClient`: the user's verbs.

The client owns a `RealtimeAPI` (the connection) and a `RealtimeProtocol` (what is known
and what follows). Every event that passes the connection is shown to the protocol; what
the protocol answers is carried out here: events are sent, utility events dispatched,
tools run.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
import warnings
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from typing import Any, Self, TypeGuard

from ._struct import UNSET
from .api import ConnectionState, RealtimeAPI, closed_event
from .audio import to_pcm16
from .core.configuration import Change
from .core.conversation import RealtimeConversation
from .core.outputs import Close, Emit, Output, RunTool, Send
from .core.protocol import RealtimeProtocol, content_parts, server_error
from .dialect import nested_config, to_config
from .errors import (
    ConnectionClosed,
    DroppedSettingWarning,
    LocalProtocolError,
    ServerError,
    ToolError,
)
from .event_stream import EventStream
from .events import (
    Error,
    ErrorOccurred,
    RealtimeEvent,
    SessionUpdate,
    SessionUpdated,
)
from .handlers import RealtimeEventHandler
from .resources.formatted import FormattedItem
from .resources.items import ContentPart, InputAudioPart
from .resources.response import ResponseConfig
from .resources.session import Session
from .resources.tools import ToolDefinition
from .task_scope import TaskScope, being_cancelled
from .tools import Tool, ToolHandler, failure_output
from .transports import Connector

__all__ = ["RealtimeClient"]

logger = logging.getLogger("openai_realtime.client")

# How long the server may take to describe the session and to accept a change of it.
_ANSWER_TIMEOUT_S = 15.0


class RealtimeClient(RealtimeEventHandler):
    """A conversation with a realtime model.

    Configure it, subscribe to its events, connect, and talk::

        client = RealtimeClient()
        await client.update_session(instructions="You are a great, upbeat friend.")
        async with client:
            await client.send_user_message_content(
                [{"type": "input_text", "text": "How are you?"}]
            )
            item = await client.wait_for_next_completed_item(timeout=30)

    Utility events: ``conversation.updated``, ``conversation.interrupted``,
    ``conversation.item.appended``, ``conversation.item.completed``, ``realtime.event``,
    ``error`` and ``close``. The events of the wire are there too, as ``server.NAME``
    and ``client.NAME``.

    Attributes:
        realtime: The connection, for events of your own.
    """

    def __init__(
        self,
        *,
        url: str | None = None,
        api_key: str | None = None,
        model: str | None = None,
        headers: Mapping[str, str] | None = None,
        ssl: ssl.SSLContext | None = None,
        transport: Connector | None = None,
        dangerously_allow_api_key_in_browser: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a client; nothing is opened yet.

        Args:
            url: Where to connect; ``OPENAI_REALTIME_URL`` or the OpenAI service
                without one. A local server needs no key.
            api_key: The key; ``OPENAI_API_KEY`` without one.
            model: The model; a current one without.
            headers: More headers for the handshake.
            ssl: A TLS context, for instance with a certificate authority of your own.
            transport: Opens the connection instead of the built-in WebSocket.
            dangerously_allow_api_key_in_browser: Consent to a key in a browser.
            clock: Seconds that only grow, for the estimate of what has been heard.
        """
        super().__init__()
        self.realtime = RealtimeAPI(
            url=url,
            api_key=api_key,
            model=model,
            headers=headers,
            ssl=ssl,
            transport=transport,
            dangerously_allow_api_key_in_browser=dangerously_allow_api_key_in_browser,
        )
        self._clock = clock
        self._tools: dict[str, Tool] = {}
        self._warned: set[str] = set()
        self._running = TaskScope()
        self._answers: dict[str, asyncio.Future[None]] = {}
        self._protocol = RealtimeProtocol(ids=self.realtime.new_event_id)
        self.realtime.observe(self)

    # --- what is known ---

    @property
    def conversation(self) -> RealtimeConversation:
        """The cache of items, transcripts and audio."""
        return self._protocol.conversation

    @property
    def session(self) -> Session | None:
        """The session as the server last described it; None before it did."""
        return self._protocol.session

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open."""
        return self.realtime.is_connected

    @property
    def state(self) -> ConnectionState:
        """Where the connection is."""
        return self.realtime.state

    # --- lifetime ---

    async def connect(self) -> None:
        """Connect, and return when the server has accepted the configuration.

        The conversation of a former connection is forgotten now, not before.

        Raises:
            ConfigurationError: No key for the real service, or no usable address.
            ConnectFailed: The server cannot be reached or refuses.
            ServerError: The server refuses the configuration.
            ConnectionClosed: The server ended the connection instead of beginning a
                session; where it said why, the `ServerError` is the cause.
            TimeoutError: The server does not answer.

        Cancelling it leaves nothing open.
        """
        async with self.events("server.session.created", "server.error") as opening:
            await self.realtime.connect()
            self._protocol.begin_connection()
            try:
                await self._session_begun(opening)
                await self._send_update(self._protocol.configure())
            except BaseException:
                await self.realtime.close()
                raise

    async def _session_begun(self, opening: EventStream) -> None:
        """Wait for `session.created`, the first event of every connection.

        The service upgrades some connections only to refuse them with an `error` and a
        close (PROTOCOL.md section 5); the close is raised, the error is its cause.
        """
        refusal: ServerError | None = None
        try:
            async with _answer_to("the connection (no session.created)"):
                async for event in opening:
                    if not isinstance(event, Error):
                        return
                    refusal = server_error(event)
        except (ConnectionClosed, TimeoutError) as exc:
            raise exc from refusal
        raise ConnectionClosed(1000, "closed before the session began") from refusal

    async def disconnect(self) -> None:
        """End the connection, the running tools and handlers; history stays.

        It may be called at any time, also from a handler or a tool.
        """
        await self.realtime.close()
        await self._running.stop()
        await self._stop_workers()

    async def reset(self) -> None:
        """Disconnect and forget all: history, configuration, tools and handlers."""
        await self.disconnect()
        self.clear_event_handlers()
        self.realtime.clear_event_handlers()
        self._tools.clear()
        self._protocol = RealtimeProtocol(ids=self.realtime.new_event_id)

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.disconnect()

    # --- configuration and tools ---

    async def update_session(self, **fields: Any) -> None:
        """Change the configuration; fields left out stay, ``None`` clears.

        Takes the fields of `SessionConfig` and the flat names of the old dialect
        (``voice``, ``turn_detection``, ``input_audio_transcription``...). Before
        connecting nothing is sent; later it returns when the server has accepted.

        Raises:
            ConfigurationError: A field is unknown, contradictory, out of bounds or of a
                wrong type; nothing was sent then.
            ServerError: The server refuses the change; nothing has changed then.
            TimeoutError: The server does not answer.

        Warns:
            DroppedSettingWarning: The service no longer has a setting.
        """
        configuration = self._protocol.configuration
        change = configuration.change(fields)
        try:
            self._warn(change.notes)
            if self.is_connected:
                await self._send_update(self._protocol.update_session(change))
            else:
                configuration.keep(change)
        except BaseException:
            configuration.take_back(change)
            raise

    def add_tool(
        self, definition: ToolDefinition | Mapping[str, Any], handler: ToolHandler
    ) -> Tool:
        """Let the model call a function; its result is sent back by itself.

        While connected the server is told in the background, in order with what is
        sent afterwards; a refusal becomes an ``error`` event.

        Args:
            definition: ``name``, ``description`` and ``parameters`` (a JSON schema).
            handler: Takes the arguments as a dict and returns something that is JSON.

        Raises:
            ToolError: The definition cannot be used, or its name is taken.
        """
        tool = Tool.of(definition, handler)
        outputs = self._protocol.add_tool(tool.definition)
        self._tools[tool.definition.name] = tool
        if self.is_connected:
            self._perform(outputs)
        return tool

    def remove_tool(self, name: str) -> None:
        """Take a tool away from the model.

        Raises:
            ToolError: No tool of this name is registered.
        """
        outputs = self._protocol.remove_tool(name)
        del self._tools[name]
        if self.is_connected:
            self._perform(outputs)

    # --- talking ---

    async def send_user_message_content(
        self, content: Sequence[ContentPart | Mapping[str, Any]]
    ) -> None:
        """Add a user message and ask for a response.

        Args:
            content: Parts such as ``{"type": "input_text", "text": ...}`` or
                ``{"type": "input_audio", "audio": <bytes>}``.

        Raises:
            ConfigurationError: A part is not understood.
        """
        self.realtime.require_open("a message")
        parts = content_parts(content)
        self._check_audio_of(parts)
        await self._send_all(self._protocol.send_user_message_content(parts))

    async def append_input_audio(self, audio: object) -> None:
        """Stream audio of the user, in pieces of any length.

        Args:
            audio: ``bytes``, ``bytearray``, ``memoryview``, ``array('h')``, or an
                array of int16 or of floats from -1 to 1; 24 kHz mono. In a G.711
                session: ``bytes`` in that format.

        Raises:
            AudioError: An odd number of bytes, a wrong type or range; nothing is sent.
        """
        self.realtime.require_open("audio")
        pcm = audio if self._takes_raw(audio) else to_pcm16(audio)
        await self._send_all(self._protocol.append_input_audio(pcm))

    async def create_response(self, **fields: Any) -> None:
        """Ask for a response; where turns are found by hand, commit the audio first.

        While another response runs, the request waits for its end.

        Args:
            fields: Those of `ResponseConfig`, or the flat names of the old dialect.

        Raises:
            ConfigurationError: A field is unknown, contradictory, out of bounds or of a
                wrong type; nothing was sent then.
            LocalProtocolError: Less than 100 ms of audio are pending.

        Warns:
            DroppedSettingWarning: The service no longer has a setting.
        """
        nested, notes = nested_config(fields, ResponseConfig)
        config = to_config(nested, ResponseConfig) if nested else UNSET
        self._warn(notes)
        self.realtime.require_open("response.create")
        await self._send_all(self._protocol.create_response(config))

    async def cancel_response(
        self, item_id: str | None = None, sample_count: int = 0
    ) -> FormattedItem | None:
        """Stop the running response, and cut its item to what was heard.

        Args:
            item_id: The item that was playing; without one, only stop.
            sample_count: How many samples of its audio the listener has heard.

        Returns:
            The item that was cut, or None.

        Raises:
            LocalProtocolError: The item is unknown or not the assistant's.
        """
        self.realtime.require_open("response.cancel")
        await self._send_all(
            self._protocol.cancel_response(item_id, sample_count, now=self._clock())
        )
        return None if item_id is None else self.conversation.get_item(item_id)

    async def interrupt(self) -> None:
        """Barge in: stop the running response, cut what plays to what was heard.

        What was heard is what `report_played` said, else an estimate by the clock.
        """
        self.realtime.require_open("response.cancel")
        await self._send_all(self._protocol.interrupt(now=self._clock()))

    def report_played(self, item_id: str, sample_count: int) -> None:
        """Tell how many samples of an item's audio have really been played."""
        self._protocol.playback.played(item_id, sample_count)

    async def delete_item(self, item_id: str) -> None:
        """Remove an item from the conversation."""
        await self._send_all(self._protocol.delete_item(item_id))

    async def wait_for_next_item(self, timeout: float | None = None) -> FormattedItem:
        """Wait for the next item that enters the conversation, complete or not.

        Raises:
            TimeoutError: None came within so many seconds.
        """
        event = await self.wait_for_next("conversation.item.appended", timeout=timeout)
        item: FormattedItem = event.item
        return item

    async def wait_for_next_completed_item(
        self, timeout: float | None = None
    ) -> FormattedItem:
        """Wait for the next item of the conversation that becomes complete.

        Raises:
            TimeoutError: None came within so many seconds.
        """
        event = await self.wait_for_next("conversation.item.completed", timeout=timeout)
        item: FormattedItem = event.item
        return item

    # --- what happens on the connection (ConnectionObserver) ---

    def event_sent(self, event: RealtimeEvent, frame: bytes | str) -> None:
        """Take note of an event that goes out, whoever sent it."""
        self._protocol.sent(event)
        self.dispatch(f"client.{event.type}", event)
        self._dispatch_seen("client", event, frame)

    def event_received(self, event: RealtimeEvent, frame: bytes | str) -> None:
        """Take in an event of the server and carry out what follows."""
        self._settle_update(event)
        self._perform(self._protocol.receive(event, now=self._clock()))
        self.dispatch(f"server.{event.type}", event)
        self._dispatch_seen("server", event, frame)

    def problem_occurred(self, problem: ErrorOccurred) -> None:
        """Pass a problem of the connection on."""
        self.dispatch("error", problem)

    def connection_ended(self, end: ConnectionClosed) -> None:
        """Fail whoever waits for the server."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(end)
        self.dispatch("close", closed_event(end))
        self._end_subscriptions(end)

    # --- carrying out what the protocol says ---

    async def _send_all(self, outputs: Iterable[Output]) -> None:
        """Carry out a user's wish: what it sends is waited for."""
        remaining = deque(outputs)
        try:
            while remaining:
                output = remaining[0]
                if isinstance(output, Send):
                    await self.realtime.send(output.event)
                else:
                    self._perform([output])
                remaining.popleft()
        except BaseException:
            # What has gone out was noted; of the rest nobody may think it has.
            for output in remaining:
                if isinstance(output, Send):
                    self._protocol.not_sent(output.event)
            raise

    def _perform(self, outputs: Iterable[Output]) -> None:
        """Carry out what follows from an event, without waiting for anything."""
        for output in outputs:
            match output:
                case Send(event=event):
                    self._post(event)
                case Emit(name=name, event=event):
                    self.dispatch(name, event)
                case RunTool():
                    self._running.start(self._run_tool(output))
                case Close():
                    # Only a server's protocol closes.
                    pass

    def _post(self, event: RealtimeEvent) -> None:
        """Send an answer to what arrived, unless we are leaving already."""
        try:
            self.realtime.post(event)
        except (ConnectionClosed, LocalProtocolError):
            logger.debug("%s is not sent: the connection has ended", event.type)
            self._protocol.not_sent(event)

    async def _send_update(self, outputs: Sequence[Output]) -> None:
        """Send a session update and wait until the server has accepted it."""
        answers: dict[str, asyncio.Future[None]] = {}
        for output in outputs:
            match output:
                case Send(event=SessionUpdate(event_id=str(event_id))):
                    answers[event_id] = asyncio.get_running_loop().create_future()
                case _:
                    pass
        self._answers |= answers
        try:
            await self._send_all(outputs)
            async with _answer_to("session.update"):
                for answer in answers.values():
                    await answer
        finally:
            for event_id in answers:
                del self._answers[event_id]

    def _settle_update(self, event: RealtimeEvent) -> None:
        """Let the caller of `update_session` have the server's answer."""
        if isinstance(event, SessionUpdated):
            answer = self._answer_of(self._protocol.configuration.oldest_pending)
            if answer is not None:
                answer.set_result(None)
        elif isinstance(event, Error):
            refused = self._protocol.configuration.refused_by(event.error)
            answer = self._answer_of(refused)
            if answer is not None:
                answer.set_exception(server_error(event))

    def _answer_of(self, change: Change | None) -> asyncio.Future[None] | None:
        """Return the future of whoever waits for the answer to a change."""
        event_id = None if change is None else change.event_id
        answer = self._answers.get(event_id or "")
        return None if answer is None or answer.done() else answer

    async def _run_tool(self, call: RunTool) -> None:
        """Run a tool and answer its call: with the result, or with what went wrong."""
        try:
            tool = self._tools.get(call.name)
            if tool is None:
                known = ", ".join(sorted(self._tools)) or "none"
                raise ToolError(f"there is no tool {call.name!r}; there are: {known}")
            output = await tool.run(call.arguments)
        except asyncio.CancelledError as exc:
            if being_cancelled():
                raise
            # Something that the tool waited for was cancelled, not the tool.
            output = self._tool_failed(call, exc)
        except Exception as exc:
            output = self._tool_failed(call, exc)
        self._perform(self._protocol.tool_finished(call.call_id, output))

    def _tool_failed(self, call: RunTool, exc: BaseException) -> str:
        """Tell of a failed tool, and return what to tell the model."""
        logger.error("tool %r failed", call.name, exc_info=exc)
        if isinstance(exc, ToolError):
            failure = exc
        else:
            failure = ToolError(f"tool {call.name!r} failed: {exc!r}")
            failure.__cause__ = exc
        self.dispatch("error", ErrorOccurred(error=failure, context=call))
        return failure_output(str(exc) or type(exc).__name__)

    def _warn(self, notes: Iterable[str]) -> None:
        """Tell once of each setting that the service no longer has."""
        for note in notes:
            if note not in self._warned:
                warnings.warn(note, DroppedSettingWarning, stacklevel=3)
                self._warned.add(note)

    def _check_audio_of(self, parts: Iterable[ContentPart]) -> None:
        """Refuse audio inside a message that is not whole samples."""
        for part in parts:
            audio = part.audio if isinstance(part, InputAudioPart) else None
            if audio and not self._takes_raw(audio):
                to_pcm16(audio)

    def _takes_raw(self, audio: object) -> TypeGuard[bytes]:
        """Whether audio goes out as it is: bytes of a G.711 session."""
        return isinstance(audio, bytes) and not self._protocol.input_is_pcm


@contextlib.asynccontextmanager
async def _answer_to(question: str) -> AsyncGenerator[None]:
    """Wait for the server's answer, no longer than it may take."""
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            yield
    except TimeoutError:
        raise TimeoutError(
            f"the server did not answer {question} within {_ANSWER_TIMEOUT_S:.0f} s"
        ) from None
