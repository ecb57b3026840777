"""Responses: their events in order, their timing, their ends, what they cost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_realtime.emulator.senses.captions import read_captions
from openai_realtime.emulator.senses.voice import FormantVoice

from .event_order import check_order
from .session_driver import SessionDriver

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather at a place.",
    "parameters": {
        "type": "object",
        "properties": {
            "lat": {"type": "number"},
            "lng": {"type": "number"},
            "location": {"type": "string"},
        },
        "required": ["lat", "lng", "location"],
    },
}
TEXT = {"output_modalities": ["text"]}


def without_repeats(events: list[Any]) -> list[str]:
    """Return the types, with runs of one type (deltas) as one."""
    names = [event.type for event in events]
    return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


def done_of(events: list[Any]) -> Any:
    """Return the finished response."""
    [done] = [event for event in events if event.type == "response.done"]
    return done.response


def test_a_text_reply() -> None:
    """PROTOCOL.md section 6.1."""
    driver = SessionDriver()
    driver.say("Nice weather")
    events = driver.respond(**TEXT)
    assert without_repeats(events) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
        "rate_limits.updated",
    ]
    response = done_of(events)
    assert response.status == "completed"
    assert response.output_modalities == ["text"]
    assert response.output[0].to_dict()["content"] == [
        {"type": "output_text", "text": "You said: Nice weather"}
    ]
    assert events[3].part.to_dict() == {"type": "text", "text": ""}
    check_order(driver.events)


def test_an_audio_reply() -> None:
    """PROTOCOL.md section 6.2: a transcript delta for each word, audio of 100 ms."""
    driver = SessionDriver()
    driver.say("Nice weather")
    events = driver.respond()
    names = without_repeats(events)
    assert names[:4] == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
    ]
    assert names[-7:] == [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
        "rate_limits.updated",
    ]
    words = [e.delta for e in events if e.type.endswith("transcript.delta")]
    assert [word.strip() for word in words] == ["You", "said:", "Nice", "weather"]
    audio = [e.delta for e in events if e.type == "response.output_audio.delta"]
    assert {len(pcm) for pcm in audio[:-1]} == {4800}
    assert read_captions(b"".join(audio)) == ["You said: Nice weather"]
    part = done_of(events).output[0].to_dict()["content"]
    assert part == [{"type": "output_audio", "transcript": "You said: Nice weather"}]
    [event] = driver.send(
        "conversation.item.retrieve", item_id=done_of(events).output[0].id
    )
    assert event.item.content[0].audio == b"".join(audio)
    check_order(driver.events)


def test_a_function_call_and_what_follows() -> None:
    """PROTOCOL.md section 6.3: the server does not continue by itself."""
    driver = SessionDriver()
    driver.update(tools=[WEATHER])
    driver.say("What is the weather in Paris?")
    events = driver.respond()
    assert without_repeats(events) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
        "rate_limits.updated",
    ]
    call = done_of(events).output[0]
    assert (call.name, call.status) == ("get_weather", "completed")
    arguments = {"lat": 48.86, "lng": 2.35, "location": "Paris"}
    assert json.loads(call.arguments) == arguments
    done = next(e for e in events if e.type.endswith("arguments.done"))
    assert (done.name, done.call_id) == ("get_weather", call.call_id)
    assert driver.run() == []
    output = {
        "type": "function_call_output",
        "call_id": call.call_id,
        "output": '{"temperature_c": 18, "condition": "light rain"}',
    }
    driver.send("conversation.item.create", item=output)
    [message] = done_of(driver.respond()).output
    assert message.content[0].transcript == (
        "For Paris: temperature c 18, condition light rain."
    )
    check_order(driver.events)


def test_audio_is_paced_in_audio_time() -> None:
    """At a pace of 5, ten seconds of speech take two."""
    driver = SessionDriver(pace=5.0)
    driver.say("Count to thirty")
    driver.send("response.create")
    driver.run(60.0)
    deltas = [
        (time, len(event.delta) / 48_000)
        for time, event in zip(driver.times, driver.events, strict=True)
        if event.type == "response.output_audio.delta"
    ]
    sent_s = 0.0
    for time, length_s in deltas:
        assert time == pytest.approx(sent_s / 5, abs=0.001)
        sent_s += length_s
    assert sent_s > 5


def test_the_speed_holds_from_the_next_response_on() -> None:
    """PROTOCOL.md section 3.2: it changes between turns only."""
    lengths: list[int] = []
    driver = SessionDriver()
    for speed in (0.5, 1.0, 1.5):
        driver.update(audio={"output": {"speed": speed}})
        driver.say("Count to five")
        driver.send("response.create")
        driver.update(audio={"output": {"speed": 0.25}})
        events = driver.run(until="response.done")
        audio = [e.delta for e in events if e.type == "response.output_audio.delta"]
        lengths.append(sum(map(len, audio)))
    slow, plain, fast = lengths
    assert slow / plain == pytest.approx(2, rel=0.1)
    assert plain / fast == pytest.approx(1.5, rel=0.1)


def test_text_takes_40_words_a_second() -> None:
    """At the usual pace."""
    driver = SessionDriver()
    driver.say("Count to eighty")
    start = driver.now
    driver.respond(**TEXT)
    words = sum(name == "response.output_text.delta" for name in driver.names)
    assert driver.now - start == pytest.approx(words / 40, rel=0.01)


def test_a_pace_of_zero_takes_no_time() -> None:
    """As fast as possible means at once in virtual time."""
    driver = SessionDriver(pace=0.0)
    driver.say("Count slowly to thirty")
    driver.respond()
    assert driver.now == 0.0


def test_a_long_reply_costs_nothing_until_it_is_due() -> None:
    """Speech is made word by word, when its time has come."""
    spoken: list[str] = []

    class CountingVoice:
        def speak(self, text: str, speed: float) -> Any:
            for word in FormantVoice().speak(text, speed):
                spoken.append(word.text)
                yield word

    driver = SessionDriver(voice=CountingVoice())
    driver.say("Count to one thousand")
    driver.send("response.create")
    assert spoken == []
    driver.run(1.0)
    assert 5 < len(spoken) < 30
    driver.send("response.cancel")
    driver.run()
    assert len(spoken) < 30


def test_a_cancelled_response_closes_what_it_opened() -> None:
    """PROTOCOL.md section 6.6."""
    driver = SessionDriver()
    driver.say("Count to twenty")
    driver.send("response.create")
    driver.run(0.5)
    events = driver.send("response.cancel")
    assert [event.type for event in events] == [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
        "rate_limits.updated",
    ]
    response = done_of(events)
    assert response.status == "cancelled"
    assert response.status_details.to_dict() == {
        "type": "cancelled",
        "reason": "client_cancelled",
    }
    assert response.output[0].status == "incomplete"
    assert 0 < response.usage.output_tokens < 60
    assert driver.run() == []
    check_order(driver.events)


def test_a_response_cancelled_at_once_has_no_output() -> None:
    """Nothing was opened, so nothing is closed."""
    driver = SessionDriver()
    driver.say("Hello")
    [created] = driver.send("response.create")
    done, _ = driver.send("response.cancel", response_id=created.response.id)
    assert done.response.output == []
    assert done.response.usage.output_tokens == 0
    check_order(driver.events)


def test_nothing_to_cancel_is_an_error() -> None:
    """Also when the response has just ended, or another one is named."""
    driver = SessionDriver()
    frame: dict[str, Any] = {"type": "response.cancel", "event_id": "mine"}
    driver.assert_refused("response_cancel_not_active", None, frame)
    driver.say("Hello")
    driver.respond()
    driver.assert_refused("response_cancel_not_active", None, frame)
    driver.send("response.create")
    frame["response_id"] = "resp_1"
    error = driver.assert_refused("response_cancel_not_active", None, frame)
    # Clients know this one by how it begins.
    assert error.message.startswith("Cancellation failed")


def test_one_response_at_a_time() -> None:
    """A second one on the default conversation is refused, not queued."""
    driver = SessionDriver()
    driver.say("Hello")
    driver.send("response.create")
    driver.run(0.1)
    frame = {"type": "response.create", "event_id": "mine"}
    driver.assert_refused("conversation_already_has_active_response", None, frame)
    driver.run()
    assert driver.send("response.create")[0].type == "response.created"


def test_the_slot_is_free_as_soon_as_the_response_is_done() -> None:
    """A client may ask for the next one in answer to `response.done`."""
    driver = SessionDriver()
    driver.say("Hello")
    driver.respond()
    assert driver.send("response.create")[0].type == "response.created"


def test_an_out_of_band_response() -> None:
    """PROTOCOL.md section 6.5: beside the running one, unknown to the conversation."""
    driver = SessionDriver()
    driver.say("Count to twenty")
    driver.send("response.create")
    driver.run(0.2)
    item = {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Classify this"}],
    }
    metadata = {"topic": "side"}
    [created] = driver.send(
        "response.create",
        response={
            "conversation": "none",
            "metadata": metadata,
            "input": [item],
            **TEXT,
        },
    )
    assert created.response.conversation_id is None
    assert created.response.metadata == metadata
    driver.run()
    [side] = [
        event.response
        for event in driver.events
        if event.type == "response.done" and event.response.conversation_id is None
    ]
    assert side.metadata == metadata
    assert side.output[0].content[0].text == "You said: Classify this"
    [event] = driver.send("conversation.item.retrieve", item_id=side.output[0].id)
    assert event.error.code == "item_retrieve_invalid_item_id"
    assert sum(name == "response.done" for name in driver.names) == 2
    check_order(driver.events)


def test_an_out_of_band_response_is_cancelled_by_its_id() -> None:
    """Without an id, only the default conversation's response is meant."""
    driver = SessionDriver()
    driver.say("Count to twenty")
    response = {"conversation": "none"}
    [created] = driver.send("response.create", response=response)
    frame = {"type": "response.cancel"}
    driver.assert_refused("response_cancel_not_active", None, frame)
    driver.run(0.2)
    events = driver.send("response.cancel", response_id=created.response.id)
    assert done_of(events).status == "cancelled"
    check_order(driver.events)


