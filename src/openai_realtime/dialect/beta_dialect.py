"""The events of one connection in both dialects (PROTOCOL.md section 2.1).

An item enters the conversation with one event in the old dialect and with two in the
current one. So who translates has to remember, of each item of the model, how far it
is::

    how far     event                   what is made of it   how far then
    -------     -----                   ------------------   ------------
    unknown     output_item.added       the same             announced
    unknown     created, in progress    added                open
    unknown     created, otherwise      added, done          unknown
    unknown     output_item.done        the same             finished
    announced   created                 added                open
    announced   output_item.done        the same             finished
    open        output_item.done        the same, done       unknown
    open        response.done with it   done, the same       unknown
    finished    created                 added, done          unknown
    any other   response.done with it   the same             unknown
    any         item.deleted            the same             unknown

Items of users and clients are created otherwise than in progress, whatever they say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, TypeVar, cast

from ..events import Direction
from .events import event_to_beta, event_to_ga, missing_in_beta
from .shape import JsonObject

__all__ = ["BetaDialect"]

_DONE = "conversation.item.done"
_PLACE = ("previous_item_id",)

_Known = TypeVar("_Known")

# These are never the model's, whatever their status says (PROTOCOL.md section 1.3).
_CLIENT_ROLES = ("user", "system")
_CLIENT_TYPES = ("function_call_output", "mcp_approval_response")


class BetaDialect:
    """Translates the events of one connection between the dialects, both ways.

    It is pure: one event goes in and the events that say the same come out, as JSON
    objects. An object serves one connection; a new connection needs a new one.

    Attributes:
        notes: What had to be dropped, one sentence each, the newest last. Bounded: the
            oldest make room.
        note_count: How many notes there were in all.
    """

    def __init__(self, *, max_items: int = 1024, max_notes: int = 256) -> None:
        """Start without having seen any item.

        Args:
            max_items: How many of the model's items are remembered at a time, in each
                stage; beyond that the oldest are forgotten.
            max_notes: How many notes are kept.
        """
        self.notes: deque[str] = deque(maxlen=max_notes)
        self.note_count = 0
        self._max_items = max_items
        # By item id: nothing, the place in the conversation, the final item.
        self._announced: dict[str, None] = {}
        self._open: dict[str, JsonObject] = {}
        self._finished: dict[str, JsonObject] = {}

    @property
    def open_items(self) -> tuple[str, ...]:
        """The ids of the model's items that were added and are not done."""
        return tuple(self._open)

    def to_ga(self, data: JsonObject, *, direction: Direction) -> list[JsonObject]:
        """Translate an event of the old dialect into those that say it now.

        ``conversation.item.created`` becomes ``added``, with ``done`` behind it at once
        or, for an item of the model, behind ``response.output_item.done``.

        Args:
            data: The event; it is not changed.
            direction: Who sent it.
        """
        notes: list[str] = []
        event = event_to_ga(data, direction, notes=notes)
        self._note(notes)
        if direction == "client":
            return [event]
        match event.get("type"):
            case "conversation.item.created":
                return self._created(event)
            case "conversation.item.deleted":
                self._forget(event.get("item_id"))
            case "response.output_item.added":
                self._announce(event)
            case "response.output_item.done":
                return self._item_finished(event)
            case "response.done":
                return self._response_finished(event)
            case _:
                pass
        return [event]

    def to_beta(self, data: JsonObject, *, direction: Direction) -> list[JsonObject]:
        """Translate an event of the current dialect into the old one that says it.

        ``conversation.item.added`` becomes ``created``. What the old dialect cannot say
        becomes nothing, with a note; only ``conversation.item.done`` needs none, since
        ``created`` and ``response.output_item.done`` have said all of it.

        Args:
            data: The event; it is not changed.
            direction: Who sent it.
        """
        missing = missing_in_beta(data)
        if missing:
            if data.get("type") != _DONE:
                self._note([f"{missing}; the event was dropped"])
            return []
        notes: list[str] = []
        event = event_to_beta(data, direction, notes=notes)
        self._note(notes)
        return [event]

    def _created(self, event: JsonObject) -> list[JsonObject]:
        item = _object(event.get("item"))
        item_id = _text(item.get("id"))
        added = {**event, "type": "conversation.item.added"}
        place = {key: event[key] for key in _PLACE if key in event}
        announced = item_id in self._announced
        final = None if item_id is None else self._finished.get(item_id)
        self._forget(item_id)
        if item_id is None or final is not None:
            return [added, _done(event, place, final or item)]
        if not announced and not _in_progress_at_the_model(item):
            return [added, _done(event, place, item)]
        forgotten = _remember(self._open, item_id, place, limit=self._max_items)
        if forgotten is not None:
            self._note([f"item {forgotten!r} was forgotten; its `{_DONE}` is missing"])
        return [added]

    def _announce(self, event: JsonObject) -> None:
        item_id = _text(_object(event.get("item")).get("id"))
        if item_id is not None and item_id not in self._open:
            _remember(self._announced, item_id, None, limit=self._max_items)

    def _item_finished(self, event: JsonObject) -> list[JsonObject]:
        item = _object(event.get("item"))
        item_id = _text(item.get("id"))
        if item_id is None:
            return [event]
        place = self._open.get(item_id)
        self._forget(item_id)
        if place is None:
            _remember(self._finished, item_id, item, limit=self._max_items)
            return [event]
        return [event, _done(event, place, item)]

    def _response_finished(self, event: JsonObject) -> list[JsonObject]:
        """Close what a server has left open, since nothing more will come of it."""
        made_up: list[JsonObject] = []
        for item in _items_of(event.get("response")):
            item_id = _text(item.get("id"))
            place = None if item_id is None else self._open.get(item_id)
            if place is not None:
                made_up.append(_done(event, place, item))
            self._forget(item_id)
        return [*made_up, event]

    def _forget(self, item_id: Any) -> None:
        if isinstance(item_id, str):
            for known in (self._announced, self._open, self._finished):
                known.pop(item_id, None)

    def _note(self, notes: list[str]) -> None:
        self.notes.extend(notes)
        self.note_count += len(notes)


def _in_progress_at_the_model(item: JsonObject) -> bool:
    """Whether an item that nobody has announced is one that the model still makes.

    The event may come before the one that announces it (PROTOCOL.md section 1.4).
    """
    return (
        item.get("status") == "in_progress"
        and item.get("role") not in _CLIENT_ROLES
        and item.get("type") not in _CLIENT_TYPES
    )


def _done(cause: JsonObject, place: JsonObject, item: JsonObject) -> JsonObject:
    """Make up the event that says that an item is final; its id tells of its cause."""
    event: JsonObject = {"type": _DONE}
    cause_id = cause.get("event_id")
    if isinstance(cause_id, str):
        event["event_id"] = f"{cause_id}_done_{item.get('id', '')}"
    return {**event, **place, "item": item}


def _remember(
    known: dict[str, _Known], item_id: str, value: _Known, *, limit: int
) -> str | None:
    """Keep a value, and return the item that had to be forgotten for it, if any."""
    known[item_id] = value
    if len(known) <= limit:
        return None
    oldest = next(iter(known))
    del known[oldest]
    return oldest


def _items_of(response: Any) -> Iterator[JsonObject]:
    output = _object(response).get("output")
    if isinstance(output, list):
        yield from map(_object, cast("list[object]", output))


def _object(value: Any) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
