"""The events of one connection in both dialects (PROTOCOL.md section 2.1).

An item enters the conversation with one event in the old dialect and with two in the
current one. So who translates has to remember, of each item of the model, how far it
is::

    how far     event                     what is made of it   how far then
    -------     -----                     ------------------   ------------
    unknown     the client's item.create  the same             ours
    unknown     created, the model's      added                open
    unknown     created, otherwise        added, done          unknown
    ours        created                   added, done          unknown
    announced   created                   added                open
    open        created                   added                open
    finished    created                   added, done          unknown
    open        output_item.added         the same             open
    finished    output_item.added         the same             finished
    any other   output_item.added         the same             announced
    open        output_item.done          the same, done       unknown
    any other   output_item.done          the same             finished
    open        the end of its response   done, the same       unknown
    any other   the end of its response   the same             unknown
    any         item.deleted              the same             unknown

Which item is the model's, though nobody has announced it, `_is_the_model_s` says. A
response's items are those that it lists at its end, and those of which an event has
named it. An open item that none has named a response for waits until none runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from ..events import Direction
from .events import event_to_beta, event_to_ga, missing_in_beta
from .shape import JsonObject

__all__ = ["BetaDialect"]

_ADDED = "conversation.item.added"
_CREATED = "conversation.item.created"
_DONE = "conversation.item.done"
_PLACE = ("previous_item_id",)

_Stage: TypeAlias = Literal["unknown", "ours", "announced", "open", "finished"]

# Whether an item that is created goes on, where that is known already.
_GOES_ON = {"ours": False, "announced": True, "open": True, "finished": False}

# What comes of forgetting an item too early.
_LOSS = {
    "ours": "it may be taken for the model's",
    "announced": "it may be taken for a client's",
    "open": f"its `{_DONE}` is missing",
    "finished": f"its `{_DONE}` may say too little",
}

# No response makes these, whatever their status says (PROTOCOL.md section 1.3).
_NO_OUTPUT_ROLES = ("user", "system")
_NO_OUTPUT_TYPES = ("function_call_output", "mcp_approval_response", "mcp_list_tools")


class _Known(NamedTuple):
    """What is remembered of an item.

    Attributes:
        stage: How far it is.
        response_id: The response that makes it, as far as an event has said so.
        item: What was said of it last, without audio; nothing before it was created.
        place: Where it stands in the conversation; nothing before it was created.
    """

    stage: _Stage
    response_id: str | None = None
    item: JsonObject | None = None
    place: JsonObject | None = None


_UNKNOWN = _Known("unknown")


class BetaDialect:
    """Translates the events of one connection between the dialects, both ways.

    It is pure: one event goes in and the events that say the same come out, as JSON
    objects. An object serves one connection; a new connection needs a new one. It wants
    to see the client's events too, since it learns from them which items are not the
    model's.

    What it remembers is bounded: a number of items, without their audio, and as many
    responses. Beyond that the oldest make room, with a note that says what may come of
    it.

    Attributes:
        notes: What had to be dropped, forgotten or guessed, one sentence each, the
            newest last. Bounded: the oldest make room.
        note_count: How many notes there were in all.
        forgotten_count: How many items and responses had to be forgotten before they
            were over.
    """

    def __init__(self, *, max_items: int = 1024, max_notes: int = 256) -> None:
        """Start without having seen any item.

        Args:
            max_items: How many items are remembered at a time, and how many running
                responses; beyond that the oldest are forgotten.
            max_notes: How many notes are kept.
        """
        self.notes: deque[str] = deque(maxlen=max_notes)
        self.note_count: int = 0
        self.forgotten_count: int = 0
        self._max_items = max_items
        self._items: dict[str, _Known] = {}
        # Under None: those that a server gave no id.
        self._running: dict[str | None, None] = {}

    @property
    def open_items(self) -> tuple[str, ...]:
        """The ids of the model's items that were added and are not done."""
        return tuple(
            item_id for item_id, known in self._items.items() if known.stage == "open"
        )

    def to_ga(self, data: JsonObject, *, direction: Direction) -> list[JsonObject]:
        """Translate an event of the old dialect into those that say it now.

        ``conversation.item.created`` becomes ``added``, with ``done`` behind it at once
        or, for an item of the model, behind ``response.output_item.done``. A ``done``
        that is made up has no audio inside, as in the current dialect.

        Args:
            data: The event; it is not changed.
            direction: Who sent it.
        """
        notes: list[str] = []
        event = event_to_ga(data, direction, notes=notes)
        self._note(notes)
        if direction == "client":
            self._learn_from_client(event)
            return [event]
        match event.get("type"):
            case "conversation.item.created":
                return self._created(event)
            case "conversation.item.deleted":
                self._forget(_text(event.get("item_id")))
            case "response.created":
                self._response_began(event)
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
        if direction == "client":
            self._learn_from_client(data)
        elif data.get("type") in (_ADDED, _CREATED):
            # Here the current dialect's server tells apart what is whose.
            self._forget(_id_of(data.get("item")), stage="ours")
        missing = missing_in_beta(data)
        if missing:
            if data.get("type") != _DONE:
                self._note([f"{missing}; the event was dropped"])
            return []
        notes: list[str] = []
        event = event_to_beta(data, direction, notes=notes)
        self._note(notes)
        return [event]

    def _learn_from_client(self, event: JsonObject) -> None:
        """Remember the id of an item that might be taken for the model's."""
        if event.get("type") != "conversation.item.create":
            return
        item = _object(event.get("item"))
        item_id = _id_of(item)
        # The server refuses an id that is taken already (PROTOCOL.md section 1.3).
        if item_id is not None and _may_be_output(item) and item_id not in self._items:
            self._remember(item_id, _Known("ours"))

    def _created(self, event: JsonObject) -> list[JsonObject]:
        item = _object(event.get("item"))
        if not item:
            return [event]  # Nothing was created, so there is nothing to add to it.
        item_id = _id_of(item)
        known = self._forget(item_id)
        added = {**event, "type": _ADDED}
        place = {key: event[key] for key in _PLACE if key in event}
        goes_on = _GOES_ON.get(known.stage)
        if goes_on is None:
            goes_on = _is_the_model_s(item, running=bool(self._running))
        if item_id is None or not goes_on:
            return [added, _done(event, place, known.item or item)]
        item = _without_audio(item)
        self._remember(item_id, known._replace(stage="open", item=item, place=place))
        return [added]

    def _response_began(self, event: JsonObject) -> None:
        self._running[_id_of(event.get("response"))] = None
        if len(self._running) > self._max_items:
            oldest = next(iter(self._running))
            del self._running[oldest]
            self._count_forgotten("response", oldest, "an item may be done too early")

    def _announce(self, event: JsonObject) -> None:
        item_id = _id_of(event.get("item"))
        if item_id is None:
            return
        known = self._items.get(item_id, _UNKNOWN)
        stage = known.stage if known.stage in ("open", "finished") else "announced"
        response_id = _text(event.get("response_id")) or known.response_id
        self._remember(item_id, known._replace(stage=stage, response_id=response_id))

    def _item_finished(self, event: JsonObject) -> list[JsonObject]:
        item = _object(event.get("item"))
        item_id = _id_of(item)
        if item_id is None:
            return [event]
        known = self._forget(item_id)
        if known.stage == "open":
            return [event, _done(event, known.place, item)]
        response_id = _text(event.get("response_id")) or known.response_id
        finished = _Known("finished", response_id, _without_audio(item))
        self._remember(item_id, finished)
        return [event]

    def _response_finished(self, event: JsonObject) -> list[JsonObject]:
        """Close what a server has left open, since nothing more will come of it.

        Every end is told, also where a response is cancelled (PROTOCOL.md section 1.4).
        """
        response = _object(event.get("response"))
        response_id = _id_of(response)
        self._running.pop(response_id, None)
        final = dict(_items_by_id(response.get("output")))
        made_up: list[JsonObject] = []
        for item_id, known in list(self._items.items()):
            if item_id not in final and not self._is_over(known, response_id):
                continue
            del self._items[item_id]
            if known.stage == "open":
                item = final.get(item_id) or self._left_open(item_id, known)
                made_up.append(_done(event, known.place, item))
        return [*made_up, event]

    def _is_over(self, known: _Known, ended: str | None) -> bool:
        """Whether an item has nothing to wait for, now that a response has ended."""
        if known.response_id is None:
            return known.stage != "ours" and not self._running
        return known.response_id == ended

    def _left_open(self, item_id: str, known: _Known) -> JsonObject:
        """Return what is known of an item whose response ends without it."""
        self._note([f"item {item_id!r} is not in its response: {_LOSS['finished']}"])
        item = known.item or {}
        if item.get("status") == "in_progress":
            return {**item, "status": "incomplete"}
        return item

    def _remember(self, item_id: str, known: _Known) -> None:
        self._items[item_id] = known
        if len(self._items) > self._max_items:
            oldest = next(iter(self._items))
            stage = self._items.pop(oldest).stage
            self._count_forgotten("item", oldest, _LOSS[stage])

    def _forget(self, item_id: str | None, *, stage: _Stage | None = None) -> _Known:
        """Forget an item, if need be only in one stage, and return what was known."""
        known = _UNKNOWN if item_id is None else self._items.get(item_id, _UNKNOWN)
        if item_id is not None and stage in (None, known.stage):
            self._items.pop(item_id, None)
        return known

    def _count_forgotten(self, what: str, which: str | None, loss: str) -> None:
        self.forgotten_count += 1
        limit = f"more than {self._max_items} at a time"
        self._note([f"{what} {which!r} was forgotten, {limit}: {loss}"])

    def _note(self, notes: list[str]) -> None:
        self.notes.extend(notes)
        self.note_count += len(notes)


