"""What a server sent that does not fit what it sent before."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from .brief import Brief

__all__ = ["Anomaly", "AnomalyKind"]


class AnomalyKind(StrEnum):
    """In which way an event did not fit; none of them is an error.

    Each names what the event was about and why it was a surprise.
    """

    ITEM_UNKNOWN = "item_unknown"
    """It names an item that was never announced; a delta made a placeholder of it."""
    RESPONSE_UNKNOWN = "response_unknown"
    """It names a response that was never announced."""
    ITEM_DELETED = "item_deleted"
    """It names an item that has been deleted."""
    ITEM_FINAL = "item_final"
    """It adds to an item that is complete."""
    ITEM_TYPE_CHANGED = "item_type_changed"
    """It makes of an item another kind of item."""
    PREVIOUS_UNKNOWN = "previous_unknown"
    """It puts an item behind one that is not known; it stands at the end meanwhile."""
    DUPLICATE = "duplicate"
    """It says again what was said."""
    DONE_WITHOUT_ADDED = "done_without_added"
    """It ends what was never announced."""
    TEXT_DIFFERS = "text_differs"
    """Its final text is not the sum of the pieces; the final one counts."""
    CALL_DIFFERS = "call_differs"
    """It tells of a function call otherwise than an earlier event."""


class Anomaly(Brief, Struct, frozen=True, kw_only=True):
    """One event that did not fit.

    Attributes:
        kind: In which way.
        detail: What it was, in a sentence.
        item_id: The item it names, if any.
        response_id: The response it names, if any.
    """

    kind: AnomalyKind
    detail: str
    item_id: str | None = None
    response_id: str | None = None
