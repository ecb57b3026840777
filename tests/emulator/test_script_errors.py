"""What is wrong with a scenario is said with its place; the schema sees it too."""

from __future__ import annotations

import datetime
import json
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from openai_realtime.emulator.brains.script import Scenario, ScriptBrain
from openai_realtime.emulator.brains.script.answer import ANSWER_KEYS, STEPS
from openai_realtime.emulator.brains.script.condition import CONDITIONS
from openai_realtime.emulator.brains.script.mcp import MCP_SERVER_KEYS, MCP_TOOL_KEYS
from openai_realtime.emulator.brains.script.scenario import SCENARIO_KEYS
from openai_realtime.emulator.faults.action import ACTIONS
from openai_realtime.errors import ConfigurationError

PACKAGE = "openai_realtime.emulator.brains.script"
SCHEMA = json.loads(
    resources.files(PACKAGE).joinpath("scenario.schema.json").read_text()
)
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)


def replying(**reply: Any) -> dict[str, Any]:
    """A scenario with one reply."""
    return {"reply": [{"when": {"text": "a"}, **reply}]}


def when(**conditions: Any) -> dict[str, Any]:
    """A scenario with one reply that has these conditions."""
    return {"reply": [{"when": conditions, "say": "b"}]}


def served(**tool: Any) -> dict[str, Any]:
    """A scenario with an MCP server that has one tool."""
    return {"mcp_server": [{"label": "docs", "tool": [{"name": "find", **tool}]}]}


GOOD: list[dict[str, Any]] = [
    {},
    {"otherwise": "echo"},
    {"otherwise": "rules", "reply": [], "fault": [], "mcp_server": []},
    {"otherwise": {"fail": "no", "code": "c", "type": "t"}},
    {"otherwise": {"do": [{"pause_s": 0}, {"token_limit": True}]}},
    {"chunks": {"characters": 1, "audio_ms": 1, "delay_s": 0}},
    replying(say=""),
    replying(say="b", more=True, chunks={"delay_s": 0.5}),
    replying(call="f", arguments={}),
    replying(call="f", arguments="{"),
    replying(call_mcp="t", server="s", arguments={}, output=[1]),
    replying(call_mcp="t", server="s", error={"message": "m"}),
    replying(do=[{"say": "b"}, {"echo": True}, {"rules": True}]),
    replying(content_filter=True),
    replying(say="b", fault=[]),
    replying(do=[{"say": "b"}], fault=["omit response.done", {"do": "drop", "at": 2}]),
    {
        "otherwise": {
            "say": "b",
            "fault": [{"do": "stall", "seconds": 1, "every": True}],
        }
    },
    when(text={"regex": ""}),
    when(text=["a", {"regex": "b"}], transcript="c", spoken=False),
    when(turn=0),
    when(turn={"from": 1, "to": 1}, after="x", instructions="y", modality="text"),
    when(tool=["f", "g"], server="s", tool_output="x", nth={"to": 3}),
    when(metadata={"k": ["a"]}),
    served(),
    served(description="", input_schema={}, read_only=True, output="x"),
    served(error={"type": "http_error", "message": "m", "code": "c"}),
    {"mcp_server": [{"label": "docs", "unreachable": True}]},
    *({"fault": [action.example]} for action in ACTIONS.values()),
    {"fault": [{"do": "close", "code": 4000, "reason": "gone", "at": 7}]},
    {"fault": [{"do": "omit", "every": True}, {"do": "drop", "connection": 2}]},
    {"fault": [{"do": "refuse", "status": 503}, {"do": "corrupt", "what": "utf8"}]},
]

