"""The demo's record of every event, one JSON object a line."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...events import RealtimeEventSeen

__all__ = ["Journal"]

# Where events carry audio at the top (PROTOCOL.md section 1): counted, not written.
_AUDIO_KEY = {
    "input_audio_buffer.append": "audio",
    "response.output_audio.delta": "delta",
}


class Journal:
    """Writes ``{"t", "audio_ms", "source", "event"}`` for every event, both ways.

    ``t`` is seconds since the beginning, ``audio_ms`` the position on the time line of
    the recording. Audio is left out; ``audio_bytes`` says how much there was.
    """

    def __init__(self, path: Path, position_ms: Callable[[], int]) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._position_ms = position_ms
        self._started = time.time()

    def write(self, seen: RealtimeEventSeen) -> None:
        """Write one event."""
        line = {
            "t": round(seen.time - self._started, 3),
            "audio_ms": self._position_ms(),
            "source": seen.source,
            "event": _without_audio(seen.event.to_dict()),
        }
        self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def _without_audio(event: dict[str, Any]) -> dict[str, Any]:
    """Replace base64 audio by its size, at the top and in content parts."""
    _count(event, _AUDIO_KEY.get(event["type"], ""))
    item: dict[str, Any] = event.get("item") or {}
    parts: list[dict[str, Any]] = item.get("content") or []
    for part in parts:
        _count(part, "audio")
    return event


def _count(fields: dict[str, Any], key: str) -> None:
    audio = fields.get(key)
    if isinstance(audio, str):
        del fields[key]
        fields["audio_bytes"] = len(audio) * 3 // 4 - audio[-2:].count("=")
