"""`RealtimeClient`: the user's verbs, without ``await``."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Self, Unpack

from ..api import ConnectionState
from ..audio import to_pcm16
from ..audio.g711 import to_g711
from ..audio_source import AudioSource
from ..client import RealtimeClient as AsyncClient
from ..core.playback import PlaybackSource
from ..core.response_scheduler import When
from ..dialect import ResponseFields, SessionFields
from ..event_stream import WhenFull
from ..events import Closed
from ..reply import Reply as AsyncReply
from ..resources.audio import PCM16
from ..resources.formatted import FormattedItem
from ..resources.items import ContentPart
from ..resources.session import Session
from ..tools import TakesTools, Tool, Tools
from .api import RealtimeAPI
from .background import Background
from .conversation import RealtimeConversation
from .event_stream import EventStream
from .reply import Reply
from .same_parameters import parameters_of
from .subscriptions import Subscriptions

__all__ = ["RealtimeClient"]


class RealtimeClient(Subscriptions, TakesTools):
    """A conversation with a realtime model, for scripts, notebooks and threads.

    It has the verbs of `openai_realtime.RealtimeClient`; they block until they are
    done. Configure it, subscribe to its events, connect, and talk::

        with RealtimeClient() as client:
            print(client.ask("How are you?").transcript)

    Any number of threads may use it at once, its handlers and plain tools too. What is
    called on its own event loop (coroutine handlers, coroutine tools, predicates) must
    not: it would wait for itself, and raises `LocalProtocolError`.

    Ctrl-C ends what waits, and leaving the ``with`` disconnects. The client's threads
    run while it is connected; a client that is forgotten keeps no program from ending,
    unless one of its tools never returns.

    Attributes:
        realtime: The connection, for events of your own.
    """

    @parameters_of(AsyncClient)
    def __init__(self, **options: Any) -> None:
        """Prepare a client; nothing is opened yet, and no thread runs.

        Args:
            options: Those of `openai_realtime.RealtimeClient`.
        """
        self._client = client = AsyncClient(**options)
        super().__init__(client, Background(client.disconnect))
        self._say = self._background.say
        self.realtime: RealtimeAPI = RealtimeAPI.of_client(
            client.realtime, self._background
        )
        self._conversation = RealtimeConversation(
            self._loop, lambda: client.conversation
        )
        self._reply = partial(Reply, self._background)

    # --- what is known ---

    @property
    def conversation(self) -> RealtimeConversation:
        """The cache of items, transcripts and audio."""
        return self._conversation

    @property
    def session(self) -> Session | None:
        """The session as the server last described it; None before it did."""
        return self._client.session

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open."""
        return self._client.is_connected

    @property
    def state(self) -> ConnectionState:
        """Where the connection is."""
        return self._client.state

    # --- lifetime ---

    def connect(self) -> None:
        """Connect, and return when the server has accepted the configuration.

        The conversation of a former connection is forgotten now, not before.

        Raises:
            ConfigurationError: No key for the real service, or no usable address.
            ConnectFailed: The server cannot be reached or refuses.
            ServerError: The server refuses the configuration.
            ConnectionClosed: The server ended the connection instead of beginning a
                session; where it said why, the `ServerError` is the cause.
            TimeoutError: The server does not answer.

        Ctrl-C leaves nothing open.
        """
        self._background.connect(self._client.connect)

    def disconnect(self) -> None:
        """End the connection, the running tools and handlers; history stays.

        It may be called at any time, in any thread, also from a handler or a tool. The
        client's threads have ended when it returns, but for one that calls it, and
        tools and handlers that do not end within a second.
        """
        self._background.end(self._client.disconnect)

    def wait_closed(self) -> Closed:
        """Wait until the connection has ended, whoever ends it.

        Returns:
            How it ended; at once where there is no connection any more.

        Raises:
            LocalProtocolError: There was none yet.
        """
        return self._loop.call(self._client.wait_closed)

    def reset(self) -> None:
        """Disconnect and forget all: history, configuration, tools and handlers."""
        self._background.end(self._client.reset)

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.disconnect()

    # --- configuration and tools ---

    def update_session(self, **fields: Unpack[SessionFields]) -> None:
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
        self._say(self._client.update_session, **fields)

    def add_tools(self, tools: Tools) -> None:
        """Let the model call these functions too; all of them are added, or none.

        The tools are told to the server as those of `add_tool` are. Plain functions run
        in threads and may call this client. Of a `ToolContext`, the ``client`` is the
        one beneath, whose coroutines `ToolContext.run` runs.

        Args:
            tools: A `Toolset`, or a list of functions, `Tool` objects and toolsets.

        Raises:
            ToolError: One of them cannot be used, or its name is taken.
        """
        self._loop.run(lambda: self._client.add_tools(tools))

    def remove_tool(self, name: str) -> None:
        """Take a tool away from the model.

        Raises:
            ToolError: No tool of this name is registered.
        """
        self._loop.run(lambda: self._client.remove_tool(name))

    def remove_tools(self, tools: Iterable[Tool]) -> None:
        """Take the tools of a `Toolset`, or some others, away from the model.

        Raises:
            ToolError: One of them is not registered; none is taken away then.
        """
        self._loop.run(lambda: self._client.remove_tools(tools))

    def answer_tool_call(
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
        self._say(self._client.answer_tool_call, call_id, output, reply=reply)

    def approve_tool_call(self, approval_id: str) -> None:
        """Let a tool run that waits for approval (`ToolApprovalRequested`).

        Raises:
            LocalProtocolError: Nothing of this id waits for approval.
        """
        self._say(self._client.approve_tool_call, approval_id)

    def reject_tool_call(self, approval_id: str, reason: str = "") -> None:
        """Do not let a tool run; the model is told, with the reason.

        Raises:
            LocalProtocolError: Nothing of this id waits for approval.
        """
        self._say(self._client.reject_tool_call, approval_id, reason)

    # --- talking ---

    def send_user_message_content(
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
            The reply, once the message is on its way; `Reply.wait` gives the answer. A
            failure that nobody waits for is an ``error`` event.

        Raises:
            ConfigurationError: A part is not understood.
        """
        return self._reply(
            self._say(
                self._client.send_user_message_content, content, interrupt=interrupt
            )
        )

    def append_input_audio(self, audio: object) -> None:
        """Stream audio of the user, in pieces of any length.

        It returns before the network has the audio, but waits while five seconds of it
        have not gone out. Whatever is called afterwards comes after it.

        Args:
            audio: ``bytes``, ``bytearray``, ``memoryview``, ``array('h')``, or an
                array of int16 or of floats from -1 to 1; 24 kHz mono. In a G.711
                session: bytes in that format. It is copied if it can change.

        Raises:
            AudioError: An odd number of bytes, a wrong type or range; nothing is sent.
            LocalProtocolError: Not connected.
            ConnectionClosed: The connection has ended, and audio may have been lost.
        """
        self._loop.check_may_wait()
        if self.state is not ConnectionState.CONNECTING:
            self._client.realtime.require_open("audio")
        format = self._client.conversation.input_format
        is_pcm = format.bytes_per_sample == PCM16.bytes_per_sample
        data = to_pcm16(audio) if is_pcm else to_g711(audio)
        self._background.outbox.put(
            len(data), partial(self._client.append_input_audio, data)
        )

    def send_audio(
        self,
        source: AudioSource,
        *,
        rate: float | None = None,
        channels: int | None = None,
        paced: bool | float = False,
        chunk_ms: int = 100,
    ) -> float:
        """Stream audio of the user from wherever it is, until it ends.

        It is resampled and mixed down to what the session takes, G.711 included. Files
        and iterables are read in another thread, one piece ahead.

        Args:
            source: Audio as `append_input_audio` takes it; a path or a binary file; an
                iterable of pieces of audio. Files are WAV, and with the extra ``files``
                MP3, FLAC, Ogg...
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

        Ctrl-C ends the source, if that is a generator; what was sent stays sent.
        """
        return self._say(
            self._client.send_audio,
            source,
            rate=rate,
            channels=channels,
            paced=paced,
            chunk_ms=chunk_ms,
        )

    def create_response(
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
            The reply, once the request is on its way or waits for its turn;
            `Reply.wait` gives the answer. A failure that nobody waits for is an
            ``error`` event.

        Raises:
            ConfigurationError: A field is unknown, contradictory, out of bounds or of a
                wrong type; nothing was sent then.
            LocalProtocolError: Less than 100 ms of audio are pending; or a response is
                under way, and this one was not to wait.

        Warns:
            DroppedSettingWarning: The service no longer has a setting.
        """
        return self._reply(self._say(self._client.create_response, when=when, **fields))

    def ask(
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

        Ctrl-C cancels the reply.
        """
        return self._reply(
            self._say(
                self._client.ask,
                content,
                interrupt=interrupt,
                when=when,
                timeout=timeout,
                **fields,
            )
        )

    @contextlib.contextmanager
    def stream(
        self,
        content: str | Sequence[ContentPart | Mapping[str, Any]] | None = None,
        *,
        interrupt: bool = False,
        when: str = When.WAIT,
        **fields: Unpack[ResponseFields],
    ) -> Generator[Reply]:
        """Say something, and follow the reply while it comes.

        Leaving the block while the reply runs cancels it, and cuts it to what was
        heard::

            with client.stream("Tell me a story") as reply:
                for chunk in reply.audio_chunks():
                    player.write(chunk)

        Args:
            content: See `ask`.
            interrupt: Whether to barge in on a reply that is being spoken.
            when: See `create_response`.
            fields: Those of `ResponseConfig`, for this reply only.

        Raises:
            ConfigurationError: Something given is not understood; nothing was sent.
        """
        running = self._client.stream(content, interrupt=interrupt, when=when, **fields)
        reply = self._say(_enter, running)
        try:
            yield self._reply(reply)
        finally:
            self._loop.call(_leave, running)

    def replies(
        self, *, buffer: int = 64, when_full: WhenFull = "error"
    ) -> EventStream[Reply]:
        """Iterate over all replies as they begin, those to the user's voice too.

        Args:
            buffer: How many replies may wait for this consumer.
            when_full: What becomes of a consumer that is further behind; see `events`.
        """
        stream = self._loop.run(
            lambda: self._client.replies(buffer=buffer, when_full=when_full)
        )
        return EventStream(self._background, stream, self._reply)

    def cancel_response(
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
        return self._say(self._client.cancel_response, item_id, sample_count)

    def interrupt(self) -> None:
        """Barge in: stop the running response, cut what plays to what was heard.

        What was heard is what `report_played` said, else an estimate by the clock.
        """
        self._say(self._client.interrupt)

    def report_played(
        self,
        item_id: str,
        sample_count: int,
        *,
        source: PlaybackSource = PlaybackSource.DEVICE,
    ) -> None:
        """Tell how many samples of an item's audio have really been played.

        It does not wait, so a sound card's own thread may call it.

        Args:
            item_id: The item.
            sample_count: How many, counted from its beginning.
            source: Who says so: a device, or a transport that acknowledges.
        """
        report = partial(
            self._client.report_played, item_id, sample_count, source=source
        )
        if not self._loop.post(report):
            self._loop.run(report)

    def wait_until_played(self, timeout: float | None = None) -> None:
        """Return when the reply that runs has ended and was heard to its end.

        The end of a response is not the end of what the listener hears. What was heard
        is what `report_played` said, else an estimate by the clock.

        What was asked for counts, and tools that run. It returns at the latest soon
        after the audio could have been played, and when the connection has ended.

        Raises:
            TimeoutError: It took longer than so many seconds.
        """
        self._loop.call(self._client.wait_until_played, timeout)

    def delete_item(self, item_id: str) -> None:
        """Remove an item from the conversation."""
        self._say(self._client.delete_item, item_id)

    def wait_for_next_item(self, timeout: float | None = None) -> FormattedItem:
        """Wait for the next item that enters the conversation, complete or not.

        What came before the call does not count; see `wait_for_next`.

        Raises:
            TimeoutError: None came within so many seconds.
        """
        return self._loop.call(self._client.wait_for_next_item, timeout)

    def wait_for_next_completed_item(
        self, timeout: float | None = None
    ) -> FormattedItem:
        """Wait for the next item of the conversation that becomes complete.

        What came before the call does not count; see `wait_for_next`.

        Raises:
            TimeoutError: None came within so many seconds.
        """
        return self._loop.call(self._client.wait_for_next_completed_item, timeout)


async def _enter(
    running: contextlib.AbstractAsyncContextManager[AsyncReply],
) -> AsyncReply:
    return await running.__aenter__()


async def _leave(running: contextlib.AbstractAsyncContextManager[AsyncReply]) -> None:
    await running.__aexit__(None, None, None)
