"""The measurements of `bench_conversation.py`, each for a process of its own.

So none finds the memory as another has left it. The first thing that such a process
does is to free a large block. From then on the C library keeps what is freed, up to
that size, and whole buffers that grow piece by piece are about ten times as cheap below
it. In a process that never did that we would compare better.
"""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NamedTuple, TypeAlias, TypeVar

from interleave import interleave
from spoken_conversation import (
    CHUNK_BYTES,
    CHUNKS_PER_MINUTE,
    audio_delta,
    microphone,
    one_reply,
    transcript_delta,
    turns,
)
from whole_buffer_client import WholeBufferClient

from openai_realtime.core.conversation import RealtimeConversation
from openai_realtime.core.turns import Turns
from openai_realtime.events import RealtimeEvent

__all__ = [
    "Memory",
    "Piece",
    "in_fresh_process",
    "integrate",
    "keep_conversation",
    "keep_microphone",
    "keep_whole",
    "sample_microphone_whole",
    "sample_reply_whole",
    "time_conversation",
    "time_microphone",
    "time_microphone_whole",
    "time_pieces",
    "time_whole",
]

Events: TypeAlias = Callable[[int], Iterator[RealtimeEvent]]
T = TypeVar("T")

_PIECES = CHUNKS_PER_MINUTE
_OPENING_EVENTS = 4

# The C library keeps no freed block that is larger than 32 MB: at 11.65 minutes.
_LARGE_BLOCK_BYTES = (32 << 20) - (64 << 10)
_SAMPLED_MINUTES = (0, 1, 2, 3, 4, 5, 7, 9, 11, 12, 15, 20, 30, 45, 60)
_SAMPLED_APPENDS = 8
_APPENDS_BEFORE = 4


def in_fresh_process(task: Callable[..., T], *args: object) -> T:
    """Run a measurement in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=_free_a_large_block) as pool:
        return pool.submit(task, *args).result()


def _free_a_large_block() -> None:
    bytes(_LARGE_BLOCK_BYTES)


def _give(pieces: Iterable[T], taker: Callable[[T], object]) -> None:
    for piece in pieces:
        taker(piece)


# --- time ---


def time_conversation(events: Events, minutes: int) -> tuple[float, float]:
    """Return the seconds our cache takes, and those of then reading all its audio."""
    _give(list(turns(1)), RealtimeConversation().apply)
    conversation = RealtimeConversation()
    applied = _timed(_give, list(events(minutes)), conversation.apply)
    return applied, _timed(_read, conversation)


def time_whole(events: Events, minutes: int) -> float:
    """Return the seconds whole buffers take; reading them is free."""
    _give(list(turns(1)), WholeBufferClient().apply)
    return _timed(_give, list(events(minutes)), WholeBufferClient().apply)


def time_microphone(minutes: int) -> float:
    """Return the seconds we take to keep what a microphone hears."""
    append = Turns().append_sent
    return _timed(_give, list(microphone(minutes)), append)


def time_microphone_whole(minutes: int) -> float:
    """Return the seconds one whole buffer of the user's audio takes."""
    append = WholeBufferClient().append_input_audio
    return _timed(_give, list(microphone(minutes)), append)


def _timed(what: Callable[..., object], *args: object) -> float:
    """Return the seconds of CPU time that a call takes."""
    gc.collect()
    gc.freeze()
    began = time.process_time()
    what(*args)
    return time.process_time() - began


def _read(conversation: RealtimeConversation) -> None:
    """Read the audio of every item as one buffer."""
    for item in conversation.items:
        _ = item.formatted.audio


# --- whole buffers, sampled: an hour of them takes an hour ---


def sample_reply_whole() -> list[float]:
    """Return the seconds of one audio delta more, at each of the sampled lengths."""
    client = WholeBufferClient()
    _give(itertools.islice(one_reply(1), _OPENING_EVENTS), client.apply)
    (item,) = client.items.values()
    deltas = [audio_delta(0, number) for number in range(_SAMPLED_APPENDS)]
    found: list[float] = []
    for minutes in _SAMPLED_MINUTES:
        item.audio = _audio(minutes)
        found.append(_one_more(deltas, client.apply))
    return found


