"""A client of the emulator's protocol in memory, in virtual time."""

from __future__ import annotations

import base64
import json
from typing import Any

from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from openai_realtime.codec import decode_event, encode_event
from openai_realtime.core.outputs import Close, Send
from openai_realtime.emulator.ids import CountedIds
from openai_realtime.emulator.outputs import Failure, ServerOutput
from openai_realtime.emulator.protocol import EmulatorProtocol
from openai_realtime.emulator.senses.voice import FormantVoice
from openai_realtime.events import RealtimeEvent

from .event_order import OrderChecker

_MODELS: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


class SessionDriver:
    """Sends client events as frames and lets virtual time pass.

    Every event that comes back goes through the wire form, through the models of the
    official client and through the ordering rules.

    Args:
        official: Whether the models are asked; they do not take every value that a
            client may set and get back.
        options: Those of the protocol.
    """

    def __init__(self, *, official: bool = True, **options: Any) -> None:
        options.setdefault("ids", CountedIds())
        self._official = official
        self.now = 0.0
        self.protocol = EmulatorProtocol(**options)
        self.events: list[Any] = []
        self.times: list[float] = []
        self.failures: list[Failure] = []
        self.closed: Close | None = None
        self.order = OrderChecker()
        self._take(self.protocol.open(self.now))

    @property
    def names(self) -> list[str]:
        """The types of all events so far."""
        return [event.type for event in self.events]

    def send(self, type: str, **fields: Any) -> list[Any]:
        """Send a client event and return the events that answer it at once."""
        return self.frame(json.dumps({"type": type, **fields}))

    def frame(self, data: str | bytes) -> list[Any]:
        """Send a frame and return the events that answer it at once."""
        return self._take(self.protocol.receive_frame(data, now=self.now))

    def run(self, seconds: float = 30.0, *, until: str = "") -> list[Any]:
        """Let time pass until nothing is due, or until an event of a type has come."""
        end = self.now + seconds
        came: list[Any] = []
        while not (until and any(event.type == until for event in came)):
            due = self.protocol.next_timeout()
            if due is None or due > end:
                self.now = end
                break
            self.now = max(self.now, due)
            came += self._take(self.protocol.handle_timeout(now=self.now))
        return came

    def update(self, **session: Any) -> list[Any]:
        """Update the session."""
        return self.send("session.update", session={"type": "realtime", **session})

    def say(self, text: str) -> str:
        """Add a message of the user and return its id."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        return self.send("conversation.item.create", item=item)[0].item.id

    def append(self, pcm: bytes) -> list[Any]:
        """Append audio to the input buffer."""
        audio = base64.b64encode(pcm).decode()
        return self.send("input_audio_buffer.append", audio=audio)

    def respond(self, **response: Any) -> list[Any]:
        """Ask for a response and return all of its events."""
        before = len(self.events)
        self.send("response.create", response=response)
        self.run(until="response.done")
        return self.events[before:]

    def state(self) -> Any:
        """Return all that a refusal must leave as it was."""
        protocol: Any = self.protocol
        return (
            json.dumps(protocol._settings.config),
            [(entry.item, dict(entry.audio)) for entry in protocol._history],
            bytes(protocol._turns._buffer._audio),
            bytes(protocol._turns._buffer._waiting),
            protocol._turns._buffer._item_id,
            protocol._turns._buffer.speaking,
            dict(vars(protocol._turns._idle)),
            protocol._responses._current,
            sorted(protocol._responses._running),
            protocol.next_timeout(),
        )

    def assert_refused(self, code: str | None, param: str | None, frame: Any) -> Any:
        """Send a frame that is to be refused and change nothing; return its error."""
        before = self.state()
        data = json.dumps(frame) if isinstance(frame, dict) else frame
        [event] = self.frame(data)
        assert event.type == "error", event
        assert (event.error.code, event.error.param) == (code, param), event.error
        assert self.state() == before
        assert self.closed is None
        return event.error

    def _take(self, outputs: list[ServerOutput]) -> list[Any]:
        events: list[RealtimeEvent] = []
        for output in outputs:
            if isinstance(output, Close):
                self.closed = output
                continue
            if isinstance(output, Failure):
                self.failures.append(output)
                continue
            assert isinstance(output, Send)
            frame = encode_event(output.event)
            if self._official:
                _MODELS.validate_json(frame, extra="allow")
            event = decode_event(frame, direction="server")
            self.order.feed(event)  # type: ignore[arg-type]
            events.append(event)
        self.events += events
        self.times += [self.now] * len(events)
        return events


def speech(text: str, *, silence_ms: int = 0) -> bytes:
    """Speak a text with the emulator's own voice, which captions it."""
    pcm = b"".join(word.pcm for word in FormantVoice().speak(text, 1.0))
    return pcm + bytes(48 * silence_ms)
