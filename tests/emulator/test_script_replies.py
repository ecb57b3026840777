"""What a scenario answers to what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openai_realtime.audio.pcm import silence
from openai_realtime.audio.wav import write_wav
from openai_realtime.emulator.brains.brain import (
    Call,
    CallMcp,
    Chunks,
    ContentFilter,
    Fail,
    Pause,
    Play,
    Say,
    TokenLimit,
)
from openai_realtime.emulator.brains.prompt import Message, Prompt, ToolCall, ToolOutput
from openai_realtime.emulator.brains.script import Scenario, ScriptBrain
from openai_realtime.emulator.faults import parse_fault
from openai_realtime.resources.items import (
    McpHttpError,
    McpProtocolError,
    McpToolExecutionError,
)

PCM = silence(2400)
SPOKEN = Message("user", "tell me a joke", transcript="tell me a joke", audio=(PCM,))
UNHEARD = Message("user", "", 0.1, audio=(PCM,))


def user(text: str) -> Message:
    """Something that the user wrote."""
    return Message("user", text)


def assistant(text: str) -> Message:
    """Something that the assistant said."""
    return Message("assistant", text)


def called(name: str, output: str | None = None, *, server: str | None = None) -> Any:
    """Make the call of a tool, and what it returned, as items."""
    call_id = f"call_{name}_{output}"
    call = ToolCall(name, "{}", call_id, server)
    return [call] if output is None else [call, ToolOutput(call_id, output)]


def answers(scenario: Any, *items: Any, **prompt: Any) -> list[Any]:
    """Ask the brain of a scenario and return what it wants."""
    flat: list[Any] = []
    for item in items:
        flat += item if isinstance(item, list) else [item]
    brain = ScriptBrain(Scenario.from_dict(scenario))
    return list(brain.reply(Prompt(items=tuple(flat), **prompt)))


def holds(when: dict[str, Any], *items: Any, **prompt: Any) -> bool:
    """Tell whether a condition holds in a conversation."""
    scenario = {
        "reply": [{"when": when, "say": "yes"}],
        "otherwise": {"say": "no"},
    }
    [action] = answers(scenario, *items, **prompt)
    return action.text == "yes"


# --- conditions ---


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("weather", "What is the WEATHER like?", True),
        ("Straße", "in der STRASSE", True),
        ("weather", "whether it rains", False),
        ({"regex": r"^book (\w+)$"}, "Book it", True),
        ({"regex": r"^book (\w+)$"}, "please book it", False),
        ({"regex": "(?-i:Paris)"}, "paris", False),
        (["rain", "snow"], "will it snow?", True),
        (["rain", {"regex": r"\bsun\b"}], "the sun", True),
        (["rain", {"regex": r"\bsun\b"}], "Sunday", False),
    ],
)
def test_a_text_is_compared(pattern: Any, text: str, fits: bool) -> None:
    """By what it contains, by an expression, or by one of several."""
    assert holds({"text": pattern}, user(text)) is fits


@pytest.mark.parametrize(
    ("when", "items", "expected"),
    [
        # What the user said: the last message, written or spoken.
        ({"text": "joke"}, [SPOKEN], True),
        ({"text": "joke"}, [user("joke"), assistant("Ha."), user("thanks")], False),
        ({"text": "joke"}, [assistant("a joke")], False),
        ({"text": "joke"}, [], False),
        ({"transcript": "joke"}, [SPOKEN], True),
        ({"transcript": "joke"}, [user("joke")], False),
        ({"spoken": True}, [UNHEARD], True),
        ({"spoken": True}, [user("joke")], False),
        ({"spoken": False}, [user("joke")], True),
        # Asked once more, without a word from the user.
        ({"text": "joke"}, [user("joke"), assistant("Ha.")], True),
        # A system message in between changes nothing.
        ({"text": "joke"}, [user("joke"), Message("system", "Be brief.")], True),
        ({"tool": "f"}, [called("f", "1"), Message("system", "Be brief.")], True),
        # Several conditions: all of them.
        ({"text": "joke", "turn": 1}, [user("joke")], True),
        ({"text": "joke", "turn": 2}, [user("joke")], False),
        # How many messages there are.
        ({"turn": 0}, [], True),
        ({"turn": 0}, [Message("system", "Begin.")], True),
        ({"turn": 2}, [user("a"), assistant("b"), user("c")], True),
        ({"turn": {"from": 2}}, [user("a")], False),
        ({"turn": {"from": 2}}, [user("a"), user("b"), user("c")], True),
        ({"turn": {"to": 2}}, [user("a"), user("b"), user("c")], False),
        ({"turn": {"from": 1, "to": 2}}, [user("a"), user("b")], True),
        # The how manieth that fits.
        ({"text": "a", "nth": 1}, [user("a")], True),
        ({"text": "a", "nth": 1}, [user("b"), user("a")], True),
        ({"text": "a", "nth": 1}, [user("a"), user("a")], False),
        ({"text": "a", "nth": {"from": 2}}, [user("a"), user("b"), user("a")], True),
        # What the assistant said last.
        ({"after": "sure?"}, [assistant("Are you sure?"), user("yes")], True),
        ({"after": "sure?"}, [assistant("Sure?"), assistant("Hm."), user("a")], False),
        ({"after": "sure?"}, [user("sure?")], False),
    ],
)
def test_a_condition_holds(
    when: dict[str, Any], items: list[Any], expected: bool
) -> None:
    """Each looks at its own part of the conversation."""
    assert holds(when, *items) is expected


ASK = user("what is it like?")
BOTH_CALLS = [called("a", "x")[0], called("b", "y")[0]]


@pytest.mark.parametrize(
    ("when", "items", "expected"),
    [
        ({"tool": "weather"}, [ASK, called("weather", "18")], True),
        ({"tool": "Weather"}, [ASK, called("weather", "18")], False),
        ({"tool": ["news", "weather"]}, [ASK, called("weather", "18")], True),
        ({"tool": "news"}, [ASK, called("weather", "18")], False),
        ({"tool_output": "RAIN"}, [ASK, called("weather", '{"sky": "rain"}')], True),
        ({"tool_output": "sun"}, [ASK, called("weather", "rain")], False),
        # One output must fit all: not one the name, and another one the text.
        (
            {"tool": "a", "tool_output": "y"},
            [ASK, *BOTH_CALLS, *called("a", "x")[1:], *called("b", "y")[1:]],
            False,
        ),
        (
            {"tool": "b", "tool_output": "y"},
            [ASK, *BOTH_CALLS, *called("b", "y")[1:], *called("a", "x")[1:]],
            True,
        ),
        # What was answered already does not count any more.
        ({"tool": "a"}, [ASK, called("a", "x"), called("b", "y")], False),
        ({"tool": "a"}, [ASK, called("a", "x"), assistant("It is x.")], False),
        ({"tool": "a"}, [ASK, called("a", "x"), user("and?")], False),
        # A call that waits is no output.
        ({"tool": "a"}, [ASK, called("a")], False),
        # The client has deleted the call.
        ({"tool_output": "x"}, [ASK, called("a", "x")[1:]], True),
        ({"tool": "a"}, [ASK, called("a", "x")[1:]], False),
        ({"server": "docs"}, [ASK, called("find", "x", server="docs")], True),
        ({"server": "docs"}, [ASK, called("find", "x")], False),
        # The user's message beside the tool.
        ({"tool": "a", "text": "like"}, [ASK, called("a", "x")], True),
        ({"tool": "a", "text": "much"}, [ASK, called("a", "x")], False),
        # The how manieth output that fits.
        ({"tool": "a", "nth": 1}, [called("a", "x"), called("a", "y")], False),
        ({"tool": "a", "nth": 2}, [called("a", "x"), called("a", "y")], True),
        ({"tool": "a", "nth": 1}, [called("b", "x"), called("a", "y")], True),
    ],
)
def test_a_tool_is_answered(
    when: dict[str, Any], items: list[Any], expected: bool
) -> None:
    """Conditions on tools look at what has just come back from them."""
    assert holds(when, *items) is expected


@pytest.mark.parametrize(
    "when", [{"text": "like"}, {"turn": 1}, {"spoken": False}, {"instructions": "b"}]
)
@pytest.mark.parametrize("tail", [called("a", "x"), called("a")])
def test_what_led_to_a_call_does_not_lead_to_it_again(
    when: dict[str, Any], tail: list[Any]
) -> None:
    """A client that asks for a response after each output comes to rest."""
    assert not holds(when, ASK, tail, instructions="Be brief.")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"instructions": "PIRATE"}, True),
        ({"instructions": "lawyer"}, False),
        ({"metadata": {"topic": "greet"}}, True),
        ({"metadata": {"topic": "greet", "step": {"regex": "^1$"}}}, True),
        ({"metadata": {"topic": "greet", "step": "2"}}, False),
        ({"metadata": {"subject": "greet"}}, False),
        ({"modality": "text"}, True),
        ({"modality": "audio"}, False),
    ],
)
def test_the_response_itself_is_looked_at(when: dict[str, Any], expected: bool) -> None:
    """Its instructions, its metadata and its modality can decide."""
    given = holds(
        when,
        instructions="You are a pirate.",
        metadata={"topic": "greeting", "step": "1"},
        modality="text",
    )
    assert given is expected


def test_the_first_reply_that_fits_is_given() -> None:
    """The order of the file decides."""
    scenario = {
        "reply": [
            {"when": {"text": "rain"}, "say": "one"},
            {"when": {"text": "heavy rain"}, "say": "two"},
        ]
    }
    assert answers(scenario, user("heavy rain")) == [Say("one")]


# --- what is done ---


@pytest.mark.parametrize(
    ("step", "action"),
    [
        ({"say": "Hm."}, Say("Hm.")),
        ({"say": "Hm ", "more": True}, Say("Hm ", more=True)),
        (
            {"say": "Hm", "chunks": {"characters": 3, "audio_ms": 20, "delay_s": 1}},
            Say("Hm", Chunks(characters=3, audio_ms=20, delay_s=1.0)),
        ),
        ({"call": "f"}, Call("f", "{}")),
        ({"call": "f", "arguments": {"a": [1, "é"]}}, Call("f", '{"a": [1, "é"]}')),
        ({"call": "f", "arguments": "{oops"}, Call("f", "{oops")),
        ({"call_mcp": "t", "server": "s"}, CallMcp("s", "t", "{}")),
        (
            {"call_mcp": "t", "server": "s", "arguments": {"a": 1}, "output": "x"},
            CallMcp("s", "t", '{"a": 1}', output="x"),
        ),
        (
            {"call_mcp": "t", "server": "s", "output": {"found": []}},
            CallMcp("s", "t", "{}", output='{"found": []}'),
        ),
        (
            {"call_mcp": "t", "server": "s", "error": "broken"},
            CallMcp("s", "t", "{}", error=McpToolExecutionError(message="broken")),
        ),
        (
            {
                "call_mcp": "t",
                "server": "s",
                "error": {"type": "http_error", "message": "gone", "code": 404},
            },
            CallMcp("s", "t", "{}", error=McpHttpError(message="gone", code=404)),
        ),
        ({"pause_s": 0.5}, Pause(0.5)),
        ({"fail": "Overloaded."}, Fail("Overloaded.")),
        (
            {"fail": "Too much.", "code": "rate_limit_exceeded", "type": "quota"},
            Fail("Too much.", "rate_limit_exceeded", "quota"),
        ),
        ({"content_filter": True}, ContentFilter()),
        ({"token_limit": True}, TokenLimit()),
        ({"echo": True}, Say("hello there")),
        (
            {"rules": True},
            Say("Hello! It is good to hear from you. What can I do for you?"),
        ),
    ],
)
def test_everything_can_be_done(step: dict[str, Any], action: Any) -> None:
    """In a reply, as a step among others, and otherwise."""
    said = user("hello there")
    when = {"turn": 1}
    assert answers({"reply": [{"when": when, **step}]}, said) == [action]
    several = {"when": when, "do": [{"say": "First."}, step]}
    assert answers({"reply": [several]}, said) == [Say("First."), action]
    assert answers({"otherwise": step}, said) == [action]
    assert answers({"otherwise": {"do": [step]}}, said) == [action]


def test_a_file_is_played_from_beside_the_scenario(tmp_path: Path) -> None:
    """Its path is relative to the scenario, wherever the program runs."""
    (tmp_path / "sounds").mkdir()
    write_wav(tmp_path / "sounds" / "beep.wav", PCM)
    path = tmp_path / "scenario.toml"
    path.write_text(
        '[[reply]]\nwhen.turn = 0\nplay = "sounds/beep.wav"\ntranscript = "Beep."\n'
    )
    assert list(ScriptBrain.from_file(path).reply(Prompt())) == [Play(PCM, "Beep.")]


def test_chunks_hold_for_all_messages_that_do_not_say_otherwise() -> None:
    """A message keeps of the usual chunks what it does not change."""
    scenario = {
        "chunks": {"audio_ms": 20, "delay_s": 0.1},
        "otherwise": {"do": [{"say": "a"}, {"say": "b", "chunks": {"delay_s": 0}}]},
    }
    assert answers(scenario) == [
        Say("a", Chunks(audio_ms=20, delay_s=0.1)),
        Say("b", Chunks(audio_ms=20, delay_s=0.0)),
    ]


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ({}, "You said: oh"),
        ({"otherwise": "rules"}, "You said: oh"),
        ({"otherwise": "echo"}, "oh"),
        ({"otherwise": {"say": "Pardon?"}}, "Pardon?"),
    ],
)
def test_what_fits_nothing_is_answered_too(scenario: Any, said: str) -> None:
    """By rules, if the scenario does not say how."""
    assert answers(scenario, user("oh")) == [Say(said)]


# --- what is beside the replies ---


def test_faults_are_read_in_both_forms() -> None:
    """As on the command line, and as tables."""
    brain = ScriptBrain.from_text(
        'fault = ["close 1011 at 7", { do = "omit", at = "response.done" }]'
    )
    assert brain.faults == (
        parse_fault("close 1011 at 7"),
        parse_fault("omit response.done"),
    )


def test_mcp_servers_are_described() -> None:
    """Their tools answer as the scenario says; other servers are as ever."""
    servers = ScriptBrain.from_text(
        """
        [[mcp_server]]
        label = "docs"
        [[mcp_server.tool]]
        name = "search"
        description = "Searches."
        input_schema = { type = "object", required = ["query"] }
        read_only = true
        output = { hits = [1, 2] }
        [[mcp_server.tool]]
        name = "fetch"
        error = { type = "protocol_error", message = "no", code = -32000 }
        [[mcp_server]]
        label = "down"
        unreachable = true
        """
    ).mcp_servers
    docs = servers.find("docs", "https://docs.example")
    [search, fetch] = [tool.listed() for tool in docs.tools]
    assert (search.name, search.description) == ("search", "Searches.")
    assert search.input_schema == {"type": "object", "required": ["query"]}
    assert search.annotations == {"readOnlyHint": True}
    assert fetch.name == "fetch"
    assert docs.call("search", "{}").output == '{"hits": [1, 2]}'
    assert docs.call("fetch", "{}").error == McpProtocolError(message="no", code=-32000)
    assert servers.find("down", None).unreachable
    assert [tool.name for tool in servers.find("other", None).tools][:1] == ["search"]


def test_nothing_is_kept_of_the_dict() -> None:
    """Who changes the dict later changes no answer."""
    arguments = {"city": "Paris"}
    data = {"otherwise": {"call": "f", "arguments": arguments}}
    brain = ScriptBrain.from_dict(data)
    arguments["city"] = "Rome"
    assert list(brain.reply(Prompt())) == [Call("f", '{"city": "Paris"}')]


def test_one_brain_serves_many_conversations() -> None:
    """Nothing is remembered from one to the next: once is once in each of them."""
    brain = ScriptBrain.from_dict(
        {
            "reply": [{"when": {"text": "joke", "nth": 1}, "say": "Ha."}],
            "otherwise": {"say": "No."},
        }
    )
    first = Prompt(items=(user("a joke"),))
    second = Prompt(items=(user("a joke"), assistant("Ha."), user("a joke")))
    said = [next(iter(brain.reply(prompt))) for prompt in (first, second, first)]
    assert said == [Say("Ha."), Say("No."), Say("Ha.")]