def sample_microphone_whole() -> list[float]:
    """Return the seconds of one append more, at each of the sampled lengths."""
    client = WholeBufferClient()
    chunks = list(itertools.islice(microphone(1), _SAMPLED_APPENDS))
    found: list[float] = []
    for minutes in _SAMPLED_MINUTES:
        client.input_audio = _audio(minutes)
        found.append(_one_more(chunks, client.append_input_audio))
    return found


def _one_more(pieces: list[T], taker: Callable[[T], object]) -> float:
    """Return the seconds of a piece, when some before it have found their memory."""
    _give(pieces[:_APPENDS_BEFORE], taker)
    return _timed(_give, pieces, taker) / len(pieces)


def _audio(minutes: int) -> bytes:
    """Return so much audio, in memory that has been written to."""
    return b"\1" * (minutes * CHUNKS_PER_MINUTE * CHUNK_BYTES)


def integrate(appends: Iterable[float], minutes: int) -> float:
    """Return the seconds of all appends up to a length, from those sampled."""
    points = itertools.pairwise(zip(_SAMPLED_MINUTES, appends, strict=True))
    return sum(
        (end - begin) * CHUNKS_PER_MINUTE * (first + last) / 2
        for (begin, first), (end, last) in points
        if end <= minutes
    )


# --- one piece ---


class Piece(NamedTuple):
    """Microseconds of CPU time for one piece.

    Attributes:
        looked_at: When it is taken for what it is and dropped.
        cached: When it is cached.
    """

    looked_at: float
    cached: float

    @property
    def added(self) -> float:
        """What the cache adds."""
        return self.cached - self.looked_at


def time_pieces(rounds: int) -> dict[str, Piece]:
    """Return what a piece costs, by its kind."""
    opening = list(itertools.islice(one_reply(1), _OPENING_EVENTS))

    def deltas_of(kind: Callable[[int, int], RealtimeEvent]) -> Piece:
        deltas = [kind(0, number) for number in range(_PIECES)]

        def cache() -> None:
            conversation = RealtimeConversation()
            _give(opening, conversation.apply)
            _give(deltas, conversation.apply)

        return _compared(lambda: _give(deltas, _look), cache, rounds)

    chunks = list(microphone(1))
    return {
        "audio delta": deltas_of(audio_delta),
        "transcript delta": deltas_of(transcript_delta),
        "microphone chunk": _compared(
            lambda: _give(chunks, _look),
            lambda: _give(chunks, Turns().append_sent),
            rounds,
        ),
    }


def _compared(
    looked_at: Callable[[], object], cached: Callable[[], object], rounds: int
) -> Piece:
    ways = {"looked_at": looked_at, "cached": cached}
    timings = interleave(ways, operations=_PIECES, rounds=rounds)
    return Piece(**{name: timing.us for name, timing in timings.items()})


def _look(piece: Any) -> object:
    """Take a piece for what it is, as a client without a cache does."""
    return type(piece)


# --- memory ---


class Memory(NamedTuple):
    """Bytes for each byte of PCM that came in.

    Attributes:
        kept: When all has come.
        peak: The most, until all of it has been read, each item as one buffer.
        kept_read: Kept after that.
    """

    kept: float
    peak: float
    kept_read: float


def keep_conversation(events: Events, minutes: int) -> Memory:
    """Measure what our cache keeps of events that nobody else keeps."""
    conversation = RealtimeConversation()
    tracemalloc.start()
    _give(events(minutes), conversation.apply)
    kept = _traced()
    _read(conversation)
    return _for_each_byte(minutes, kept)


def keep_microphone(minutes: int) -> Memory:
    """Measure what we keep of a microphone, to cut out what will be said."""
    user = Turns()
    tracemalloc.start()
    _give(microphone(minutes), user.append_sent)
    return _for_each_byte(minutes, _traced())


def keep_whole(events: Events, minutes: int) -> Memory:
    """Measure what whole buffers keep."""
    client = WholeBufferClient()
    tracemalloc.start()
    _give(events(minutes), client.apply)
    return _for_each_byte(minutes, _traced())


def _traced() -> int:
    """Return the bytes in use, without garbage."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _for_each_byte(minutes: int, kept: int) -> Memory:
    _, peak = tracemalloc.get_traced_memory()
    pcm = minutes * CHUNKS_PER_MINUTE * CHUNK_BYTES
    return Memory(kept / pcm, peak / pcm, _traced() / pcm)
