"""The ledger of the assistant's audio: what was received, and what has been heard.

Heard is not generated: a reply arrives faster than it plays. A player that knows what
it has played reports it; where nobody reports, the ledger estimates from the time, as
if each chunk were played on arrival, after all that came before it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..resources.audio import AudioFormat

__all__ = ["PlaybackLedger"]


@dataclass(slots=True)
class _Track:
    """One item's audio.

    Attributes:
        received: Samples received.
        ends_at: When all that was received will have been played, by the estimate.
        reported: Samples played, by a player's report; None without one.
    """

    received: int
    ends_at: float
    reported: int | None = None


class PlaybackLedger:
    """Knows for each item how much of its audio has been heard."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._rate = audio_format.sample_rate
        self._width = audio_format.bytes_per_sample
        self._tracks: dict[str, _Track] = {}
        self._ended: set[str] = set()
        self._ends_at = 0.0

    def use_format(self, audio_format: AudioFormat) -> None:
        """Count in another format from now on."""
        self._rate = audio_format.sample_rate
        self._width = audio_format.bytes_per_sample

    def received(self, item_id: str, audio: bytes, *, now: float) -> None:
        """Note audio that arrived for an item; after its end it is dropped."""
        if item_id in self._ended:
            return
        samples = len(audio) // self._width
        self._ends_at = max(self._ends_at, now) + samples / self._rate
        track = self._tracks.get(item_id)
        if track is None:
            self._tracks[item_id] = _Track(samples, self._ends_at)
        else:
            track.received += samples
            track.ends_at = self._ends_at

    def played(self, item_id: str, samples: int) -> None:
        """Note a player's report: so many samples of the item have been played."""
        track = self._tracks.get(item_id)
        if track is not None:
            track.reported = min(samples, track.received)

    def stop(self, item_id: str, heard: int, *, now: float) -> None:
        """Note that playback ended after so many samples; the rest is dropped."""
        self._ended.add(item_id)
        track = self._tracks.get(item_id)
        if track is not None:
            track.received = track.reported = min(heard, track.received)
            self._ends_at = now

    def received_samples(self, item_id: str) -> int:
        """Return how much audio has arrived for an item."""
        track = self._tracks.get(item_id)
        return 0 if track is None else track.received

    def heard_samples(self, item_id: str, *, now: float) -> int:
        """Return how much of an item has been heard: as reported, else estimated."""
        track = self._tracks.get(item_id)
        if track is None:
            return 0
        if track.reported is not None:
            return track.reported
        to_come = max(0.0, track.ends_at - now)
        return max(0, track.received - round(to_come * self._rate))

    def playing(self, *, now: float) -> str | None:
        """Return the first item that has been received and not wholly heard."""
        for item_id, track in self._tracks.items():
            if self.heard_samples(item_id, now=now) < track.received:
                return item_id
        return None

    def unheard(self, *, now: float) -> list[tuple[str, int]]:
        """Return the items that may have more to be heard, and how much was.

        The last one is among them even when all of it was heard: more may be coming.
        """
        heard = [(name, self.heard_samples(name, now=now)) for name in self._tracks]
        return [
            (name, samples)
            for name, samples in heard
            if samples < self._tracks[name].received or name == heard[-1][0]
        ]

    def forget(self, item_id: str) -> None:
        """Drop an item that left the conversation."""
        self._tracks.pop(item_id, None)

    def samples_to_ms(self, samples: int) -> int:
        """Return the whole milliseconds in so many samples."""
        return samples * 1000 // self._rate