# What is wrong, and what the error says of it.
BAD: list[tuple[dict[str, Any], str]] = [
    ({"replies": []}, "there is no key 'replies' here (did you mean 'reply'?)"),
    ({"reply": {"say": "b"}}, "reply: this is an array, not {'say': 'b'}"),
    ({"reply": ["b"]}, "reply[0]: this is a table, not 'b'"),
    ({"reply": [{"say": "b"}]}, "reply[0]: the key 'when' is missing"),
    (replying(), "reply[0]: there is nothing to do; give one of say, play, call"),
    (replying(sya="b"), "reply[0]: there is no key 'sya' here (did you mean 'say'?)"),
    (replying(say=5), "reply[0].say: this is a text, not 5"),
    (replying(say="b", call="f"), "reply[0]: 'say' and 'call' exclude each other"),
    (replying(say="b", arguments={}), "'say' takes no 'arguments' beside it"),
    (replying(say="b", more="yes"), "say.more".replace("say.", "reply[0].")),
    (replying(say="b", chunks={}), "reply[0].chunks: this needs one of"),
    (replying(say="b", chunks={"audio_ms": 0}), "a whole number from 1, not 0"),
    (replying(say="b", chunks={"audio_ms": True}), "a whole number from 1, not True"),
    (replying(say="b", chunks={"delay_s": -1}), "seconds, 0 or more, not -1"),
    (replying(say="b", chunks={"delay": 1}), "(did you mean 'delay_s'?)"),
    (replying(play=""), "reply[0].play: this cannot be empty"),
    (replying(call=""), "reply[0].call: this cannot be empty"),
    (replying(call="f", arguments=[1]), "reply[0].arguments: this is a table, or"),
    (replying(call="f", server="s"), "'call' takes no 'server' beside it"),
    (replying(call_mcp="t"), "reply[0]: the key 'server' is missing"),
    (replying(call_mcp="t", server="s", output=5), "reply[0].output: this is a text"),
    (
        replying(call_mcp="t", server="s", output="x", error="y"),
        "reply[0]: 'output' and 'error' exclude each other",
    ),
    (
        replying(call_mcp="t", server="s", error={"type": "http_err", "message": "m"}),
        "there is no error 'http_err' (did you mean 'http_error'?)",
    ),
    (
        replying(call_mcp="t", server="s", error={"message": "m", "code": 1}),
        "reply[0].error.code: a tool_execution_error has no code",
    ),
    (
        replying(call_mcp="t", server="s", error={"type": "http_error"}),
        "reply[0].error: the key 'message' is missing",
    ),
    (replying(pause_s="1"), "reply[0].pause_s: this is a number of seconds"),
    (replying(pause_s=-0.1), "0 or more, not -0.1"),
    (replying(fail=True), "reply[0].fail: this is a text, not True"),
    (replying(fail="x", code=503), "reply[0].code: this is a text, not 503"),
    (replying(echo=False), "reply[0].echo: this is true, or left out"),
    (replying(content_filter=1), "reply[0].content_filter: this is true or false"),
    (replying(do=[]), "reply[0].do: this cannot be empty"),
    (replying(do={"say": "b"}), "reply[0].do: this is an array"),
    (replying(do=["b"]), "reply[0].do[0]: this is a table, not 'b'"),
    (replying(do=[{"say": "b"}], say="c"), "'do' and 'say' exclude each other"),
    (replying(do=[{"say": "b"}, {"say": 1}]), "reply[0].do[1].say: this is a text"),
    (replying(do=[{"do": [{"say": "b"}]}]), "reply[0].do[0]: there is no key 'do'"),
    (replying(say="b", text="a"), "reply[0].text: this is a condition; write when.te"),
    (replying(say="b", otherwise="echo"), "reply[0].otherwise: this is a key of the s"),
    (replying(fault=["drop"]), "reply[0]: there is nothing to do"),
    (replying(say="b", fault="drop"), "reply[0].fault: this is an array"),
    (replying(say="b", fault=[{"do": "clos"}]), "reply[0].fault[0]: fault"),
    (
        replying(say="b", fault=[{"do": "slow", "seconds": 1}]),
        "reply[0].fault[0]: `slow` happens at the handshake, before any reply",
    ),
    (
        replying(say="b", fault=[{"do": "drop", "connection": 1}]),
        "reply[0].fault[0]: a fault of a reply happens where the reply is given",
    ),
    (replying(do=[{"say": "b", "fault": []}]), "do[0]: there is no key 'fault'"),
    (when(), "reply[0].when: there is no condition"),
    (when(txt="a"), "reply[0].when: there is no key 'txt' here (did you mean 'text'?)"),
    (when(text=""), "reply[0].when.text: this cannot be empty"),
    (when(text=[]), "reply[0].when.text: this cannot be empty"),
    (when(text=["a", 1]), "reply[0].when.text[1]: this is a text or { regex = '...' }"),
    (when(text={"regexp": "a"}), "(did you mean 'regex'?)"),
    (when(text={}), "reply[0].when.text: the key 'regex' is missing"),
    (when(spoken="yes"), "reply[0].when.spoken: this is true or false, not 'yes'"),
    (when(tool=""), "reply[0].when.tool: this cannot be empty"),
    (when(tool={"regex": "a"}), "reply[0].when.tool: this is a text"),
    (when(turn=-1), "reply[0].when.turn: this is a whole number from 0, not -1"),
    (when(turn=[1, 2]), "reply[0].when.turn: this is a whole number from 0"),
    (when(turn={}), "reply[0].when.turn: this needs from, to, or both"),
    (when(text="a", nth=0), "reply[0].when.nth: this is a whole number from 1, not 0"),
    (when(turn=1, nth=1), "reply[0].when.nth: this counts what fits another condition"),
    (when(metadata={}), "reply[0].when.metadata: this cannot be empty"),
    (when(metadata={"k": 1}), "reply[0].when.metadata.k: this is a text"),
    (when(modality="video"), "reply[0].when.modality: this is audio or text, not 'vi"),
    ({"otherwise": "Pardon?"}, "otherwise: this is 'rules' or 'echo', or a table such"),
    ({"otherwise": {"when": {"turn": 1}, "say": "b"}}, "otherwise: there is no key"),
    ({"fault": "omit response.done"}, "fault: this is an array"),
    ({"fault": [5]}, "fault[0]: this is a table, not 5"),
    ({"fault": [""]}, "fault[0]: fault '': nothing is ordered"),
    ({"fault": [{"at": 7}]}, "fault[0]: fault {'at': 7}: the key 'do' is missing"),
    ({"fault": [{"do": "clos", "code": 1000}]}, "(did you mean 'close'?)"),
    ({"fault": [{"do": "close"}]}, "the code is missing"),
    ({"fault": [{"do": "close", "code": 1005}]}, "a close cannot be 1005"),
    ({"fault": [{"do": "omit", "at": 1, "every": True}]}, "exclude each other"),
    ({"fault": [{"do": "slow", "seconds": 1, "at": 2}]}, "`slow` takes no 'at'"),
    ({"mcp_server": [{"tool": []}]}, "mcp_server[0]: the key 'label' is missing"),
    ({"mcp_server": [{"label": ""}]}, "mcp_server[0].label: this cannot be empty"),
    (
        {"mcp_server": [{"label": "docs", "tools": []}]},
        "mcp_server[0]: there is no key 'tools' here (did you mean 'tool'?)",
    ),
    (served(name=""), "mcp_server[0].tool[0].name: this cannot be empty"),
    (served(input_schema="{}"), "mcp_server[0].tool[0].input_schema: this is a table"),
    (served(output="a", error="b"), "'output' and 'error' exclude each other"),
]

