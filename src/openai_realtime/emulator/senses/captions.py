"""Captions: text hidden in the least significant bits of PCM16 samples.

The emulator's voice and its test speech carry their own transcript, which makes
transcription exact, instant and free. One copy of a caption is, one bit per sample and
highest bit first:

    sync word, 32 bits | length of the text in bytes, 32 bits | UTF-8 | CRC-32

Copies follow each other as long as the audio lasts. A caption survives everything that
leaves samples alone: chunking, base64, a cut at either end. It does not survive
resampling, a change of volume or G.711.
"""

from __future__ import annotations

import zlib

from ...audio.pcm import sample_count, samples_to_ms
from ...errors import AudioError

__all__ = ["CaptionWriter", "caption", "read_captions"]

# The attached sync marker of CCSDS telemetry, chosen there because shifted copies of
# it do not look alike. It is no valid UTF-8, and not all zeros like digital silence.
_SYNC = (0x1ACFFC1D).to_bytes(4, "big")
_LENGTH_BYTES = 4
_CRC_BYTES = 4
_CRC_BITS = 8 * _CRC_BYTES
_HEAD_BITS = 8 * (len(_SYNC) + _LENGTH_BYTES)

# So many times its own length is looked through for what proves to be no caption. Torn
# copies take once that; somebody who puts sync words everywhere would take forever.
_MOST_VAIN = 4

# Tables for bytes.translate(): the lowest bit of each byte, as number and as digit.
# Digits are what int() reads and bytes.find() searches quickly.
_BIT = bytes(byte & 1 for byte in range(256))
_DIGIT = bytes(ord("0") + bit for bit in _BIT)


class CaptionWriter:
    """Writes one caption into a stream of audio, over and over, chunk after chunk.

    Text that UTF-8 cannot express (a lone surrogate) is replaced by question marks.

    Raises:
        AudioError: The text is empty.
    """

    def __init__(self, text: str) -> None:
        if not text:
            raise AudioError("a caption cannot be empty; leave such audio unmarked")
        self._copy = _encode(text)
        self._position = 0

    @property
    def copy_samples(self) -> int:
        """The count of samples that one copy of the caption takes."""
        return len(self._copy)

    def write(self, pcm: bytes) -> bytes:
        """Return `pcm` with the caption in it, continuing where the last chunk ended.

        Raises:
            AudioError: The byte count is odd.
        """
        count = sample_count(pcm)
        offset = self._position % len(self._copy)
        head = self._copy[offset : offset + count]
        repeats = -(-(count - len(head)) // len(self._copy))
        bits = (head + self._copy * repeats)[:count]
        self._position += count
        # All samples at once, as one long number: a hundred times the speed of a loop.
        kept = int.from_bytes(pcm[0::2], "big") & int.from_bytes(b"\xfe" * count, "big")
        marked = bytearray(pcm)
        marked[0::2] = (kept | int.from_bytes(bits, "big")).to_bytes(count, "big")
        return bytes(marked)


def caption(pcm: bytes, text: str) -> bytes:
    """Return PCM16 audio with `text` hidden in it, as often as it fits.

    Raises:
        AudioError: The audio is too short for one copy, the text is empty, or the byte
            count is odd.
    """
    writer = CaptionWriter(text)
    count, needed = sample_count(pcm), writer.copy_samples
    if count < needed:
        raise AudioError(
            f"{samples_to_ms(count)} ms of audio are too short for this caption, which "
            f"needs {needed} samples ({samples_to_ms(needed)} ms at 24 kHz), not "
            f"{count}: add silence or shorten the text"
        )
    return writer.write(pcm)


def read_captions(pcm: bytes) -> list[str]:
    """Find the captions in PCM16 audio, one for each utterance, in order.

    The copies that one utterance carries count once. The same text counts again when
    it is spoken again, that is when its copies begin anew from their first bit.
    Unmarked audio gives an empty list. The work is bounded: audio that is full of what
    looks like the beginning of a caption is read no further at some point.
    """
    bits = pcm[0::2].translate(_DIGIT)
    sync = _as_digits(_SYNC)
    captions: list[str] = []
    last_text, last_end = "", 0
    in_vain = 0
    start = bits.find(sync)
    while start >= 0 and in_vain <= _MOST_VAIN * len(bits):
        text, end = _decode(bits, start)
        if text is None:
            in_vain += end - start
            start = bits.find(sync, start + 1)
            continue
        if text != last_text or not _continues(bits, last_end, start, end):
            captions.append(text)
        last_text, last_end = text, end
        start = bits.find(sync, end)
    return captions


def _encode(text: str) -> bytes:
    """Encode one copy of a caption, as one byte of 0 or 1 for each bit."""
    payload = text.encode("utf-8", "replace")
    body = len(payload).to_bytes(_LENGTH_BYTES, "big") + payload
    frame = _SYNC + body + zlib.crc32(body).to_bytes(_CRC_BYTES, "big")
    return _as_digits(frame).translate(_BIT)


def _decode(bits: bytes, start: int) -> tuple[str | None, int]:
    """Decode the copy whose sync word is at `start`; None when it is none, or torn.

    Returns:
        Its text, and the end of what was looked at.
    """
    head_end = start + _HEAD_BITS
    length_bits = bits[head_end - 8 * _LENGTH_BYTES : head_end]
    length = int(length_bits, 2) if length_bits else 0
    end = head_end + 8 * length + _CRC_BITS
    if not length or end > len(bits):
        return None, start
    body_start = head_end - 8 * _LENGTH_BYTES
    frame = int(bits[body_start:end], 2).to_bytes((end - body_start) // 8, "big")
    body, crc = frame[:-_CRC_BYTES], frame[-_CRC_BYTES:]
    if zlib.crc32(body) != int.from_bytes(crc, "big"):
        return None, end
    return body[_LENGTH_BYTES:].decode("utf-8", "replace"), end


def _continues(bits: bytes, last_end: int, start: int, end: int) -> bool:
    """Tell whether a copy goes on with the utterance of the copy before it.

    It does when it follows on the end of a copy of its own, be it one that was torn by
    a few lost samples. An utterance of its own begins with the first bit of a copy,
    after whatever there was.
    """
    follows_itself = bits[start - _CRC_BITS : start] == bits[end - _CRC_BITS : end]
    return follows_itself and start - last_end < 2 * (end - start)


def _as_digits(data: bytes) -> bytes:
    """Spell bytes as ASCII digits, eight for each byte."""
    return f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}".encode()