def test_input_replaces_the_context() -> None:
    """Items, references to items, or nothing at all."""
    driver = SessionDriver()
    first_id = driver.say("The first thing")
    driver.say("The second thing")
    reference = [{"type": "item_reference", "id": first_id}]
    [message] = done_of(driver.respond(input=reference, **TEXT)).output
    assert message.content[0].text == "You said: The first thing"
    [message] = done_of(driver.respond(input=[], **TEXT)).output
    assert message.content[0].text == "Hello! I am listening."


def test_overrides_hold_for_one_response() -> None:
    """Tools, choice and modality go back to the session's afterwards."""
    driver = SessionDriver()
    driver.say("Just talk")
    choice = {"type": "function", "name": "get_weather"}
    events = driver.respond(tools=[WEATHER], tool_choice=choice)
    assert done_of(events).output[0].name == "get_weather"
    driver.say("Just talk")
    response = done_of(driver.respond())
    assert response.output[0].type == "message"
    assert response.output_modalities == ["audio"]


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"modalities": ["text"]}, "unknown_parameter", "modalities"),
    ({"audio": {"input": {}}}, "unknown_parameter", "audio.input"),
    ({"audio": {"output": {"speed": 1}}}, "unknown_parameter", "audio.output.speed"),
    ({"output_modalities": ["text", "audio"]}, "invalid_value", "output_modalities"),
    ({"max_output_tokens": 0}, "invalid_value", "max_output_tokens"),
    ({"conversation": "other"}, "invalid_value", "conversation"),
    ({"metadata": {"k": "v" * 513}}, "invalid_value", "metadata"),
    ({"metadata": {"k" * 65: "v"}}, "invalid_value", "metadata"),
    ({"metadata": {str(i): "" for i in range(17)}}, "invalid_value", "metadata"),
    ({"metadata": {"k": 5}}, "invalid_value", "metadata.k"),
    ({"tool_choice": "perhaps"}, "invalid_value", "tool_choice"),
    ({"instructions": 5}, "invalid_value", "instructions"),
    (
        {"input": [{"type": "item_reference", "id": "no"}]},
        "item_not_found",
        "input[0].id",
    ),
    ({"input": [{"type": "poem"}]}, "invalid_value", "input[0].type"),
]


