"""What the user of a client is told, for tests with servers that are odd."""

from __future__ import annotations

from typing import Any

from openai_realtime import RealtimeClient


class Witness:
    """Keeps what a client tells its user.

    Attributes:
        client: The client.
        errors: What came with `error` events.
        anomalies: What did not fit, by kind.
        completed: The items that became complete, as often as that was told.
        pieces: The pieces of text and transcript, in order.
    """

    def __init__(self, client: RealtimeClient) -> None:
        self.client = client
        self.errors: list[Any] = []
        self.anomalies: list[str] = []
        self.completed: list[str] = []
        self.pieces: list[str] = []
        client.on("error", lambda event: self.errors.append(event.error))
        client.on("conversation.anomaly", self._odd)
        client.on("conversation.item.completed", self._whole)
        client.on("conversation.updated", self._more)

    def _odd(self, event: Any) -> None:
        self.anomalies.append(str(event.kind))

    def _whole(self, event: Any) -> None:
        self.completed.append(event.item.id)

    def _more(self, event: Any) -> None:
        if event.delta is not None:
            self.pieces.append(event.delta.text or event.delta.transcript or "")

    @property
    def said(self) -> list[tuple[str, str]]:
        """Who has said what, message by message."""
        return [
            (item.role or "", item.formatted.transcript or item.formatted.text)
            for item in self.client.conversation.items
            if item.type == "message"
        ]

    def check(self, *errors: type[Exception]) -> None:
        """Assert that all went well, but for these errors, and nothing contradicts."""
        assert [type(error) for error in self.errors] == list(errors), self.errors
        assert self.client.is_connected
        self.client.conversation.check()
        self.client._protocol.check()


def text(content: str) -> list[dict[str, str]]:
    """Return the content of a written message."""
    return [{"type": "input_text", "text": content}]
