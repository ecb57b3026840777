"""Scenarios in whole sessions, and every example of their documentation."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from websockets.exceptions import ConnectionClosed as WebSocketClosed

import openai_realtime.emulator.brains.script as package
from openai_realtime.audio.pcm import silence
from openai_realtime.audio.wav import write_wav
from openai_realtime.cli.serve.options import add_options
from openai_realtime.emulator.brains.action import Disturb
from openai_realtime.emulator.brains.script import Scenario, ScriptBrain
from openai_realtime.emulator.faults import parse_fault
from openai_realtime.emulator.serving.settings import EmulatorSettings
from openai_realtime.errors import ConfigurationError, ConnectionClosed
from openai_realtime.testing import MemoryServer
from openai_realtime.transports import Endpoint

from .bare_client import connected
from .session_driver import SessionDriver, speech

PAGE = Path(__file__).parents[2] / "docs" / "scenarios.md"
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
SCHEMA = Path(package.__file__).parent / "scenario.schema.json"


def begin(scenario: str, **options: Any) -> SessionDriver:
    """Begin a session that follows a scenario, its brain alone saying how."""
    return SessionDriver(brain=ScriptBrain.from_text(scenario), **options)


def outputs(driver: SessionDriver, **response: Any) -> list[tuple[str, str]]:
    """Ask for a response, and return what kind of items it has and what they say."""
    return list(_items(driver.respond(**response)))


def _items(events: list[Any]) -> Iterator[tuple[str, str]]:
    [done] = [event for event in events if event.type == "response.done"]
    for item in done.response.output:
        if item.type == "message":
            [part] = item.content
            text = part.text if part.type == "output_text" else part.transcript
            yield "message", text
        else:
            yield item.type, f"{item.name}({item.arguments})"


def returned(driver: SessionDriver, output: str) -> None:
    """Answer the last call."""
    done = [e for e in driver.events if e.type == "response.output_item.done"]
    item = {
        "type": "function_call_output",
        "call_id": done[-1].item.call_id,
        "output": output,
    }
    driver.send("conversation.item.create", item=item)


# --- sessions ---


def test_the_example_of_the_page_is_played() -> None:
    """Greeting, call, output and fallback, as a reader would expect them."""
    driver = begin(BLOCKS[0])
    assert outputs(driver) == [("message", "Luigi's, what can I get you?")]
    for output, said in (
        ("ready soon", "It will be with you in half an hour."),
        ("SOLD OUT", "I am sorry, we have none left."),
    ):
        driver.say("A pizza, please.")
        assert outputs(driver) == [
            ("message", "One moment, I'll ask the kitchen."),
            ("function_call", 'order({"dish": "pizza", "count": 1})'),
        ]
        returned(driver, output)
        assert outputs(driver) == [("message", said)]
    driver.say("What?")
    assert outputs(driver) == [("message", "Pardon?")]


def test_what_is_spoken_is_compared_as_it_was_made_out() -> None:
    """A scenario answers speech as it answers writing."""
    driver = begin(
        '[[reply]]\nwhen.transcript = "joke"\nsay = "Ha."\n[otherwise]\nsay = "No."'
    )
    driver.update(audio={"input": {"turn_detection": None}})
    driver.append(speech("Tell me a joke"))
    driver.send("input_audio_buffer.commit")
    assert outputs(driver) == [("message", "Ha.")]
    driver.say("Tell me a joke")
    assert outputs(driver) == [("message", "No.")]


def test_chunks_and_pauses_come_at_the_times_that_are_ordered() -> None:
    """Delays are by the clock, whatever the pace."""
    driver = begin(
        """
        [[reply]]
        when.modality = "text"
        do = [
          { pause_s = 2 },
          { say = "abcdef", chunks = { characters = 2, delay_s = 0.5 } },
        ]
        """,
        pace=100.0,
    )
    driver.respond(output_modalities=["text"])
    deltas = [
        (event.delta, time)
        for event, time in zip(driver.events, driver.times, strict=True)
        if event.type == "response.output_text.delta"
    ]
    assert [text for text, _ in deltas] == ["ab", "cd", "ef"]
    assert [time for _, time in deltas] == pytest.approx([2.0, 2.5, 3.0])


@pytest.mark.parametrize(
    ("step", "status", "details"),
    [
        (
            'fail = "Slow down."\ncode = "rate_limit_exceeded"',
            "failed",
            ("rate_limit_exceeded", None),
        ),
        ("content_filter = true", "incomplete", (None, "content_filter")),
        ("token_limit = true", "incomplete", (None, "max_output_tokens")),
    ],
)
def test_a_response_ends_as_it_is_told_to(
    step: str, status: str, details: tuple[str | None, str | None]
) -> None:
    """Failed and incomplete responses can be ordered."""
    driver = begin(f"[otherwise]\n{step}")
    done = next(e for e in driver.respond() if e.type == "response.done").response
    assert done.status == status
    error = done.status_details.error
    code = error.code if error else None
    assert (code, done.status_details.reason or None) == details


def test_tools_of_an_mcp_server_of_the_scenario_are_called() -> None:
    """The session offers them, and the call returns what the scenario says."""
    [text] = [block for block in BLOCKS if "mcp_server" in block]
    driver = begin(text)
    tool = {
        "type": "mcp",
        "server_label": "docs",
        "server_url": "https://docs.example/mcp",
        "require_approval": "never",
    }
    driver.update(tools=[tool])
    driver.run(until="mcp_list_tools.completed")
    driver.say("My router is broken.")
    [done] = [e for e in driver.respond() if e.type == "response.done"]
    [call] = done.response.output
    assert (call.server_label, call.name) == ("docs", "search")
    assert json.loads(call.output) == {"results": [{"title": "Resetting the router"}]}
    assert outputs(driver) == [("message", "Hold the button for ten seconds.")]


def test_faults_of_a_scenario_are_ordered_along_with_others() -> None:
    """A server takes them from its brain."""
    brain = ScriptBrain.from_text('fault = ["omit response.done"]')
    settings = EmulatorSettings(brain=brain, faults=["drop at 3"])
    assert list(map(str, settings.ordered_faults())) == [
        "drop at 3",
        "omit at response.done",
    ]


# --- faults of one reply ---

HELLO = "Hello there, and welcome."
FRAGILE = f"""
[[reply]]
when.text = "break"
say = "{HELLO}"
fault = ["omit every response.output_audio_transcript.delta", "duplicate response.done"]