@pytest.mark.parametrize(("response", "code", "param"), REFUSED)
def test_a_bad_request_starts_nothing(
    response: dict[str, Any], code: str, param: str
) -> None:
    """The error names the field, and no response begins."""
    driver = SessionDriver()
    driver.say("Hello")
    frame = {"type": "response.create", "event_id": "mine", "response": response}
    error = driver.assert_refused(code, f"response.{param}", frame)
    assert error.event_id == "mine"
    assert driver.run() == []


def test_out_of_band_responses_are_limited() -> None:
    """A client cannot have the server work on any number of them."""
    driver = SessionDriver()
    driver.say("Count to twenty")
    response = {"conversation": "none"}
    for _ in range(32):
        assert driver.send("response.create", response=response)[0].type != "error"
    frame = {"type": "response.create", "response": response}
    driver.assert_refused("rate_limit_exceeded", None, frame)


@pytest.mark.parametrize("modality", ["text", "audio"])
@pytest.mark.parametrize("limit", [1, 2, 7, 20])
def test_max_output_tokens_end_a_response(modality: str, limit: int) -> None:
    """PROTOCOL.md section 6.12: incomplete, and never over the limit."""
    driver = SessionDriver()
    driver.say("Count to fifty")
    response = done_of(
        driver.respond(max_output_tokens=limit, output_modalities=[modality])
    )
    assert response.status == "incomplete"
    assert response.status_details.to_dict() == {
        "type": "incomplete",
        "reason": "max_output_tokens",
    }
    assert response.max_output_tokens == limit
    assert response.output[0].status == "incomplete"
    assert response.usage.output_tokens <= limit
    check_order(driver.events)


