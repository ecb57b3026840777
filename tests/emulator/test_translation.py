"""Translation sessions: speech in, the other language out, and how they end."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import Future
from itertools import pairwise
from typing import Any

import pytest

from openai_realtime.audio import ms_to_samples, silence
from openai_realtime.core.outputs import Close, Send
from openai_realtime.emulator.outputs import Failure
from openai_realtime.emulator.pause import Pause
from openai_realtime.emulator.refusal import Refusal
from openai_realtime.emulator.senses.captions import read_captions
from openai_realtime.emulator.senses.vad import EnergyVad
from openai_realtime.emulator.senses.voice import FormantVoice, SpokenWord
from openai_realtime.events import ResponseCreate
from openai_realtime.events.translation import SessionUpdate

from .translation_driver import FRAME, TranslationDriver, phrase

WHISPER = {"model": "gpt-realtime-whisper"}
APPEND = "session.input_audio_buffer.append"


def transcribed(driver: TranslationDriver) -> TranslationDriver:
    """Have a session tell what was said, too."""
    driver.update(audio={"input": {"transcription": WHISPER}})
    return driver


# --- the configuration ---


def test_the_session_says_what_it_is() -> None:
    """session.created is first and has the fields of the service, nulls included."""
    driver = TranslationDriver(unix_time=1000.0, max_session_s=60.0, model="gpt-x")
    [created] = driver.events
    assert created.session.to_dict() == {
        "id": "sess_1",
        "type": "translation",
        "model": "gpt-x",
        "expires_at": 1060,
        "audio": {
            "input": {"transcription": None, "noise_reduction": None},
            "output": {"language": "es"},
        },
    }


def test_an_update_changes_what_it_names() -> None:
    """All the rest stays, and null turns off; the answer has the whole session."""
    driver = transcribed(TranslationDriver())
    [updated] = driver.update(
        audio={
            "input": {"noise_reduction": {"type": "far_field", "strength": 0.5}},
            "output": {"language": "pt-BR"},
        }
    )
    assert updated.session.audio.to_dict() == {
        "input": {
            "transcription": WHISPER,
            "noise_reduction": {"type": "far_field", "strength": 0.5},
        },
        "output": {"language": "pt-BR"},
    }
    # The strength stays where it is not named.
    [updated] = driver.update(
        audio={
            "input": {
                "transcription": None,
                "noise_reduction": {"type": "near_field"},
            }
        }
    )
    assert updated.session.audio.to_dict() == {
        "input": {
            "transcription": None,
            "noise_reduction": {"type": "near_field", "strength": 0.5},
        },
        "output": {"language": "pt-BR"},
    }


@pytest.mark.parametrize("session", [{}, {"type": "translation"}, {"audio": None}])
def test_an_update_needs_nothing(session: dict[str, Any]) -> None:
    """No type is needed, and its own is no change."""
    driver = TranslationDriver()
    [updated] = driver.update(**session)
    assert updated.type == "session.updated"
    assert updated.session == driver.events[0].session


def heard(**fields: Any) -> dict[str, Any]:
    """Write a change of what happens to the input."""
    return {"audio": {"input": fields}}


BAD_SESSIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"voice": "alloy"}, "unknown_parameter", "session.voice"),
    (
        {"audio": {"output": {"voice": "alloy"}}},
        "unknown_parameter",
        "session.audio.output.voice",
    ),
    (
        heard(turn_detection=None),
        "unknown_parameter",
        "session.audio.input.turn_detection",
    ),
    (
        heard(noise_reduction={"type": "near_field", "x": 1}),
        "unknown_parameter",
        "session.audio.input.noise_reduction.x",
    ),
    ({"type": "realtime"}, "invalid_parameter", "session.type"),
    ({"model": "gpt-realtime"}, "invalid_value", "session.model"),
    ({"audio": "loud"}, "invalid_value", "session.audio"),
    ({"audio": {"output": []}}, "invalid_value", "session.audio.output"),
    *(
        (
            {"audio": {"output": {"language": language}}},
            "invalid_value",
            "session.audio.output.language",
        )
        for language in (7, "", "Spanish, please", "e", "es-", "es\n", "x" * 999)
    ),
    (heard(transcription="on"), "invalid_value", "session.audio.input.transcription"),
    (
        heard(transcription={}),
        "missing_required_parameter",
        "session.audio.input.transcription.model",
    ),
    (
        heard(transcription={"language": "en"}),
        "missing_required_parameter",
        "session.audio.input.transcription.model",
    ),
    (
        heard(transcription={**WHISPER, "prompt": "Names."}),
        "invalid_value",
        "session.audio.input.transcription.prompt",
    ),
    (
        heard(noise_reduction={"strength": 1}),
        "missing_required_parameter",
        "session.audio.input.noise_reduction.type",
    ),
    (
        heard(noise_reduction={"type": 7}),
        "invalid_value",
        "session.audio.input.noise_reduction.type",
    ),
    (
        heard(noise_reduction={"type": "near_field", "strength": "full"}),
        "invalid_value",
        "session.audio.input.noise_reduction.strength",
    ),
    (
        heard(noise_reduction={"type": "vacuum"}),
        "invalid_value",
        "session.audio.input.noise_reduction.type",
    ),
]


@pytest.mark.parametrize(("session", "code", "param"), BAD_SESSIONS)
def test_an_impossible_update_changes_nothing(
    session: dict[str, Any], code: str, param: str
) -> None:
    """It is refused as a whole, with the field at fault and the client's event."""
    driver = TranslationDriver()
    audio = session.get("audio")
    if isinstance(audio, dict) and "output" not in audio:
        # What would be possible in the same update does not happen either.
        session = {"audio": {**audio, "output": {"language": "fr"}}}
    [error] = driver.send("session.update", event_id="mine", session=session)
    assert (error.error.code, error.error.param) == (code, param)
    assert error.error.event_id == "mine"
    assert len(error.error.message) < 300
    [updated] = driver.update()
    assert updated.session == driver.events[0].session


