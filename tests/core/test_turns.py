"""The user's turns: which audio became which item."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime._struct import UNSET
from openai_realtime.core.turn_state import TurnState
from openai_realtime.core.turns import Turns
from openai_realtime.resources import APIError, AudioFormat

from .server_events import pcm

PCM = AudioFormat.named("pcm16")
ULAW = AudioFormat.named("g711_ulaw")
SECOND = 24_000
EMPTY = "input_audio_buffer_commit_empty"
QUIET, SPEAKING, ENDING = TurnState.QUIET, TurnState.SPEAKING, TurnState.ENDING


def turns_with(*seconds: int, detecting: bool = True) -> Turns:
    """Return turns with a second of audio for each number, which are its samples."""
    made = Turns()
    made.use_session(PCM, detecting=detecting)
    for value in seconds:
        made.append_sent(pcm(SECOND, value))
    return made


def manual(*seconds: int) -> Turns:
    """Return turns with detection off."""
    return turns_with(*seconds, detecting=False)


def speak(turns: Turns, item_id: str, start_ms: int, end_ms: int) -> None:
    """Let the server report a span of speech."""
    turns.speech_started(item_id, start_ms)
    turns.speech_stopped(item_id, end_ms)


def seconds_of(audio: bytes) -> list[int]:
    """Return the samples that audio consists of, each second told by its first."""
    return [audio[at] for at in range(0, len(audio), SECOND * 2)]


def refusal(event_id: str | None = None, code: str = EMPTY) -> APIError:
    """Return the error that refuses a commit."""
    return APIError(code=code, event_id=event_id)


# --- turn detection ---


def test_state_follows_the_speech() -> None:
    """Who asks whether the user speaks gets the server's word."""
    turns = turns_with(1, 2, 3)
    assert (turns.state, turns.speaking) == (QUIET, False)
    turns.speech_started("u", 1000)
    assert (turns.state, turns.speaking) == (SPEAKING, True)
    turns.speech_stopped("u", 2000)
    assert (turns.state, turns.speaking) == (ENDING, False)
    turns.committed("u")
    assert (turns.state, turns.speaking) == (QUIET, False)


def test_detected_turn_has_the_audio_of_its_span() -> None:
    """The silence before and after the speech is not part of the user's item."""
    turns = turns_with(1, 2, 3, 4)
    speak(turns, "u", 1000, 3000)
    assert seconds_of(turns.committed("u")) == [2, 3]
    assert turns.pending_ms == 1000
    turns.check()


def test_speech_is_known_until_it_is_committed() -> None:
    """The span can be asked for while it lasts, when it has ended, and not after."""
    turns = turns_with(1, 2, 3)
    turns.speech_started("u", 1000)
    speech = turns.speech_of("u")
    assert speech is not None
    assert (speech.audio_start_ms, speech.audio_end_ms) == (1000, None)
    assert seconds_of(speech.audio) == [2, 3]
    turns.speech_stopped("u", 2000)
    speech = turns.speech_of("u")
    assert speech is not None
    assert speech.audio_end_ms == 2000
    assert seconds_of(speech.audio) == [2]
    turns.committed("u")
    assert turns.speech_of("u") is None
    assert turns.speech_of("somebody") is None


def test_speech_that_goes_on_before_the_commit_is_a_turn_of_its_own() -> None:
    """The commit of the turn before does not end the one that runs."""
    turns = turns_with(1, 2, 3)
    speak(turns, "u", 0, 1000)
    turns.speech_started("v", 2000)
    assert seconds_of(turns.committed("u")) == [1]
    assert turns.state is SPEAKING
    turns.speech_stopped("v", 3000)
    assert seconds_of(turns.committed("v")) == [3]
    assert turns.state is QUIET


def test_start_ends_a_turn_whose_end_was_never_told() -> None:
    """A lost stop does not give one item the audio of the next."""
    turns = turns_with(1, 2, 3)
    turns.speech_started("u", 0)
    turns.speech_started("v", 2000)
    assert seconds_of(turns.committed("u")) == [1, 2]
    assert turns.state is SPEAKING