# What a schema cannot see.
WRONG: list[tuple[dict[str, Any], str]] = [
    (when(text={"regex": "("}), "reply[0].when.text.regex: '(' is no regular expressi"),
    (when(turn={"from": 3, "to": 2}), "this ends at 2, before it begins at 3"),
    (replying(play="no.wav"), "no.wav cannot be read: No such file or directory"),
    (replying(play="a\0b"), "reply[0].play: "),
    (
        replying(do=[{"fail": "no"}, {"say": "b"}]),
        "reply[0].do[1]: nothing comes of this: the step before it is the end",
    ),
    (replying(call="f", arguments={"a": float("nan")}), "cannot be sent as JSON"),
    (
        replying(call="f", arguments={"a": datetime.date(2026, 1, 1)}),
        "reply[0].arguments: this cannot be sent as JSON",
    ),
    (replying(say="\ud800"), "'\\ud800' is no Unicode text"),
    (replying(say="b", fault=["refuse 503"]), "`refuse` happens at the handshake"),
    (replying(say="b", fault=["drop on connection 1"]), "leave the connection out"),
    (
        replying(say="b", fault=["omit every response.created"]),
        "reply[0].fault[0]: response.created is sent before the reply is chosen",
    ),
    ({"fault": ["omit response.dne"]}, "(did you mean 'response.done'?)"),
    (
        {"mcp_server": [{"label": "a"}, {"label": "a"}]},
        "mcp_server[1].label: there are",
    ),
    (
        {"mcp_server": [{"label": "a", "tool": [{"name": "t"}, {"name": "t"}]}]},
        "mcp_server[0].tool[1].name: there are two tools 't'",
    ),
]


