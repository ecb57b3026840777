"""A client of a translation session in memory, in virtual time."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
from openai.types.realtime import RealtimeTranslationServerEvent
from pydantic import TypeAdapter

from openai_realtime.audio import ms_to_samples, silence
from openai_realtime.codec import decode_event, encode_event
from openai_realtime.core.outputs import Close, Send
from openai_realtime.emulator.ids import CountedIds
from openai_realtime.emulator.outputs import Failure, ServerOutput
from openai_realtime.emulator.senses.voice import FormantVoice
from openai_realtime.emulator.translation import TranslationProtocol

from .event_order import TranslationChecker
from .recorder import check_schema

_MODELS: TypeAdapter[Any] = TypeAdapter(RealtimeTranslationServerEvent)

FRAME = 9600
"""The bytes of 200 ms, which the service wants (PROTOCOL.md section 8.2)."""


class TranslationDriver:
    """Sends client events as frames and lets virtual time pass.

    Every event that comes back goes through the wire form, the service's schema, the
    models of the official client and the ordering rules.

    Args:
        options: Those of the protocol.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("ids", CountedIds())
        self.now = 0.0
        self.protocol = TranslationProtocol(**options)
        self.events: list[Any] = []
        self.times: list[float] = []
        self.failures: list[Failure] = []
        self.closed: Close | None = None
        self._order = TranslationChecker()
        self._take(self.protocol.open(self.now))

    @property
    def names(self) -> list[str]:
        """The types of all events so far."""
        return [event.type for event in self.events]

    @property
    def original(self) -> str:
        """What was said, as far as the client was told."""
        return "".join(e.delta for e in self.named("session.input_transcript.delta"))

    @property
    def translation(self) -> str:
        """What it was translated into."""
        return "".join(e.delta for e in self.named("session.output_transcript.delta"))

    @property
    def sound(self) -> bytes:
        """What the translation sounds like."""
        return b"".join(e.delta for e in self.named("session.output_audio.delta"))

    def named(self, name: str) -> list[Any]:
        """Return the events of one type."""
        return [event for event in self.events if event.type == name]

    def send(self, type: str, **fields: Any) -> list[Any]:
        """Send a client event and return the events that answer it at once."""
        return self.frame(json.dumps({"type": type, **fields}))

    def frame(self, data: str | bytes) -> list[Any]:
        """Send a frame and return the events that answer it at once."""
        return self._take(self.protocol.receive_frame(data, now=self.now))

    def update(self, **session: Any) -> list[Any]:
        """Update the session."""
        return self.send("session.update", session=session)

    def append(self, pcm: bytes) -> list[Any]:
        """Append audio, as it comes."""
        audio = base64.b64encode(pcm).decode()
        return self.send("session.input_audio_buffer.append", audio=audio)

    def stream(self, pcm: bytes, size: int = FRAME) -> None:
        """Append audio at the speed at which it was spoken."""
        for start in range(0, len(pcm), size):
            piece = pcm[start : start + size]
            self.append(piece)
            self.run(len(piece) / 48_000)

    def run(self, seconds: float = 600.0) -> list[Any]:
        """Let time pass."""
        end = self.now + seconds
        came: list[Any] = []
        while (due := self.protocol.next_timeout()) is not None and due <= end:
            self.now = max(self.now, due)
            came += self._take(self.protocol.handle_timeout(now=self.now))
        self.now = end
        return came

    def end(self) -> None:
        """Close the session and wait for its end."""
        self.send("session.close")
        self.run()

    def _take(self, outputs: list[ServerOutput]) -> list[Any]:
        events: list[Any] = []
        for output in outputs:
            assert self.closed is None, f"{output} after the close"
            match output:
                case Close():
                    self.closed = output
                case Failure():
                    self.failures.append(output)
                case Send(event=event):
                    events.append(self._checked(encode_event(event)))
        self.events += events
        self.times += [self.now] * len(events)
        return events

    def _checked(self, frame: bytes) -> Any:
        """Return the event as a client would read it."""
        fields = msgspec.json.decode(frame)
        check_schema(fields, "translation.server")
        self._order.feed_fields(fields)
        _MODELS.validate_json(frame, extra="allow")
        return decode_event(frame, direction="server", surface="translation")


def phrase(text: str, *, silence_ms: int = 1000) -> bytes:
    """Speak a text as the emulator does, with a pause behind it."""
    pcm = b"".join(word.pcm for word in FormantVoice().speak(text))
    return pcm + silence(ms_to_samples(silence_ms))
