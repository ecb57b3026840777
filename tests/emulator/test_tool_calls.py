"""Functions: which are called, with what, and what follows (PROTOCOL.md 6.3)."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from openai_realtime.emulator.brains.action import Call, Say

from .event_order import check_order
from .planned_brain import PlannedBrain
from .session_driver import SessionDriver

TEXT = {"output_modalities": ["text"]}
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather at a place.",
    "parameters": {
        "type": "object",
        "properties": {
            "location": {"type": "string"},
            "days": {"type": "integer", "minimum": 1, "maximum": 7},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["location", "days", "unit"],
    },
}
LIGHTS = {
    "type": "function",
    "name": "set_lights",
    "description": "Switches lamps.",
    "parameters": {"type": "object", "properties": {"on": {"type": "boolean"}}},
}


def with_tools(*tools: Any, text: str, **session: Any) -> SessionDriver:
    """Open a session with these tools, in which the user has said something."""
    driver = SessionDriver()
    driver.update(tools=list(tools), **session)
    driver.say(text)
    return driver


def output_of(events: list[Any]) -> list[Any]:
    """Return the items of the response that has ended."""
    [done] = [event for event in events if event.type == "response.done"]
    assert done.response.status == "completed"
    items: list[Any] = done.response.output
    return items


def give(driver: SessionDriver, call: Any, output: str) -> None:
    """Answer a call."""
    item = {
        "type": "function_call_output",
        "call_id": call.call_id,
        "output": output,
    }
    driver.send("conversation.item.create", item=item)


def test_several_calls_in_one_response() -> None:
    """Each is an item of its own, one after the other, with a call id of its own."""
    brain = PlannedBrain(
        Call("get_weather", {"location": "Paris"}),
        Call("get_weather", {"location": "Oslo"}),
        Call("set_lights", {"on": True}),
    )
    driver = SessionDriver(brain=brain)
    driver.say("Go")
    events = driver.respond()
    calls = output_of(events)
    assert [json.loads(call.arguments) for call in calls] == [
        {"location": "Paris"},
        {"location": "Oslo"},
        {"on": True},
    ]
    assert len({call.call_id for call in calls} | {call.id for call in calls}) == 6
    assert [call.status for call in calls] == ["completed"] * 3
    added = [e for e in events if e.type == "response.output_item.added"]
    assert [event.output_index for event in added] == [0, 1, 2]
    ends = [e for e in events if e.type == "response.function_call_arguments.done"]
    assert [(e.item_id, e.call_id, e.name, e.arguments) for e in ends] == [
        (call.id, call.call_id, call.name, call.arguments) for call in calls
    ]
    deltas = [e for e in events if e.type == "response.function_call_arguments.delta"]
    for call in calls:
        own = [event.delta for event in deltas if event.call_id == call.call_id]
        assert "".join(own) == call.arguments
    behind = [e.previous_item_id for e in events if e.type == "conversation.item.added"]
    assert behind[1:] == [call.id for call in calls[:-1]]
    check_order(driver.events)


def test_talk_and_calls_in_one_response() -> None:
    """A message may come before a call, and behind it."""
    brain = PlannedBrain(Say("Let me look."), Call("f"), Say("It is on its way."))
    driver = SessionDriver(brain=brain)
    driver.say("Go")
    types = [item.type for item in output_of(driver.respond())]
    assert types == ["message", "function_call", "message"]
    check_order(driver.events)


def test_all_outputs_then_one_response() -> None:
    """The answer to several calls tells all that they returned."""
    driver = SessionDriver()
    for call_id, name in (("a", "get_sun"), ("b", "get_moon")):
        call = {
            "type": "function_call",
            "name": name,
            "arguments": "{}",
            "call_id": call_id,
        }
        driver.send("conversation.item.create", item=call)
    for call_id, output in (("a", '{"up": true}'), ("b", "below the horizon")):
        item = {"type": "function_call_output", "call_id": call_id, "output": output}
        driver.send("conversation.item.create", item=item)
    [message] = output_of(driver.respond(**TEXT))
    told = "Get sun: up yes. Get moon: below the horizon."
    assert message.content[0].text == told


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Use get_weather", "get_weather"),
        ("What's the weather in Oslo?", "get_weather"),
        ("Tell me about the place, please, and its weather", "get_weather"),
        ("Set the lights", "set_lights"),
    ],
)
def test_a_message_that_names_a_tool_calls_it_once(text: str, name: str) -> None:
    """The second response to the same message talks, with its output or without."""
    driver = with_tools(WEATHER, LIGHTS, text=text)
    [call] = output_of(driver.respond())
    assert (call.type, call.name) == ("function_call", name)
    [waiting] = output_of(driver.respond())
    assert waiting.type == "message"
    give(driver, call, '{"fine": true}')
    [told] = output_of(driver.respond())
    assert "fine yes" in told.content[0].transcript
    # The next message is a new one.
    driver.say(text)
    [again] = output_of(driver.respond())
    assert again.name == name
    assert again.call_id != call.call_id


def test_a_message_about_no_tool_calls_none() -> None:
    """Having tools is no reason to use them."""
    driver = with_tools(WEATHER, LIGHTS, text="My cat is asleep")
    assert output_of(driver.respond())[0].type == "message"


@pytest.mark.parametrize("text", ["My cat is asleep", "Use the lights", "Hello"])
def test_a_required_tool_is_called(text: str) -> None:
    """The one that fits, else the first; with its output, the brain talks."""
    driver = with_tools(WEATHER, LIGHTS, text=text, tool_choice="required")
    [call] = output_of(driver.respond())
    assert call.name == ("set_lights" if "lights" in text else "get_weather")
    give(driver, call, "done")
    assert output_of(driver.respond())[0].type == "message"


def test_a_forced_tool_is_called() -> None:
    """By its name, whatever was said; for one response or for the session."""
    forced = {"type": "function", "name": "set_lights"}
    driver = with_tools(WEATHER, LIGHTS, text="What's the weather?")
    [call] = output_of(driver.respond(tool_choice=forced))
    assert call.name == "set_lights"
    driver = with_tools(WEATHER, LIGHTS, text="Weather?", tool_choice=forced)
    assert output_of(driver.respond())[0].name == "set_lights"
    [message] = output_of(driver.respond(tool_choice="none"))
    assert message.type == "message"


def test_a_forced_tool_of_this_response_needs_no_session_tool() -> None:
    """Tools and choice of one response belong together."""
    driver = SessionDriver()
    driver.say("Hello")
    forced = {"type": "function", "name": "get_weather"}
    [call] = output_of(driver.respond(tools=[WEATHER], tool_choice=forced))
    assert call.name == "get_weather"
    assert driver.update(instructions="x")[0].session.tools == []


SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {}},
    WEATHER["parameters"],  # type: ignore[list-item]
    {
        "type": "object",
        "properties": {
            "rooms": {
                "type": "array",
                "minItems": 2,
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"enum": ["kitchen", "attic"]},
                        "level": {"type": "number", "minimum": 0.5, "maximum": 0.7},
                    },
                    "required": ["name", "level"],
                    "additionalProperties": False,
                },
            },
            "when": {"anyOf": [{"$ref": "#/$defs/time"}, {"type": "null"}]},
            "force": {"type": ["boolean", "null"]},
        },
        "required": ["rooms", "when", "force"],
        "additionalProperties": False,
        "$defs": {
            "time": {
                "type": "object",
                "properties": {"hour": {"type": "integer", "minimum": 13}},
                "required": ["hour"],
            }
        },
    },
]


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("text", ["Hello", "99 times in Berlin, not now", "fahrenheit"])
@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "act"}])
def test_arguments_fit_the_schema(schema: Any, text: str, choice: Any) -> None:
    """A validator finds nothing wrong with them, whatever the message says."""
    tool = {"type": "function", "name": "act", "parameters": schema}
    driver = with_tools(tool, text=text, tool_choice=choice)
    [call] = output_of(driver.respond())
    arguments = json.loads(call.arguments)
    jsonschema_rs.validate(schema, arguments)


def test_a_tool_without_parameters_gets_an_empty_object() -> None:
    """Not nothing: clients decode the arguments."""
    tool = {"type": "function", "name": "act"}
    driver = with_tools(tool, text="act")
    [call] = output_of(driver.respond())
    assert json.loads(call.arguments) == {}


def test_an_output_for_no_call_is_told_all_the_same() -> None:
    """The conversation may have been rebuilt without the call."""
    driver = SessionDriver()
    item = {"type": "function_call_output", "call_id": "gone", "output": "42"}
    driver.send("conversation.item.create", item=item)
    [message] = output_of(driver.respond(**TEXT))
    assert message.content[0].text == "The tool says: 42."


@pytest.mark.parametrize(("count", "least_s"), [("five", 2.5), ("thirty", 18)])
def test_counting_slowly_takes_long(count: str, least_s: float) -> None:
    """Long enough to interrupt it."""
    driver = SessionDriver(pace=1)
    driver.say(f"Count slowly to {count}")
    driver.send("response.create")
    driver.run(120)
    end = driver.times[driver.names.index("response.done")]
    assert end >= least_s
    audio = sum(len(e.delta) for e in driver.events if e.type.endswith("audio.delta"))
    assert end == pytest.approx(audio / 48_000, abs=0.01)
