"""The old dialect over sockets, by one argument (PROTOCOL.md section 2)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from openai_realtime import RealtimeAPI, RealtimeClient
from openai_realtime.errors import ConnectionClosed, ServerError
from openai_realtime.providers import Azure, OpenAI
from openai_realtime.testing import LiveServer, speech
from openai_realtime.transports import Endpoint, Transport
from openai_realtime.transports.websocket import connector_of

_TIMEOUT_S = 30
HALF_A_SECOND_BYTES = 24_000
WEATHER = {
    "reply": [
        {"when": {"tool": "get_weather"}, "say": "It is sunny."},
        {"when": {"text": "weather"}, "call": "get_weather"},
    ],
    "otherwise": {"say": "I remember nothing."},
}
KEY = "sk-of-the-emulator-0123456789"

# What only the current dialect has (PROTOCOL.md section 2.1).
NEW = (
    "conversation.item.added",
    "conversation.item.done",
    "response.output_text.",
    "response.output_audio",
)


class Wire:
    """Opens connections by one library, and keeps what travels on them."""

    def __init__(self, library: str) -> None:
        self._connect = connector_of(library)
        self.sent: list[dict[str, Any]] = []
        self.received: list[dict[str, Any]] = []
        self.endpoint = Endpoint("")

    async def connect(self, endpoint: Endpoint) -> Transport:
        """Open a connection; this is the `transport=`."""
        self.endpoint = endpoint
        self._line = await self._connect(endpoint)
        return self

    async def send(self, frame: bytes | str) -> None:
        """Send a frame."""
        self.sent.append(json.loads(frame))
        await self._line.send(frame)

    async def recv(self) -> bytes | str:
        """Receive one."""
        frame = await self._line.recv()
        self.received.append(json.loads(frame))
        return frame

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection."""
        await self._line.close(code, reason)


@pytest.fixture(params=["picows", "websockets"])
def wire(request: pytest.FixtureRequest) -> Wire:
    """What the connection goes over."""
    return Wire(request.param)


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    """A server that speaks both dialects, and wants a key."""
    with LiveServer(script=WEATHER, keys=[KEY]) as server:
        yield server


def providers(server: LiveServer) -> dict[str, Any]:
    """Every way to ask that server for the old dialect."""
    root = server.url.removesuffix("/v1/realtime")
    by_subprotocol = OpenAI(url=server.url, api_key=KEY, credentials="subprotocol")
    preview = {"endpoint": root, "deployment": "d", "api_version": "2025-04-01-preview"}
    return {
        "url": {"url": server.url, "api_key": KEY, "dialect": "beta"},
        "subprotocol": {"provider": by_subprotocol, "dialect": "beta"},
        "provider": {"provider": OpenAI(url=server.url, api_key=KEY, dialect="beta")},
        "Azure": {"provider": Azure(api_key=KEY, **preview)},
        "Azure, query": {
            "provider": Azure(api_key=KEY, credentials="query", **preview)
        },
    }


def spoken(client: RealtimeClient) -> list[str]:
    """Return what the assistant has said or written."""
    return [
        item.formatted.transcript or item.formatted.text
        for item in client.conversation.get_items()
        if item.role == "assistant"
    ]


@pytest.mark.parametrize(
    "way", ["url", "subprotocol", "provider", "Azure", "Azure, query"]
)
async def test_a_conversation(wire: Wire, server: LiveServer, way: str) -> None:
    """Speech, a tool call and a written turn, and not one event of today's dialect."""
    client = RealtimeClient(transport=wire, **providers(server)[way])
    problems: list[Any] = []
    client.on("error", problems.append)
    await client.update_session(
        voice="ash",
        turn_detection=None,
        input_audio_transcription={"model": "whisper-1"},
    )
    calls: list[Any] = []
    client.add_tool({"name": "get_weather"}, lambda call: calls.append(call) or "sunny")
    async with asyncio.timeout(_TIMEOUT_S), client:
        ended = asyncio.create_task(
            client.wait_for_next(
                "conversation.item.completed", lambda e: e.item.role == "assistant"
            )
        )
        await client.append_input_audio(speech("How is the weather?"))
        await client.create_response()
        reply = (await ended).item
        assert spoken(client) == ["It is sunny."]
        assert calls == [{}]
        await client.update_session(modalities=["text"])
        done = asyncio.create_task(client.wait_for_next("server.response.done"))
        await client.send_user_message_content([{"type": "input_text", "text": "And?"}])
        await done
        assert spoken(client) == ["It is sunny.", "I remember nothing."]
    assert reply.formatted.audio_size > HALF_A_SECOND_BYTES
    assert problems == []
    names = [event["type"] for event in [*wire.sent, *wire.received]]
    assert not [name for name in names if name.startswith(NEW)]
    assert {"conversation.item.created", "response.audio.delta"} <= {*names}
    assert "modalities" in wire.received[0]["session"]
    assert wire.sent[0]["session"]["voice"] == "ash"


