"""Fixtures for the whole suite."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings


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