[[reply]]
when.text = "close"
say = "{HELLO}"
fault = ["close 4321 'as told' at response.output_audio.delta#2"]

[[reply]]
when.text = "first"
say = "{HELLO}"
fault = [{{ do = "unknown-event", type = "first.of.all", at = 1 }}]

[otherwise]
say = "{HELLO}"
"""

Ask = Callable[[str], Awaitable[list[str]]]
"""Says something, and returns the types of what comes back."""


@asynccontextmanager
async def over_sockets() -> AsyncIterator[Ask]:
    """A client of a server that follows the fragile scenario."""
    settings = EmulatorSettings(pace=0, brain=ScriptBrain.from_text(FRAGILE))
    async with connected(settings) as client:
        yield partial(_ask, client.websocket.send, client.websocket.recv)


@asynccontextmanager
async def in_memory() -> AsyncIterator[Ask]:
    """A client of the same server in memory."""
    server = MemoryServer(script=FRAGILE)
    session = await server.connect(Endpoint(server.url))
    yield partial(_ask, session.send, session.recv)
    await session.close()


async def _ask(send: Any, receive: Any, text: str) -> list[str]:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    await send(json.dumps({"type": "conversation.item.create", "item": item}))
    await send(json.dumps({"type": "response.create"}))
    types: list[str] = []
    try:
        while types[-1:] != ["rate_limits.updated"]:
            types.append(json.loads(await asyncio.wait_for(receive(), 10))["type"])
    except (ConnectionClosed, WebSocketClosed) as exc:
        types.append(str(exc))
    return types


WAYS = pytest.mark.parametrize("way", [over_sockets, in_memory])


@WAYS
async def test_a_fault_of_a_reply_happens_with_that_reply_only(way: Any) -> None:
    """Neither the reply before it nor the one behind it meets the fault."""
    delta = "response.output_audio_transcript.delta"
    async with way() as ask:
        for text, deltas, ends in (
            ("hello", True, 1),
            ("break", False, 2),
            ("hello", True, 1),
            ("break it again", False, 2),
        ):
            types = await ask(text)
            assert (delta in types, types.count("response.done")) == (deltas, ends)
            assert "response.output_audio_transcript.done" in types


@WAYS
async def test_events_of_a_reply_are_counted_from_its_beginning(way: Any) -> None:
    """However many came in the session before; `response.created` is behind it."""
    async with way() as ask:
        await ask("hello")
        types = await ask("first of all")
        at = types.index("response.created")
        assert types[at + 1 : at + 3] == ["first.of.all", "response.output_item.added"]
        types = await ask("close")
        assert types.count("response.output_audio.delta") == 1
        assert "4321" in types[-1]


def test_a_fault_for_the_handshake_is_none_for_a_reply() -> None:
    """Brains of other people's making are told so where they order it."""
    with pytest.raises(ValueError, match="comes too late for the fault 'slow 3"):
        Disturb(parse_fault("slow 3"))


