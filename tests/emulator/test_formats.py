"""Audio in G.711 at 8 kHz, in and out (PROTOCOL.md section 3.2)."""

from __future__ import annotations

import base64
import math
from array import array
from typing import Any

import pytest

from openai_realtime.audio.g711 import A_LAW, MU_LAW, G711Decoder, G711Encoder, G711Law
from openai_realtime.audio.pcm import ms_to_samples, rms, silence, to_pcm16
from openai_realtime.emulator.brains.echo import EchoBrain

from .event_order import check_order
from .session_driver import SessionDriver, speech

LAWS = {"audio/pcmu": MU_LAW, "audio/pcma": A_LAW}
ALL = ["audio/pcm", *LAWS]
FAILED = "conversation.item.input_audio_transcription.failed"


def speaking(media_type: str, *, output: str = "audio/pcm") -> SessionDriver:
    """Open a session in which the client speaks this format, and commits by hand."""
    driver = SessionDriver(pace=0, brain=EchoBrain())
    heard = {"format": {"type": media_type}, "turn_detection": None}
    audio = {"input": heard, "output": {"format": {"type": output}}}
    [event] = driver.update(audio=audio)
    rate = {"rate": 24_000} if media_type == "audio/pcm" else {}
    assert event.session.to_dict()["audio"]["input"]["format"] == {
        "type": media_type,
        **rate,
    }
    return driver


def encoded(pcm: bytes, media_type: str) -> bytes:
    """Turn PCM16 into what a client of that format sends."""
    law = LAWS.get(media_type)
    return pcm if law is None else G711Encoder(law).push(pcm)


def tone(seconds: float = 1.0) -> bytes:
    """Make a tone that telephones carry."""
    step = math.tau * 440 / 24_000
    count = round(24_000 * seconds)
    return to_pcm16(
        array("h", [round(8_000 * math.sin(step * n)) for n in range(count)])
    )


def retrieve(driver: SessionDriver, item_id: str) -> bytes:
    """Return the audio of an item, as the client gets it."""
    [event] = driver.send("conversation.item.retrieve", item_id=item_id)
    audio: bytes = event.item.content[0].audio
    return audio


def loudness(data: bytes, law: G711Law) -> float:
    """Measure G.711 audio."""
    return rms(law.decode(data))


@pytest.mark.parametrize("media_type", LAWS)
@pytest.mark.parametrize("chunk", [1, 160, 100_000])
def test_what_goes_in_comes_back(media_type: str, chunk: int) -> None:
    """A committed item is retrieved as it was sent, however it was cut."""
    law = LAWS[media_type]
    data = encoded(tone(0.5), media_type)
    driver = speaking(media_type)
    for start in range(0, len(data), chunk):
        driver.append(data[start : start + chunk])
    item_id = driver.send("input_audio_buffer.commit")[0].item_id
    back = retrieve(driver, item_id)
    assert len(back) == len(data)
    # Each conversion is less than a millisecond late.
    late = 2 * 5
    before, after = (
        law.decode(data[200:3_000]),
        law.decode(back[200 + late : 3_000 + late]),
    )
    assert rms(after) == pytest.approx(rms(before), rel=0.02)


@pytest.mark.parametrize("media_type", LAWS)
def test_an_item_of_the_clients_is_in_its_format(media_type: str) -> None:
    """Also what is put into a message; and no byte is half a sample."""
    driver = speaking(media_type)
    data = encoded(tone(0.25), media_type)[:-1]
    part = {"type": "input_audio", "audio": base64.b64encode(data).decode()}
    item = {"type": "message", "role": "user", "content": [part]}
    added, _ = driver.send("conversation.item.create", item=item)
    assert added.type == "conversation.item.added"
    assert len(retrieve(driver, added.item.id)) == len(data) == 1_999


@pytest.mark.parametrize("output", LAWS)
def test_replies_come_in_the_output_format(output: str) -> None:
    """At 8 kHz, 100 ms to a delta, as loud as before; retrieved they are the same."""
    driver = speaking("audio/pcm", output=output)
    driver.append(tone())
    driver.send("input_audio_buffer.commit")
    events = driver.respond()
    deltas = [e.delta for e in events if e.type == "response.output_audio.delta"]
    assert {len(delta) for delta in deltas} == {800}
    data = b"".join(deltas)
    assert len(data) == 8_000
    assert loudness(data, LAWS[output]) == pytest.approx(rms(tone()), rel=0.02)
    done = next(event for event in events if event.type == "response.done").response
    assert done.audio.to_dict()["output"]["format"] == {"type": output}
    assert retrieve(driver, done.output[0].id) == data


@pytest.mark.parametrize("given", ALL)
@pytest.mark.parametrize("output", ALL)
def test_a_call_goes_around(given: str, output: str) -> None:
    """Whatever is spoken and whatever is asked for: the echo is the same tone."""
    driver = speaking(given, output=output)
    driver.append(encoded(tone(), given))
    driver.send("input_audio_buffer.commit")
    events = driver.respond()
    data = b"".join(e.delta for e in events if e.type.endswith("output_audio.delta"))
    law = LAWS.get(output)
    pcm = data if law is None else G711Decoder(law).push(data)
    assert len(pcm) == pytest.approx(48_000, abs=6)
    assert rms(pcm[4_000:]) == pytest.approx(rms(tone()), rel=0.03)
    check_order(driver.events)