async def test_a_bare_connection(wire: Wire, server: LiveServer) -> None:
    """`RealtimeAPI` has the argument too; what it shows is of today's dialect."""
    api = RealtimeAPI(url=server.url, api_key=KEY, dialect="beta", transport=wire)
    names: list[str] = []
    api.on("realtime.event", lambda seen: names.append(seen.event.type))
    async with asyncio.timeout(_TIMEOUT_S), api:
        done = asyncio.create_task(api.wait_for_next("server.response.done"))
        await api.send("response.create", response={"output_modalities": ["audio"]})
        await done
    assert "response.output_audio.delta" in names
    assert wire.sent[0]["response"]["modalities"] == ["text", "audio"]


async def test_a_transcription_session(wire: Wire, server: LiveServer) -> None:
    """Its configuration had events of its own, which are translated as well."""
    url = f"{server.url}?intent=transcription"
    client = RealtimeClient(url=url, api_key=KEY, dialect="beta", transport=wire)
    await client.update_session(input_audio_transcription={"model": "whisper-1"})
    async with asyncio.timeout(_TIMEOUT_S), client:
        assert client.session is not None
        assert client.session.type == "transcription"
    assert wire.sent[0]["type"] == "transcription_session.update"


async def test_settings_that_are_dropped_are_told(
    wire: Wire, server: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What has no name in the old dialect is a warning, not a riddle."""
    api = RealtimeAPI(url=server.url, api_key=KEY, dialect="beta", transport=wire)
    async with api:
        await api.send("session.update", session={"truncation": "disabled"})
        await api.send("session.close")
    told = [r for r in caplog.records if r.name == "openai_realtime.dialect"]
    assert [(r.levelno, r.getMessage()) for r in told if r.levelno > logging.DEBUG] == [
        (logging.WARNING, "`truncation` was dropped: the old dialect lacks it"),
        (
            logging.WARNING,
            "the old dialect has no `session.close`; the event was dropped",
        ),
    ]
    assert [event["type"] for event in wire.sent] == ["session.update"]


async def test_refusal_of_the_old_dialect(wire: Wire) -> None:
    """The service's own answer today: its reason is the cause of the close."""
    with LiveServer(beta="refuse") as server:
        client = RealtimeClient(url=server.url, dialect="beta", transport=wire)
        with pytest.raises(ConnectionClosed, match="4000") as caught:
            await client.connect()
    assert isinstance(caught.value.__cause__, ServerError)
    assert caught.value.__cause__.code == "beta_api_shape_disabled"


@pytest.mark.parametrize("way", ["OpenAI", "Azure", "Azure, query", "subprotocol"])
async def test_providers_in_the_current_dialect(
    wire: Wire, server: LiveServer, way: str
) -> None:
    """Each form of address and key is let in, and none of them asks for the old one."""
    root = server.url.removesuffix("/v1/realtime")
    azure: dict[str, Any] = {"endpoint": root, "deployment": "d", "api_key": KEY}
    openai: dict[str, Any] = {"url": server.url, "api_key": KEY}
    provider = {
        "OpenAI": OpenAI(**openai),
        "Azure": Azure(**azure),
        "Azure, query": Azure(credentials="query", **azure),
        "subprotocol": OpenAI(credentials="subprotocol", **openai),
    }[way]
    client = RealtimeClient(provider=provider, transport=wire)
    async with asyncio.timeout(_TIMEOUT_S), client:
        assert client.session is not None
    assert "audio" in wire.received[0]["session"]
