"""The pytest plugin: a Realtime server for a test, over a socket or in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

# The servers are imported by the fixtures that need them: pytest loads this module
# wherever the package is installed.
if TYPE_CHECKING:
    from .live_server import LiveServer
    from .memory_pair import MemoryPair

__all__ = ["realtime_pair", "realtime_server", "realtime_settings"]

_MARKER = "realtime"
_MARKER_HELP = (
    f"{_MARKER}(**settings): settings of the Realtime server of a test, such as "
    "pace=1, vad='off', script=..., faults=[...]; see openai_realtime.testing"
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER_HELP)


@pytest.fixture
def realtime_settings() -> Mapping[str, Any]:
    """Settings of the Realtime servers of these tests, as a dict; empty by default.
    Override it in a conftest.py, a module or a class. What the marker ``realtime`` of a
    test says goes before it.

    ::

        @pytest.fixture
        def realtime_settings():
            return {"pace": 1, "vad": "off"}
    """
    return {}


@pytest.fixture
def realtime_server(
    request: pytest.FixtureRequest, realtime_settings: Mapping[str, Any]
) -> Iterator[LiveServer]:
    """A running Realtime server on a free port of 127.0.0.1, which needs no key.
    Connect to ``.url``; say what it answers with ``.script(...)`` and what goes wrong
    with ``.fail(...)``; look at ``.events`` and ``.sessions``, or assert with
    ``.assert_received(type, **fields)``.

    It runs in a thread of its own, so tests may be plain or coroutine functions. Each
    test has a fresh one. See `openai_realtime.testing.LiveServer`::

        def test_greets(realtime_server, monkeypatch):
            monkeypatch.setenv("OPENAI_REALTIME_URL", realtime_server.url)
            my_agent.greet()
            realtime_server.assert_received("response.create")

    Needs the extra ``emulator``. Settings come from the marker ``realtime`` and the
    fixture ``realtime_settings``.
    """
    from .live_server import LiveServer

    with LiveServer(**_settings(request, realtime_settings)) as server:
        yield server


@pytest.fixture
def realtime_pair(
    request: pytest.FixtureRequest, realtime_settings: Mapping[str, Any]
) -> MemoryPair:
    """A Realtime client joined to a server in memory: no sockets, and a virtual clock.
    Enter it to connect ``.client``. Time passes only in ``.advance(seconds)``,
    ``.run(...)`` and ``.wait_sent(...)``, so minutes of conversation take milliseconds
    and go the same way each time. ``.script``, ``.fail``, ``.events`` and
    ``.assert_received`` are those of ``realtime_server``.

    See `openai_realtime.testing.MemoryPair`::

        async def test_stops_when_told(realtime_pair):
            async with realtime_pair as pair:
                await pair.client.send_user_message_content(
                    [{"type": "input_text", "text": "Tell me a story."}]
                )
                await pair.advance(2.0)
                await pair.client.interrupt()
                pair.assert_received("conversation.item.truncate", audio_end_ms=2000)

    The fixture itself is no coroutine: any plugin that runs coroutine functions on
    asyncio will do, and so does ``asyncio.run``. Settings come from the marker
    ``realtime`` and the fixture ``realtime_settings``.
    """
    from .memory_pair import MemoryPair

    return MemoryPair(**_settings(request, realtime_settings))


def _settings(
    request: pytest.FixtureRequest, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Join the fixture and the markers; the marker nearest to the test decides."""
    joined = dict(settings)
    for marker in reversed(list(request.node.iter_markers(_MARKER))):
        if marker.args:
            raise pytest.UsageError(
                f"the marker {_MARKER} takes settings by name, as "
                f"@pytest.mark.{_MARKER}(pace=1); this is none: {marker.args[0]!r}"
            )
        joined.update(marker.kwargs)
    return joined