@pytest.mark.parametrize(("session", "code", "param"), BAD_SESSIONS)
def test_a_key_cannot_be_bound_to_an_impossible_session(
    session: dict[str, Any], code: str, param: str
) -> None:
    """Its configuration obeys the same rules, but for the model, which it chooses."""
    if param == "session.model":
        session = {"model": 7}
    with pytest.raises(Refusal) as caught:
        TranslationDriver(config=session)
    assert (caught.value.code, caught.value.param) == (code, param)


def test_a_session_begins_as_its_key_says() -> None:
    """The key's configuration and model are there from the first event on."""
    config = {"model": "gpt-y", "audio": {"output": {"language": "ja"}}}
    [created] = TranslationDriver(config=config, model="gpt-x").events
    assert created.session.model == "gpt-y"
    assert created.session.audio.output.language == "ja"
    assert config == {"model": "gpt-y", "audio": {"output": {"language": "ja"}}}


# --- the translation ---


def test_what_is_said_comes_out_translated() -> None:
    """Text and sound say the phrases in order, marked with the language."""
    driver = TranslationDriver()
    driver.update(audio={"output": {"language": "fr"}})
    driver.stream(silence(ms_to_samples(400)) + phrase("Hello there, my friend."))
    driver.stream(phrase("How are you?"))
    driver.run()
    assert driver.translation == "[fr] Hello there, my friend. [fr] How are you?"
    assert read_captions(driver.sound) == [
        "[fr] Hello there, my friend.",
        "[fr] How are you?",
    ]
    assert driver.original == ""


def test_the_original_is_told_where_transcription_is_on() -> None:
    """Its words come before their translation, and need no spaces between them."""
    driver = transcribed(TranslationDriver())
    driver.stream(phrase("Good morning, everybody.") + phrase("Shall we begin?"))
    driver.run()
    assert driver.original == "Good morning, everybody. Shall we begin?"
    assert driver.translation.startswith("[es] Good")
    first = driver.names.index("session.output_transcript.delta")
    assert driver.names.index("session.input_transcript.delta") < first
    driver.update(audio={"input": {"transcription": None}})
    driver.stream(phrase("Not this."))
    driver.run()
    assert "Not this." not in driver.original
    assert "Not this." in driver.translation


