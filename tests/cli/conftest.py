"""Fixtures for the tests of the command line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openai_realtime.testing import LiveServer

from .command import Command


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The command, which knows of no server."""
    return Command(capsys, monkeypatch)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveServer]:
    """A server that the command finds in its environment."""
    with LiveServer() as live:
        monkeypatch.setenv("OPENAI_REALTIME_URL", live.url)
        yield live
