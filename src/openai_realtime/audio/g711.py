"""G.711: mu-law and A-law, the audio of telephones, one byte a sample at 8 kHz.

The codes are those of ITU-T G.711, the rounding that of the ITU's software tool
library: what lies between two decision values gets the output value between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from ..errors import AudioError
from .pcm import BYTES_PER_SAMPLE, to_samples, view_of
from .resample import Downsampler24To8, Upsampler8To24

__all__ = [
    "A_LAW",
    "G711_LAWS",
    "G711_RATE",
    "MU_LAW",
    "G711Decoder",
    "G711Encoder",
    "G711Law",
    "to_g711",
]

G711_RATE = 8_000
"""Samples per second of G.711."""

# The bit of a code that says on which side of zero it is.
_SIGN = 0x80


class G711Law:
    """One of the two laws: PCM16 to one byte a sample and back, at one rate.

    Args:
        expand: Gives the sample, -32768..32767, of a code.
        compress: Gives the code of a sample that is not negative.
        step: How many neighbouring samples share a code at least.
    """

    def __init__(
        self, expand: Callable[[int], int], compress: Callable[[int], int], step: int
    ) -> None:
        samples = [expand(code) for code in range(256)]
        # Two tables for bytes.translate(), a hundred times the speed of a loop.
        self._low = bytes(sample & 0xFF for sample in samples)
        self._high = bytes(sample >> 8 & 0xFF for sample in samples)
        self._compress = compress
        self._step = step
        self._codes = lru_cache(maxsize=1)(self._make_codes)

    def decode(self, data: bytes) -> bytes:
        """Return the PCM16 audio of G.711 data, at the same rate."""
        pcm = bytearray(len(data) * BYTES_PER_SAMPLE)
        pcm[0::2] = data.translate(self._low)
        pcm[1::2] = data.translate(self._high)
        return bytes(pcm)

    def encode(self, pcm: bytes) -> bytes:
        """Return the G.711 data of PCM16 audio, at the same rate.

        Raises:
            AudioError: The byte count is odd.
        """
        return bytes(map(self._codes().__getitem__, to_samples(pcm)))

    def _make_codes(self) -> tuple[int, ...]:
        """Make the codes of 0 to 32767, then those of -32768 to -1.

        A negative sample finds its code by counting from the end.
        """
        above = b"".join(
            bytes([self._compress(sample)]) * self._step
            for sample in range(0, 32_768, self._step)
        )
        below = bytes(code ^ _SIGN for code in reversed(above))
        # Looked up in a tuple, which takes half as long as in bytes.
        return tuple(above + below)


class G711Encoder:
    """Turns a stream of 24 kHz mono PCM16 into G.711 at 8 kHz, chunk by chunk.

    What comes out is less than 1 ms late, and as long as what went in.
    """

    def __init__(self, law: G711Law) -> None:
        self._law = law
        self._downsampler = Downsampler24To8()

    def push(self, pcm: bytes) -> bytes:
        """Take audio and return the data complete so far.

        Raises:
            AudioError: The byte count is odd.
        """
        return self._law.encode(self._downsampler.push(pcm))


class G711Decoder:
    """Turns a stream of G.711 at 8 kHz into 24 kHz mono PCM16, chunk by chunk.

    What comes out is less than 1 ms late, and as long as what went in.
    """

    def __init__(self, law: G711Law) -> None:
        self._law = law
        self._upsampler = Upsampler8To24()

    def push(self, data: bytes) -> bytes:
        """Take data and return its audio, three samples for each byte."""
        return self._upsampler.push(self._law.decode(data))


def to_g711(data: object) -> bytes:
    """Turn G.711 data in any buffer of bytes into bytes; ``bytes`` are not copied.

    Raises:
        AudioError: The type is another one, or it holds samples, not bytes.
    """
    if isinstance(data, bytes):
        return data
    view = view_of(data)
    if view.itemsize != 1:
        raise AudioError(
            f"G.711 audio has one byte a sample, but this {type(data).__name__} has "
            f"{view.itemsize} bytes each; convert it first, or let send_audio() do "
            "that: send_audio(samples, rate=24000)"
        )
    return view.tobytes()


def _expand_mu(code: int) -> int:
    inverted = ~code & 0xFF
    size = ((inverted & 0x0F) << 3) + 0x84 << (inverted >> 4 & 0x07)
    return 0x84 - size if inverted & _SIGN else size - 0x84


def _compress_mu(sample: int) -> int:
    size = min((sample >> 2) + 33, 0x1FFF)
    segment = (size >> 6).bit_length() + 1
    return _SIGN | (8 - segment) << 4 | 0x0F - (size >> segment & 0x0F)


def _expand_a(code: int) -> int:
    inverted = code ^ 0x55
    step, segment = (inverted & 0x0F) << 4, inverted >> 4 & 0x07
    size = step + 0x108 << segment - 1 if segment else step + 8
    return size if inverted & _SIGN else -size


def _compress_a(sample: int) -> int:
    size = sample >> 4
    segment = (size >> 4).bit_length()
    if segment:
        size = (size >> segment - 1) - 16 + (segment << 4)
    return (size | _SIGN) ^ 0x55


MU_LAW = G711Law(_expand_mu, _compress_mu, step=4)
"""What telephones in North America and Japan speak: ``audio/pcmu``."""

A_LAW = G711Law(_expand_a, _compress_a, step=16)
"""What telephones in the rest of the world speak: ``audio/pcma``."""

G711_LAWS: Mapping[str, G711Law] = {"audio/pcmu": MU_LAW, "audio/pcma": A_LAW}
"""The laws by their media types."""
