"""What users are told of a change of the conversation."""

from __future__ import annotations

from ..events import (
    ConversationAnomaly,
    ConversationItemAppended,
    ConversationItemCompleted,
    ConversationUpdated,
    RealtimeEvent,
)
from ..resources.anomaly import Anomaly
from ..resources.formatted import EventHandlerResult
from .outputs import Emit, Output

__all__ = ["changes"]


def changes(result: EventHandlerResult, event: RealtimeEvent) -> list[Output]:
    """Tell of a changed item: appended before updated before completed."""
    outputs: list[Output] = []
    item = result.item
    if item is not None and result.appended:
        appended = ConversationItemAppended(item=item)
        outputs.append(Emit("conversation.item.appended", appended))
    if item is not None:
        updated = ConversationUpdated(item=item, delta=result.delta)
        outputs.append(Emit("conversation.updated", updated))
    if item is not None and result.completed:
        completed = ConversationItemCompleted(item=item)
        outputs.append(Emit("conversation.item.completed", completed))
    if result.anomaly is not None:
        outputs.append(_told(result.anomaly, event))
    return outputs


def _told(anomaly: Anomaly, event: RealtimeEvent) -> Emit:
    told = ConversationAnomaly(
        kind=anomaly.kind,
        detail=anomaly.detail,
        item_id=anomaly.item_id,
        response_id=anomaly.response_id,
        context=event,
    )
    return Emit("conversation.anomaly", told)
