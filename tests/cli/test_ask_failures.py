"""What `openai-realtime ask` does where there is no whole answer."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from logging.handlers import QueueHandler
from queue import SimpleQueue
from typing import Any

import pytest

from openai_realtime.testing import LiveServer

from .command import DEADLINE_S, Command

KEY = "sk-proj-" + "x1" * 20
_ACCESS_LOG = "openai_realtime.emulator.access"
FAILURE = {"fail": "The model is overloaded.", "code": "server_overloaded"}


def test_no_key_and_no_address(command: Command) -> None:
    """One line names the ways out; the status says wrong use."""
    run = command("ask", "Hello!")
    assert (run.status, run.output) == (2, "")
    [line] = run.errors.splitlines()
    assert line.startswith("openai-realtime ask: no API key")
    assert "openai-realtime serve" in line


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        ((), b"", "nothing to ask"),
        ((" ",), b"", "nothing to ask"),
        ((), b"\xff\xfe", "no text"),
        (("--voice", "marin", "Hi"), b"", "--voice needs --audio"),
        (("--audio", "-", "Hi"), b"", "--audio needs the name of a file"),
        (("--image", "letter.txt", "Hi"), b"", "letter.txt is no image"),
        (("--url", "http://127.0.0.1/", "Hi"), b"", "ws://"),
    ],
)
def test_what_cannot_be_asked(
    command: Command, arguments: tuple[str, ...], stdin: bytes, expected: str
) -> None:
    """Nothing is sent; one line says what is wrong, and the status is 2."""
    run = command("ask", *arguments, stdin=stdin)
    assert (run.status, run.output) == (2, "")
    [line] = run.errors.splitlines()
    assert expected in line


@pytest.mark.parametrize(
    "arguments", [("--image", "missing.png"), ("--audio", "missing/answer.wav")]
)
def test_a_file_that_is_not_there(
    command: Command, server: LiveServer, arguments: tuple[str, ...]
) -> None:
    """It is named before anything is asked."""
    run = command("ask", *arguments, "Hello!")
    assert (run.status, run.output) == (1, "")
    [line] = run.errors.splitlines()
    assert arguments[1] in line
    assert server.sessions == []


def test_nobody_listens(command: Command) -> None:
    """It is one line with the address, and status 1."""
    run = command("ask", "--url", "ws://127.0.0.1:9/v1/realtime", "Hello!")
    assert (run.status, run.output) == (1, "")
    [line] = run.errors.splitlines()
    assert "127.0.0.1:9" in line


@pytest.mark.parametrize("fault", ["refuse 503", "close 1011 'out of memory' at 4"])
def test_a_server_in_trouble(command: Command, server: LiveServer, fault: str) -> None:
    """A refusal, and an end in the middle, are one line and status 1."""
    server.fail(fault)
    run = command("ask", "Hello!")
    assert run.status == 1
    [line] = run.errors.splitlines()
    assert "503" in line or "out of memory" in line


def test_a_key_is_never_shown(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the server quotes the one that it refuses."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with LiveServer(keys=["sk-the-right-one-of-this-server"]) as server:
        run = command("ask", "--url", server.url, "Hello!")
    assert run.status == 1
    [line] = run.errors.splitlines()
    assert "401" in line
    assert KEY not in line


@pytest.mark.parametrize(
    ("steps", "output", "expected"),
    [
        ([FAILURE], "", "The model is overloaded."),
        ([{"say": "I was "}, {"token_limit": True}], "I was \n", "max_output_tokens"),
        ([{"say": "It is "}, {"content_filter": True}], "It is \n", "content_filter"),
    ],
)
def test_an_answer_that_is_not_whole(
    command: Command, server: LiveServer, steps: Any, output: str, expected: str
) -> None:
    """What came of it is shown; one line says what is missing, and the status is 1."""
    server.script([{"do": steps}])
    run = command("ask", "Hello!")
    assert (run.status, run.output) == (1, output)
    [line] = run.errors.splitlines()
    assert expected in line


def test_a_failure_leaves_no_json(command: Command, server: LiveServer) -> None:
    """Whoever reads the JSON reads nothing, rather than half of something."""
    server.script([FAILURE])
    run = command("ask", "--json", "Hello!")
    assert (run.status, run.output) == (1, "")


def test_time_is_up(command: Command, server: LiveServer) -> None:
    """A server that stalls is left, with a line that names the option."""
    server.fail("stall 600 at response.output_text.delta")
    run = command("ask", "--timeout", "0.2", "Hello!")
    assert run.status == 1
    [line] = run.errors.splitlines()
    assert "0.2 s" in line
    assert "--timeout" in line


def test_no_log_and_no_traceback(command: Command, server: LiveServer) -> None:
    """What the library logs of a server that sends nonsense is not for the user."""
    server.fail("corrupt json at 5")
    run = command("ask", "--timeout", "5", "Hello!")
    assert "Traceback" not in run.errors
    assert len(run.errors.splitlines()) <= 1


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_ends_it_properly(
    server: LiveServer, access_log: SimpleQueue[logging.LogRecord]
) -> None:
    """The words so far stay, the server is told, and the status is 130."""
    chunks = {"characters": 4, "delay_s": 0.02}
    server.script([{"say": "la " * 5000, "chunks": chunks}])
    with subprocess.Popen(
        [sys.executable, "-m", "openai_realtime", "ask", "Sing!"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.read(2) == b"la"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=DEADLINE_S)
        finally:
            process.kill()
    assert (process.returncode, errors) == (130, b"")
    assert "close=1000 by=client" in ended_session(access_log)


@pytest.fixture
def access_log(
    caplog: pytest.LogCaptureFixture,
) -> Iterator[SimpleQueue[logging.LogRecord]]:
    """What the server logs, as it comes."""
    records: SimpleQueue[logging.LogRecord] = SimpleQueue()
    logger, handler = logging.getLogger(_ACCESS_LOG), QueueHandler(records)
    caplog.set_level(logging.INFO, _ACCESS_LOG)
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)


def ended_session(access_log: SimpleQueue[logging.LogRecord]) -> str:
    """Wait for the line that the server logs at the end of a session."""
    while True:
        line = access_log.get(timeout=DEADLINE_S).getMessage()
        if "session ends" in line:
            return line