def test_a_reply_that_just_fits_is_complete() -> None:
    """Reaching the limit is not going over it."""
    driver = SessionDriver()
    driver.say("Hello")
    needed = done_of(driver.respond(**TEXT)).usage.output_tokens
    response = done_of(driver.respond(max_output_tokens=needed, **TEXT))
    assert response.status == "completed"


def test_usage_counts_the_whole_conversation() -> None:
    """User audio at 1 token for 100 ms, the assistant's at 1 for 50 ms."""
    driver = SessionDriver()
    driver.update(instructions="", audio={"input": {"turn_detection": None}})
    driver.append(bytes(48 * 1_250))
    driver.send("input_audio_buffer.commit")
    first = done_of(driver.respond()).usage
    assert first.input_token_details.audio_tokens == 13
    assert first.input_token_details.text_tokens == 0
    assert first.input_token_details.cached_tokens == 0
    audio_bytes = sum(
        len(event.delta)
        for event in driver.events
        if event.type == "response.output_audio.delta"
    )
    assert first.output_token_details.audio_tokens == -(-audio_bytes // 2400)
    assert first.output_token_details.text_tokens > 0
    driver.say("one two three four five six seven eight nine ten")
    second = done_of(driver.respond(**TEXT)).usage
    details = second.input_token_details
    assert details.text_tokens == 13
    assert details.audio_tokens == 13 + first.output_token_details.audio_tokens
    # What the first response was given comes again, unchanged, at the beginning.
    assert details.cached_tokens_details.audio_tokens == 13
    assert details.cached_tokens == first.input_tokens


def test_the_response_shows_how_it_was_made() -> None:
    """Fields of the resource, from its beginning to its end."""
    driver = SessionDriver()
    driver.say("Hello")
    events = driver.respond(metadata={"a": "b"}, audio={"output": {"voice": "echo"}})
    for response in (events[0].response, done_of(events)):
        fields = response.to_dict()
        assert fields["object"] == "realtime.response"
        assert fields["conversation_id"] == "conv_1"
        assert fields["metadata"] == {"a": "b"}
        assert fields["max_output_tokens"] == "inf"
        assert fields["audio"]["output"] == {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "voice": "echo",
        }
        assert fields["status_details"] is None


def test_items_created_meanwhile_follow_the_running_reply() -> None:
    """The client may speak while the assistant does."""
    driver = SessionDriver()
    driver.say("Count to twenty")
    driver.send("response.create")
    driver.run(0.2)
    running = next(e.item.id for e in driver.events if e.type.endswith("item.added"))
    item_id = driver.say("And then?")
    added = driver.events[-2]
    assert added.item.id == item_id
    assert added.previous_item_id != running
    driver.run()
    check_order(driver.events)


def test_several_out_of_band_responses_at_once() -> None:
    """Their events interleave, each is told by its metadata, and none is an item."""
    driver = SessionDriver()
    driver.say("Count to twenty")
    driver.send("response.create")
    for number in range(3):
        item = {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": f"Side {number}, thing by thing"}
            ],
        }
        response = {
            "conversation": "none",
            "metadata": {"number": str(number)},
            "input": [item],
            "output_modalities": ["text" if number else "audio"],
        }
        [created] = driver.send("response.create", response=response)
        assert created.response.metadata == {"number": str(number)}
    events = driver.run()
    ends = [event.response for event in events if event.type == "response.done"]
    assert {response.status for response in ends} == {"completed"}
    said = {}
    for response in ends:
        part = response.output[0].content[0]
        number = (response.metadata or {}).get("number")
        said[number] = getattr(part, "text", None) or part.transcript
    assert said.pop(None).startswith("One, two")
    assert said == {
        str(number): f"You said: Side {number}, thing by thing" for number in range(3)
    }
    # The conversation knows its own message and reply.
    assert len(driver.order.history) == 2
    streams = [e.response_id for e in events if e.type.endswith(".delta")]
    assert len(set(streams[:12])) == 4
    check_order(driver.events)