def test_frames_and_their_times() -> None:
    """Sound comes in frames of 200 ms, in step with the stream and with the pace."""
    driver = transcribed(TranslationDriver(pace=2.0))
    driver.stream(phrase("One two three four five six."))
    driver.run()
    deltas = driver.named("session.output_audio.delta")
    assert {len(delta.delta) for delta in deltas[:-1]} == {FRAME}
    assert 0 < len(deltas[-1].delta) <= FRAME
    assert {(d.format, d.channels, d.sample_rate) for d in deltas} == {
        ("pcm16", 1, 24_000)
    }
    elapsed = [delta.elapsed_ms for delta in deltas]
    assert all(after - before == 200 for before, after in pairwise(elapsed))
    # Nobody translates what was not said yet.
    spoken_ms = len(phrase("One two three four five six.", silence_ms=0)) // 48
    assert elapsed[0] >= spoken_ms
    for name in ("session.input_transcript.delta", "session.output_transcript.delta"):
        times = [event.elapsed_ms for event in driver.named(name)]
        assert times == sorted(times)
        assert all(time % 200 == 0 for time in times)
    at = [
        time
        for event, time in zip(driver.events, driver.times, strict=True)
        if event.type == "session.output_audio.delta"
    ]
    assert at[-1] - at[0] == pytest.approx(0.1 * (len(at) - 1))


@pytest.mark.parametrize("size", [2, 1000, FRAME, 30_000, 10**9])
def test_the_cut_of_the_audio_makes_no_difference(size: int) -> None:
    """Shorter pieces are put together, longer ones split, to the same translation."""

    def said(size: int) -> list[Any]:
        driver = transcribed(TranslationDriver(pace=0))
        pcm = phrase("Hello.") + phrase("And again.")
        for start in range(0, len(pcm), size):
            driver.append(pcm[start : start + size])
            driver.run(0)
        driver.end()
        return [
            {**event.to_dict(), "event_id": None}
            for event in driver.events
            if event.type != "session.created"
        ]

    assert said(size) == said(FRAME)


def test_a_break_between_appends_is_no_pause() -> None:
    """The service takes the stream as one; only silence in it is a pause."""
    driver = TranslationDriver()
    pcm = phrase("One sentence in two parts.")
    half = len(pcm) // 2 // FRAME * FRAME
    driver.stream(pcm[:half])
    assert driver.run(100.0) == []
    driver.stream(pcm[half:])
    driver.run()
    assert driver.translation == "[es] One sentence in two parts."


def test_silence_is_not_translated() -> None:
    """Nothing is sent while nobody speaks, and nothing is kept of it."""
    driver = TranslationDriver()
    driver.stream(silence(ms_to_samples(30_000)))
    assert driver.run(60.0) == []
    protocol: Any = driver.protocol
    assert len(protocol._source) < 48_000


def test_speech_without_a_caption() -> None:
    """What the ears cannot make out is translated too, as speech of some length."""
    driver = transcribed(TranslationDriver())
    # One bit of each sample carries the caption.
    pcm = bytes(byte & 0xFE for byte in phrase("Nobody will know this."))
    driver.stream(pcm)
    driver.run()
    assert driver.original == ""
    assert driver.translation.startswith("[es] speech of ")


def test_who_never_pauses_is_translated_too() -> None:
    """A phrase is cut after a minute, so that what is kept is bounded."""
    driver = TranslationDriver()
    # Without the pauses that end phrases: 90 s of words.
    pcm = phrase(" ".join(["banana"] * 200), silence_ms=0)[: 48_000 * 90]
    assert len(pcm) == 48_000 * 90
    driver.stream(pcm)
    assert driver.translation.count("[es]") == 1
    driver.end()
    # The rest of it is a phrase of its own.
    assert driver.translation.count("[es]") == 2


def test_ten_minutes_may_wait() -> None:
    """Who sends without end and faster than real time is told to slow down."""
    driver = TranslationDriver(pace=1.0)
    minute = bytes(48_000 * 60)
    minutes = 0
    while not (answer := driver.append(minute)):
        minutes += 1
        assert minutes < 20
    assert minutes >= 10
    assert (answer[0].error.code, answer[0].error.param) == ("invalid_value", "audio")
    driver.run()
    assert driver.append(minute) == []


# --- the end ---


def test_closing_flushes_what_was_said() -> None:
    """The phrase that runs is translated; then session.closed, then a clean close."""
    driver = transcribed(TranslationDriver())
    driver.stream(phrase("First.") + phrase("The last words.", silence_ms=0))
    driver.send("session.close")
    assert driver.closed is None
    driver.run()
    assert driver.original == "First. The last words."
    assert driver.translation == "[es] First. [es] The last words."
    assert driver.names[-1] == "session.closed"
    assert driver.closed == Close(1000, "")
    assert driver.protocol.next_timeout() is None
    assert driver.update() == []


