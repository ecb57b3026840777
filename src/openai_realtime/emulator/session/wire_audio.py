"""Audio as clients send and get it: PCM16 at 24 kHz, or G.711 at 8 kHz.

Inside, all audio is 24 kHz mono PCM16, so positions and lengths are the same whatever
a client speaks (PROTOCOL.md section 3.2). A format is named by its media type.
"""

from __future__ import annotations

from typing import Protocol

from ...audio.g711 import G711_LAWS, G711Decoder, G711Encoder
from ...audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE
from ..refusal import invalid_value

__all__ = [
    "FORMATS",
    "MAX_AUDIO_BYTES",
    "PCM",
    "AudioStream",
    "checked_audio",
    "checked_part",
    "from_wire",
    "pcm_bytes",
    "reader",
    "to_wire",
    "writer",
]

PCM = "audio/pcm"

FORMATS = (PCM, *G711_LAWS)
"""The media types that there are."""

MAX_AUDIO_BYTES = 15 * 1024 * 1024
"""The most audio that one event may bring (PROTOCOL.md section 3.6)."""

_MAX_PART_S = MAX_AUDIO_BYTES // BYTES_PER_SAMPLE // SAMPLE_RATE

# What one byte of G.711 becomes: one sample at 8 kHz.
_PCM_BYTES_OF_G711 = SAMPLE_RATE // 8_000 * BYTES_PER_SAMPLE


class AudioStream(Protocol):
    """Converts a stream, chunk by chunk, however it is cut."""

    def push(self, data: bytes, /) -> bytes:
        """Take a chunk and return what it has become."""
        ...


class _AsItIs:
    def push(self, data: bytes) -> bytes:
        return data


def reader(media_type: str) -> AudioStream:
    """Return what turns audio of this format into PCM16."""
    law = G711_LAWS.get(media_type)
    return _AsItIs() if law is None else G711Decoder(law)


def writer(media_type: str) -> AudioStream:
    """Return what turns PCM16 into audio of this format."""
    law = G711_LAWS.get(media_type)
    return _AsItIs() if law is None else G711Encoder(law)


def from_wire(data: bytes, media_type: str) -> bytes:
    """Turn a whole piece of audio into PCM16."""
    return reader(media_type).push(data)


def to_wire(pcm: bytes, media_type: str) -> bytes:
    """Turn a whole piece of PCM16 into audio of this format."""
    return writer(media_type).push(pcm)


def pcm_bytes(size: int, media_type: str) -> int:
    """Count the bytes of PCM16 that so many bytes of this format become."""
    return size if media_type == PCM else size * _PCM_BYTES_OF_G711


def checked_audio(data: bytes, media_type: str, param: str) -> bytes:
    """Return the audio, which may come in one event.

    Raises:
        Refusal: It is too much, or ends within a sample.
    """
    if len(data) > MAX_AUDIO_BYTES:
        raise invalid_value(
            param,
            f"One event can bring {MAX_AUDIO_BYTES} bytes of audio, not {len(data)}.",
        )
    if media_type == PCM and len(data) % BYTES_PER_SAMPLE:
        raise invalid_value(
            param,
            f"16-bit PCM has two bytes a sample, but this has {len(data)} bytes.",
        )
    return data


def checked_part(data: bytes, media_type: str, param: str, *, held: int) -> bytes:
    """Return the audio of a part of an item.

    It is converted in one go, unlike audio that is appended. So an item has as much of
    G.711 as of PCM16, counted in seconds.

    Args:
        data: The audio.
        media_type: Its format.
        param: What to call it in a refusal.
        held: How many bytes of PCM16 the item has already.

    Raises:
        Refusal: It is too much, or ends within a sample.
    """
    checked_audio(data, media_type, param)
    if held + pcm_bytes(len(data), media_type) > MAX_AUDIO_BYTES:
        raise invalid_value(
            param,
            f"One item can bring {_MAX_PART_S} seconds of audio; append more than that "
            "to the input audio buffer.",
        )
    return data
