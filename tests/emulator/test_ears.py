"""Transcribers that take their time: asked once for each piece of audio."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from openai_realtime.audio.pcm import silence
from openai_realtime.emulator.ids import CountedIds
from openai_realtime.emulator.outputs import Failure
from openai_realtime.emulator.protocol import EmulatorProtocol
from openai_realtime.emulator.senses.ears import Listener
from openai_realtime.emulator.translation import TranslationProtocol

from .session_driver import SessionDriver, speech

ONE, OTHER = silence(1_000), silence(2_000)


class SlowEars:
    """Promises to tell, some time."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.promises: list[Future[str]] = []

    def transcribe(self, pcm: bytes) -> Future[str]:
        """Promise it."""
        self.asked.append(pcm)
        self.promises.append(Future())
        return self.promises[-1]


def listener() -> tuple[Listener, SlowEars, list[Failure]]:
    """Make a listener, with what it asks and what it reports."""
    ears, failures = SlowEars(), list[Failure]()
    return Listener(ears, failures.append), ears, failures


def test_what_was_glanced_at_is_not_asked_again() -> None:
    """Protects the one decoder from doing everything twice."""
    listener_, ears, failures = listener()
    assert listener_.glance(ONE) is None
    heard = listener_.listen(ONE)
    ears.promises[0].set_result("Hello.")
    assert (heard.text, ears.asked) == ("Hello.", [ONE])
    assert failures == []
    # Only the next one who listens gets it.
    listener_.listen(ONE)
    assert ears.asked == [ONE, ONE]


def test_what_nobody_wants_any_more_is_cancelled() -> None:
    """Protects the decoder from the pauses that did not end a turn."""
    listener_, ears, failures = listener()
    listener_.glance(ONE)
    listener_.glance(OTHER)
    assert [promise.cancelled() for promise in ears.promises] == [True, False]
    listener_.listen(ONE)
    assert [promise.cancelled() for promise in ears.promises] == [True, True, False]
    assert failures == []


def test_a_session_that_ends_leaves_what_it_waits_for() -> None:
    """Protects the other sessions, whose questions come next."""
    listener_, ears, failures = listener()
    listener_.listen(ONE)
    listener_.listen(OTHER)
    ears.promises[0].set_result("Done already.")
    listener_.glance(ONE)
    listener_.close()
    cancelled = [promise.cancelled() for promise in ears.promises]
    assert cancelled == [False, True, True]
    assert failures == []


def test_a_turn_is_made_out_once_where_its_end_depends_on_it() -> None:
    """`semantic_vad` asks at a pause; the same audio then becomes the item."""
    ears = SlowEars()
    driver = SessionDriver(ears=ears, pace=0)
    heard = {"turn_detection": {"type": "semantic_vad"}}
    driver.update(audio={"input": {**heard, "transcription": {"model": "whisper-1"}}})
    driver.append(speech("Hello there, my friend.", silence_ms=2_000))
    driver.run(0.0)
    assert len(ears.promises) == 1
    ears.promises[0].set_result("Hello there.")
    driver.run(until="response.done")
    done = "conversation.item.input_audio_transcription.completed"
    assert [e.transcript for e in driver.events if e.type == done] == ["Hello there."]


@pytest.mark.parametrize("protocol", [EmulatorProtocol, TranslationProtocol])
def test_a_session_that_ends_leaves_what_is_being_made_out(protocol: Any) -> None:
    """Slow ears do not work on for a session that is over."""
    ears = SlowEars()
    session = protocol(ids=CountedIds(), ears=ears)
    session.open(0.0)
    session._ears.listen(ONE)
    session.close()
    assert [promise.cancelled() for promise in ears.promises] == [True]
