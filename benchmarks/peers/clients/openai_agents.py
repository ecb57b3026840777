"""`openai-agents`: ``async for`` over a `RealtimeSession`, which decodes audio."""

from __future__ import annotations

import time

_BEGAN = time.perf_counter()

from typing import Any  # noqa: E402

from agents.realtime import RealtimeAgent, RealtimeRunner  # noqa: E402
from agents.realtime.model_inputs import RealtimeModelSendRawMessage  # noqa: E402
from meter import Order, run  # noqa: E402


class OpenAIAgents:
    """Sessions of a `RealtimeRunner`, each with a model of its own."""

    def __init__(self, order: Order) -> None:
        self._config: Any = {
            "url": f"{order.url}/realtime?model=gpt-realtime",
            "api_key": "none",
            # Otherwise a second update would come at a time of its own.
            "initial_model_settings": {"tracing": None},
        }

    async def open(self) -> Any:
        """Open a session; its configuration, sent by itself, has been accepted then."""
        runner = RealtimeRunner(RealtimeAgent(name="listener"))
        session = await runner.run(model_config=self._config)
        await session.enter()
        events = aiter(session)
        await _until(events, "session.updated")
        return session, events

    async def ask(self, session: Any) -> None:
        """Ask for events."""
        clear = RealtimeModelSendRawMessage(
            message={"type": "input_audio_buffer.clear"}
        )
        await session[0].model.send_event(clear)

    async def receive(self, session: Any, count: int) -> int:
        """Receive events until so many of the server's have been among them."""
        pcm = 0
        async for event in session[1]:
            if event.type == "audio":
                pcm += len(event.audio.data)
            elif (
                event.type == "raw_model_event"
                and event.data.type == "raw_server_event"
            ):
                count -= 1
                if not count:
                    break
        return pcm

    async def send(self, session: Any, pcm: bytes, count: int) -> None:
        """Append."""
        for _ in range(count):
            await session[0].send_audio(pcm)


async def _until(events: Any, name: str) -> None:
    async for event in events:
        if (
            event.type == "raw_model_event"
            and event.data.type == "raw_server_event"
            and event.data.data["type"] == name
        ):
            return


if __name__ == "__main__":
    run(OpenAIAgents, _BEGAN)
