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
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from functools import partial
from types import MappingProxyType
from typing import Any, Self, TypeGuard, Unpack

from ._struct import UNSET
from .api import ConnectionState, RealtimeAPI, closed_event
from .audio import to_pcm16
from .audio.g711 import to_g711
from .audio_sending import Pace, send_pieces
from .audio_source import AudioSource, RawShape, audio_pieces
from .core.conversation import AudioRetention, RealtimeConversation
from .core.error_owners import ErrorOwners
from .core.message_content import content_parts
from .core.outputs import (
    Send,
)
from .core.playback import PlaybackSource
from .core.protocol import RealtimeProtocol
from .core.response_scheduler import When
from .dialect import (
    Dialect,
    ResponseFields,
    SessionFields,
    nested_config,
    to_config,
)
from .errors import (
    AnswerTimeout,
    ConfigurationError,
    ConnectionClosed,
    DroppedSettingWarning,
    ServerError,
)
from .event_stream import EventStream, WhenFull
from .events import (
    Closed,
    Error,
    ErrorOccurred,
    RealtimeEvent,
)
from .providers import Credential, Provider
from .reply import Reply
from .resources.formatted import FormattedItem
from .resources.items import ContentPart, InputAudioPart, InputTextPart
from .resources.response import ResponseConfig
from .resources.session import Session
from .session_shell import SessionShell
from .subscriptions import ClientSubscriptions
from .tools import TakesTools, Tool, ToolContext, Tools, tools_from
from .transports import TransportChoice

__all__ = ["RealtimeClient"]

logger: logging.Logger = logging.getLogger("openai_realtime.client")

# Longer than any reply, and 12 MB at most: an hour's conversation does not grow.
_DEFAULT_RETENTION = AudioRetention.seconds(240)

# How often to look whether all has been heard.
_LOOK_AGAIN_S = 0.05

# How long the server may take to describe the session.
_ANSWER_TIMEOUT_S = 15.0


