"""`Reply`: one answer of the model, from the wish for it to its end.

An answer may take several responses: where the model calls tools, these are answered,
and the model goes on. All that is one reply.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable
from copy import copy
from typing import BinaryIO, Generic, Self, TypeVar
from weakref import WeakSet

from ..audio import write_wav
from ..core.conversation import RealtimeConversation
from ..errors import AudioError, RealtimeError
from ..events import RealtimeEvent
from ..resources.audio import AudioFormat
from ..resources.formatted import FormattedItem
from ..resources.formatted_content import FormattedTool
from ..resources.response import Response, ResponseStatus, Usage
from .content import ReplyContent, ReplyStep
from .state import TRANSITIONS, ReplyInput, ReplyState
from .timings import ReplyTimings

__all__ = ["Reply", "ReplyItems"]

T = TypeVar("T")


class Reply:
    """One answer of the model, with the tool calls that it makes on the way.

    It can be awaited, which gives the finished reply itself, and iterated while it
    runs: `text_deltas`, `transcript_deltas`, `audio_chunks`, `items` and `events`.
    There may be several such iterators at once; one that comes late gets what was
    before. All that came is kept as long as you hold the reply.

    Failures are raised by awaiting and by the iterators, at their ends:

    - `ResponseFailed`: the model failed.
    - `ResponseCancelled`: the request was dropped before the model began.
    - `ServerError`: the server refused the request.
    - `AnswerTimeout`: the server fell silent.
    - `ConnectionClosed`: the connection ended first.

    A reply that was interrupted is no failure: `interrupted` tells.

    Attributes:
        ticket: The id of the event that asked for it; None where the server began it
            by itself.
        response_ids: The responses that it consists of, so far.
        state: Where it is.
        timings: When what happened.
    """

    def __init__(
        self,
        *,
        ticket: str | None,
        conversation: RealtimeConversation,
        cancel: Callable[[Reply], Awaitable[None]],
        timings: ReplyTimings,
        claimed: bool = False,
    ) -> None:
        self.ticket = ticket
        self.response_ids: list[str] = []
        self.state: ReplyState = ReplyState.WAITING
        self.timings = timings
        self._conversation = conversation
        self._content = ReplyContent(conversation.output_format)
        # Its items there, which know what was heard of them, also when it forgets them.
        self._known: dict[str, FormattedItem] = {}
        self._cancel = cancel
        self._cancelled = False
        self._error: RealtimeError | None = None
        self._claimed = claimed
        self._followers = 0
        # Those that have begun and are held: they meet its failure at their ends.
        self._iterators = WeakSet[object]()
        self._failure_was_raised = False
        self._news: asyncio.Event | None = None

    # --- what it is ---

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or badly."""
        return self.state in (ReplyState.ENDED, ReplyState.FAILED)

    @property
    def status(self) -> str:
        """How it ended: completed, incomplete, cancelled or failed; in_progress before.

        Of several responses the last one counts.
        """
        if self.state is ReplyState.FAILED:
            return ResponseStatus.FAILED
        if not self.is_over:
            return ResponseStatus.IN_PROGRESS
        if self._cancelled:
            return ResponseStatus.CANCELLED
        last = self.responses[-1].status if self.responses else None
        return last or ResponseStatus.COMPLETED

    @property
    def text(self) -> str:
        """The text so far; empty where the model speaks."""
        return self._content.text

    @property
    def transcript(self) -> str:
        """The words of what the model has said so far, heard or not."""
        return self._content.transcript

    @property
    def heard_transcript(self) -> str:
        """The words that the listener has heard, as far as that is known.

        Of what nobody has cut short that is all of it. See `HeardTranscript` for how it
        is estimated.
        """
        return "".join(map(self._heard_of, self.items))

    @property
    def audio(self) -> bytes:
        """The audio so far, in `audio_format`."""
        return self._content.audio

    @property
    def audio_format(self) -> AudioFormat:
        """The format of the audio: PCM16 at 24 kHz unless the session differs."""
        return self._content.audio_format

    @property
    def items(self) -> ReplyItems:
        """The items so far: messages and calls, in order.

        Called, ``items()`` iterates over them as they become complete.
        """
        return ReplyItems(self._content.items, self._follow(_completed_of))

    @property
    def tool_calls(self) -> list[FormattedTool]:
        """The calls of tools so far, in order."""
        return self._content.tool_calls

    @property
    def responses(self) -> list[Response]:
        """The responses that have ended, as the server described them."""
        return self._content.responses

    @property
    def usage(self) -> Usage | None:
        """The tokens of all responses; None while the server has told of none."""
        return Usage.total(each.usage for each in self.responses if each.usage)

    @property
    def interrupted(self) -> bool:
        """Whether it was cut short: while it was generated, or while it was played."""
        cancelled = ResponseStatus.CANCELLED
        if self._cancelled or any(each.status == cancelled for each in self.responses):
            return True
        return any(self._was_cut(item) for item in self.items)

    def _heard_of(self, item: FormattedItem) -> str:
        known = self._known.get(item.id)
        if known is not None and known.formatted.heard is not None:
            return known.formatted.heard.transcript
        if self.interrupted and not item.formatted.audio_size:
            # It was cut before a sample of it had come.
            return ""
        return item.formatted.transcript

    def _look_up(self, item_id: str) -> None:
        known = self._conversation.get_item(item_id)
        if known is not None:
            self._known[item_id] = known

    def _was_cut(self, item: FormattedItem) -> bool:
        known = self._known.get(item.id)
        if known is None:
            return False
        heard, came = known.formatted.heard, item.formatted.audio_size
        in_part = heard is not None and (
            heard.samples * self.audio_format.bytes_per_sample < came
        )
        return in_part or known.formatted.is_truncated

    def save_wav(self, target: str | os.PathLike[str] | BinaryIO) -> None:
        """Write the audio so far as a WAV file.

        Args:
            target: A path, or a binary file that is open for writing.

        Raises:
            AudioError: There is no audio.
            OSError: It cannot be written.
        """
        if not self.audio:
            raise AudioError(
                "the reply has no audio to save; a session whose output_modalities is "
                '["audio"] speaks'
            )
        write_wav(target, self.audio, format=self.audio_format.type)

    # --- waiting for it ---

    def __await__(self) -> Generator[object, None, Self]:
        """Wait for the end; cancelling that only stops waiting.

        Raises:
            RealtimeError: It failed; see the class.
        """
        return self._whole().__await__()

    def text_deltas(self) -> AsyncIterator[str]:
        """Iterate over the pieces of its text."""
        return self._follow(lambda step: _delta_of(step, "text"))

    def transcript_deltas(self) -> AsyncIterator[str]:
        """Iterate over the pieces of its transcript."""
        return self._follow(lambda step: _delta_of(step, "transcript"))

    def audio_chunks(self) -> AsyncIterator[bytes]:
        """Iterate over its audio, in `audio_format`; an interruption ends it."""
        return self._follow(_audio_of)

    def events(self) -> AsyncIterator[RealtimeEvent]:
        """Iterate over the server's events of its responses."""
        return self._follow(lambda step: step.event)

    async def cancel(self) -> None:
        """Stop it, and cut it to what was heard; one that is over is left alone.

        The server still tells its end: await the reply for that.

        Raises:
            ConnectionClosed: The connection ends meanwhile.

        Cancelling it takes nothing back.
        """
        if not self.is_over:
            await self._cancel(self)

    def _follow(self, pick: Callable[[ReplyStep], T | None]) -> _Following[T]:
        return _Following(self, self._iterators, pick)

    async def _whole(self) -> Self:
        while not self.is_over:
            await self.news()
        if self._error is not None:
            self._failure_was_raised = True
            raise copy(self._error)
        return self

    async def news(self) -> None:
        """Wait until anything about it has changed; what raises is its end."""
        if self._news is None:
            self._news = asyncio.Event()
        self._followers += 1
        try:
            await self._news.wait()
        finally:
            self._followers -= 1

    # --- what happens to it ---

    @property
    def is_followed(self) -> bool:
        """Whether anybody waits for it, or is about to."""
        return self._claimed or self._followers > 0 or bool(self._iterators)

    @property
    def unseen_failure(self) -> RealtimeError | None:
        """What it failed with, where that was raised to nobody yet."""
        return None if self._failure_was_raised else self._error

    def begin(self, response_id: str, *, now: float) -> bool:
        """Note that a response of it has begun; False for one that is over."""
        if not self._move(ReplyInput.BEGIN):
            return False
        self.response_ids.append(response_id)
        if self.timings.began_at is None:
            self.timings.began_at = now
        return True

    def take(self, event: RealtimeEvent, *, now: float, stopped: bool) -> None:
        """Take in an event of one of its responses.

        Args:
            event: The event.
            now: The time.
            stopped: Whether it was interrupted: then no content is taken in any more.
        """
        if stopped:
            self._content.stop(self.response_ids[-1])
        change = self._content.take(event)
        if change.item is not None and change.item.id not in self._known:
            self._look_up(change.item.id)
        if change.delta is not None:
            self.timings.note(change.delta, now)
        self._tell()

    def end(self, response: Response | None, *, now: float, goes_on: bool) -> None:
        """Note that a response of it has ended, or that no other one follows.

        Args:
            response: The response, where one has ended now.
            now: The time.
            goes_on: Whether another one may follow.
        """
        if response is not None:
            self._content.ended(response)
        self.timings.ended_at = now
        self._move(ReplyInput.CALL if goes_on else ReplyInput.END)

    def break_off(self, *, now: float) -> None:
        """End it without the server, which has nothing more to tell of it."""
        self._cancelled = True
        self.end(None, now=now, goes_on=False)

    def fail(self, error: RealtimeError, *, now: float) -> None:
        """Note that it ended in an error."""
        if self._move(ReplyInput.FAIL):
            self.timings.ended_at = now
            self._error = error
            self._tell()

    def _move(self, input: ReplyInput) -> bool:
        following = TRANSITIONS.get((self.state, input))
        if following is None:
            return False
        self.state = following
        self._tell()
        return True

    def _tell(self) -> None:
        if self._news is not None:
            self._news.set()
            self._news = None

    @property
    def steps(self) -> list[ReplyStep]:
        """The events so far, with what they did."""
        return self._content.steps

    def __repr__(self) -> str:
        ids = ", ".join(self.response_ids) or self.ticket
        return f"<Reply {ids} {self.state.value} {self.status}>"


