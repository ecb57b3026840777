"""What a response says that it has used (PROTOCOL.md section 7), and rate limits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from openai_realtime.emulator.brains.action import Action, Call, Fail, Say

from .planned_brain import PlannedBrain
from .session_driver import SessionDriver, speech

TEXT = {"output_modalities": ["text"]}
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}


def used(events: list[Any]) -> Any:
    """Return the usage of the response that has ended, after adding it up."""
    [done] = [event for event in events if event.type == "response.done"]
    usage = done.response.usage.to_dict()
    given, made = usage["input_token_details"], usage["output_token_details"]
    cached = given["cached_tokens_details"]
    kinds = ("text_tokens", "audio_tokens", "image_tokens")
    assert usage["input_tokens"] == sum(given[kind] for kind in kinds)
    assert given["cached_tokens"] == sum(cached[kind] for kind in kinds)
    assert usage["output_tokens"] == made["text_tokens"] + made["audio_tokens"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert all(cached[kind] <= given[kind] for kind in kinds)
    return usage


def test_the_whole_conversation_is_input_again() -> None:
    """Every response costs all that was said before, and what is the same is cached."""
    driver = SessionDriver(pace=0)
    driver.update(instructions="")
    usages = []
    for text in ("one two three", "four five", "six"):
        driver.say(text)
        usages.append(used(driver.respond(**TEXT)))
    for before, after in pairwise(usages):
        assert after["input_token_details"]["cached_tokens"] == before["input_tokens"]
        new = before["output_tokens"]
        assert after["input_tokens"] > before["input_tokens"] + new
    assert usages[0]["input_tokens"] == 4
    assert usages[0]["input_token_details"]["cached_tokens"] == 0


def test_a_change_at_the_front_empties_the_cache() -> None:
    """The cache is of a beginning: instructions and tools come first."""
    driver = SessionDriver(pace=0)
    driver.say("one two three")
    driver.respond(**TEXT)
    driver.update(instructions="Something else.")
    usage = used(driver.respond(**TEXT))
    assert usage["input_token_details"]["cached_tokens"] == 0
    assert used(driver.respond(**TEXT))["input_token_details"]["cached_tokens"] > 0


def test_deleted_and_truncated_items_cost_less() -> None:
    """What is not in the conversation any more is no input."""
    driver = SessionDriver(pace=0)
    driver.update(instructions="")
    first_id = driver.say("one two three")
    done = next(e for e in driver.respond() if e.type == "response.done")
    whole = used(driver.respond(**TEXT))["input_token_details"]
    driver.send(
        "conversation.item.truncate",
        item_id=done.response.output[0].id,
        content_index=0,
        audio_end_ms=100,
    )
    cut = used(driver.respond(**TEXT))["input_token_details"]
    assert whole["audio_tokens"] > cut["audio_tokens"] == 2
    # Only what stands before the item that was cut is the same.
    assert cut["cached_tokens"] == 4
    driver.send("conversation.item.delete", item_id=first_id)
    rest = used(driver.respond(**TEXT))["input_token_details"]
    assert rest["cached_tokens"] == 0


def test_images_are_counted_apart() -> None:
    """In the total, and cached the second time."""
    driver = SessionDriver(pace=0)
    driver.update(instructions="")
    item = {"type": "message", "role": "user", "content": [IMAGE, IMAGE]}
    driver.send("conversation.item.create", item=item)
    first = used(driver.respond(**TEXT))["input_token_details"]
    assert (first["text_tokens"], first["audio_tokens"]) == (0, 0)
    assert first["image_tokens"] > 0
    assert first["cached_tokens_details"]["image_tokens"] == 0
    second = used(driver.respond(**TEXT))["input_token_details"]
    assert second["cached_tokens_details"]["image_tokens"] == first["image_tokens"]


def test_tools_are_input() -> None:
    """Each response is told what it may call."""
    driver = SessionDriver(pace=0)
    driver.say("Hm")
    without = used(driver.respond(conversation="none", **TEXT))["input_tokens"]
    tool = {"type": "function", "name": "f", "description": "a b c d e f g h"}
    given = {"tools": [tool], "tool_choice": "none"}
    with_tool = used(driver.respond(conversation="none", **given, **TEXT))
    assert with_tool["input_tokens"] >= without + 8


def test_out_of_band_responses_have_no_part_in_the_cache() -> None:
    """They are prompts of their own: they neither use it nor fill it."""
    driver = SessionDriver(pace=0)
    driver.say("one two three")
    driver.respond(**TEXT)
    aside = used(driver.respond(conversation="none", **TEXT))
    assert aside["input_token_details"]["cached_tokens"] == 0
    assert used(driver.respond(**TEXT))["input_token_details"]["cached_tokens"] > 0


def test_nothing_is_input_of_an_empty_context() -> None:
    """`input` replaces the conversation, and is what is paid for."""
    driver = SessionDriver(pace=0)
    driver.update(instructions="")
    driver.say("one two three")
    assert used(driver.respond(input=[], **TEXT))["input_tokens"] == 0


@pytest.mark.parametrize("modality", ["text", "audio"])
def test_a_cancelled_response_is_billed_for_what_it_made(modality: str) -> None:
    """No more and no less."""
    driver = SessionDriver()
    driver.say("Count to fifty")
    driver.send("response.create", response={"output_modalities": [modality]})
    driver.run(1.0)
    usage = used(driver.send("response.cancel"))
    audio = sum(len(e.delta) for e in driver.events if e.type.endswith("audio.delta"))
    assert usage["output_token_details"]["audio_tokens"] == -(-audio // 2_400)
    assert usage["output_token_details"]["text_tokens"] > 0
    assert bool(audio) == (modality == "audio")


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9])
@pytest.mark.parametrize(
    "actions",
    [
        [Call("a_tool", {"text": "something that is longer"})],
        [Call("a_tool", "")],
        [Say("One two three four five six seven"), Call("f", {"a": 1})],
        [Call("f", {}), Call("g", {}), Call("h", {}), Say("One two")],
    ],
)
def test_no_response_goes_over_its_limit(actions: list[Action], limit: int) -> None:
    """Whatever it was to make: calls count as well (PROTOCOL.md section 3.1)."""
    driver = SessionDriver(pace=0, brain=PlannedBrain(*actions))
    driver.say("Go")
    events = driver.respond(max_output_tokens=limit, **TEXT)
    usage = used(events)
    response = next(e for e in events if e.type == "response.done").response
    assert usage["output_tokens"] <= limit
    if response.status != "completed":
        assert response.status_details.reason == "max_output_tokens"
        assert len(response.output) <= len(actions)
    unlimited = used(driver.respond(**TEXT))["output_tokens"]
    assert (response.status == "completed") == (unlimited <= limit)


@pytest.mark.parametrize("text", ["\u5b57" * 400, "a" * 400, "ab, " * 100])
def test_text_counts_by_its_length_too(text: str) -> None:
    """What has no spaces is not free: four characters are a token at least."""
    driver = SessionDriver(pace=0, brain=PlannedBrain(Say(text)))
    driver.update(instructions="")
    driver.say(text)
    usage = used(driver.respond(**TEXT))
    least = len(text.strip()) // 4
    assert least <= usage["input_tokens"] <= 1.4 * least
    assert least <= usage["output_tokens"] <= 1.4 * least


@pytest.mark.parametrize("modality", ["text", "audio"])
def test_a_limit_cuts_text_without_spaces(modality: str) -> None:
    """It is written like it is spoken, in pieces of 24 characters or so."""
    driver = SessionDriver(pace=0, brain=PlannedBrain(Say("\u5b57" * 2_000)))
    events = driver.respond(max_output_tokens=20, output_modalities=[modality])
    done = next(e for e in events if e.type == "response.done").response
    assert done.status == "incomplete"
    assert done.status_details.reason == "max_output_tokens"
    written = [e.delta for e in events if e.type.endswith(("text.delta", "ript.delta"))]
    assert written
    assert max(map(len, written)) <= 25


def test_a_long_word_is_written_whole() -> None:
    """What was cut up, joined, is the text; short words are left alone."""
    text = f"One {'x' * 100} two"
    driver = SessionDriver(pace=0, brain=PlannedBrain(Say(text)))
    events = driver.respond(**TEXT)
    deltas = [e.delta for e in events if e.type == "response.output_text.delta"]
    assert "".join(deltas) == text
    assert (deltas[0], deltas[-1]) == ("One", " two")
    assert len(deltas) > 5


def test_speech_counts_by_its_length() -> None:
    """User audio 1 token for 100 ms; what transcribing it costs is not in here."""
    driver = SessionDriver(pace=0)
    driver.update(
        instructions="",
        audio={
            "input": {
                "turn_detection": None,
                "transcription": {"model": "gpt-4o-transcribe"},
            }
        },
    )
    pcm = speech("Count to three please")
    driver.append(pcm)
    driver.send("input_audio_buffer.commit")
    driver.run()
    details = used(driver.respond())["input_token_details"]
    assert details["audio_tokens"] == -(-len(pcm) // 4_800)
    assert details["text_tokens"] == 0


def test_rate_limits_follow_each_response() -> None:
    """Both kinds, with what is left of them."""
    driver = SessionDriver(pace=0)
    driver.say("Hello")
    events = driver.respond()
    assert [event.type for event in events[-2:]] == [
        "response.done",
        "rate_limits.updated",
    ]
    requests, tokens = (limit.to_dict() for limit in events[-1].rate_limits)
    assert (requests["name"], tokens["name"]) == ("requests", "tokens")
    assert requests["remaining"] == requests["limit"] - 1
    assert tokens["remaining"] == tokens["limit"] - used(events)["total_tokens"]
    assert requests["reset_seconds"] == 0


def test_a_response_that_hits_the_limit_has_nothing_left() -> None:
    """The failure and the limits agree, and say when to come back."""
    driver = SessionDriver(brain=PlannedBrain(Fail("Slow down", "rate_limit_exceeded")))
    driver.say("Hello")
    events = driver.respond()
    assert events[-2].response.status_details.error.code == "rate_limit_exceeded"
    tokens = events[-1].rate_limits[1]
    assert tokens.remaining == 0
    assert tokens.reset_seconds > 0
