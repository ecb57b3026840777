"""What the demo measures of each reply, and the table of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ...audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from ...client import RealtimeClient
from ...events import (
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    ResponseOutputItemDone,
)
from ...resources.items import FunctionCallItem
from ...resources.response import Usage

__all__ = ["Reply", "Report"]


@dataclass(slots=True)
class Reply:
    """One response, as the demo saw it.

    Attributes:
        name: What the reply is to.
        first_audio_ms: From the end of the user's turn to the first audio.
        generated: Samples of audio received.
        items: The ids of its items.
        calls: The names of the functions it called.
    """

    name: str
    turn_ended: float
    status: str = "in_progress"
    first_audio_ms: int | None = None
    generated: int = 0
    items: set[str] = field(default_factory=set[str])
    calls: list[str] = field(default_factory=list[str])
    usage: Usage | None = None

    def heard(self, heard: dict[str, int]) -> int:
        """Return how many samples of the reply the speaker has played."""
        return sum(heard.get(item_id, 0) for item_id in self.items)


class Report:
    """Follows the replies of a client and makes a table of them.

    Attributes:
        replies: Every reply, in order.
    """

    def __init__(self, client: RealtimeClient) -> None:
        self.replies: list[Reply] = []
        self._by_id: dict[str, Reply] = {}
        self._next_name = ""
        self._turn_ended = time.monotonic()
        client.on("server.response.created", self._created)
        client.on("server.response.output_audio.delta", self._audio)
        client.on("server.response.output_item.done", self._item_done)
        client.on("server.response.done", self._done)

    def expect(self, name: str) -> None:
        """Name the replies that come from now on."""
        self._next_name = name

    def reply(self, response_id: str) -> Reply:
        """Return what was seen of a response.

        Raises:
            KeyError: No such response was created.
        """
        return self._by_id[response_id]

    def turn_ended(self) -> None:
        """Note that the user, or a tool, has said all: the reply is awaited."""
        self._turn_ended = time.monotonic()

    def table(self, heard: dict[str, int]) -> str:
        """Return the table: one line a reply."""
        head = ("reply", "status", "first audio", "generated", "heard", "in", "out")
        rows = [head, *(_row(reply, heard) for reply in self.replies)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        lines = [
            "  ".join(
                cell.ljust(width) if column < 2 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])

    def _created(self, event: ResponseCreated) -> None:
        reply = Reply(self._next_name, self._turn_ended)
        self.replies.append(reply)
        self._by_id[event.response.id or ""] = reply

    def _audio(self, event: ResponseOutputAudioDelta) -> None:
        reply = self._by_id.get(event.response_id)
        if reply is None:
            return
        if reply.first_audio_ms is None:
            waited = time.monotonic() - reply.turn_ended
            reply.first_audio_ms = round(waited * 1000)
        reply.generated += len(event.delta) // BYTES_PER_SAMPLE
        reply.items.add(event.item_id)

    def _item_done(self, event: ResponseOutputItemDone) -> None:
        reply = self._by_id.get(event.response_id)
        if reply is not None and isinstance(event.item, FunctionCallItem):
            reply.calls.append(event.item.name)

    def _done(self, event: ResponseDone) -> None:
        reply = self._by_id.get(event.response.id or "")
        if reply is not None:
            reply.status = event.response.status or "unknown"
            reply.usage = event.response.usage or None


def _row(reply: Reply, heard: dict[str, int]) -> tuple[str, ...]:
    usage = reply.usage or Usage()
    return (
        reply.name,
        reply.status,
        "-" if reply.first_audio_ms is None else f"{reply.first_audio_ms} ms",
        _seconds(reply.generated),
        _seconds(reply.heard(heard)),
        str(usage.input_tokens or 0),
        str(usage.output_tokens or 0),
    )


def _seconds(samples: int) -> str:
    return f"{samples / SAMPLE_RATE:.2f} s" if samples else "-"