def test_an_out_of_band_response_sees_the_conversation() -> None:
    """Without `input`, it answers what was said in it, and changes nothing there."""
    driver = SessionDriver()
    driver.say("The cat sat")
    [message] = done_of(driver.respond(conversation="none", **TEXT)).output
    assert message.content[0].text == "You said: The cat sat"
    assert len(driver.order.history) == 1


def test_a_response_to_input_joins_the_conversation() -> None:
    """`input` replaces what is answered; where the reply goes, `conversation` says."""
    driver = SessionDriver()
    driver.say("The cat sat")
    events = driver.respond(input=[], conversation="auto", **TEXT)
    assert events[0].response.conversation_id == "conv_1"
    assert driver.order.history[-1] == done_of(events).output[0].id


def test_items_of_input_are_not_in_the_conversation() -> None:
    """They are for this response; even an id that is taken there is no conflict."""
    driver = SessionDriver()
    taken = driver.say("The cat sat")
    item = {
        "type": "message",
        "id": taken,
        "role": "user",
        "content": [{"type": "input_text", "text": "The dog ran"}],
    }
    reference = {"type": "item_reference", "id": taken}
    [message] = done_of(driver.respond(input=[reference, item], **TEXT)).output
    assert message.content[0].text == "You said: The dog ran"
    [event] = driver.send("conversation.item.retrieve", item_id=taken)
    assert event.item.content[0].text == "The cat sat"


@pytest.mark.parametrize(
    "override",
    [
        {"instructions": "Be brief."},
        {"max_output_tokens": 50},
        {"audio": {"output": {"voice": "ash"}}},
        {"parallel_tool_calls": False},
        {"reasoning": {"effort": "high"}},
        {"prompt": {"id": "pmpt_1"}},
    ],
)
def test_overrides_leave_the_session_as_it_was(override: dict[str, Any]) -> None:
    """PROTOCOL.md section 3.5: they last for this response only."""
    driver = SessionDriver()
    before = driver.update()[0].session
    driver.say("Hello")
    assert done_of(driver.respond(**override, **TEXT)).status == "completed"
    assert driver.update()[0].session == before


def test_a_null_in_an_override_means_what_the_session_says() -> None:
    """At any depth."""
    driver = SessionDriver()
    driver.update(max_output_tokens=9, audio={"output": {"voice": "ash"}})
    driver.say("Hello")
    events = driver.respond(
        max_output_tokens=None, audio={"output": {"voice": None, "format": None}}
    )
    assert events[0].response.max_output_tokens == 9
    assert events[0].response.audio.output.voice == "ash"
    assert events[0].response.audio.output.format.rate == 24_000
