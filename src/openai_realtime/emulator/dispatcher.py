"""From a request to its answer: what is the same in every kind of session.

Each event that a client may send has a handler, which answers with events. What is
refused, or was not understood, becomes an `error` event that names the client's event
(PROTOCOL.md section 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from .._struct import tag_of
from ..events import RealtimeEvent, ServerEvent, Surface
from .refusal import MAX_EVENT_ID, Refusal, invalid_value
from .request import Request, event_id_in, read_request

__all__ = ["Answer", "Dispatcher", "Handler"]

Answer: TypeAlias = Iterator[ServerEvent]
"""The events that answer a request; what came before a refusal has happened."""

Handler: TypeAlias = Callable[[Request[Any], float], Answer]
"""Answers one kind of request, at that time; raises a `Refusal` instead."""


class Dispatcher:
    """Hands requests to their handlers.

    Args:
        handlers: Those of the events that are taken here; all others are refused.
        surface: The kind of session.
        prepare: Comes before every handler, and may refuse.
    """

    def __init__(
        self,
        handlers: Mapping[type[RealtimeEvent], Handler],
        *,
        surface: Surface,
        prepare: Handler,
    ) -> None:
        self._handlers = handlers
        self._surface: Surface = surface
        self._prepare = prepare

    def answer_frame(self, frame: str | bytes, now: float) -> Answer:
        """Answer a frame, whatever is in it."""
        try:
            request = read_request(frame, surface=self._surface)
        except Refusal as refusal:
            yield refusal.event(event_id_in(frame))
        else:
            yield from self.answer(request, now)

    def answer(self, request: Request[RealtimeEvent], now: float) -> Answer:
        """Answer a request."""
        try:
            handler = self._handler_of(request)
            yield from self._prepare(request, now)
            yield from handler(request, now)
        except Refusal as refusal:
            yield refusal.event(request.event_id)

    def _handler_of(self, request: Request[RealtimeEvent]) -> Handler:
        if len(request.event_id or "") > MAX_EVENT_ID:
            raise invalid_value(
                "event_id", f"An event_id has {MAX_EVENT_ID} characters at most."
            )
        handler = self._handlers.get(type(request.event))
        if handler is None:
            known = sorted(map(tag_of, self._handlers))
            raise invalid_value(
                "type",
                f"Invalid value: '{request.event.type}'. Supported events: "
                f"{', '.join(map(repr, known))}.",
            )
        return handler
