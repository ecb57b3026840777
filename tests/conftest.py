"""Fixtures for the whole suite."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest

from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings

from .emulator.recorder import COVERAGE_FOLDER, RECORDER

_TURNS = 5

# What would lead a test to somebody's own key, server or log.
CREDENTIALS = (
    "OPENAI_API_KEY",
    "OPENAI_REALTIME_URL",
    "OPENAI_REALTIME_LOG",
    "OPENAI_BASE_URL",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_ENDPOINT",
)


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
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_task_is_left(request: pytest.FixtureRequest) -> None:
    """Fail a test that leaves a task of ours running when all its fixtures are gone.

    It is set up before the other fixtures, and so torn down behind them.
    """
    function = getattr(request, "function", None)
    if inspect.iscoroutinefunction(function):
        request.getfixturevalue("_watch_tasks")


@pytest.fixture
async def _watch_tasks() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    # What was cancelled just now ends when the loop turns.
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"tasks are left: {left}"


@pytest.fixture
async def emulator_url() -> AsyncIterator[str]:
    """The address of an emulator on a free port, which replies as fast as it can."""
    async with EmulatorServer(EmulatorSettings(pace=0)) as server:
        yield server.url