# --- the command line ---


def _brain(*options: str) -> Any:
    from openai_realtime.cli.serve.build import build_server

    parser = add_options(argparse.ArgumentParser().add_subparsers())
    return build_server(parser.parse_args(options))


@pytest.mark.parametrize("named", [(), ("--brain", "script")])
def test_the_command_follows_a_script(tmp_path: Path, named: tuple[str, ...]) -> None:
    """A wrong file is refused before the server starts, with its name."""
    path = tmp_path / "talk.toml"
    path.write_text(BLOCKS[0])
    _brain("--script", str(path), *named)
    path.write_text("[otherwise]\nsya = 'b'")
    with pytest.raises(ConfigurationError, match=r"talk\.toml: otherwise: .*'say'"):
        _brain("--script", str(path), *named)


def test_a_script_needs_a_file_and_no_other_brain() -> None:
    """Options that contradict each other are refused."""
    with pytest.raises(ConfigurationError, match="--brain script needs --script"):
        _brain("--brain", "script")
    with pytest.raises(ConfigurationError, match="--script and --brain rules exclude"):
        _brain("--brain", "rules", "--script", "talk.toml")


# --- the page ---


@pytest.mark.parametrize("block", BLOCKS, ids=lambda text: text.split("\n")[0])
def test_examples_of_the_page_can_be_read(block: str, tmp_path: Path) -> None:
    """Each is a whole scenario, and right by the schema too."""
    write_wav(tmp_path / "beep.wav", silence(240))
    Scenario.from_toml(block, folder=tmp_path)
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()))
    assert [str(e) for e in validator.iter_errors(tomllib.loads(block))] == []


def test_the_page_shows_an_error_as_it_is(tmp_path: Path) -> None:
    """The message stands in the documentation word by word."""
    path = tmp_path / "pizza.toml"
    path.write_text(BLOCKS[0].replace("tool_output", "tool_ouput"))
    with pytest.raises(ConfigurationError) as caught:
        Scenario.load(path)
    [shown] = re.findall(
        r"^(scenario pizza.toml.*?), \.\.\.$", PAGE.read_text(), re.M | re.S
    )
    message = str(caught.value).replace(str(path), "pizza.toml")
    assert message.startswith(" ".join(shown.split()))


def test_the_page_explains_every_key() -> None:
    """What the schema has, a reader finds."""
    page = PAGE.read_text()
    known = json.loads(SCHEMA.read_text())["definitions"]
    keys = {
        key
        for name in ("when", "answer", "chunks", "mcp_server", "mcp_tool", "reply")
        for key in known[name]["properties"]
    }
    assert [
        key for key in sorted(keys) if not re.search(rf"[`.]{key}[`\]]", page)
    ] == []


def test_the_python_of_the_page_runs() -> None:
    """It makes a server that follows the scenario."""
    [block] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    names: dict[str, Any] = {}
    exec(compile(block, str(PAGE), "exec"), names)
    assert names["server"].url