class RealtimeClient(ClientSubscriptions, TakesTools):
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
    ``conversation.item.appended``, ``conversation.item.completed``,
    ``conversation.anomaly``, ``tool.called``, ``tool.approval_requested``,
    ``realtime.event``, ``error`` and ``close``. The events of the wire are there too,
    as ``server.NAME`` and ``client.NAME``.

    Attributes:
        realtime: The connection, for events of your own.
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
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        audio_retention: AudioRetention | None = None,
        input_retention_s: float | None = 120.0,
        tools: Tools = (),
        tools_in_order: bool = False,
        log_content: bool | None = None,
    ) -> None:
        """Prepare a client; nothing is opened yet.

        Args:
            url: Where to connect; ``OPENAI_REALTIME_URL`` or the OpenAI service
                without one. A local server needs no key.
            api_key: The key, or a function that is asked for it at each connection;
                ``OPENAI_API_KEY`` without one. It is sent to whatever `url` names.
            model: The model; a current one without.
            provider: Whose service it is, in place of `url` and `api_key`; see
                `openai_realtime.providers`.
            dialect: ``"beta"`` for servers that speak the old dialect: all events are
                translated, both ways. Without it, what the provider speaks.
            headers: More headers for the handshake.
            ssl: A TLS context, for instance with a certificate authority of your own.
            transport: What the connection goes over: ``"picows"``, ``"websockets"``, a
                function or an object that opens a `Transport`, or one that is open.
            dangerously_allow_api_key_in_browser: Consent to a key in a browser.
            event_ids: Makes the ids of the events that are sent, each of them new;
                random ones without.
            clock: Seconds that only grow, for deadlines and for the estimate of what
                has been heard.
            sleep: Waits for so many seconds of that clock.
            audio_retention: How much audio the conversation keeps; the last four
                minutes without. ``AudioRetention.all()`` keeps all.
            input_retention_s: How many seconds of the user's audio are kept at most for
                what turn detection may still refer to; None keeps all.
            tools: What the model may call, as for `add_tools`.
            tools_in_order: Whether the calls of one response run one after the other,
                and not side by side.
            log_content: Whether the log shows what is said in events; without it,
                whether ``OPENAI_REALTIME_LOG`` is ``content``.

        Raises:
            ConfigurationError: Two arguments contradict each other, or one is unusable.
            ToolError: One of the tools cannot be used.
        """
        super().__init__()
        self.realtime: RealtimeAPI = RealtimeAPI(
            url=url,
            api_key=api_key,
            model=model,
            provider=provider,
            dialect=dialect,
            headers=headers,
            ssl=ssl,
            transport=transport,
            dangerously_allow_api_key_in_browser=dangerously_allow_api_key_in_browser,
            event_ids=event_ids,
            log_content=log_content,
        )
        self._clock = clock
        self._sleep = sleep
        self._audio_retention = audio_retention or _DEFAULT_RETENTION
        self._input_retention_s = input_retention_s
        self._tools_in_order = tools_in_order
        self._warned: set[str] = set()
        self._connecting: asyncio.Event | None = None
        self._shell = SessionShell(
            self.realtime,
            new_protocol=self._new_protocol,
            dispatch=self.dispatch,
            context=partial(ToolContext, self),
            clock=clock,
            sleep=sleep,
        )
        self.realtime.observe(self)
        self.add_tools(tools)

    def _new_protocol(self) -> RealtimeProtocol:
        return RealtimeProtocol(
            ids=self.realtime.new_event_id,
            audio_retention=self._audio_retention,
            input_retention_s=self._input_retention_s,
            tools_in_order=self._tools_in_order,
        )

    @property
    def _protocol(self) -> RealtimeProtocol:
        return self._shell.protocol

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
            self._connecting = asyncio.Event()
            try:
                await self._session_begun(opening)
                configuration = self._protocol.configuration
                if not configuration.empty:
                    await self._shell.update(configuration.whole())
            except BaseException:
                await self.realtime.close()
                raise
            finally:
                self._connecting.set()
                self._connecting = None

    async def _until_ready(self, wanted: str) -> None:
        """Let nothing of the user's go out before the configuration is accepted.

        Raises:
            ConnectionClosed: The connection was ended by the other side.
            LocalProtocolError: There is none.
        """
        if self._connecting is not None:
            await self._connecting.wait()
        self.realtime.require_open(wanted)

    async def _session_begun(self, opening: EventStream[RealtimeEvent]) -> None:
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
                    refusal = ErrorOwners().error_of(event)
        except (ConnectionClosed, TimeoutError) as exc:
            raise exc from refusal
        raise ConnectionClosed(1000, "closed before the session began") from refusal

    async def disconnect(self) -> None:
        """End the connection, the running tools and handlers; history stays.

        It may be called at any time, also from a handler or a tool.

        Cancelling it leaves the closing to the transport; tools and handlers end.
        """
        try:
            await self.realtime.close()
        finally:
            await self._shell.tools.end()
            await self._stop_workers()

    async def wait_closed(self) -> Closed:
        """Wait until the connection has ended, whoever ends it.

        Returns:
            How it ended; at once where there is no connection any more.

        Raises:
            LocalProtocolError: There was none yet.

        Cancelling it is safe.
        """
        return await self.realtime.wait_closed()

    async def reset(self) -> None:
        """Disconnect and forget all: history, configuration, tools and handlers."""
        await self.disconnect()
        self.clear_event_handlers()
        self.realtime.clear_event_handlers()
        self._shell.reset()
        self._warned.clear()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.disconnect()

    # --- configuration and tools ---

    async def update_session(self, **fields: Unpack[SessionFields]) -> None:
        """Change the configuration; fields left out stay, ``None`` clears.

        Takes the fields of `SessionConfig` and the flat names of the old dialect
        (``voice``, ``turn_detection``, ``input_audio_transcription``...). Before
        connecting nothing is sent; later it returns when the server has accepted.

        Raises:
            ConfigurationError: A field is unknown, contradictory, out of bounds or of a
                wrong type; nothing was sent then.
            ServerError: The server refuses the change; nothing has changed then.
            AnswerTimeout: The server does not answer; the change is taken back.

        Warns:
            DroppedSettingWarning: The service no longer has a setting.
        """
        if self._connecting is not None:
            await self._connecting.wait()
        configuration = self._protocol.configuration
        change = configuration.change(fields)
        try:
            self._warn(change.notes)
            if self.is_connected:
                await self._shell.update(change)
            else:
                configuration.keep(change)
        except BaseException:
            configuration.take_back(change)
            raise

    def add_tools(self, tools: Tools) -> None:
        """Let the model call these functions too; all of them are added, or none.

        The tools are told to the server as those of `add_tool` are.

        Args:
            tools: A `Toolset`, or a list of functions, `Tool` objects and toolsets.

        Raises:
            ToolError: One of them cannot be used, or its name is taken.
        """
        added = tools_from(tools)
        for tool in added:
            self._protocol.configuration.check_new_tool(tool.definition)
        for tool in added:
            definition = tool.definition
            outputs = self._protocol.add_tool(definition, tool.options, tool.check)
            self._shell.tools.tools[definition.name] = tool
            self._shell.perform_if_connected(outputs)

    def remove_tool(self, name: str) -> None:
        """Take a tool away from the model.

        Raises:
            ToolError: No tool of this name is registered.
        """
        outputs = self._protocol.remove_tool(name)
        del self._shell.tools.tools[name]
        self._shell.perform_if_connected(outputs)

    def remove_tools(self, tools: Iterable[Tool]) -> None:
        """Take the tools of a `Toolset`, or some others, away from the model.

        Raises:
            ToolError: One of them is not registered; none is taken away then.
        """
        removed = dict.fromkeys(tools)
        for tool in removed:
            self._protocol.configuration.check_registered(tool.definition)
        for tool in removed:
            self.remove_tool(tool.definition.name)

    async def answer_tool_call(
        self, call_id: str, output: str, *, reply: bool = True
    ) -> None:
        """Answer a call of a function that has no handler (`ToolCalled`), once.

        Args:
            call_id: The call.
            output: What the function returned, as text.
            reply: Whether the model is to go on once its calls are answered.

        Raises:
            LocalProtocolError: No such call waits for an answer.
        """
        await self._until_ready("an answer to a tool call")
        self._shell.perform(
            self._protocol.answer_tool_call(
                call_id, output, reply=reply, now=self._clock()
            )
        )
        await self._shell.flush()

    async def approve_tool_call(self, approval_id: str) -> None:
        """Let a tool run that waits for approval (`ToolApprovalRequested`).

        Raises:
            LocalProtocolError: Nothing of this id waits for approval.
        """
        await self._until_ready("an approval")
        self._shell.perform(
            self._protocol.approve_tool_call(approval_id, now=self._clock())
        )
        await self._shell.flush()

    async def reject_tool_call(self, approval_id: str, reason: str = "") -> None:
        """Do not let a tool run; the model is told, with the reason.

        Raises:
            LocalProtocolError: Nothing of this id waits for approval.
        """
        await self._until_ready("a rejection")
        self._shell.perform(
            self._protocol.reject_tool_call(approval_id, reason, now=self._clock())
        )
        await self._shell.flush()

    # --- talking ---

    async def send_user_message_content(
        self,
        content: str | Sequence[ContentPart | Mapping[str, Any]],
        *,
        interrupt: bool = False,
    ) -> Reply:
        """Add a user message and ask for a response.

        Args:
            content: Text, or parts such as ``{"type": "input_text", "text": ...}`` or
                ``{"type": "input_audio", "audio": <bytes>}``.
            interrupt: Whether the message barges in on a reply that is being spoken, as
                a voice would; else the answer to it waits.

        Returns:
            The reply, once the message is on its way; await it for the answer. A
            failure that nobody awaits is an ``error`` event.

        Raises:
            ConfigurationError: A part is not understood.
        """
        return await self._request("a message", content, interrupt=interrupt)

    async def append_input_audio(self, audio: object) -> None:
        """Stream audio of the user, in pieces of any length.

        Args:
            audio: ``bytes``, ``bytearray``, ``memoryview``, ``array('h')``, or an
                array of int16 or of floats from -1 to 1; 24 kHz mono. In a G.711
                session: bytes in that format.

        Raises:
            AudioError: An odd number of bytes, a wrong type or range; nothing is sent.
        """
        await self._until_ready("audio")
        data = to_pcm16(audio) if self._protocol.input_is_pcm else to_g711(audio)
        for output in self._protocol.append_input_audio(data):
            if isinstance(output, Send):
                await self.realtime.send(output.event)

    async def send_audio(
        self,
        source: AudioSource,
        *,
        rate: float | None = None,
        channels: int | None = None,
        paced: bool | float = False,
        chunk_ms: int = 100,
    ) -> float:
        """Stream audio of the user from wherever it is, until it ends.

        It is resampled and mixed down to what the session takes, G.711 included. What
        blocks (files, iterables) is read in a thread, one piece ahead.

        Args:
            source: Audio as `append_input_audio` takes it; a path or a binary file; an
                asynchronous reader; an iterable or asynchronous iterable of pieces of
                audio. Files are WAV, and with the extra ``files`` MP3, FLAC, Ogg...
            rate: Samples per second of raw audio, 24,000 without. A file is taken for
                raw PCM16 where `rate` or `channels` is given.
            channels: How many channels are interleaved in raw audio, 1 without. Without
                `rate` and `channels` raw audio is what the session takes, which in a
                G.711 session is bytes in that format.
            paced: True sends as fast as audio plays, 2.0 twice as fast, by the client's
                clock; False as fast as the connection takes it.
            chunk_ms: How much is sent at once at most. What an iterable gives is never
                held back.

        Returns:
            How many seconds of audio were sent.

        Raises:
            AudioError: The source is no audio, is damaged, has an impossible rate, or
                ends in the middle of a sample.
            ConfigurationError: `paced` or `chunk_ms` cannot be; or the file needs an
                extra.
            ConnectionClosed: The connection was ended.
            OSError: The file cannot be read.

        Cancelling it ends the source, if that is a generator: an asynchronous one at
        once, another one when it has given the piece that it is about to give. What was
        sent stays sent.
        """
        await self._until_ready("audio")
        format = self.conversation.input_format
        return await send_pieces(
            audio_pieces(source, RawShape(rate, channels), format, chunk_ms),
            self.append_input_audio,
            bytes_per_s=format.sample_rate * format.bytes_per_sample,
            pace=Pace(paced, clock=self._clock, sleep=self._sleep),
        )

    async def create_response(
        self, *, when: str = When.WAIT, **fields: Unpack[ResponseFields]
    ) -> Reply:
        """Ask for a response; where turns are found by hand, commit the audio first.

        Out-of-band requests (``conversation="none"``) never wait.

        Args:
            when: What becomes of it while another response is under way: it may
                ``wait`` for its end, ``merge`` with a request that waits for the same,
                or ``refuse``.
            fields: Those of `ResponseConfig`, or the flat names of the old dialect.

        Returns:
            The reply, once the request is on its way or waits for its turn; await it
            for the answer. A failure that nobody awaits is an ``error`` event.

        Raises:
            ConfigurationError: A field is unknown, contradictory, out of bounds or of a
                wrong type; nothing was sent then.
            LocalProtocolError: Less than 100 ms of audio are pending; or a response is
                under way, and this one was not to wait.

        Warns:
            DroppedSettingWarning: The service no longer has a setting.
        """
        return await self._request("response.create", None, when=when, fields=fields)

    async def ask(
        self,
        content: str | Sequence[ContentPart | Mapping[str, Any]] | None = None,
        *,
        interrupt: bool = False,
        when: str = When.WAIT,
        timeout: float | None = None,
        **fields: Unpack[ResponseFields],
    ) -> Reply:
        """Say something, and return the reply when it is whole, tool calls included.

        Args:
            content: What the user says: text, or parts of a message. Without it, what
                was said so far is answered. With ``conversation="none"`` it is all that
                the model sees, and stays out of the conversation; ``input`` can give
                more.
            interrupt: Whether to barge in on a reply that is being spoken.
            when: See `create_response`.
            timeout: Seconds that the reply may take; then it is cancelled.
            fields: Those of `ResponseConfig`, for this reply only.

        Raises:
            ConfigurationError: Something given is not understood; nothing was sent.
            TimeoutError: It was not whole in time.
            RealtimeError: It failed; `Reply` says how.

        Cancelling it cancels the reply.
        """
        try:
            async with asyncio.timeout(timeout):
                reply = await self._request(
                    "a message",
                    content,
                    interrupt=interrupt,
                    when=when,
                    fields=fields,
                    claimed=True,
                )
                try:
                    return await reply
                except asyncio.CancelledError:
                    self._shell.cancel_soon(reply)
                    raise
        except AnswerTimeout:
            raise
        except TimeoutError:
            raise TimeoutError(
                f"the reply was not whole within {timeout} s, and is cancelled"
            ) from None

    @contextlib.asynccontextmanager
    async def stream(
        self,
        content: str | Sequence[ContentPart | Mapping[str, Any]] | None = None,
        *,
        interrupt: bool = False,
        when: str = When.WAIT,
        **fields: Unpack[ResponseFields],
    ) -> AsyncGenerator[Reply]:
        """Say something, and follow the reply while it comes.

        Leaving the block while the reply runs cancels it, and cuts it to what was
        heard::

            async with client.stream("Tell me a story") as reply:
                async for chunk in reply.audio_chunks():
                    player.write(chunk)

        Args:
            content: See `ask`.
            interrupt: Whether to barge in on a reply that is being spoken.
            when: See `create_response`.
            fields: Those of `ResponseConfig`, for this reply only.

        Raises:
            ConfigurationError: Something given is not understood; nothing was sent.
        """
        reply = await self._request(
            "a message",
            content,
            interrupt=interrupt,
            when=when,
            fields=fields,
            claimed=True,
        )
        try:
            yield reply
        finally:
            self._shell.leave(reply)

    def replies(
        self, *, buffer: int = 64, when_full: WhenFull = "error"
    ) -> EventStream[Reply]:
        """Iterate over all replies as they begin, those to the user's voice too.

        Args:
            buffer: How many replies may wait for this consumer.
            when_full: What becomes of a consumer that is further behind; see `events`.
        """
        return self._shell.replies.stream(buffer, when_full)

    async def _request(
        self,
        wanted: str,
        content: str | Sequence[ContentPart | Mapping[str, Any]] | None,
        *,
        interrupt: bool = False,
        when: str = When.WAIT,
        fields: Mapping[str, Any] = MappingProxyType({}),
        claimed: bool = False,
    ) -> Reply:
        """Ask for a reply, to a message or to what was said so far."""
        nested, notes = nested_config(fields, ResponseConfig)
        config = to_config(nested, ResponseConfig) if nested else UNSET
        if isinstance(content, str):
            content = [InputTextPart(text=content)]
        parts = [] if content is None else content_parts(content)
        # The verb is between here and whoever calls it.
        self._warn(notes, stacklevel=4)
        await self._until_ready(wanted)
        self._check_audio_of(parts)
        ticket, policy = self.realtime.new_event_id(), _policy(when)
        reply = self._shell.replies.ask(ticket, self.conversation, claimed=claimed)
        outputs = self._protocol.send_user_message_content(
            parts,
            config=config,
            interrupt=interrupt,
            when=policy,
            event_id=ticket,
            now=self._clock(),
        )
        try:
            await self._shell.ask(ticket, outputs)
        except asyncio.CancelledError:
            # It is on its way all the same; whoever has no handle cannot cancel it.
            if claimed:
                self._shell.cancel_soon(reply)
            raise
        return reply

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
        await self._until_ready("response.cancel")
        self._shell.perform(
            self._protocol.cancel_response(item_id, sample_count, now=self._clock())
        )
        await self._shell.flush()
        return None if item_id is None else self.conversation.get_item(item_id)

    async def interrupt(self) -> None:
        """Barge in: stop the running response, cut what plays to what was heard.

        What was heard is what `report_played` said, else an estimate by the clock.
        """
        await self._until_ready("response.cancel")
        self._shell.perform(self._protocol.interrupt(now=self._clock()))
        await self._shell.flush()

    def report_played(
        self,
        item_id: str,
        sample_count: int,
        *,
        source: PlaybackSource = PlaybackSource.DEVICE,
    ) -> None:
        """Tell how many samples of an item's audio have really been played.

        Args:
            item_id: The item.
            sample_count: How many, counted from its beginning.
            source: Who says so: a device, or a transport that acknowledges.
        """
        self._protocol.playback.played(item_id, sample_count, source=source)

    async def wait_until_played(self, timeout: float | None = None) -> None:
        """Return when the reply that runs has ended and was heard to its end.

        The end of a response is not the end of what the listener hears. What was heard
        is what `report_played` said, else an estimate by the clock.

        What was asked for counts, and tools that run. It returns at the latest soon
        after the audio could have been played, and when the connection has ended.

        Raises:
            TimeoutError: It took longer than so many seconds.
        """
        started = self._clock()
        while self.is_connected and self._protocol.is_speaking(now=self._clock()):
            if timeout is not None and self._clock() - started >= timeout:
                raise TimeoutError(f"the reply was not heard out within {timeout} s")
            await self._sleep(_LOOK_AGAIN_S)

    async def delete_item(self, item_id: str) -> None:
        """Remove an item from the conversation."""
        await self._until_ready("conversation.item.delete")
        await self._shell.send_all(self._protocol.delete_item(item_id))

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
        self._shell.sent(event)
        self._dispatch_travelled("client", event, frame)

    def event_received(self, event: RealtimeEvent, frame: bytes | str) -> None:
        """Take in an event of the server and carry out what follows."""
        self._shell.received(event)
        self._dispatch_travelled("server", event, frame)

    def problem_occurred(self, problem: ErrorOccurred) -> None:
        """Pass a problem of the connection on."""
        self.dispatch("error", problem)

    def connection_ended(self, end: ConnectionClosed) -> None:
        """Fail whoever waits for the server, and tell how it ended."""
        self._shell.connection_ended(end)
        if self.realtime.was_lost and not end.clean and self._connecting is None:
            self.dispatch("error", ErrorOccurred(error=end))
        self.dispatch("close", closed_event(end))
        self._end_subscriptions(end)

    def _warn(self, notes: Iterable[str], *, stacklevel: int = 3) -> None:
        """Tell once of each setting that the service no longer has."""
        for note in notes:
            if note not in self._warned:
                warnings.warn(note, DroppedSettingWarning, stacklevel=stacklevel)
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


def _policy(when: str) -> When:
    """Read what is to become of a request while another response is under way."""
    try:
        return When(when)
    except ValueError:
        raise ConfigurationError(
            f"when is {when!r}; choose one of {', '.join(When)}"
        ) from None


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
