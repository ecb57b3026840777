"""`Reply`: one answer of the model, to be waited for and iterated over."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import BinaryIO, Generic, Self, TypeVar

from ..events import RealtimeEvent
from ..reply import Reply as AsyncReply
from ..reply import ReplyState, ReplyTimings
from ..resources.audio import AudioFormat
from ..resources.formatted import FormattedItem
from ..resources.formatted_content import FormattedTool
from ..resources.response import Response, Usage
from .background import Background
from .loop_thread import LoopThread

__all__ = ["Reply", "ReplyItems"]

T = TypeVar("T")


class Reply:
    """One answer of the model, with the tool calls that it makes on the way.

    `wait` waits for its end, and it can be iterated while it runs: `text_deltas`,
    `transcript_deltas`, `audio_chunks`, `items` and `events`. There may be several such
    iterators at once, in several threads; one that comes late gets what was before. All
    that came is kept as long as you hold the reply.

    Failures are raised by `wait` and by the iterators, at their ends:

    - `ResponseFailed`: the model failed.
    - `ResponseCancelled`: the request was dropped before the model began.
    - `ServerError`: the server refused the request.
    - `AnswerTimeout`: the server fell silent.
    - `ConnectionClosed`: the connection ended first.

    A reply that was interrupted is no failure: `interrupted` tells.
    """

    def __init__(self, background: Background, reply: AsyncReply) -> None:
        # Held, so that a client is not given up while somebody waits for its reply.
        self._background = background
        self._loop = background.loop
        self._reply = reply

    # --- what it is ---

    @property
    def ticket(self) -> str | None:
        """The id of the event that asked for it; None where the server began it."""
        return self._reply.ticket

    @property
    def response_ids(self) -> list[str]:
        """The responses that it consists of, so far."""
        return self._loop.run(lambda: list(self._reply.response_ids))

    @property
    def state(self) -> ReplyState:
        """Where it is."""
        return self._reply.state

    @property
    def timings(self) -> ReplyTimings:
        """When what happened."""
        return self._reply.timings

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or badly."""
        return self._reply.is_over

    @property
    def status(self) -> str:
        """How it ended: completed, incomplete, cancelled or failed; in_progress before.

        Of several responses the last one counts.
        """
        return self._loop.run(lambda: self._reply.status)

    @property
    def text(self) -> str:
        """The text so far; empty where the model speaks."""
        return self._loop.run(lambda: self._reply.text)

    @property
    def transcript(self) -> str:
        """The words of what the model has said so far, heard or not."""
        return self._loop.run(lambda: self._reply.transcript)

    @property
    def heard_transcript(self) -> str:
        """The words that the listener has heard, as far as that is known.

        Of what nobody has cut short that is all of it. See `HeardTranscript` for how it
        is estimated.
        """
        return self._loop.run(lambda: self._reply.heard_transcript)

    @property
    def audio(self) -> bytes:
        """The audio so far, in `audio_format`."""
        return self._loop.run(lambda: self._reply.audio)

    @property
    def audio_format(self) -> AudioFormat:
        """The format of the audio: PCM16 at 24 kHz unless the session differs."""
        return self._reply.audio_format

    @property
    def items(self) -> ReplyItems:
        """The items so far: messages and calls, in order.

        Called, ``items()`` iterates over them as they become complete.
        """
        items = self._loop.run(lambda: self._reply.items)
        return ReplyItems(items, self._follow(items))

    @property
    def tool_calls(self) -> list[FormattedTool]:
        """The calls of tools so far, in order."""
        return self._loop.run(lambda: self._reply.tool_calls)

    @property
    def responses(self) -> list[Response]:
        """The responses that have ended, as the server described them."""
        return self._loop.run(lambda: list(self._reply.responses))

    @property
    def usage(self) -> Usage | None:
        """The tokens of all responses; None while the server has told of none."""
        return self._loop.run(lambda: self._reply.usage)

    @property
    def interrupted(self) -> bool:
        """Whether it was cut short: while it was generated, or while it was played."""
        return self._loop.run(lambda: self._reply.interrupted)

    def save_wav(self, target: str | os.PathLike[str] | BinaryIO) -> None:
        """Write the audio so far as a WAV file.

        Args:
            target: A path, or a binary file that is open for writing.

        Raises:
            AudioError: There is no audio.
            OSError: It cannot be written.
        """
        self._loop.run(lambda: self._reply.save_wav(target))

    # --- waiting for it ---

    def wait(self, timeout: float | None = None) -> Self:
        """Wait for the end, and return the reply itself.

        Args:
            timeout: Seconds to wait, or None to wait on; the reply goes on.

        Raises:
            TimeoutError: It did not end in time.
            RealtimeError: It failed; see the class.
        """
        self._loop.call(_whole, self._reply, timeout)
        return self

    def text_deltas(self) -> Iterator[str]:
        """Iterate over the pieces of its text."""
        return self._follow(self._reply.text_deltas)

    def transcript_deltas(self) -> Iterator[str]:
        """Iterate over the pieces of its transcript."""
        return self._follow(self._reply.transcript_deltas)

    def audio_chunks(self) -> Iterator[bytes]:
        """Iterate over its audio, in `audio_format`; an interruption ends it."""
        return self._follow(self._reply.audio_chunks)

    def events(self) -> Iterator[RealtimeEvent]:
        """Iterate over the server's events of its responses."""
        return self._follow(self._reply.events)

    def cancel(self) -> None:
        """Stop it, and cut it to what was heard; one that is over is left alone.

        The server still tells its end: `wait` for that.

        Raises:
            ConnectionClosed: The connection ends meanwhile.
        """
        self._loop.call(self._reply.cancel)

    def _follow(self, begin: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
        return _Following(self._loop, begin())

    def __repr__(self) -> str:
        return repr(self._reply)


class ReplyItems(list[FormattedItem]):
    """The items of a reply so far; call it to iterate over them as they complete."""

    def __init__(
        self, items: Iterable[FormattedItem], following: Iterator[FormattedItem]
    ) -> None:
        super().__init__(items)
        self._following = following

    def __call__(self) -> Iterator[FormattedItem]:
        """Iterate over the items of the reply, from the first, while it grows."""
        return self._following


class _Following(Generic[T]):
    """Iterates over what is in a reply; several threads may share it."""

    def __init__(self, loop: LoopThread, following: AsyncIterator[T]) -> None:
        self._loop = loop
        self._following = following
        self._reading = threading.Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        with self._reading:
            try:
                return self._loop.call(_next_of, self._following)
            except StopAsyncIteration:
                raise StopIteration from None


async def _next_of(following: AsyncIterator[T]) -> T:
    return await anext(following)


async def _whole(reply: AsyncReply, timeout: float | None) -> None:
    waiting = asyncio.timeout(timeout)
    try:
        async with waiting:
            await reply
    except TimeoutError:
        if waiting.expired():
            raise TimeoutError(f"the reply did not end within {timeout} s") from None
        raise