def test_commit_without_a_stop_takes_the_speech_up_to_now() -> None:
    """A server that tells no stop gives the item what was said until its commit."""
    turns = turns_with(1, 2, 3)
    turns.speech_started("u", 1000)
    assert seconds_of(turns.committed("u")) == [2, 3]
    assert (turns.state, turns.pending_ms) == (QUIET, 0)


def test_stop_without_a_start_gives_no_audio() -> None:
    """Of speech whose start is unknown no audio is made up, but it is not pending."""
    turns = turns_with(1, 2)
    turns.speech_stopped("u", 1000)
    assert turns.state is QUIET
    assert turns.committed("u") == b""
    assert turns.pending_ms == 1000


def test_commit_after_a_stop_is_the_turns_under_any_id() -> None:
    """Some servers announce one id and commit another; the audio is the turn's."""
    turns = turns_with(1, 2, 3)
    speak(turns, "announced", 1000, 2000)
    assert seconds_of(turns.committed("other")) == [2]
    assert (turns.state, turns.speech_of("announced")) == (QUIET, None)
    assert turns.pending_ms == 1000
    turns.check()


def test_idle_timeout_names_the_silence_that_becomes_an_item() -> None:
    """The item of an idle timeout has the silence, though nobody spoke (6.11)."""
    turns = turns_with(*range(40))
    turns.timeout_triggered("u", 8000, 38_000)
    assert turns.state is TurnState.SILENT
    assert seconds_of(turns.committed("u")) == list(range(8, 38))
    assert (turns.state, turns.pending_ms) == (QUIET, 2000)


@pytest.mark.parametrize(
    "late",
    [
        lambda turns: turns.committed("u"),
        lambda turns: turns.speech_started("u", 2000),
        lambda turns: turns.speech_stopped("u", 3000),
        lambda turns: turns.timeout_triggered("u", 2000, 3000),
    ],
    ids=["committed", "started", "stopped", "timeout"],
)
def test_late_word_about_a_committed_item_changes_nothing(
    late: Callable[[Turns], object],
) -> None:
    """An item is committed once; what comes twice takes no audio from the next."""
    turns = turns_with(1, 2, 3)
    speak(turns, "u", 0, 1000)
    turns.committed("u")
    assert not late(turns)
    assert (turns.state, turns.speech_of("u"), turns.pending_ms) == (QUIET, None, 2000)
    turns.check()


def test_clear_ends_the_turn_and_forgets_its_speech() -> None:
    """What was dropped by the server becomes no item."""
    turns = turns_with(1, 2)
    turns.speech_started("u", 0)
    turns.cleared()
    assert (turns.state, turns.speech_of("u"), turns.pending_ms) == (QUIET, None, 0)


# --- detection switched while it runs ---


def test_detection_switched_off_leaves_the_audio_for_a_commit_by_hand() -> None:
    """The turn that ran is over, and what was said in it is still pending."""
    turns = turns_with(1, 2, 3)
    turns.speech_started("u", 1000)
    turns.use_session(PCM, detecting=False)
    assert (turns.state, turns.detecting, turns.pending_ms) == (QUIET, False, 3000)
    turns.commit_sent("e")
    assert seconds_of(turns.committed("v")) == [1, 2, 3]


def test_turn_that_the_server_ends_at_the_switch_has_its_audio() -> None:
    """A server may commit what ran when detection was switched off."""
    turns = turns_with(1, 2, 3)
    turns.speech_started("u", 1000)
    turns.use_session(PCM, detecting=False)
    turns.speech_stopped("u", 2000)
    assert turns.state is QUIET
    assert seconds_of(turns.committed("u")) == [2]
    assert turns.pending_ms == 1000


def test_commit_by_hand_may_take_the_id_that_was_announced() -> None:
    """Our commit has all of our audio, also under the id of the speech in it."""
    turns = turns_with(1, 2, 3)
    turns.speech_started("u", 1000)
    turns.use_session(PCM, detecting=False)
    turns.commit_sent("e")
    turns.append_sent(pcm(SECOND, 4))
    assert seconds_of(turns.committed("u")) == [1, 2, 3]
    assert (turns.speech_of("u"), turns.pending_ms) == (None, 1000)
    turns.check()