def _may_be_output(item: JsonObject) -> bool:
    return (
        item.get("role") not in _NO_OUTPUT_ROLES
        and item.get("type") not in _NO_OUTPUT_TYPES
    )


def _is_the_model_s(item: JsonObject, *, running: bool) -> bool:
    """Whether an item that nobody has announced is one that the model still makes.

    The event may come before the one that announces it (PROTOCOL.md section 1.4). The
    old schema has no status for what has only begun, so while a response runs no status
    is asked for, but an item that is there and said to be complete needs no waiting.
    Otherwise it takes both signs of a beginning: the model's items arrive in progress
    and empty, a client's are whole (section 1.2).
    """
    if not _may_be_output(item):
        return False
    status = item.get("status")
    filled = bool(item.get("content") or item.get("arguments"))
    if running:
        return not (filled and status == "completed")
    return status == "in_progress" and not filled


def _done(cause: JsonObject, place: JsonObject | None, item: JsonObject) -> JsonObject:
    """Make up the event that says that an item is final; its id tells of its cause."""
    event: JsonObject = {"type": _DONE}
    cause_id = cause.get("event_id")
    if isinstance(cause_id, str):
        event["event_id"] = f"{cause_id}_done_{item.get('id', '')}"
    return {**event, **(place or {}), "item": _without_audio(item)}


def _without_audio(item: JsonObject) -> JsonObject:
    """Return an item as a final one is told: no audio bytes inside (PROTOCOL.md 1.2).

    It also is what can be remembered without counting bytes.
    """
    content = item.get("content")
    if not isinstance(content, list):
        return item
    parts = [_silent(part) for part in cast("list[object]", content)]
    return {**item, "content": parts}


def _silent(part: object) -> object:
    if not isinstance(part, dict):
        return part
    fields = cast("JsonObject", part)
    return {key: value for key, value in fields.items() if key != "audio"}


def _items_by_id(output: Any) -> Iterator[tuple[str, JsonObject]]:
    for value in cast("list[object]", output) if isinstance(output, list) else ():
        item_id = _id_of(value)
        if item_id is not None:
            yield item_id, _object(value)


def _id_of(value: Any) -> str | None:
    return _text(_object(value).get("id"))


def _object(value: Any) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