def test_a_response_may_have_a_format_of_its_own() -> None:
    """For this response only; the session's is as before."""
    driver = SessionDriver(pace=0)
    driver.say("Hello")
    override = {"output": {"format": {"type": "audio/pcmu"}}}
    events = driver.respond(audio=override)
    [plain] = [e for e in driver.respond() if e.type == "response.done"]
    [done] = [e for e in events if e.type == "response.done"]
    assert done.response.audio.output.format.to_dict() == {"type": "audio/pcmu"}
    assert plain.response.audio.output.format.to_dict()["type"] == "audio/pcm"
    sizes = {len(e.delta) for e in events if e.type == "response.output_audio.delta"}
    assert max(sizes) == 800
    # What is retrieved is in the session's.
    audio = retrieve(driver, done.response.output[0].id)
    assert len(audio) > 5 * sum(sizes)


@pytest.mark.parametrize("media_type", LAWS)
def test_speech_is_detected_in_it(media_type: str) -> None:
    """With positions in milliseconds like any other."""
    found: dict[str, list[Any]] = {}
    pcm = silence(ms_to_samples(600)) + speech("Hello there", silence_ms=1_000)
    for each in (media_type, "audio/pcm"):
        driver = SessionDriver(pace=0)
        driver.update(audio={"input": {"format": {"type": each}}})
        driver.append(encoded(pcm, each))
        found[each] = [e for e in driver.events if ".speech_" in e.type]
        assert len(found[each]) == 2
    for coded, plain in zip(*found.values(), strict=True):
        assert coded.type == plain.type
    start, plain_start = (events[0].audio_start_ms for events in found.values())
    assert start == pytest.approx(plain_start, abs=40)


@pytest.mark.parametrize("media_type", LAWS)
def test_captions_do_not_survive_it(media_type: str) -> None:
    """So the transcription fails, and says why and what would help."""
    driver = SessionDriver()
    heard = {
        "format": {"type": media_type},
        "turn_detection": None,
        "transcription": {"model": "gpt-4o-transcribe"},
    }
    driver.update(audio={"input": heard})
    driver.append(encoded(speech("What is the weather?"), media_type))
    item_id = driver.send("input_audio_buffer.commit")[0].item_id
    [failed] = driver.run()
    assert (failed.type, failed.item_id) == (FAILED, item_id)
    assert failed.error.code == "no_transcriber"
    assert "G.711" in failed.error.message
    assert "No transcriber is installed" in failed.error.message


def test_a_change_of_format_holds_for_what_comes_after_it() -> None:
    """What is in the buffer stays what it was, and one item may have both."""
    driver = speaking("audio/pcm")
    driver.append(tone(0.5))
    driver.update(audio={"input": {"format": {"type": "audio/pcma"}}})
    driver.append(encoded(tone(0.5), "audio/pcma"))
    item_id = driver.send("input_audio_buffer.commit")[0].item_id
    driver.update(audio={"input": {"format": {"type": "audio/pcm"}}})
    back = retrieve(driver, item_id)
    assert len(back) == 48_000
    assert back[:24_000] == tone(0.5)
    assert rms(back[26_000:]) == pytest.approx(rms(tone()), rel=0.03)


def test_the_shortest_commit_is_in_milliseconds() -> None:
    """100 ms are 800 bytes of G.711."""
    driver = speaking("audio/pcmu")
    driver.append(b"\xff" * 792)
    frame = {"type": "input_audio_buffer.commit"}
    driver.assert_refused("input_audio_buffer_commit_empty", None, frame)
    driver.append(b"\xff" * 8)
    assert driver.send("input_audio_buffer.commit")[0].type.endswith("committed")


def test_the_buffer_holds_30_minutes_of_it_too() -> None:
    """Six bytes of memory for each that is sent; the limit is on the memory."""
    driver = speaking("audio/pcmu")
    audio = base64.b64encode(b"\xff" * (15 * 1024 * 1024)).decode()
    frame = {"type": "input_audio_buffer.append", "audio": audio}
    error = driver.assert_refused("invalid_value", "audio", frame)
    assert "30 minutes" in error.message


@pytest.mark.parametrize("parts", [[2_700_000], [1_400_000, 1_400_000]])
def test_an_item_brings_as_much_of_it_as_of_pcm(parts: list[int]) -> None:
    """It is converted in one go: what took longer would hold up all other sessions."""
    driver = speaking("audio/pcmu")
    content = [
        {
            "type": "input_audio",
            "audio": base64.b64encode(b"\xff" * size).decode(),
        }
        for size in parts
    ]
    item = {"type": "message", "role": "user", "content": content}
    frame = {"type": "conversation.item.create", "item": item}
    last = f"item.content[{len(parts) - 1}].audio"
    error = driver.assert_refused("invalid_value", last, frame)
    assert "327 seconds" in error.message
    item["content"] = content[:1] if len(parts) > 1 else []
    assert driver.send("conversation.item.create", item=item)[0].type == (
        "conversation.item.added"
    )


def test_usage_counts_time_and_not_bytes() -> None:
    """One token for 100 ms of the user's audio, in every format."""
    used = []
    for media_type in ALL:
        driver = speaking(media_type, output=media_type)
        driver.append(encoded(tone(), media_type))
        driver.send("input_audio_buffer.commit")
        events = driver.respond()
        usage = next(e for e in events if e.type == "response.done").response.usage
        details = usage.input_token_details.audio_tokens
        used.append((details, usage.output_token_details.audio_tokens))
    assert used == [(10, 20)] * 3


@pytest.mark.parametrize("fields", [{}, {"rate": None}, {"rate": 24_000}], ids=str)
@pytest.mark.parametrize("side", ["input", "output"])
def test_the_rate_of_pcm_is_said_in_any_case(side: str, fields: dict[str, Any]) -> None:
    """There is only one, also where the client leaves it open with a null."""
    driver = SessionDriver()
    [event] = driver.update(audio={side: {"format": {"type": "audio/pcm", **fields}}})
    shown = event.session.to_dict()["audio"][side]["format"]
    assert shown == {"type": "audio/pcm", "rate": 24_000}
