"""Ctrl-C and the end of the program, in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from openai_realtime.testing import LiveServer

from .conftest import TIMEOUT_S

# Who runs the tests in the background of a shell ignores SIGINT, and hands that down.
ASKING = """
import signal
import threading
from openai_realtime.sync import RealtimeClient

signal.signal(signal.SIGINT, signal.default_int_handler)
client = RealtimeClient()

@client.on_next("server.response.output_audio.delta")
def speaking(event):
    print("speaking", flush=True)

client.on("close", lambda event: print("closed", event.code, flush=True))
try:
    with client, client.events("server.response.done") as done:
        try:
            client.ask("Count to fifty.")
        except KeyboardInterrupt:
            print(done.next(timeout=20).response.status, flush=True)
            client.wait_for_next("server.error")
except KeyboardInterrupt:
    print("interrupted", client.is_connected, threading.active_count(), flush=True)
    raise SystemExit(7)
"""

FORGETTING = """
from openai_realtime.sync import RealtimeClient

client = RealtimeClient()
client.on("close", lambda event: print("closed", event.code, flush=True))
client.connect()
print(client.ask("Well?").transcript, flush=True)
"""


def program(code: str, url: str) -> subprocess.Popen[str]:
    """Start a Python program that knows the server."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "OPENAI_REALTIME_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_cancels_and_disconnects() -> None:
    """Ctrl-C in `ask` cancels the reply, and leaving the block disconnects."""
    # At this pace the reply takes longer than the test may.
    with LiveServer(pace=0.2) as server:
        running = program(ASKING, server.url)
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "speaking\n"
            running.send_signal(signal.SIGINT)
            assert running.stdout.readline() == "cancelled\n"
            running.send_signal(signal.SIGINT)
            output, errors = running.communicate(timeout=TIMEOUT_S)
        finally:
            running.kill()
            running.wait(TIMEOUT_S)
        assert errors == ""
        assert output.splitlines() == ["closed 1000", "interrupted False 1"]
        assert running.returncode == 7


def test_a_forgotten_client_ends_with_the_program(server: LiveServer) -> None:
    """A program that does not disconnect ends, and the server hears a goodbye."""
    running = program(FORGETTING, server.url)
    try:
        output, errors = running.communicate(timeout=TIMEOUT_S)
    finally:
        running.kill()
        running.wait(TIMEOUT_S)
    assert errors == ""
    assert output.splitlines()[0] == "You said: Well?"
    assert running.returncode == 0
