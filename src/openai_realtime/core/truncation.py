"""Cutting what the listener has not heard, on both sides.

The model remembers what it has generated; the listener knows what was played. After an
interruption the server is told how far that was (PROTOCOL.md section 6.8), never more
than has arrived here: of what is still under way nothing can have been heard.

When the user's voice interrupts, what plays is let go of at once, and the server is
told a moment later: a player that has just been stopped then knows how far it came.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..events import ConversationItemDelete, ConversationItemTruncate
from ..resources.formatted import FormattedItem
from ..resources.items import ItemStatus, MessageItem, OutputAudioPart
from ..resources.response import Response
from .conversation import RealtimeConversation
from .error_owners import ErrorOwners
from .outputs import Output, Send
from .playback import Heard, PlaybackLedger, PlaybackSource
from .recent import Recent

__all__ = ["Truncation"]

# A response that was interrupted ends within a round trip.
_STOPPED_REMEMBERED = 256

# Enough for a player to stop and say how far it came, and less than the silence after
# which a turn of the user ends and the model answers (PROTOCOL.md section 3.3).
_GRACE_S = 0.25


class _Held(NamedTuple):
    """An item that was let go of.

    Attributes:
        heard: How much of it was heard then.
        grew: Whether more of it was to come then.
        at: When that was.
    """

    heard: Heard
    grew: bool
    at: float


class Truncation:
    """Cuts items of the assistant to what was heard of them.

    Args:
        conversation: The cache, which drops what still comes for an item.
        playback: The ledger of what has been heard.
        owners: Is told of what may come too late.
        ids: Makes the ids of events.
    """

    def __init__(
        self,
        conversation: RealtimeConversation,
        playback: PlaybackLedger,
        owners: ErrorOwners,
        ids: Callable[[], str],
    ) -> None:
        self._conversation = conversation
        self._playback = playback
        self._owners = owners
        self._ids = ids
        self._stopped = Recent[None](_STOPPED_REMEMBERED)
        self._held: dict[str, _Held] = {}
        self._held_until: float | None = None

    def stop(self, response_id: str) -> None:
        """Let go of all that still comes of a response: it was interrupted."""
        self._stopped.keep(response_id, None)
        self._conversation.stop_response(response_id)

    def has_stopped(self, response_id: str) -> bool:
        """Whether what still comes of a response is let go of."""
        return response_id in self._stopped

    def hold(self, *, now: float) -> None:
        """Let go of all that plays, and note how far it came, to cut it a bit later."""
        for item_id, _ in self._playback.unheard(now=now):
            item = self._conversation.get_item(item_id)
            if item is None:
                continue
            heard = self._playback.heard(item_id, now=now)
            if item_id not in self._held:
                self._held[item_id] = _Held(heard, _grows(item), now)
                # It stands also where the connection ends before the item is cut.
                samples, source = heard
                self._conversation.mark_heard(item_id, samples, source=source)
            self._conversation.cut_off(item_id)
            self._held_until = now + _GRACE_S

    def cut_held(self) -> list[Output]:
        """Cut what was let go of to what a player has said since, or what was noted."""
        held, self._held = self._held, {}
        self._held_until = None
        outputs: list[Output] = []
        for item_id, (noted, grew, at) in held.items():
            item = self._conversation.get_item(item_id)
            if item is not None:
                today = self._playback.heard(item_id, now=at)
                by_clock = today.source is PlaybackSource.CLOCK
                heard = noted if by_clock else today
                outputs += self._cut(item, heard, grew=grew, now=at)
        return outputs

    def cut_unheard(self, *, now: float) -> list[Output]:
        """Cut all that plays, waits to be played, or is still being spoken."""
        self.hold(now=now)
        return self.cut_held()

    @property
    def holds(self) -> bool:
        """Whether something was let go of that is yet to be cut."""
        return bool(self._held)

    def next_timeout(self) -> float | None:
        """Return when what was let go of is to be cut."""
        return self._held_until

    def handle_timeout(self, *, now: float) -> list[Output]:
        """Cut what was let go of, when the time has come."""
        due = self._held_until is not None and self._held_until <= now
        return self.cut_held() if due else []

    def cut(self, item: FormattedItem, heard: Heard, *, now: float) -> list[Output]:
        """Cut an item's audio to what was heard, never beyond what was received."""
        held = self._held.pop(item.id, None)
        grew = _grows(item) if held is None else held.grew
        return self._cut(item, heard, grew=grew, now=now)

    def _cut(
        self, item: FormattedItem, heard: Heard, *, grew: bool, now: float
    ) -> list[Output]:
        received = self._playback.received_samples(item.id)
        samples = min(max(heard.samples, 0), received)
        if received == 0:
            return []
        self._conversation.mark_heard(item.id, samples, source=heard.source)
        if samples == received and not grew:
            return []
        self._conversation.cut_off(item.id)
        self._playback.stop(item.id, samples, now=now)
        heard_ms = self._playback.samples_to_ms(samples, item.id)
        if heard_ms == 0:
            return [self._delete(item.id)]
        truncate = ConversationItemTruncate(
            event_id=self._ids(),
            item_id=item.id,
            content_index=0,
            audio_end_ms=heard_ms,
        )
        self._owners.racing(truncate)
        return [Send(truncate)]

    def forget(self, item_id: str) -> None:
        """Cut nothing of an item that has left the conversation."""
        self._held.pop(item_id, None)

    def forget_held(self) -> None:
        """Cut nothing any more: there is nobody to tell."""
        self._held.clear()
        self._held_until = None

    def response_done(self, response: Response) -> list[Output]:
        """Remove what an interrupted response said without a sample being heard.

        What was under way when it was interrupted has been let go of here, but the
        server remembers it.
        """
        if not response.id or response.id not in self._stopped:
            return []
        del self._stopped[response.id]
        return [
            self._delete(item.id)
            for item in response.output or []
            if isinstance(item, MessageItem)
            and item.id
            and self._conversation.get_item(item.id) is not None
            and any(isinstance(part, OutputAudioPart) for part in item.content or [])
            and not self._playback.knows(item.id)
        ]

    def _delete(self, item_id: str) -> Send:
        """Remove an item that nobody heard: the service cannot cut to nothing."""
        delete = ConversationItemDelete(event_id=self._ids(), item_id=item_id)
        self._owners.racing(delete)
        return Send(delete)


def _grows(item: FormattedItem) -> bool:
    return item.status == ItemStatus.IN_PROGRESS
