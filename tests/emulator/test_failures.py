"""Brains, voices and transcribers that fail: told to the client, and handed out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from openai_realtime.audio.pcm import ms_to_samples, silence
from openai_realtime.emulator.brains.brain import Call, Say
from openai_realtime.emulator.senses.voice import FormantVoice, SpokenWord

from .event_order import check_order
from .session_driver import SessionDriver, speech

SECRET = "the thought at /home/me was none"


class PlannedBrain:
    """Does what it is given; an exception is raised, None is no iterator at all."""

    def __init__(self, *actions: Any) -> None:
        self.actions = actions

    def reply(self, prompt: Any) -> Any:
        """Follow the plan."""
        if self.actions == (None,):
            return None
        if self.actions and self.actions[0] is ZeroDivisionError:
            raise ZeroDivisionError(SECRET)
        return self._follow()

    def _follow(self) -> Iterator[Any]:
        for action in self.actions:
            if isinstance(action, Exception):
                raise action
            yield action


class BrokenVoice:
    """Speaks so many words and fails then."""

    def __init__(self, words: int, error: Any = None) -> None:
        self.words = words
        self.error = error

    def speak(self, text: str, speed: float) -> Iterator[Any]:
        """Speak, while it lasts."""
        for number, word in enumerate(FormantVoice().speak(text, speed)):
            if number == self.words:
                if self.error is not None:
                    yield self.error
                raise OSError(SECRET)
            yield word


BRAINS = {
    "raises when asked": [ZeroDivisionError],
    "returns nothing": [None],
    "raises at once": [RuntimeError(SECRET)],
    "raises after a message": [Say("One two."), RuntimeError(SECRET)],
    "raises after a call": [Call("f", {"a": 1}), KeyError(SECRET)],
    "does something odd": ["a word"],
    "says no text": [Say(5)],  # type: ignore[arg-type]
    "says what cannot be sent": [Say("\ud800")],
    "calls by no name": [Call(None)],  # type: ignore[arg-type]
    "calls with what is no JSON": [Call("f", {"a": object()})],
    "calls with nothing": [Call("f", None)],  # type: ignore[arg-type]
    "recurses": [RecursionError(SECRET)],
}
VOICES = {
    "no word": BrokenVoice(0),
    "two words": BrokenVoice(2),
    "no word at all": BrokenVoice(1, "word"),
    "no text": BrokenVoice(1, SpokenWord(None, b"")),  # type: ignore[arg-type]
    "no sound": BrokenVoice(1, SpokenWord("word", None)),  # type: ignore[arg-type]
}


def assert_failed(driver: SessionDriver, **response: Any) -> Any:
    """Ask for a response that fails properly, and return it."""
    driver.say("Count to five")
    events = driver.respond(**response)
    assert [event.type for event in events][-2:] == [
        "response.done",
        "rate_limits.updated",
    ]
    done = events[-2].response
    assert done.status == "failed"
    details = done.status_details
    assert details.type == "failed"
    assert details.error.type == "server_error"
    assert details.error.code
    assert details.error.message
    assert SECRET not in str(events)
    assert done.usage.total_tokens is not None
    check_order(driver.events)
    return done


@pytest.mark.parametrize("modality", ["audio", "text"])
@pytest.mark.parametrize("actions", BRAINS.values(), ids=BRAINS)
def test_a_brain_that_fails_fails_its_response_only(
    actions: list[Any], modality: str
) -> None:
    """All that was opened is closed, the exception is handed out, the session lives."""
    driver = SessionDriver(brain=PlannedBrain(*actions))
    done = assert_failed(driver, output_modalities=[modality])
    # What came before the failure is there, and complete.
    assert [item.status for item in done.output] == ["completed"] * len(done.output)
    assert len(done.output) == len(actions) - 1
    [failure] = driver.failures
    assert done.id in failure.what
    assert failure.error.__traceback__ is not None
    assert driver.send("input_audio_buffer.clear")[0].type == (
        "input_audio_buffer.cleared"
    )


@pytest.mark.parametrize("voice", VOICES.values(), ids=VOICES)
def test_a_voice_that_fails_leaves_an_incomplete_message(voice: BrokenVoice) -> None:
    """What it has said until then stays said, and the next response may begin."""
    driver = SessionDriver(voice=voice)
    done = assert_failed(driver)
    [item] = done.output
    assert item.status == "incomplete"
    words = ["One,", "two,"][: voice.words]
    assert item.content[0].transcript.split() == words
    [event] = driver.send("conversation.item.retrieve", item_id=item.id)
    assert event.item.status == "incomplete"
    assert len(driver.failures) == 1
    assert_failed(driver)
    assert len(driver.failures) == 2


def test_a_failed_out_of_band_response_leaves_the_others_alone() -> None:
    """The one on the conversation goes on to its end."""

    class TwoMinded:
        def reply(self, prompt: Any) -> Iterator[Any]:
            if not prompt.items:
                raise RuntimeError(SECRET)
            yield Say("One two three")

    driver = SessionDriver(brain=TwoMinded())
    driver.say("Hello")
    driver.send("response.create")
    side = {"conversation": "none", "input": []}
    driver.send("response.create", response=side)
    driver.run()
    ends = {
        event.response.conversation_id is None: event.response.status
        for event in driver.events
        if event.type == "response.done"
    }
    assert ends == {True: "failed", False: "completed"}
    check_order(driver.events)


class BrokenEars:
    """Hears, in its way."""

    def __init__(self, heard: Any) -> None:
        self.heard = heard

    def transcribe(self, pcm: bytes) -> Any:
        """Answer or fail."""
        if isinstance(self.heard, Exception):
            raise self.heard
        return self.heard


@pytest.mark.parametrize("heard", [RuntimeError(SECRET), 5, b"text", "\ud800"])
def test_a_transcriber_that_fails_fails_the_transcription_only(heard: Any) -> None:
    """The audio is committed, the event tells, and the brain knows nothing of it."""
    driver = SessionDriver(ears=BrokenEars(heard))
    config = {"transcription": {"model": "whisper-1"}, "turn_detection": None}
    driver.update(audio={"input": config})
    driver.append(silence(ms_to_samples(1000)))
    committed, *_ = driver.send("input_audio_buffer.commit")
    assert committed.type == "input_audio_buffer.committed"
    [failed] = driver.run()
    assert failed.type == "conversation.item.input_audio_transcription.failed"
    assert failed.item_id == committed.item_id
    assert failed.error.type == "server_error"
    assert failed.error.code == "transcriber_failed"
    assert SECRET not in str(failed)
    assert len(driver.failures) == 1
    assert driver.respond()[-2].response.status == "completed"


def test_a_transcriber_may_fail_in_a_turn_or_an_item() -> None:
    """Turns are answered and items are taken all the same."""
    driver = SessionDriver(ears=BrokenEars(RuntimeError(SECRET)))
    driver.append(speech("Count to three", silence_ms=700))
    assert driver.run(until="response.done")[-1].type == "rate_limits.updated"
    audio = {"type": "input_audio", "audio": "AAA="}
    item = {"type": "message", "role": "user", "content": [audio]}
    added, done = driver.send("conversation.item.create", item=item)
    assert (added.type, done.type) == (
        "conversation.item.added",
        "conversation.item.done",
    )
    assert [failure.what for failure in driver.failures] == [
        "the transcriber failed"
    ] * 2
    check_order(driver.events)


class BadEnd:
    """A voice, or a brain, that fails when it is to end."""

    def speak(self, text: str, speed: float) -> Iterator[SpokenWord]:
        """Speak word after word, if one lets it."""
        try:
            for word in text.split():
                yield SpokenWord(f"{word} ", silence(ms_to_samples(200)))
        finally:
            raise OSError(SECRET)

    def reply(self, prompt: Any) -> Iterator[Say]:
        """Say something, and never be done with it."""
        try:
            while True:
                yield Say("One two three " * 20, more=True)
        finally:
            raise OSError(SECRET)


BAD_ENDS = {
    "the voice": {"voice": BadEnd()},
    "the brain": {"brain": BadEnd()},
    "both": {"voice": BadEnd(), "brain": BadEnd()},
}


@pytest.mark.parametrize("stop", ["token limit", "cancel", "interruption", "close"])
@pytest.mark.parametrize("plugged_in", BAD_ENDS.values(), ids=BAD_ENDS)
def test_who_fails_to_end_spoils_nothing(plugged_in: Any, stop: str) -> None:
    """The response ends once and as it should, and the failure is handed out."""
    driver = SessionDriver(**plugged_in)
    driver.say("Say one two three four five six seven eight nine")
    limit = 8 if stop == "token limit" else "inf"
    driver.send("response.create", response={"max_output_tokens": limit})
    driver.run(0.3)
    if stop == "cancel":
        driver.send("response.cancel")
    elif stop == "interruption":
        driver.append(speech("Wait a moment"))
    elif stop == "close":
        driver.protocol.close()
    driver.run(5.0)
    statuses = [e.response.status for e in driver.events if e.type == "response.done"]
    expected = {"token limit": ["incomplete"], "close": []}
    assert statuses == expected.get(stop, ["cancelled"])
    if stop != "close":
        what = [failure.what for failure in driver.failures]
        assert what
        assert all("failed to end" in each for each in what)
        check_order(driver.events)


def test_a_voice_that_fails_at_its_very_end_fails_its_response_once() -> None:
    """All words were said, and nothing comes after `response.done`."""
    driver = SessionDriver(voice=BadEnd(), brain=PlannedBrain(Say("One two")))
    done = assert_failed(driver)
    assert done.output[0].content[0].transcript == "One two "
    assert [each.type for each in driver.events].count("response.done") == 1
