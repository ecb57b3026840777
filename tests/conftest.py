"""Fixtures for the whole suite."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest

from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings

from .emulator.recorder import COVERAGE_FOLDER, RECORDER


def pytest_configure() -> None:
    """Watch whatever the emulator sends from here on."""
    RECORDER.install()


def pytest_sessionfinish() -> None:
    """Leave behind what was seen, if that was asked for."""
    folder = os.environ.get(COVERAGE_FOLDER)
    if folder:
        RECORDER.write(Path(folder))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Begin anew: deviations belong to the test in which they happen."""
    RECORDER.begin(item.nodeid)
    yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Fail a test in which the emulator has broken a rule."""
    try:
        yield
    except BaseException:
        # One reason to fail is enough.
        RECORDER.deviations.clear()
        raise
    RECORDER.check()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    """Fail a test whose end has made the emulator break a rule."""
    yield
    RECORDER.check()


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own key and server out of every test."""
    for name in ("OPENAI_API_KEY", "OPENAI_REALTIME_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def emulator_url() -> AsyncIterator[str]:
    """The address of an emulator on a free port, which replies as fast as it can."""
    async with EmulatorServer(EmulatorSettings(pace=0)) as server:
        yield server.url
