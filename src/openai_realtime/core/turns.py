"""The user's turns: which audio became which item, whoever decided it.

Three may commit what the user said: voice activity detection, which names the span of
the speech first; we ourselves, in the order of our commits; and somebody else on the
same session (PROTOCOL.md section 4.5). This keeps the three apart, over the ledger of
the audio and the machine that says whether somebody speaks.

Nothing here raises for what a server says: in any order, with any numbers.
"""

from __future__ import annotations

from collections import deque

import msgspec

from ..resources.audio import PCM16, AudioFormat
from ..resources.formatted import ItemSpeech
from ..resources.limits import APIError
from .input_audio import AudioSpan, InputAudioLedger
from .turn_state import TurnState, UserTurn

__all__ = ["SHORTEST_COMMIT_MS", "Turns"]

# PROTOCOL.md section 3.6.
SHORTEST_COMMIT_MS = 100
_COMMIT_EMPTY = "input_audio_buffer_commit_empty"

# Spans that wait for their commit: one as a rule, two when speech goes on at once.
_SPANS_KEPT = 16

# Commits without an answer. Of a server that answers none, the oldest are given up.
_COMMITS_KEPT = 64

# Items whose commit is remembered, so that a second announcement changes nothing.
_COMMITTED_KEPT = 256


class _Speech(msgspec.Struct):
    """A span that was reported for an item.

    Attributes:
        start_ms: Its start, as the server said.
        end_ms: Its end, as the server said; None while it lasts.
        not_before: The position up to which other items have taken the audio.
    """

    start_ms: int
    end_ms: int | None = None
    not_before: int = 0


class _Commit(msgspec.Struct):
    """A commit of ours that the server has not answered yet.

    Attributes:
        event_id: The id it was sent with, if any.
        span: The audio that it is about.
        clears: How many clears came before it.
    """

    event_id: object
    span: AudioSpan
    clears: int