@pytest.mark.parametrize("scenario", GOOD, ids=str)
def test_reader_and_schema_take_what_is_right(scenario: dict[str, Any]) -> None:
    """What editors find right can be read, down to the last example of a fault."""
    Scenario.from_dict(scenario)
    assert [str(error) for error in VALIDATOR.iter_errors(scenario)] == []


@pytest.mark.parametrize(("scenario", "problem"), BAD, ids=str)
def test_reader_and_schema_refuse_what_is_wrong(
    scenario: dict[str, Any], problem: str
) -> None:
    """Neither lets pass what the other does not; the reader says what and where."""
    with pytest.raises(ConfigurationError) as caught:
        Scenario.from_dict(scenario)
    assert str(caught.value).startswith("scenario: ")
    assert problem in str(caught.value)
    assert not VALIDATOR.is_valid(scenario)


@pytest.mark.parametrize(("scenario", "problem"), WRONG, ids=ascii)
def test_the_reader_refuses_what_no_schema_can(
    scenario: dict[str, Any], problem: str
) -> None:
    """Whatever cannot work is refused before a session meets it."""
    with pytest.raises(ConfigurationError) as caught:
        Scenario.from_dict(scenario)
    assert problem in str(caught.value)


def test_the_schema_is_one_and_has_the_keys_of_the_reader() -> None:
    """A key that one of them gets, the other gets too."""
    jsonschema_rs.meta.validate(SCHEMA)
    known = SCHEMA["definitions"]
    assert set(SCHEMA["properties"]) == set(SCENARIO_KEYS)
    assert set(known["reply"]["properties"]) == {"when", *ANSWER_KEYS}
    assert set(known["answer"]["properties"]) == set(ANSWER_KEYS)
    assert {"do", "fault", *known["step"]["properties"]} == set(ANSWER_KEYS)
    assert [each["required"] for each in known["step"]["oneOf"]] == [[w] for w in STEPS]
    assert set(known["when"]["properties"]) == set(CONDITIONS)
    assert set(known["mcp_server"]["properties"]) == set(MCP_SERVER_KEYS)
    assert set(known["mcp_tool"]["properties"]) == set(MCP_TOOL_KEYS)


def test_the_schema_has_every_fault_with_its_keys() -> None:
    """A fault that is added is added to the schema."""
    tables = SCHEMA["definitions"]["fault"]["anyOf"][1:]
    described = {table["properties"]["do"]["const"]: table for table in tables}
    assert set(described) == set(ACTIONS)
    for word, action in ACTIONS.items():
        places = {"do", "connection"} | (
            set() if action.at_handshake else {"at", "every"}
        )
        names = {each.name for each in fields(action)}
        assert set(described[word]["properties"]) == places | names


# --- where it is said to be ---

TYPO = """\
# A comment.
[[reply]]
when.turn = 0
say = "Hello."

  [[ reply ]]
when.txt = "a"
say = "b"
"""