def test_detection_switched_on_keeps_what_is_pending() -> None:
    """Audio of a manual turn is neither lost nor committed by the switch."""
    turns = manual(1, 2)
    turns.use_session(PCM, detecting=True)
    assert (turns.detecting, turns.pending_ms) == (True, 2000)
    turns.commit_sent("e")
    assert seconds_of(turns.committed("u")) == [1, 2]


def test_same_session_again_does_not_end_the_turn() -> None:
    """A `session.updated` about something else leaves the speech alone."""
    turns = turns_with(1)
    turns.speech_started("u", 0)
    turns.use_session(PCM, detecting=True)
    assert turns.speaking


# --- commits of ours ---


def test_commits_are_answered_in_order() -> None:
    """Each item has the audio of its commit, whatever was appended meanwhile."""
    turns = manual(1)
    turns.commit_sent("a")
    turns.append_sent(pcm(SECOND, 2))
    turns.commit_sent("b")
    turns.append_sent(pcm(SECOND, 3))
    assert seconds_of(turns.committed("u")) == [1]
    assert seconds_of(turns.committed("v")) == [2]
    assert turns.pending_ms == 1000
    turns.check()


def test_refused_commit_is_pending_again_in_front() -> None:
    """The server still has the audio; the next commit takes it first."""
    turns = manual(1)
    turns.commit_sent("mine")
    turns.append_sent(pcm(SECOND, 2))
    assert turns.commit_refused(refusal("mine", code="server_error"))
    assert turns.pending_ms == 2000
    turns.commit_sent("next")
    assert seconds_of(turns.committed("u")) == [1, 2]


