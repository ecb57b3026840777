"""What users are told of a change of the conversation."""

from __future__ import annotations

from ..events import (
    ConversationItemAppended,
    ConversationItemCompleted,
    ConversationUpdated,
)
from ..resources.formatted import EventHandlerResult
from .outputs import Emit, Output

__all__ = ["changes"]


def changes(result: EventHandlerResult) -> list[Output]:
    """Tell of a changed item: appended before updated before completed."""
    item = result.item
    if item is None:
        return []
    outputs: list[Output] = []
    if result.appended:
        appended = ConversationItemAppended(item=item)
        outputs.append(Emit("conversation.item.appended", appended))
    updated = ConversationUpdated(item=item, delta=result.delta)
    outputs.append(Emit("conversation.updated", updated))
    if result.completed:
        completed = ConversationItemCompleted(item=item)
        outputs.append(Emit("conversation.item.completed", completed))
    return outputs