def test_an_error_names_the_file_and_the_line(tmp_path: Path) -> None:
    """The line is that of the table's header, which the parser does not tell."""
    path = tmp_path / "talk.toml"
    path.write_text(TYPO)
    with pytest.raises(ConfigurationError) as caught:
        ScriptBrain.from_file(path)
    expected = (
        f"scenario {path}, in the table of line 6: reply[1].when: there is no key"
    )
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    "text",
    [
        'reply = [{ when.turn = 0, say = 5 }]\notherwise.say = """\n[[reply]]\n"""',
        'otherwise = 5\n[[reply]]\nwhen.turn = 0\nsay = "a"',
    ],
)
def test_no_line_is_better_than_a_wrong_one(text: str) -> None:
    """Where the headers cannot be told from other text, the place must do."""
    with pytest.raises(ConfigurationError) as caught:
        Scenario.from_toml(text)
    assert " line " not in str(caught.value)


def test_a_header_in_a_text_is_not_counted() -> None:
    """A text of several lines may hold whatever it likes."""
    text = '[[reply]]\nwhen.turn = 0\nsay = """\n[[reply]]\n"""\n[[reply]]\nsay = "a"'
    with pytest.raises(ConfigurationError, match=r"table of line 6: reply\[1\]: "):
        Scenario.from_toml(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[[reply]]\nsay = "a', "at the end, line 2"),
        ("a = 1\na = 2\n", "at line 2"),
        ("a = 1\nb =", "at the end, line 2"),
        ("not toml", "at line 1"),
    ],
)
def test_broken_toml_is_refused_with_its_line(text: str, place: str) -> None:
    """A typing error is found where it is."""
    with pytest.raises(ConfigurationError) as caught:
        Scenario.from_toml(text)
    assert str(caught.value).startswith("scenario is not valid TOML: ")
    assert place in str(caught.value)


def test_a_number_that_cannot_be_shown_is_not_shown() -> None:
    """In sixteens a file may hold numbers that Python does not write."""
    with pytest.raises(ConfigurationError, match="not a number too long to show"):
        Scenario.from_toml(f"[otherwise]\nsay = 0x{'f' * 5000}")
    with pytest.raises(ConfigurationError, match=r"fault\[0\]: .* too many digits"):
        Scenario.from_toml(f"[[fault]]\ndo = 'drop'\nat = 0x{'f' * 5000}")


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "9" * 5000,
        f"[[reply]]\nwhen.turn = {'9' * 5000}\nsay = 'a'",
        f"[[reply]]\nsay = 5\n[[reply]]\nwhen.turn = {'9' * 5000}",
    ],
)
def test_a_number_beyond_reason_is_refused(text: str) -> None:
    """Python turns no text of thousands of digits into a number."""
    with pytest.raises(ConfigurationError, match="number too long"):
        Scenario.from_toml(text)


def test_nesting_beyond_reason_is_refused() -> None:
    """No file makes the reader fall over."""
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        Scenario.from_toml("a = " + "[" * 100_000)
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(ConfigurationError, match="cannot be sent as JSON"):
        Scenario.from_dict(replying(call="f", arguments=deep))
    # Taken apart from the outside, as garbage collection would exhaust the stack.
    while deep:
        deep = deep["a"]


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """It says what it expects, and where the file is different."""
    path = tmp_path / "talk.toml"
    path.write_bytes('say = "é"'.encode("latin-1"))
    with pytest.raises(
        ConfigurationError, match="not in UTF-8: there is 0xe9 at byte 7"
    ):
        Scenario.load(path)


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    """Some editors put one before the text, and end lines in two characters."""
    path = tmp_path / "talk.toml"
    path.write_bytes(
        b"\xef\xbb\xbf" + TYPO.replace("txt", "text").encode().replace(b"\n", b"\r\n")
    )
    assert len(Scenario.load(path).replies) == 2


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    """The command line tells it as it tells every other missing file."""
    with pytest.raises(FileNotFoundError):
        Scenario.load(tmp_path / "nowhere.toml")


def test_what_is_no_scenario_at_all_is_refused() -> None:
    """A list or a number where the dict should be is no crash."""
    wrong: Any = [1]
    with pytest.raises(ConfigurationError, match=r"this is a table, not \[1\]"):
        Scenario.from_dict(wrong)