class ReplyItems(list[FormattedItem]):
    """The items of a reply so far; call it to iterate over them as they complete."""

    def __init__(
        self, items: Iterable[FormattedItem], following: AsyncIterator[FormattedItem]
    ) -> None:
        super().__init__(items)
        self._following = following

    def __call__(self) -> AsyncIterator[FormattedItem]:
        """Iterate over the items of the reply, from the first, while it grows."""
        return self._following


class _Following(Generic[T]):
    """Iterates over what is in a reply, from its beginning, while it grows."""

    def __init__(
        self,
        reply: Reply,
        begun: WeakSet[object],
        pick: Callable[[ReplyStep], T | None],
    ) -> None:
        self._reply = reply
        self._begun = begun
        self._pick = pick
        self._next = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        self._begun.add(self)
        steps = self._reply.steps
        while True:
            while self._next < len(steps):
                picked = self._pick(steps[self._next])
                self._next += 1
                if picked is not None:
                    return picked
            if self._reply.is_over:
                # Awaiting what is over raises its failure.
                await self._reply
                raise StopAsyncIteration
            await self._reply.news()


def _delta_of(step: ReplyStep, name: str) -> str | None:
    delta = step.change.delta
    return None if delta is None else getattr(delta, name)


def _audio_of(step: ReplyStep) -> bytes | None:
    delta = step.change.delta
    return None if delta is None else delta.audio


def _completed_of(step: ReplyStep) -> FormattedItem | None:
    return step.change.item if step.change.completed else None