def test_closing_at_once() -> None:
    """A session in which nothing was said is closed without delay."""
    driver = TranslationDriver()
    assert [event.type for event in driver.send("session.close")] == ["session.closed"]
    assert driver.closed == Close(1000, "")


def test_nothing_is_taken_in_while_the_session_closes() -> None:
    """What comes behind session.close is refused, and the flush goes on."""
    driver = TranslationDriver(pace=1.0)
    driver.append(phrase("Something to say."))
    driver.send("session.close")
    for type, fields in (
        (APPEND, {"audio": ""}),
        ("session.update", {"session": {}}),
        ("session.close", {}),
    ):
        [error] = driver.send(type, event_id="late", **fields)
        assert (error.error.code, error.error.param) == ("invalid_value", "type")
        assert error.error.event_id == "late"
    driver.run()
    assert driver.translation == "[es] Something to say."
    assert driver.closed == Close(1000, "")


def test_the_session_expires() -> None:
    """At its maximum length there is an error and a close, whatever is under way."""
    driver = TranslationDriver(pace=0.01, max_session_s=10.0)
    driver.append(phrase("This takes far too long."))
    driver.send("session.close")
    driver.run()
    assert driver.events[-1].error.code == "session_expired"
    assert "session.closed" not in driver.names
    assert driver.closed == Close(
        1001, "session hit the maximum duration of 10 seconds"
    )


def test_a_connection_that_is_over() -> None:
    """Nothing is due any more, and nothing is answered."""
    driver = TranslationDriver(pace=1.0)
    driver.append(phrase("Hello."))
    driver.protocol.close()
    assert driver.protocol.next_timeout() is None
    assert driver.run() == []
    assert driver.append(b"") == []


def test_a_voice_that_cannot_end_is_reported_at_the_close() -> None:
    """There are no outputs behind it that could say so."""

    class Stuck:
        def speak(self, text: str, speed: float) -> Iterator[SpokenWord]:
            try:
                yield SpokenWord(text, bytes(48_000))
            finally:
                raise OSError("the device is gone")

    driver = TranslationDriver(pace=1.0, voice=Stuck())
    driver.append(phrase("Hello."))
    driver.run(0.5)
    assert "session.output_audio.delta" in driver.names
    [failure] = driver.protocol.close()
    assert isinstance(failure, Failure)
    assert str(failure.error) == "the device is gone"
    assert driver.protocol.close() == []


def test_a_detector_that_fails_has_heard_silence() -> None:
    """The failure is reported, and the session goes on."""

    class Broken(EnergyVad):
        def probability(self, frame: bytes) -> float:
            raise OSError("the model is gone")

    driver = TranslationDriver(make_vad=Broken)
    driver.append(phrase("Hello."))
    driver.send("session.close")
    driver.run()
    assert driver.closed == Close(1000, "")
    assert [str(failure.error) for failure in driver.failures] == ["the model is gone"]


# --- what cannot be ---


@pytest.mark.parametrize(
    ("frame", "code", "param"),
    [
        ("{", "invalid_event", None),
        ("[]", "invalid_event", None),
        (b"\xff", "invalid_event", None),
        ("{}", "missing_required_parameter", "type"),
        ('{"type": 7}', "invalid_value", "type"),
        ('{"type": "response.create"}', "invalid_value", "type"),
        # The append of the other surface has another name (PROTOCOL.md 8.2).
        ('{"type": "input_audio_buffer.append", "audio": ""}', "invalid_value", "type"),
        ('{"type": "input_audio_buffer.commit"}', "invalid_value", "type"),
        ('{"type": "session.closed"}', "invalid_value", "type"),
        ('{"type": "session.update"}', "missing_required_parameter", "session"),
        ('{"type": "session.update", "session": 7}', "invalid_value", "session"),
        (f'{{"type": "{APPEND}"}}', "missing_required_parameter", "audio"),
        (f'{{"type": "{APPEND}", "audio": "?"}}', "invalid_value", "audio"),
        (f'{{"type": "{APPEND}", "audio": "AAAA"}}', "invalid_value", "audio"),
        (
            json.dumps({"type": "session.close", "event_id": "x" * 513}),
            "invalid_value",
            "event_id",
        ),
    ],
)
def test_what_no_client_may_send(
    frame: str | bytes, code: str, param: str | None
) -> None:
    """There is one error, and the session goes on."""
    driver = TranslationDriver()
    [error] = driver.frame(frame)
    assert (error.error.code, error.error.param) == (code, param)
    assert error.error.type == "invalid_request_error"
    driver.stream(phrase("Still here."))
    driver.run()
    assert driver.translation == "[es] Still here."