@pytest.mark.parametrize("milliseconds", [99, 100])
@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ("mine", refusal("mine")),
        ("mine", refusal()),
        (UNSET, refusal()),
        (None, refusal()),
    ],
    ids=["named", "unnamed", "sent-without-id", "sent-with-null"],
)
def test_what_was_too_short_stays_with_the_server(
    sent: object, error: APIError, milliseconds: int
) -> None:
    """Where there was enough, and the server says there is not, another has it."""
    turns = manual()
    turns.append_sent(pcm(SECOND * milliseconds // 1000))
    turns.commit_sent(sent)
    turns.append_sent(pcm(SECOND, 2))
    assert turns.commit_refused(error)
    assert turns.pending_ms == 1000 + (99 if milliseconds == 99 else 0)


@pytest.mark.parametrize(
    "error",
    [refusal("other"), refusal(code="server_error"), APIError(), refusal("", code="x")],
)
@pytest.mark.parametrize("sent", ["mine", UNSET, None])
def test_error_about_something_else_refuses_no_commit(
    sent: object, error: APIError
) -> None:
    """An error without an id is not taken for the answer to a commit without one."""
    turns = manual(1)
    turns.commit_sent(sent)
    assert not turns.commit_refused(error)
    assert turns.pending_ms == 0
    assert seconds_of(turns.committed("u")) == [1]


def test_refusal_without_a_commit_is_nobodys() -> None:
    """Nothing becomes pending by an error that we did not cause."""
    turns = manual(1)
    assert not turns.commit_refused(refusal())
    assert turns.pending_ms == 1000


def test_audio_of_a_refused_commit_goes_to_the_commit_behind_it() -> None:
    """The server still had it when it took the next commit."""
    turns = manual(1)
    turns.commit_sent("a")
    turns.append_sent(pcm(SECOND, 2))
    turns.commit_sent("b")
    assert turns.commit_refused(refusal("a", code="server_error"))
    assert turns.pending_ms == 0
    assert seconds_of(turns.committed("u")) == [1, 2]


def test_refused_last_commit_leaves_the_first_alone() -> None:
    """Only the audio that was refused is pending again."""
    turns = manual(1)
    turns.commit_sent("a")
    turns.append_sent(pcm(SECOND, 2))
    turns.commit_sent("b")
    assert turns.commit_refused(refusal("b", code="server_error"))
    assert turns.pending_ms == 1000
    assert seconds_of(turns.committed("u")) == [1]
    turns.check()


def test_commit_of_nothing_that_is_refused_makes_nothing_pending() -> None:
    """An empty commit had no audio to give back."""
    turns = manual(1)
    turns.commit_sent("a")
    turns.committed("u")
    turns.commit_sent("b")
    assert turns.commit_refused(refusal("b"))
    assert turns.pending_ms == 0


@pytest.mark.parametrize("by_us", [True, False])
def test_refused_commit_before_a_clear_stays_cleared(by_us: bool) -> None:
    """What was dropped after the commit is not pending, when the refusal comes late."""
    turns = manual(1)
    turns.commit_sent("a")
    if by_us:
        turns.clear_sent()
    else:
        turns.cleared()
    turns.append_sent(pcm(SECOND, 2))
    assert turns.commit_refused(refusal("a", code="server_error"))
    assert turns.pending_ms == 1000
    turns.commit_sent("b")
    assert seconds_of(turns.committed("u")) == [2]


def test_refused_commit_does_not_join_one_behind_a_clear() -> None:
    """A clear between two commits keeps their audio apart."""
    turns = manual(1)
    turns.commit_sent("a")
    turns.clear_sent()
    turns.append_sent(pcm(SECOND, 2))
    turns.commit_sent("b")
    assert turns.commit_refused(refusal("a", code="server_error"))
    assert seconds_of(turns.committed("u")) == [2]


def test_answer_to_our_clear_keeps_what_came_after_it() -> None:
    """Push to talk begins with a clear, whose answer comes when audio is on its way."""
    turns = manual(1)
    turns.clear_sent()
    turns.append_sent(pcm(SECOND, 2))
    turns.cleared()
    assert turns.pending_ms == 1000
    turns.cleared()
    assert turns.pending_ms == 0


def test_commit_by_somebody_else_takes_all_that_is_pending() -> None:
    """A sideband connection may commit our audio (section 4.5)."""
    turns = manual(1, 2)
    assert seconds_of(turns.committed("u")) == [1, 2]
    assert turns.pending_ms == 0


def test_commit_by_hand_during_speech_ends_the_turn() -> None:
    """Speech that goes on under the same id has its audio from the commit on."""
    turns = turns_with(1, 2)
    turns.speech_started("u", 0)
    turns.commit_sent("e")
    turns.append_sent(pcm(SECOND, 3))
    assert seconds_of(turns.committed("v")) == [1, 2]
    assert turns.state is QUIET
    turns.speech_stopped("u", 3000)
    assert seconds_of(turns.committed("u")) == [3]
    turns.check()


def test_commit_by_hand_forgets_speech_that_is_in_it() -> None:
    """A turn whose audio went into another item waits for no commit."""
    turns = turns_with(1, 2)
    speak(turns, "u", 0, 1000)
    turns.commit_sent("e")
    assert seconds_of(turns.committed("v")) == [1, 2]
    assert turns.speech_of("u") is None


@pytest.mark.parametrize(
    ("end_ms", "rest"), [(500, 36_000), (1000, 24_000), (2000, 0), (10**30, 0)]
)
def test_turn_that_was_detected_first_leaves_our_commit_the_rest(
    end_ms: int, rest: int
) -> None:
    """Our commit that crosses the server's has what the server's left over."""
    turns = turns_with(1, 2)
    speak(turns, "u", 0, end_ms)
    turns.commit_sent("e")
    turns.committed("u")
    turns.check()
    assert len(turns.committed("v")) == rest * 2


def test_refused_commit_that_a_turn_emptied_gives_nothing_to_the_next() -> None:
    """Audio of a detected turn does not come back through a refusal."""
    turns = turns_with(1)
    speak(turns, "u", 0, 1500)
    turns.commit_sent("a")
    turns.append_sent(pcm(SECOND, 2))
    turns.commit_sent("b")
    turns.committed("u")
    assert turns.commit_refused(refusal("a"))
    assert turns.committed("v") == pcm(SECOND // 2, 2)


def test_refused_rest_is_pending_again() -> None:
    """A crossing commit that was left too little gives back just that."""
    turns = turns_with(1)
    speak(turns, "u", 0, 950)
    turns.commit_sent("e")
    turns.committed("u")
    assert turns.commit_refused(refusal("e"))
    assert turns.pending_ms == 50


# --- formats ---


def test_change_of_the_format_begins_the_audio_anew() -> None:
    """Commits on their way keep their place in the order, without audio."""
    turns = manual(1)
    turns.commit_sent("a")
    turns.append_sent(pcm(SECOND, 2))
    turns.use_session(ULAW, detecting=False)
    assert (turns.pending_ms, turns.bytes_per_sample) == (0, 1)
    turns.append_sent(b"\x03" * 8000)
    turns.commit_sent("b")
    turns.check()
    assert turns.committed("u") == b""
    assert turns.committed("v") == b"\x03" * 8000


def test_refusal_from_before_the_change_makes_nothing_pending() -> None:
    """Audio of the former format is gone, whatever became of its commit."""
    turns = manual(1)
    turns.commit_sent("a")
    turns.use_session(ULAW, detecting=False)
    assert turns.commit_refused(refusal("a"))
    assert turns.pending_ms == 0


def test_speech_goes_on_over_a_change_of_the_format() -> None:
    """The part in the new format is found by the server's positions."""
    turns = turns_with(1, 2)
    turns.speech_started("u", 1000)
    turns.use_session(ULAW, detecting=True)
    turns.append_sent(b"\x03" * 8000)
    turns.speech_stopped("u", 2500)
    assert turns.committed("u") == b"\x03" * 4000
    assert turns.pending_ms == 500


def test_speech_after_a_commit_is_found_in_the_new_format() -> None:
    """Positions of the former format do not hide audio of the new one."""
    turns = turns_with(1, 2)
    turns.speech_started("u", 0)
    turns.commit_sent("e")
    turns.committed("v")
    turns.use_session(ULAW, detecting=True)
    turns.append_sent(b"\x03" * 8000)
    turns.speech_stopped("u", 3000)
    assert turns.committed("u") == b"\x03" * 8000


# --- what is kept ---


def kept_s(turns: Turns) -> float:
    """Return the seconds of audio kept."""
    return turns.ledger.kept_bytes / (SECOND * 2)


def listen(turns: Turns, seconds: int) -> Turns:
    """Append so many seconds of audio."""
    for value in range(seconds):
        turns.append_sent(pcm(SECOND, value % 251))
    return turns


def test_silence_keeps_a_tail_only() -> None:
    """An hour of an open microphone costs the memory of half a minute."""
    assert kept_s(listen(turns_with(), 3600)) == 35


@pytest.mark.parametrize("ended", [False, True])
def test_speech_is_kept_from_its_start(ended: bool) -> None:
    """A minute-long turn has all of its audio, until it is committed."""
    turns = listen(turns_with(), 10)
    turns.speech_started("u", 9000)
    listen(turns, 60)
    if ended:
        turns.speech_stopped("u", 69_000)
        listen(turns, 5)
    assert kept_s(turns) == (66 if ended else 61)
    assert len(turns.committed("u")) == (60 if ended else 61) * SECOND * 2
    assert kept_s(listen(turns, 1)) == 35


def test_speech_that_begins_before_what_is_kept_has_what_is_kept() -> None:
    """A start long ago, or before all time, gives the part that is there."""
    turns = listen(turns_with(), 100)
    speak(turns, "u", -5000, 98_000)
    assert len(turns.committed("u")) == 33 * SECOND * 2


def test_turn_that_waits_for_its_commit_is_kept_while_the_next_is_spoken() -> None:
    """Speech that goes on does not cost the turn before its audio."""
    turns = listen(turns_with(), 10)
    speak(turns, "u", 0, 9000)
    turns.speech_started("v", 10_000)
    listen(turns, 60)
    assert len(turns.committed("u")) == 9 * SECOND * 2


def test_manual_turn_is_kept_up_to_the_retention() -> None:
    """A long recording by hand loses its beginning, not all of it."""
    turns = listen(manual(), 100)
    assert kept_s(turns) == 100
    listen(turns, 100)
    assert kept_s(turns) == 120
    assert turns.pending_ms == 200_000
    turns.commit_sent("e")
    listen(turns, 10)
    assert len(turns.committed("u")) == 110 * SECOND * 2
    assert kept_s(listen(turns, 1)) == 35


def test_everything_is_kept_on_request() -> None:
    """Without a retention even silence is kept."""
    assert kept_s(listen(Turns(retention_s=None), 300)) == 300


def test_given_up_speech_holds_no_audio() -> None:
    """Speech that was never ended nor committed costs nothing in later turns."""
    turns = turns_with(1)
    turns.speech_started("u", 0)
    turns.use_session(PCM, detecting=False)
    turns.use_session(PCM, detecting=True)
    listen(turns, 99)
    turns.speech_started("v", 99_000)
    assert kept_s(listen(turns, 1)) == 35


def test_server_that_announces_without_end_fills_nothing() -> None:
    """Spans, commits and items that never come to an end are bounded."""
    turns = turns_with(1)
    turns.speech_started("speaker", 0)
    for number in range(1000):
        turns.speech_stopped(f"s{number}", number)
        turns.timeout_triggered(f"t{number}", number, number)
        turns.commit_sent(f"e{number}")
        turns.check()
    assert turns.speech_of("speaker") is not None
    assert turns.commit_refused(refusal("e999"))
    assert not turns.commit_refused(refusal("e0"))
    for number in range(1000):
        turns.committed(f"c{number}")
        turns.check()


# --- any order, any numbers ---

_ids = st.sampled_from(["u", "v", "w", "x"])
_ms = st.integers(-500, 3000) | st.sampled_from([-(10**30), 10**30])
_events = st.sampled_from(["e1", "e2", None, UNSET])
_steps = st.one_of(
    st.tuples(st.just("append_sent"), st.binary(max_size=20_000)),
    st.tuples(st.just("commit_sent"), _events),
    st.tuples(st.just("clear_sent")),
    st.tuples(st.just("cleared")),
    st.tuples(
        st.just("commit_refused"),
        st.builds(APIError, code=st.sampled_from([EMPTY, "x"]), event_id=_events),
    ),
    st.tuples(st.just("speech_started"), _ids, _ms),
    st.tuples(st.just("speech_stopped"), _ids, _ms),
    st.tuples(st.just("timeout_triggered"), _ids, _ms, _ms),
    st.tuples(st.just("committed"), _ids),
    st.tuples(st.just("speech_of"), _ids),
    st.tuples(st.just("use_session"), st.sampled_from([PCM, ULAW]), st.booleans()),
)


@settings(max_examples=300)
@given(st.lists(_steps, max_size=40))
def test_no_order_of_events_contradicts_itself(steps: list[tuple[object, ...]]) -> None:
    """Whatever the server says, nothing raises and the counts fit together."""
    turns = Turns(retention_s=0.5)
    for name, *arguments in steps:
        match name, arguments:
            case "use_session", [AudioFormat() as audio_format, bool(detecting)]:
                turns.use_session(audio_format, detecting=detecting)
            case _:
                getattr(turns, str(name))(*arguments)
        turns.check()
        assert turns.pending_ms >= 0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(1, 4)),
            st.tuples(st.just("commit"), st.just(0)),
            st.tuples(st.just("clear"), st.just(0)),
            st.tuples(st.just("answer"), st.integers(1, 3)),
        ),
        max_size=40,
    )
)
def test_manual_turns_agree_with_the_server(steps: list[tuple[str, int]]) -> None:
    """However late its answers are, each item has the audio that the server gave it."""
    turns = manual()
    under_way: deque[tuple[str, bytes]] = deque()
    buffer = bytearray()
    items: list[bytes] = []
    shortest = 2400 * 2

    def answer() -> None:
        """Let the server take in the first event that is under way."""
        kind, value = under_way.popleft()
        if kind == "append":
            buffer.extend(value)
        elif kind == "clear":
            buffer.clear()
            turns.cleared()
        elif len(buffer) < shortest:
            assert turns.commit_refused(refusal(value.decode()))
        else:
            assert turns.committed(f"u{len(items)}") == bytes(buffer)
            items.append(bytes(buffer))
            buffer.clear()

    for number, (kind, count) in enumerate(steps):
        if kind == "append":
            audio = pcm(800 * count, number)
            turns.append_sent(audio)
            under_way.append((kind, audio))
        elif kind == "commit":
            turns.commit_sent(f"e{number}")
            under_way.append((kind, f"e{number}".encode()))
        elif kind == "clear":
            turns.clear_sent()
            under_way.append((kind, b""))
        else:
            for _ in range(min(count, len(under_way))):
                answer()
        turns.check()
    while under_way:
        answer()
    assert turns.ledger.pending_samples * 2 == len(buffer)
