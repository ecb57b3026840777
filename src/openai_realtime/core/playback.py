"""The ledger of the assistant's audio: received, handed to a player, and heard.

Heard is not generated: a reply arrives faster than it plays. Who knows what has been
played reports it; where nobody reports, the ledger estimates from the time, as if each
chunk were played on arrival, after all that came before it.

An item keeps the format in which it began. The newest 256 items are remembered, and
older ones while they are not wholly heard: of an item that has been heard to its end a
long time ago, nothing is left to cut.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import takewhile
from typing import NamedTuple

import msgspec

from ..resources.audio import AudioFormat

__all__ = ["Heard", "PlaybackLedger", "PlaybackSource"]

_TRACKS_KEPT = 256

# Where a player reports nothing to the end, this many are remembered, heard or not.
_TRACKS_KEPT_UNHEARD = 1024


class PlaybackSource(StrEnum):
    """Who says how much was heard, best first."""

    DEVICE = "device"
    TRANSPORT = "transport"
    CLOCK = "clock"


_RANK = {
    PlaybackSource.CLOCK: 0,
    PlaybackSource.TRANSPORT: 1,
    PlaybackSource.DEVICE: 2,
}


class Heard(NamedTuple):
    """How much of an item was heard, in samples, and who says so."""

    samples: int
    source: PlaybackSource


class _Track(msgspec.Struct):
    """One item's audio.

    Attributes:
        rate: Samples per second.
        width: Bytes of one sample.
        size: Bytes received; a chunk may end within a sample.
        ends_at: When all of it will have been played, by the estimate.
        certain: Samples heard before another item came in between, by the estimate.
        handed: Samples given to a player; None when nobody says.
        reported: Samples played, by a report; None without one.
        source: Who made that report.
        queued: Whether some of it may still be playing, or waits to be played.
        stopped: Whether playback was stopped, after the reported samples.
        late_size: Bytes that came after the stop.
    """

    rate: int
    width: int
    size: int = 0
    ends_at: float = 0.0
    certain: int = 0
    handed: int | None = None
    reported: int | None = None
    source: PlaybackSource = PlaybackSource.CLOCK
    queued: bool = False
    stopped: bool = False
    late_size: int = 0

    @property
    def received(self) -> int:
        return self.size // self.width

    def heard(self, now: float) -> int:
        if self.reported is not None:
            return self.reported
        # What a player was not given yet cannot have been heard.
        heard = self.by_clock(now)
        return heard if self.handed is None else min(heard, self.handed)

    def by_clock(self, now: float) -> int:
        to_come = round(max(0.0, self.ends_at - now) * self.rate)
        return max(self.certain, self.received - to_come)


class PlaybackLedger:
    """Knows for each item how much of its audio has been heard.

    Args:
        audio_format: The format of what is received from now on.

    Attributes:
        dropped_samples: Samples that were received and will never be played, because
            playback of their item was stopped.
    """

    def __init__(self, audio_format: AudioFormat) -> None:
        self._rate = audio_format.sample_rate
        self._width = audio_format.bytes_per_sample
        self._tracks: dict[str, _Track] = {}
        # Those that may still be playing, in order: few, of many that have played.
        self._queue: dict[str, _Track] = {}
        self._newest: _Track | None = None
        self._ends_at = 0.0
        self.dropped_samples: int = 0

    def use_format(self, audio_format: AudioFormat) -> None:
        """Count items that begin from now on in another format."""
        self._rate = audio_format.sample_rate
        self._width = audio_format.bytes_per_sample

    # --- what happens ---

    def received(self, item_id: str, audio: bytes, *, now: float) -> None:
        """Note audio that arrived for an item; after its stop it is dropped."""
        track = self._tracks.get(item_id)
        if track is None:
            track = self._begin(item_id, now)
        elif track.stopped:
            self._drop_late(track, len(audio))
            return
        if track is not self._newest:
            # Another item has come in between: what is queued behind it has not been
            # played, but what was played before stays so.
            track.certain = track.by_clock(now)
            self._newest = track
        if not track.queued:
            track.queued = True
            self._queue[item_id] = track
        size = len(audio)
        track.size += size
        begins = self._ends_at if self._ends_at > now else now
        self._ends_at = track.ends_at = begins + size / (track.rate * track.width)

    def handed(self, item_id: str, samples: int) -> None:
        """Note that a player has so many samples of an item now, in all."""
        track = self._tracks.get(item_id)
        if track is None:
            return
        if track.handed is None:
            self._doubt(item_id, track)
        track.handed = max(track.handed or 0, min(samples, track.received))

    def played(
        self,
        item_id: str,
        samples: int,
        *,
        source: PlaybackSource = PlaybackSource.DEVICE,
    ) -> None:
        """Note a report: so many samples of an item have been played, in all.

        It is cut to what was received, and never takes back an earlier one. Where two
        report, the better source counts: a device knows more than a transport. Items
        before this one are over: a player need not report their last samples.
        """
        track = self._tracks.get(item_id)
        if track is None or track.stopped or _RANK[source] < _RANK[track.source]:
            return
        if track.reported is None:
            self._doubt(item_id, track)
            self._end_before(item_id)
        track.source = source
        track.reported = max(track.reported or 0, min(samples, track.received))
        self.handed(item_id, track.reported)

    def stop(self, item_id: str, heard_samples: int, *, now: float) -> None:
        """Note that playback of an item ended after so many samples.

        The rest is dropped, also what still comes, and what waits behind it moves up.
        What was heard, and received, is from now on the number given here, cut to what
        was received.
        """
        track = self._tracks.get(item_id)
        if track is None:
            track = self._begin(item_id, now)
        received = track.received
        heard = max(0, min(heard_samples, received))
        self.dropped_samples += received - heard
        if not track.stopped:
            self._close_gap(track, now)
        self._dequeue(item_id, track)
        track.stopped = True
        track.size = heard * track.width
        track.reported = track.handed = heard

    def forget(self, item_id: str, *, now: float) -> None:
        """Drop an item that left the conversation; what still comes is not played."""
        track = self._tracks.get(item_id)
        if track is not None:
            if not track.stopped:
                self._close_gap(track, now)
            self._dequeue(item_id, track)
            self._tracks[item_id] = _Track(
                track.rate, track.width, reported=0, stopped=True
            )

    # --- what is known ---

    @property
    def ends_at(self) -> float:
        """When all that was received will have been played, by the estimate."""
        return self._ends_at

    def knows(self, item_id: str) -> bool:
        """Return whether audio of an item has come, or playback of it was stopped."""
        return item_id in self._tracks

    def received_samples(self, item_id: str) -> int:
        """Return how much audio of an item there is: received and not dropped."""
        track = self._tracks.get(item_id)
        return 0 if track is None else track.received

    def handed_samples(self, item_id: str) -> int:
        """Return how much of an item a player was given, as far as anybody says."""
        track = self._tracks.get(item_id)
        return 0 if track is None else track.handed or 0

    def heard(self, item_id: str, *, now: float) -> Heard:
        """Return how much of an item has been heard, and who says so."""
        track = self._tracks.get(item_id)
        if track is None:
            return Heard(0, PlaybackSource.CLOCK)
        return Heard(track.heard(now), track.source)

    def playing(self, *, now: float) -> str | None:
        """Return the first item that has been received and not wholly heard."""
        for item_id, track in list(self._queue.items()):
            if track.heard(now) < track.received:
                return item_id
            self._dequeue(item_id, track)
        return None

    def unheard(self, *, now: float) -> list[tuple[str, int]]:
        """Return the items that may have more to be heard, and how much was.

        The last one is among them even when all of it was heard, since more may be
        coming; those that were stopped are not.
        """
        last = next(reversed(self._tracks), "")
        unheard = [
            (item_id, heard)
            for item_id, track in self._queue.items()
            if (heard := track.heard(now)) < track.received and item_id != last
        ]
        if last and not self._tracks[last].stopped:
            unheard.append((last, self._tracks[last].heard(now)))
        return unheard

    def samples_to_ms(self, samples: int, item_id: str | None = None) -> int:
        """Return the whole milliseconds in so many samples.

        Args:
            samples: The number of samples.
            item_id: The item they are of; without it the format is today's.
        """
        track = self._tracks.get(item_id or "")
        return samples * 1000 // (self._rate if track is None else track.rate)

    def check(self) -> None:
        """Raise AssertionError when the counts contradict each other."""
        assert self.dropped_samples >= 0, self.dropped_samples
        assert len(self._tracks) <= _TRACKS_KEPT_UNHEARD, len(self._tracks)
        assert self._queue.keys() <= self._tracks.keys(), list(self._queue)
        for item_id, track in self._tracks.items():
            assert track.queued == (self._queue.get(item_id) is track), item_id
            assert not (track.queued and track.stopped), item_id
            received = track.received
            reported, handed = track.reported or 0, track.handed or 0
            assert 0 <= reported <= received, (item_id, track)
            assert 0 <= handed <= received, (item_id, track)
            assert track.reported is None or reported <= handed, (item_id, track)
            assert 0 <= track.certain <= received or track.stopped, (item_id, track)
            assert track.reported is not None or not track.stopped, (item_id, track)
            assert track.ends_at <= self._ends_at or track.stopped, (item_id, track)

    # --- the queue of what plays ---

    def _begin(self, item_id: str, now: float) -> _Track:
        track = self._tracks[item_id] = _Track(self._rate, self._width)
        self._newest = track
        if len(self._tracks) > _TRACKS_KEPT:
            self._forget_heard(now)
        return track

    def _forget_heard(self, now: float) -> None:
        """Drop the oldest items that are wholly heard, and the oldest of far too many.

        Never the newest 256.
        """
        old = list(self._tracks)[:-_TRACKS_KEPT]
        for item_id in old:
            track = self._tracks[item_id]
            too_many = len(self._tracks) > _TRACKS_KEPT_UNHEARD
            if too_many or track.heard(now) >= track.received:
                self._dequeue(item_id, track)
                del self._tracks[item_id]

    def _doubt(self, item_id: str, track: _Track) -> None:
        """Put an item back into the queue that the clock took for wholly heard."""
        if not track.queued and not track.stopped:
            track.queued = True
            self._queue = {item_id: track, **self._queue}

    def _dequeue(self, item_id: str, track: _Track) -> None:
        track.queued = False
        self._queue.pop(item_id, None)

    def _end_before(self, item_id: str) -> None:
        """Take out of the queue all that began before an item."""
        for earlier in takewhile(lambda name: name != item_id, self._tracks):
            self._dequeue(earlier, self._tracks[earlier])

    def _drop_late(self, track: _Track, size: int) -> None:
        """Count audio that came after the stop of its item."""
        before = track.late_size // track.width
        track.late_size += size
        self.dropped_samples += track.late_size // track.width - before

    def _close_gap(self, stopped: _Track, now: float) -> None:
        """Let what waits behind an item begin earlier: the item's rest is not played.

        What the item still had to play counts by the estimate, like all of the queue.
        """
        gap = (stopped.received - stopped.by_clock(now)) / stopped.rate
        ends_at = self._ends_at - gap
        for track in self._tracks.values():
            if track.ends_at > stopped.ends_at:
                track.ends_at -= gap
            if track is not stopped and not track.stopped:
                ends_at = max(ends_at, track.ends_at)
        self._ends_at = ends_at