def test_audio_beyond_the_limit_of_one_event() -> None:
    """More than 15 MiB are refused, and none of it is taken."""
    driver = TranslationDriver()
    [error] = driver.append(bytes(15 * 1024 * 1024 + 2))
    assert (error.error.code, error.error.param) == ("invalid_value", "audio")
    protocol: Any = driver.protocol
    assert len(protocol._source) == 0


def test_events_that_needed_no_decoding() -> None:
    """They are handled like frames."""
    driver = TranslationDriver()
    update = SessionUpdate.from_dict({"session": {"audio": {"output": {}}}})
    [updated] = driver.protocol.receive(update, now=0.0)
    assert isinstance(updated, Send)
    assert updated.event.type == "session.updated"
    [refused] = driver.protocol.receive(ResponseCreate(), now=0.0)
    assert isinstance(refused, Send)
    assert refused.event.type == "error"


# --- ears and voices that are plugged in ---


class SlowEars:
    """Say what they heard only when they are told."""

    def __init__(self) -> None:
        self.asked: list[Future[str | None]] = []

    def transcribe(self, pcm: bytes) -> Future[str | None]:
        """Take their time."""
        self.asked.append(Future())
        return self.asked[-1]


def test_ears_that_take_their_time() -> None:
    """They are waited for, one phrase after the other; their failure is an error."""
    ears = SlowEars()
    driver = transcribed(TranslationDriver(ears=ears))
    driver.append(phrase("One.") + phrase("Two.") + phrase("Three."))
    assert driver.run(5.0) == []
    ears.asked[0].set_result("Bonjour à tous")
    driver.run(5.0)
    assert driver.original == "Bonjour à tous"
    ears.asked[1].set_exception(OSError("no network"))
    [error] = driver.run(5.0)
    assert (error.error.type, error.error.event_id) == ("server_error", None)
    assert "no network" not in error.error.message
    assert [str(failure.error) for failure in driver.failures] == ["no network"]
    # Nothing was said: that is no phrase.
    ears.asked[2].set_result(" ")
    assert driver.run(5.0) == []
    driver.end()
    assert driver.translation == "[es] Bonjour à tous"
    assert driver.names[-1] == "session.closed"


class OddVoice:
    """Pauses, says half a sample, or fails, as the text wants."""

    def speak(self, text: str, speed: float) -> Iterator[SpokenWord | Pause]:
        """Say it."""
        if "pause" in text:
            yield Pause(3.0)
        yield from FormantVoice().speak("Well.")
        if "fail" in text:
            raise RuntimeError("hoarse")
        if "odd" in text:
            yield SpokenWord(" odd", b"\x00")


@pytest.mark.parametrize(
    ("text", "said"), [("Please fail.", "Well. Well."), ("How odd.", "Well. odd Well.")]
)
def test_a_voice_that_fails(text: str, said: str) -> None:
    """The client gets an error, the log the reason, and the next phrase is said."""
    driver = TranslationDriver(voice=OddVoice())
    driver.stream(phrase(text) + phrase("Fine."))
    driver.end()
    [error] = driver.named("error")
    assert error.error.type == "server_error"
    assert len(driver.failures) == 1
    assert driver.translation == said
    assert driver.closed == Close(1000, "")


def test_a_voice_that_is_not_ready() -> None:
    """It is asked again when its pause is over, whatever the pace."""
    driver = TranslationDriver(voice=OddVoice(), pace=0)
    driver.append(phrase("A pause."))
    assert driver.run(2.9) == []
    assert driver.run(0.2) != []


def test_without_a_detector_of_its_own() -> None:
    """A server without voice activity detection still finds the phrases."""
    driver = TranslationDriver(make_vad=None)
    driver.stream(phrase("Hello."))
    driver.run()
    assert driver.translation == "[es] Hello."


def test_audio_without_padding() -> None:
    """Base64 that lacks its padding is read as everywhere else."""
    driver = TranslationDriver()
    audio = base64.b64encode(bytes(FRAME + 2)).decode().rstrip("=")
    assert driver.send(APPEND, audio=audio) == []
