"""What can be sent as the user's audio, and how it becomes pieces to be sent."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Generator,
    Iterable,
    Iterator,
)
from typing import Any, BinaryIO, NamedTuple, TypeAlias, cast

from .audio.conversion import Conversion
from .audio.g711 import G711_LAWS, to_g711
from .audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE, pcm16_bytes
from .audio.sound_file import FilePath, blocks, is_seekable, name_of, open_sound, opened
from .audio.wav_reader import WAV_START_BYTES, is_wav
from .errors import AudioError, ConfigurationError
from .resources.audio import AudioFormat
from .thread_iterator import ThreadIterator

__all__ = ["AudioSource", "RawShape", "audio_pieces"]

AudioSource: TypeAlias = object
"""A buffer of audio, a path, a binary file or reader, or an iterable of buffers, also
an asynchronous one."""

_WANTED = (
    "audio as bytes or as an array, the path of a sound file, a binary file, or an "
    "iterable or asynchronous iterable of pieces of audio"
)

_LONGEST_PIECE_MS = 10_000

# A browser has no threads, and nothing that would block one either.
_HAS_THREADS = sys.platform != "emscripten"


class RawShape(NamedTuple):
    """What raw PCM16 is, as far as its owner says so.

    Attributes:
        rate: Samples per second, a whole number.
        channels: How many are interleaved.
    """

    rate: float | None = None
    channels: int | None = None

    @property
    def is_given(self) -> bool:
        """Whether anything was said; else it is what the session takes."""
        return self.rate is not None or self.channels is not None


def audio_pieces(
    source: AudioSource, raw: RawShape, format: AudioFormat, piece_ms: int
) -> AsyncGenerator[bytes]:
    """Turn a source into pieces of what a session takes.

    What blocks is read in a thread, at most one piece ahead. Closing the generator
    closes the source, if that is a generator, and what was opened.

    Args:
        source: Audio that is there, in a file, or yet to come.
        raw: What audio is that is no sound file.
        format: What the session takes.
        piece_ms: How long a piece is at most, but for some samples that resampling may
            add. Audio that is yet to come is not held back to fill one.

    Raises:
        AudioError: The source is no audio, has an impossible rate, or ends in the
            middle of a sample.
        ConfigurationError: The length of a piece cannot be, or an extra is missing.
    """
    if not 1 <= piece_ms <= _LONGEST_PIECE_MS:
        raise ConfigurationError(
            f"chunk_ms is {piece_ms!r}; it must be 1 to {_LONGEST_PIECE_MS:,}"
        )
    size = int(format.sample_rate * piece_ms / 1000) * format.bytes_per_sample
    stream = _RawStream(raw, format, piece_ms)
    if _is_buffer(source):
        return _at_once(_regrouped(stream.pieces([source]), size))
    if isinstance(source, (str, os.PathLike)):
        path = cast("FilePath", source)
        file_pieces = stream.pieces_of_file(path) if raw.is_given else _of(path, format)
        return _in_thread(_regrouped(file_pieces, size))
    if inspect.iscoroutinefunction(getattr(source, "read", None)):
        return stream.pieces_as_they_come(_reads(source, stream.block_bytes))
    if hasattr(source, "read"):
        file = cast("BinaryIO", source)
        if not raw.is_given:
            return _in_thread(_regrouped(_of(file, format), size))
        # What cannot be sought in is a pipe, which may be a microphone.
        found = stream.pieces_of_file(file)
        return _in_thread(_regrouped(found, size) if is_seekable(file) else found)
    if isinstance(source, AsyncIterable):
        return stream.pieces_as_they_come(cast("AsyncIterable[object]", source))
    if isinstance(source, Iterable):
        return _in_thread(stream.pieces(cast("Iterable[object]", source)))
    raise AudioError(
        f"a {type(source).__name__} cannot be sent as audio; pass {_WANTED}"
    )


class _RawStream:
    """Turns raw audio into what a session takes.

    Attributes:
        block_bytes: How much of it makes one piece.
    """

    def __init__(self, raw: RawShape, format: AudioFormat, piece_ms: int) -> None:
        self._channels = 1 if raw.channels is None else raw.channels
        self._conversion: Conversion | None = None
        is_pcm = format.bytes_per_sample == BYTES_PER_SAMPLE
        if is_pcm or raw.is_given:
            rate = _whole(raw.rate, format.sample_rate if is_pcm else SAMPLE_RATE)
            self._conversion = _conversion(rate, self._channels, format)
            frame_bytes = BYTES_PER_SAMPLE * self._channels
        else:
            rate, frame_bytes = format.sample_rate, format.bytes_per_sample
        self.block_bytes = max(1, int(rate * piece_ms / 1000)) * frame_bytes
        self._begun = False

    def pieces(self, chunks: Iterable[object]) -> Generator[bytes]:
        """Turn chunks into pieces; a generator of chunks is closed in the end."""
        with _closing(chunks):
            for chunk in chunks:
                yield from self._take(chunk)
            yield self._finish()

    async def pieces_as_they_come(
        self, chunks: AsyncIterable[object]
    ) -> AsyncGenerator[bytes]:
        """Do the same with chunks that are waited for."""
        iterator = aiter(chunks)
        try:
            async for chunk in iterator:
                for piece in self._take(chunk):
                    yield piece
            yield self._finish()
        finally:
            if isinstance(iterator, AsyncGenerator):
                await cast("AsyncGenerator[object]", iterator).aclose()

    def pieces_of_file(self, source: FilePath | BinaryIO) -> Generator[bytes]:
        """Do the same with the content of a file."""
        with opened(source) as file:
            # Else a pipe would be waited for until a whole block has come.
            read = getattr(file, "read1", file.read)
            chunks = iter(lambda: read(self.block_bytes), b"")
            yield from self.pieces(chunks)

    def _take(self, chunk: object) -> Iterator[bytes]:
        conversion = self._conversion
        data = to_g711(chunk) if conversion is None else self._pcm16(chunk)
        for start in range(0, len(data), self.block_bytes):
            block = data[start : start + self.block_bytes]
            yield block if conversion is None else conversion.push(block)

    def _pcm16(self, chunk: object) -> bytes:
        pcm = pcm16_bytes(chunk, self._channels)
        if not self._begun and is_wav(pcm[:WAV_START_BYTES]):
            raise AudioError(
                "the raw audio begins with the header of a WAV file; pass the file "
                "itself, without rate= and channels="
            )
        self._begun = self._begun or bool(pcm)
        return pcm

    def _finish(self) -> bytes:
        return b"" if self._conversion is None else self._conversion.finish()


def _whole(rate: float | None, usual: int) -> int:
    """Return a rate as a whole number; devices like to say 44100.0."""
    if rate is None:
        return usual
    if rate % 1:
        raise AudioError(f"rate is {rate!r}; it must be a whole number of Hz")
    return int(rate)


def _is_buffer(source: object) -> bool:
    try:
        memoryview(cast("bytes", source)).release()
    except TypeError:
        return False
    # numpy's word for a type of samples that no buffer can express.
    except ValueError:
        pass
    return True


def _conversion(rate: int, channels: int, format: AudioFormat) -> Conversion:
    law = G711_LAWS.get(format.type)
    if law is None and format.bytes_per_sample != BYTES_PER_SAMPLE:
        raise AudioError(
            f"audio cannot be converted to {format.type}, which this session takes; "
            "pass raw bytes of that format"
        )
    return Conversion(rate, channels, to_rate=format.sample_rate, law=law)


def _of(source: FilePath | BinaryIO, format: AudioFormat) -> Generator[bytes]:
    """Read a sound file."""
    with open_sound(source) as reader:
        conversion = _conversion(reader.rate, reader.channels, format)
        for block in blocks(reader, name_of(source)):
            yield conversion.push(block)
        yield conversion.finish()


def _regrouped(pieces: Generator[bytes], size: int) -> Generator[bytes]:
    """Cut the pieces anew, all to the same size but for the last."""
    rest = b""
    with contextlib.closing(pieces):
        for piece in pieces:
            rest += piece
            whole = len(rest) - len(rest) % size
            for start in range(0, whole, size):
                yield rest[start : start + size]
            rest = rest[whole:]
        yield rest


async def _reads(reader: Any, size: int) -> AsyncGenerator[object]:
    """Read what an asynchronous reader has, again and again."""
    while chunk := await reader.read(size):
        yield chunk


async def _at_once(pieces: Generator[bytes]) -> AsyncGenerator[bytes]:
    """Iterate over what is there already."""
    with contextlib.closing(pieces):
        for piece in pieces:
            yield piece


async def _in_thread(pieces: Generator[bytes]) -> AsyncGenerator[bytes]:
    """Iterate over what may block."""
    if not _HAS_THREADS:
        async with contextlib.aclosing(_at_once(pieces)) as there:
            async for piece in there:
                yield piece
        return
    with contextlib.closing(ThreadIterator(pieces)) as ahead:
        async for piece in ahead:
            yield piece


@contextlib.contextmanager
def _closing(chunks: Iterable[object]) -> Generator[None]:
    try:
        yield
    finally:
        if isinstance(chunks, Generator):
            chunks.close()
