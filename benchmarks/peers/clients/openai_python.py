"""`openai` for Python: ``async for`` over the connection, audio decoded with base64."""

from __future__ import annotations

import time

_BEGAN = time.perf_counter()

import base64  # noqa: E402
from typing import Any  # noqa: E402

from meter import Order, run  # noqa: E402
from openai import AsyncOpenAI  # noqa: E402


class OpenAIPython:
    """Connections of `AsyncOpenAI().realtime`."""

    def __init__(self, order: Order) -> None:
        self._client = AsyncOpenAI(api_key="none", websocket_base_url=order.url)
        tls = order.tls()
        self._options: Any = {} if tls is None else {"ssl": tls}

    async def open(self) -> Any:
        """Open a connection and read the first event."""
        connection = await self._client.realtime.connect(
            model="gpt-realtime", websocket_connection_options=self._options
        ).enter()
        await connection.recv()
        return connection

    async def ask(self, session: Any) -> None:
        """Ask for events."""
        await session.input_audio_buffer.clear()

    async def receive(self, session: Any, count: int) -> int:
        """Receive typed events, and decode the audio in them."""
        pcm = 0
        async for event in session:
            if event.type == "response.output_audio.delta":
                pcm += len(base64.b64decode(event.delta))
            count -= 1
            if not count:
                break
        return pcm

    async def send(self, session: Any, pcm: bytes, count: int) -> None:
        """Encode and append."""
        for _ in range(count):
            audio = base64.b64encode(pcm).decode()
            await session.input_audio_buffer.append(audio=audio)


if __name__ == "__main__":
    run(OpenAIPython, _BEGAN)