class Turns:
    """Knows which audio of the user belongs to which item, and whether they speak.

    While detection is on and nobody speaks, only a short tail of the audio is kept;
    while somebody speaks all since the start of the speech, and in manual turns all
    that is pending; none of it beyond the retention.

    Args:
        retention_s: Seconds of audio to keep at most; None keeps everything.

    Attributes:
        ledger: The audio, and how much of it is pending.
        detecting: Whether the server finds turns; it does unless told otherwise.
        missing_bytes: How much of what was committed last is not kept any more.
        watched: Whether it did while there was audio: then it may have taken some.
    """

    def __init__(self, *, retention_s: float | None = 120.0) -> None:
        self.ledger: InputAudioLedger = InputAudioLedger(PCM16, retention_s=retention_s)
        self.detecting: bool = True
        self.watched: bool = False
        self.missing_bytes: int = 0
        self._turn = UserTurn()
        self._spans: dict[str, _Speech] = {}
        self._commits: deque[_Commit] = deque(maxlen=_COMMITS_KEPT)
        self._committed: dict[str, None] = {}
        self._clears = 0
        self._clears_unanswered = 0

    @property
    def state(self) -> TurnState:
        """Where the user's turn is."""
        return self._turn.state

    @property
    def speaking(self) -> bool:
        """Whether the user is speaking, by the server's detection."""
        return self._turn.state is TurnState.SPEAKING

    @property
    def is_ending(self) -> bool:
        """Whether the server is about to commit what it has found."""
        return self._turn.is_ending

    @property
    def pending_ms(self) -> int:
        """Milliseconds appended and not yet committed or cleared."""
        return self.ledger.pending_ms

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of one sample of the user's audio."""
        return self.ledger.bytes_per_sample

    def use_session(self, audio_format: AudioFormat, *, detecting: bool) -> None:
        """Go by the session as the server describes it; it may change while running.

        Detection switched off ends the turn that runs; its audio stays pending, for a
        commit by hand. The span is remembered, since a commit of it may be on its way.
        Switched on, it leaves pending what is. A change of the format begins the
        ledger anew, and commits on their way have no audio then.
        """
        if self.ledger.use_format(audio_format):
            self._clears += 1
            here = self.ledger.appended_samples
            for commit in self._commits:
                commit.span = AudioSpan(here, here)
            for speech in self._spans.values():
                speech.not_before = 0
        if not detecting:
            self._turn.detection_off()
        self.detecting = detecting
        self.watched |= detecting and self.ledger.appended_samples > 0
        self._note_needed()

    # --- what we send ---

    def append_sent(self, audio: bytes) -> None:
        """Note audio that was sent."""
        self.watched |= self.detecting
        self.ledger.append(audio)

    def commit_sent(self, event_id: object) -> None:
        """Note a commit of ours; nothing is pending until it is answered or refused.

        Args:
            event_id: The id it was sent with; None or UNSET without one.
        """
        self._commits.append(_Commit(event_id, self.ledger.commit(), self._clears))
        self._note_needed()

    def clear_sent(self) -> None:
        """Note a clear of ours; what is appended after it is pending anew."""
        self._clears += 1
        self._clears_unanswered += 1
        self.ledger.clear()
        self._note_needed()

    def commit_refused(self, error: APIError) -> bool:
        """Make the audio of a refused commit pending again: the server still has it.

        It comes before the audio appended since. When another commit has followed, it
        belongs to that one; when a clear has followed, it is gone.

        Returns:
            Whether the error answers a commit of ours.
        """
        for index, commit in enumerate(self._commits):
            unnamed = not error.event_id and error.code == _COMMIT_EMPTY
            if unnamed or (error.event_id and commit.event_id == error.event_id):
                del self._commits[index]
                if self._is_still_there(commit, error):
                    self._give_back(commit, index)
                self._note_needed()
                return True
        return False

    def _is_still_there(self, commit: _Commit, error: APIError) -> bool:
        """Whether the server has the audio of a commit that it refused.

        Less than it takes stays in its buffer. Of more it would not have said that
        there was too little: somebody else has taken it.
        """
        samples = commit.span.end - commit.span.start
        enough = self.ledger.position_at(SHORTEST_COMMIT_MS)
        return error.code != _COMMIT_EMPTY or samples < enough

    def _give_back(self, commit: _Commit, index: int) -> None:
        """Join the audio of a refused commit to what came directly after it."""
        start, end = commit.span
        if start == end:
            return
        if index < len(self._commits):
            following = self._commits[index]
            if following.clears == commit.clears:
                following.span = AudioSpan(start, following.span.end)
        elif commit.clears == self._clears:
            self.ledger.restore(start)

    # --- what the server says ---

    def speech_started(self, item_id: str, audio_start_ms: int) -> None:
        """Note that the user began to speak what will become an item."""
        if item_id in self._committed:
            return
        former = self._spans.get(self._turn.item_id or "")
        if former is not None and former.end_ms is None:
            # Its end was lost; it came no later than this.
            former.end_ms = audio_start_ms
        self._turn.started(item_id)
        self._remember(item_id, _Speech(audio_start_ms))

    def speech_stopped(self, item_id: str, audio_end_ms: int) -> None:
        """Note that the user stopped; a commit of the item follows.

        Of speech whose start was never told nothing but the end is known.
        """
        if item_id in self._committed:
            return
        self._turn.stopped(item_id)
        speech = self._spans.get(item_id)
        if speech is None:
            self._remember(item_id, _Speech(audio_end_ms, audio_end_ms))
        else:
            speech.end_ms = audio_end_ms

    def timeout_triggered(self, item_id: str, start_ms: int, end_ms: int) -> None:
        """Note that silence will become an item (PROTOCOL.md section 6.11)."""
        if item_id in self._committed:
            return
        self._turn.timed_out(item_id)
        self._remember(item_id, _Speech(start_ms, end_ms))

    def committed(self, item_id: str) -> bytes:
        """Note that audio became an item, and return that audio.

        A span with a known end is its item's audio. Otherwise a commit of ours is
        answered, the first one that has no answer. Otherwise somebody else committed:
        the speech that runs, or all that is pending.

        Returns:
            The audio as far as it is kept; nothing for an item committed before.
        """
        self.missing_bytes = 0
        if item_id in self._committed:
            return b""
        # A server that does not say what became of the audio may say so again.
        if item_id:
            self._committed[item_id] = None
        if len(self._committed) > _COMMITTED_KEPT:
            del self._committed[next(iter(self._committed))]
        audio = self._take_audio(item_id)
        self._note_needed()
        return audio

    def cleared(self) -> None:
        """Note that the server dropped what was in its buffer, and the turn in it."""
        if self._clears_unanswered:
            # Ours was noted when it was sent; audio came after it meanwhile.
            self._clears_unanswered -= 1
        else:
            self._clears += 1
            self.ledger.clear()
        self._turn.cleared()
        self._spans.clear()
        self._note_needed()

    def speech_of(self, item_id: str) -> ItemSpeech | None:
        """Return the speech that will become an item, until it is committed.

        Its audio is cut out of the ledger now, up to here while the speech lasts.
        """
        speech = self._spans.get(item_id)
        if speech is None:
            return None
        return ItemSpeech(
            audio_start_ms=speech.start_ms,
            audio_end_ms=speech.end_ms,
            audio=self._audio_of(speech),
        )

    def check(self) -> None:
        """Raise AssertionError when the parts contradict each other."""
        self.ledger.check()
        quiet = self._turn.state is TurnState.QUIET
        assert quiet == (self._turn.item_id is None), self._turn.item_id
        assert quiet or self._turn.item_id in self._spans, self._turn.item_id
        assert len(self._spans) <= _SPANS_KEPT, len(self._spans)
        assert len(self._committed) <= _COMMITTED_KEPT, len(self._committed)
        assert not self._committed.keys() & self._spans.keys(), list(self._spans)
        assert 0 <= self._clears_unanswered <= self._clears, self._clears
        position = 0
        for commit in self._commits:
            assert position <= commit.span.start <= commit.span.end, commit.span
            position = commit.span.end
        assert position <= self.ledger.pending_from, position

    # --- whose audio it is ---

    def _take_audio(self, item_id: str) -> bytes:
        """Find out who committed, and take the audio out of what is pending."""
        speech = self._spans.get(item_id)
        if speech is not None and speech.end_ms is not None:
            return self._take_speech(item_id, speech)
        if self._commits:
            self._spans.pop(item_id, None)
            span = self._commits.popleft().span
            self._buffer_taken(span.end)
            return self._between(*span)
        turn_id = self._turn.item_id
        if speech is None and self._turn.is_ending and turn_id is not None:
            # The commit that follows a stop is the turn's, under whatever id.
            return self._take_speech(turn_id, self._spans[turn_id])
        if speech is not None:
            return self._take_speech(item_id, speech)
        span = self.ledger.commit()
        self._buffer_taken(span.end)
        return self._between(*span)

    def _between(self, start: int, end: int) -> bytes:
        """Return the audio of a span, and note how much of it is gone."""
        audio = self.ledger.between(start, end)
        first, last = max(0, start), min(end, self.ledger.appended_samples)
        whole = max(0, last - first) * self.ledger.bytes_per_sample
        self.missing_bytes = max(0, whole - len(audio))
        return audio

    def _take_speech(self, item_id: str, speech: _Speech) -> bytes:
        """Take what was said in a span: all before its end has left the buffer."""
        end = self._end_of(speech)
        audio = self._between(self._start_of(speech), end)
        del self._spans[item_id]
        self.ledger.commit_until(end)
        for commit in self._commits:
            start = min(max(commit.span.start, end), commit.span.end)
            commit.span = AudioSpan(start, commit.span.end)
        if item_id == self._turn.item_id:
            self._turn.committed()
        return audio

    def _buffer_taken(self, end: int) -> None:
        """Note that an item took the whole buffer, up to here.

        The turn in it is over. Speech that goes on is announced anew or, where the
        server goes on with the same item, has its audio from here on.
        """
        self._turn.committed()
        for item_id, speech in list(self._spans.items()):
            if speech.end_ms is not None and self._end_of(speech) <= end:
                del self._spans[item_id]
            else:
                speech.not_before = max(speech.not_before, end)

    def _start_of(self, speech: _Speech) -> int:
        return max(self.ledger.position_at(speech.start_ms), speech.not_before)

    def _end_of(self, speech: _Speech) -> int:
        if speech.end_ms is None:
            return self.ledger.appended_samples
        return self.ledger.position_at(speech.end_ms)

    def _audio_of(self, speech: _Speech) -> bytes:
        return self.ledger.between(self._start_of(speech), self._end_of(speech))

    def _remember(self, item_id: str, speech: _Speech) -> None:
        self._spans.pop(item_id, None)
        self._spans[item_id] = speech
        if len(self._spans) > _SPANS_KEPT:
            running = self._turn.item_id
            del self._spans[next(name for name in self._spans if name != running)]
        self._note_needed()

    def _note_needed(self) -> None:
        """Tell the ledger from where on its audio may still become an item."""
        needed = [commit.span.start for commit in self._commits]
        if not self.detecting:
            needed.append(self.ledger.pending_from)
        if self._turn.state is not TurnState.QUIET:
            # A span without an end that is not the turn's has been given up.
            needed += [
                self._start_of(speech)
                for item_id, speech in self._spans.items()
                if speech.end_ms is not None or item_id == self._turn.item_id
            ]
        self.ledger.need_from(min(needed, default=None))
