"""Tells on the terminal what happens, as it happens."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ...events import ConversationItemCompleted, ConversationUpdated

__all__ = ["Narrator"]


class Narrator:
    """Prints who speaks, transcripts as they stream, and what else is worth a line."""

    def __init__(self, position_ms: Callable[[], int]) -> None:
        self._position_ms = position_ms
        self._speaking: str | None = None

    def line(self, who: str, text: str) -> None:
        """Print one whole line."""
        self._end_stream()
        print(f"{self._stamp()} {who:>9}: {text}", flush=True)

    def headline(self, text: str) -> None:
        """Print a headline."""
        self._end_stream()
        print(f"\n{text}", flush=True)

    def updated(self, event: ConversationUpdated) -> None:
        """Print a piece of transcript of the assistant, behind what came before."""
        delta = event.delta
        if delta is None or event.item.role != "assistant":
            return
        if delta.transcript or delta.text:
            self._stream(event.item.id, delta.transcript or delta.text or "")

    def completed(self, event: ConversationItemCompleted) -> None:
        """Print what the model calls, with its arguments."""
        tool = event.item.formatted.tool
        if tool is not None:
            self.line("assistant", f"calls {tool.name}({tool.arguments})")

    def _stream(self, item_id: str, piece: str) -> None:
        if self._speaking != item_id:
            self._end_stream()
            sys.stdout.write(f"{self._stamp()} assistant: ")
            self._speaking = item_id
        sys.stdout.write(piece)
        sys.stdout.flush()

    def _end_stream(self) -> None:
        if self._speaking is not None:
            self._speaking = None
            sys.stdout.write("\n")

    def _stamp(self) -> str:
        return f"[{self._position_ms() / 1000:6.2f} s]"
