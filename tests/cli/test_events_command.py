"""`openai-realtime events`: which events there are, and what one of them is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from openai_realtime.cli.events.catalogue import list_events
from openai_realtime.cli.events.listing import table_of
from openai_realtime.events import EVENTS, LOCAL_EVENTS

from .command import DEADLINE_S, Command


def test_the_table_has_every_event(command: Command) -> None:
    """Each in a line, with who sends it, its dialects, and what it is."""
    run = command("events")
    assert (run.status, run.errors) == (0, "")
    head, *lines = run.output.splitlines()
    assert head.split()[:4] == ["EVENT", "FROM", "SESSION", "DIALECTS"]
    assert len(lines) == len(EVENTS) + len(LOCAL_EVENTS)
    told = [tuple(line.split()[:3]) for line in lines]
    assert told[: len(EVENTS)] == [(r.name, r.direction, r.surface) for r in EVENTS]
    assert told[len(EVENTS) :] == [(name, "local", "-") for name in LOCAL_EVENTS]
    assert lines[0].endswith("answered by `session.updated` or `error`.")


@pytest.mark.parametrize("direction", ["client", "server", "local"])
def test_one_direction(command: Command, direction: str) -> None:
    """The others are left out."""
    _, *lines = command("events", "--direction", direction).output.splitlines()
    assert {line.split()[1] for line in lines} == {direction}


def test_the_beginning_of_a_name(command: Command) -> None:
    """A star lists what it would subscribe to."""
    _, *lines = command("events", "server.response.mcp_call.*").output.splitlines()
    assert [line.split()[0] for line in lines] == [
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "response.mcp_call.failed",
    ]


def test_a_terminal_gets_no_broken_lines() -> None:
    """There the last column is cut, and says so."""
    for line in table_of(list_events(), 80).splitlines():
        assert len(line) <= 80
        assert len(line) < 80 or line.endswith("…")


def test_an_explanation(command: Command) -> None:
    """What it is, its class, who sends it, its fields, and how to get it."""
    run = command("events", "response.output_audio.delta")
    assert (run.status, run.errors) == (0, "")
    lines = run.output.splitlines()
    assert lines[:3] == [
        "response.output_audio.delta",
        "",
        "  A piece of audio, in the session's output format.",
    ]
    for expected in (
        "openai_realtime.events.ResponseOutputAudioDelta",
        "which calls it response.audio.delta",
        'client.on("server.response.output_audio.delta", handler)',
        "docs/events.md",
        "delta: bytes",
        "obfuscation?: str",
    ):
        assert expected in run.output


def test_an_event_to_send(command: Command) -> None:
    """There it is shown how."""
    run = command("events", "response.cancel")
    assert 'client.realtime.send("response.cancel", {...})' in run.output


def test_what_fields_mean(command: Command) -> None:
    """What the class says of its fields stands below them."""
    run = command("events", "tool.called")
    assert 'client.on("tool.called", handler)' in run.output
    assert "arguments: str\n" in run.output
    assert "Its arguments, as the JSON text that the model wrote." in run.output


@pytest.mark.parametrize(
    "name",
    [
        "response.output_text.delta",
        "server.response.output_text.delta",
        "ResponseOutputTextDelta",
        "response.text.delta",
    ],
)
def test_all_the_names_of_an_event(command: Command, name: str) -> None:
    """On the wire, to subscribe to, in Python, and in the old dialect."""
    first = command("events", name).output.splitlines()[0]
    assert first == "response.output_text.delta"


def test_several_events_of_a_name(command: Command) -> None:
    """All are explained; a direction tells them apart."""
    assert command("events", "error").output.count("subscribe") == 3
    assert command("events", "error", "--direction", "local").output.count("class") == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("respons.done",), "did you mean response.done"),
        (("session.updat", "--direction", "client"), "session.update"),
        (("response.done", "--direction", "client"), "of direction client"),
        (("qqqqqqqq",), "list them without NAME"),
        (("qqq*",), "'qqq*'"),
    ],
)
def test_a_wrong_name(
    command: Command, arguments: tuple[str, ...], expected: str
) -> None:
    """The nearest ones are named in one line, and the status is 2."""
    run = command("events", *arguments)
    assert (run.status, run.output) == (2, "")
    [line] = run.errors.splitlines()
    assert line.startswith("openai-realtime events: there is no event")
    assert expected in line


def test_all_of_it_as_json(command: Command) -> None:
    """One array; its names are promised, and every class is where it is said to be."""
    entries: list[dict[str, Any]] = json.loads(command("events", "--json").output)
    assert len(entries) == len(EVENTS) + len(LOCAL_EVENTS)
    for entry in entries:
        assert list(entry) == [
            "name",
            "direction",
            "surface",
            "class",
            "dialects",
            "beta_name",
            "transports",
            "purpose",
            "explanation",
            "fields",
            "subscribe",
        ]
        module, _, name = entry["class"].rpartition(".")
        cls = getattr(sys.modules[module], name)
        assert cls.__struct_config__.tag == entry["name"]
        for field in entry["fields"]:
            assert list(field) == ["name", "type", "required", "meaning"]
            assert field["name"] in cls.__struct_fields__


def test_one_event_as_json(command: Command) -> None:
    """It is the same array, with what the name means."""
    [entry] = json.loads(command("events", "--json", "response.audio.done").output)
    assert entry["name"] == "response.output_audio.done"
    assert entry["beta_name"] == "response.audio.done"
    assert entry["dialects"] == ["ga", "beta"]
    assert entry["fields"][0] == {
        "name": "response_id",
        "type": "str",
        "required": True,
        "meaning": "",
    }


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_who_reads_may_leave() -> None:
    """A pipe that is closed early ends it without a complaint."""
    line = f"{sys.executable} -m openai_realtime events --json | head -n 1"
    process = subprocess.run(
        ["sh", "-c", line], capture_output=True, timeout=DEADLINE_S, check=True
    )
    assert (process.stdout, process.stderr) == (b"[\n", b"")
