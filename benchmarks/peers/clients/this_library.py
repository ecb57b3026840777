"""This library: as `RealtimeAPI`, or as `RealtimeClient`, which also keeps a cache."""

from __future__ import annotations

import time

_BEGAN = time.perf_counter()

from typing import Any  # noqa: E402

from meter import Client, Order, run  # noqa: E402

from openai_realtime import RealtimeAPI, RealtimeClient  # noqa: E402
from openai_realtime.events import InputAudioBufferAppend  # noqa: E402

_AUDIO = "response.output_audio.delta"


class AsAPI:
    """Connections of `RealtimeAPI`: typed events with audio as bytes, and no more."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options

    async def open(self) -> Any:
        """Open a connection and read the first event."""
        api = RealtimeAPI(**self._options)
        events = api.events("server.*")
        await api.connect()
        await anext(events)
        return api, events

    async def ask(self, session: Any) -> None:
        """Ask for events."""
        api, _ = session
        await api.send("input_audio_buffer.clear")

    async def receive(self, session: Any, count: int) -> int:
        """Receive typed events."""
        pcm = 0
        async for event in session[1]:
            if event.type == _AUDIO:
                pcm += len(event.delta)
            count -= 1
            if not count:
                break
        return pcm

    async def send(self, session: Any, pcm: bytes, count: int) -> None:
        """Append."""
        api, _ = session
        for _ in range(count):
            await api.send(InputAudioBufferAppend(audio=pcm))


class AsClient(AsAPI):
    """Clients, each with the cache of its conversation and everything else."""

    async def open(self) -> Any:
        """Connect, which waits for the session."""
        client = RealtimeClient(**self._options)
        await client.connect()
        return client, client.events("server.*")

    async def ask(self, session: Any) -> None:
        """Ask for events."""
        client, _ = session
        await client.realtime.send("input_audio_buffer.clear")

    async def send(self, session: Any, pcm: bytes, count: int) -> None:
        """Append."""
        client, _ = session
        for _ in range(count):
            await client.append_input_audio(pcm)


def prepare(order: Order) -> Client:
    """Make the client that the order names, such as ``api websockets``."""
    face, transport = order.way.split()
    options: dict[str, Any] = {"url": f"{order.url}/realtime", "ssl": order.tls()}
    if transport != "default":
        options["transport"] = transport
    return AsClient(options) if face == "client" else AsAPI(options)


if __name__ == "__main__":
    run(prepare, _BEGAN)
