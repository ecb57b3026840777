"""The rules by which the emulator answers, and the arguments it makes up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_realtime.emulator.brains.arguments import arguments_for, place_in
from openai_realtime.emulator.brains.brain import Call, Say
from openai_realtime.emulator.brains.numerals import numbers_in, spelled
from openai_realtime.emulator.brains.prompt import Message, Prompt, ToolCall, ToolOutput
from openai_realtime.emulator.brains.rules import RuleBrain
from openai_realtime.emulator.senses.ears import CaptionEars
from openai_realtime.emulator.senses.voice import FormantVoice
from openai_realtime.resources.tools import ToolChoiceForced, ToolDefinition

WEATHER = ToolDefinition(
    name="get_weather",
    description="Tells how warm or wet it is outside.",
    parameters={
        "type": "object",
        "properties": {
            "lat": {"type": "number"},
            "lng": {"type": "number"},
            "location": {"type": "string"},
        },
        "required": ["lat", "lng", "location"],
    },
)
LIGHTS = ToolDefinition(
    name="setLights",
    description="Switches the lamps of a room.",
    parameters={
        "type": "object",
        "properties": {
            "on": {"type": "boolean"},
            "room": {"type": "string", "enum": ["kitchen", "bedroom"]},
            "level": {"type": "integer", "minimum": 1, "maximum": 10},
        },
    },
)
TOOLS = (WEATHER, LIGHTS)


def answer(*items: Any, **prompt: Any) -> Any:
    """Ask the brain and return its one action."""
    given = [Message("user", item) if isinstance(item, str) else item for item in items]
    [action] = RuleBrain().reply(Prompt(items=tuple(given), **prompt))
    return action


@pytest.mark.parametrize("text", ["Hello!", "hi there", "Good morning", "  Hey, you"])
def test_it_greets(text: str) -> None:
    """Whoever greets is greeted."""
    assert answer(text).text.startswith("Hello!")


def test_it_greets_first_when_nobody_said_anything() -> None:
    """An empty conversation is a beginning."""
    assert answer() == Say("Hello! I am listening.")


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("Count to 3", "One, two, three."),
        ("please count up to three.", "One, two, three."),
        ("Count slowly to 3", "One... Two... Three."),
        ("Can you count, and slowly, to two?", "One... Two."),
        ("Count from three to five.", "Three, four, five."),
    ],
)
def test_it_counts(text: str, reply: str) -> None:
    """As far as the message says; slowly with pauses."""
    assert answer(text) == Say(reply)


def test_slow_counting_takes_longer_to_say() -> None:
    """The voice pauses after each number."""
    lengths = [
        sum(len(word.pcm) for word in FormantVoice().speak(answer(text).text))
        for text in ("Count to ten", "Count slowly to ten")
    ]
    assert lengths[1] > lengths[0] * 1.2


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("count", "ten."),
        ("count to 0", "One."),
        ("count to a million", "ten."),
        ("count to one hundred and five", "one hundred five."),
        ("count to 99999999", "one thousand."),
    ],
)
def test_it_counts_within_reason(text: str, last: str) -> None:
    """To ten when nothing is said, and to a thousand at most."""
    assert answer(text).text.endswith(last)


def test_it_repeats_what_it_was_told() -> None:
    """That is all a message means to it otherwise."""
    assert answer("The cat sat.") == Say("You said: The cat sat.")


def test_it_confesses_what_it_cannot_understand() -> None:
    """Audio without a caption is only so many seconds."""
    said = answer(Message("user", "", 2.34)).text
    assert "2.3 seconds" in said
    assert "cannot understand" in said
    assert "nothing" in answer(Message("user", "")).text


def test_it_answers_the_last_user_message() -> None:
    """What the assistant and the system say is no question."""
    items = ["First", Message("assistant", "Hello"), "Second", Message("system", "Hm")]
    assert answer(*items) == Say("You said: Second")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("What's the weather in Paris?", "get_weather"),
        ("Is it warm and wet outside?", "get_weather"),
        ("Turn off the lights", "setLights"),
        ("Switch the lamp on", None),
        ("Hello", None),
        ("Can you get it for me?", None),
        ("Count to five", None),
    ],
)
def test_it_calls_the_tool_that_fits(text: str, name: str | None) -> None:
    """By a word of its name, or two of its description."""
    action = answer(text, tools=TOOLS)
    assert (action.name if isinstance(action, Call) else None) == name


def test_tool_choice_is_honoured() -> None:
    """None, required, and a function by name."""
    weather = "What is the weather?"
    assert isinstance(answer(weather, tools=TOOLS, tool_choice="none"), Say)
    assert answer("Hello", tools=TOOLS, tool_choice="required").name == "get_weather"
    assert answer("Lights!", tools=TOOLS, tool_choice="required").name == "setLights"
    forced = ToolChoiceForced(name="setLights")
    assert answer(weather, tools=TOOLS, tool_choice=forced).name == "setLights"
    missing = ToolChoiceForced(name="no_such")
    assert isinstance(answer(weather, tools=TOOLS, tool_choice=missing), Say)
    assert isinstance(answer(weather, tool_choice="required"), Say)


def called(**arguments: Any) -> ToolCall:
    """Make a call of the weather tool."""
    return ToolCall("get_weather", json.dumps(arguments), "call_1")


def returned(value: Any) -> ToolOutput:
    """Make what the tool returned."""
    text = value if isinstance(value, str) else json.dumps(value)
    return ToolOutput("call_1", text)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            {"temperature_c": 18, "condition": "light rain"},
            "For Paris: temperature c 18, condition light rain.",
        ),
        ({"ok": True, "windSpeed": None}, "For Paris: ok yes, wind speed nothing."),
        ({"days": [{"max": 3}, {"max": 4}]}, "For Paris: days max 3, days max 4."),
        ("It rains", "For Paris: It rains."),
        ({}, "For Paris: nothing."),
        ("", "For Paris: nothing."),
    ],
)
def test_it_tells_what_a_tool_returned(value: Any, told: str) -> None:
    """The JSON is flattened to words, under the place that was asked about."""
    items = ["Weather in Paris?", called(location="Paris"), returned(value)]
    assert answer(*items, tools=TOOLS) == Say(told)


def test_it_tells_what_several_tools_returned() -> None:
    """All outputs since the last message, each by its call."""
    items = [
        "Do it",
        ToolCall("get_weather", "{}", "a"),
        ToolCall("set_light_level", "no json", "b"),
        ToolOutput("a", '{"sun": 1}'),
        ToolOutput("b", "5"),
        ToolOutput("c", "6"),
    ]
    assert answer(*items) == Say(
        "Get weather: sun 1. Set light level: 5. The tool says: 6."
    )


def test_long_outputs_are_cut() -> None:
    """Nobody wants to hear a thousand facts."""
    said = answer("Go", called(), returned(list(range(1000)))).text
    assert said.endswith("39, and more.")


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ('{"a":' * 900 + "1" + "}" * 900, "a a a a a a a a and more."),
        ("[" * 5_000, "[["),
        ('"\\ud800"', '"\\ud800"'),
        ("NaN", "NaN"),
        ("9" * 5_000, "99"),
    ],
)
def test_unusual_outputs_are_told_somehow(output: str, told: str) -> None:
    """Whatever a tool returns, the reply can be said and sent."""
    said = answer("Go", called(), ToolOutput("call_1", output)).text
    assert told in said
    assert said.encode()


def test_a_tool_is_called_once_for_a_message() -> None:
    """Without its output, the brain waits; a new message may call again."""
    items = ["What's the weather?", called()]
    assert "get_weather" in answer(*items, tools=TOOLS).text
    assert isinstance(answer(*items, "And the weather now?", tools=TOOLS), Call)


def test_a_required_tool_is_followed_by_talk() -> None:
    """Else a client that runs tools by itself would never get out of it."""
    items = ["Hi", called(), returned("5")]
    assert isinstance(answer(*items, tools=TOOLS, tool_choice="required"), Say)


# --- arguments ---


def test_a_known_city_has_coordinates() -> None:
    """A place goes into the location, its coordinates beside it."""
    arguments = answer("What is the weather in paris?", tools=TOOLS).arguments
    assert arguments == {"lat": 48.86, "lng": 2.35, "location": "Paris"}


def test_an_unknown_city_has_none() -> None:
    """Zero is the plainest number."""
    arguments = answer("The weather in Little Rock, please", tools=TOOLS).arguments
    assert arguments == {"lat": 0, "lng": 0, "location": "Little Rock"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("the weather in New York today", "New York"),
        ("from Oslo", "Oslo"),
        ("nowhere in particular", None),
    ],
)
def test_places_are_found(text: str, place: str | None) -> None:
    """Known cities anywhere, other names behind a preposition."""
    assert place_in(text) == place


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "Set it to 12 off"),
        ({"type": "string", "default": "x"}, "x"),
        ({"type": "number"}, 12.0),
        ({"type": "integer"}, 12),
        ({"type": "integer", "maximum": 10}, 10),
        ({"type": "integer", "minimum": 20}, 20),
        ({"type": "boolean"}, False),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 12),
        ({"type": ["null"]}, None),
        ({"const": 5}, 5),
        ({"enum": ["on", "off"]}, "off"),
        ({"enum": ["a", "b"]}, "a"),
        ({"enum": ["a", "b"], "default": "b"}, "b"),
        ({"type": "array", "items": {"type": "integer"}}, [12]),
        ({"type": "array", "items": {"const": 1}, "minItems": 2}, [1, 1]),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 12),
        ({"$ref": "#/$defs/level"}, 12),
        ({"properties": {"a": {"const": 1}}}, {"a": 1}),
        (
            {
                "type": "object",
                "properties": {"a": {"const": 1}, "b": {"const": 2}},
                "required": ["b"],
            },
            {"b": 2},
        ),
        ({}, "Set it to 12 off"),
    ],
)
def test_values_fit_their_schema(schema: Any, value: Any) -> None:
    """From the message where it says something, else the plainest."""
    root = {
        "type": "object",
        "properties": {"x": schema},
        "$defs": {"level": {"type": "integer"}},
    }
    assert arguments_for(root, "Set it to 12 off") == {"x": value}


def test_each_number_is_used_once() -> None:
    """Two fields get the first and the second number."""
    fields = {"a": {"type": "integer"}, "b": {"type": "integer"}}
    root = {"type": "object", "properties": fields}
    assert arguments_for(root, "from 5 to twenty-one") == {"a": 5, "b": 21}


def test_a_schema_may_contain_itself() -> None:
    """The recursion ends."""
    root: dict[str, Any] = {
        "type": "object",
        "properties": {"next": {"$ref": "#"}},
        "required": ["next"],
    }
    assert json.dumps(arguments_for(root, "x"))
    assert arguments_for({"$ref": "#"}, "x") == {}


@pytest.mark.parametrize("schema", [{}, {"type": "string"}, {"type": "odd"}])
def test_no_object_means_no_arguments(schema: Any) -> None:
    """Tools take objects."""
    assert arguments_for(schema, "x") == {}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("from 3 to 4.5", [3, 4.5]),
        ("twenty one and thirty-two", [21, 32]),
        ("two hundred and six", [206]),
        ("one thousand five hundred", [1500]),
        ("seven eight", [7, 8]),
        ("nobody", []),
        ("hundred", []),
        ("call 1234567890123456", []),
        ("call 1234567890123.5", []),
        ("123456789012", [123456789012]),
        ("3.14159265358979323846", [3.14159265358979323846]),
        ("at -3, 1-2 and 2026-05-31", [-3, 1, 2, 2026, 5, 31]),
    ],
)
def test_numbers_are_read(text: str, numbers: list[float]) -> None:
    """In digits and in words."""
    assert list(numbers_in(text)) == numbers


@pytest.mark.parametrize("number", [0, 7, 13, 20, 21, 99, 100, 342, 1000, 9999])
def test_spelled_numbers_can_be_read(number: int) -> None:
    """Writing and reading are each other's inverse."""
    assert list(numbers_in(spelled(number))) == [number]


def test_ears_read_captions_only() -> None:
    """Other audio is not understood; several utterances are joined."""
    ears = CaptionEars()
    pcm = b"".join(word.pcm for word in FormantVoice().speak("Hello you"))
    assert ears.transcribe(pcm) == "Hello you"
    assert ears.transcribe(pcm + bytes(4800) + pcm) == "Hello you Hello you"
    assert ears.transcribe(bytes(48_000)) is None
    assert ears.transcribe(b"") is None
    assert ears.transcribe(b"\x01") is None
