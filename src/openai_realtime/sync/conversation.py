"""`RealtimeConversation`: the cache, as it can be read from any thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ..core.conversation import AudioRetention
from ..core.conversation import RealtimeConversation as LiveConversation
from ..resources.anomaly import AnomalyKind
from ..resources.audio import AudioFormat
from ..resources.formatted import FormattedItem
from ..resources.items import Item
from ..resources.response import Response
from .loop_thread import LoopThread

__all__ = ["RealtimeConversation"]


class RealtimeConversation:
    """Items, responses, audio and transcripts of one conversation, in order.

    Events change the conversation on the client's own thread. What is read here is read
    there, between two events: lists and dicts are yours, and what they hold is what it
    was at one moment. The items themselves live on, and are replaced field by field as
    events come; `to_dict` is a copy through and through.
    """

    def __init__(
        self, loop: LoopThread, conversation: Callable[[], LiveConversation]
    ) -> None:
        self._loop = loop
        self._conversation = conversation

    # --- what is in it ---

    @property
    def items(self) -> list[FormattedItem]:
        """All items, in order."""
        return self.get_items()

    def get_items(self) -> list[FormattedItem]:
        """Return all items, in order."""
        return self._loop.run(lambda: self._conversation().get_items())

    def get_item(self, item_id: str) -> FormattedItem | None:
        """Return an item, or None where the cache has none of this id."""
        return self._loop.run(lambda: self._conversation().get_item(item_id))

    def was_deleted(self, item_id: str) -> bool:
        """Whether an item was here and was deleted; of old ones it is forgotten."""
        return self._loop.run(lambda: self._conversation().was_deleted(item_id))

    def items_of(self, response_id: str) -> list[FormattedItem]:
        """Return the items that a response has made, in order."""
        return self._loop.run(lambda: self._conversation().items_of(response_id))

    @property
    def responses(self) -> dict[str, Response]:
        """The responses that run, and the last ones that ended, by id."""
        return self._loop.run(lambda: dict(self._conversation().responses))

    @property
    def anomalies(self) -> Counter[AnomalyKind]:
        """How often events did not fit what came before, by kind."""
        return self._loop.run(lambda: Counter(self._conversation().anomalies))

    @property
    def dropped_deltas(self) -> int:
        """How many pieces came for items already cut off, deleted or final."""
        return self._conversation().dropped_deltas

    # --- what was heard ---

    def heard_transcript(self, item_id: str, samples: int) -> str:
        """Return the words that so much of an item's audio has spoken.

        It is an estimate, by where the pieces of the transcript came between those of
        the audio, and ends with a whole word.
        """
        return self._loop.run(
            lambda: self._conversation().heard_transcript(item_id, samples)
        )

    # --- audio ---

    @property
    def output_format(self) -> AudioFormat:
        """The format of the assistant's audio."""
        return self._conversation().output_format

    @property
    def input_format(self) -> AudioFormat:
        """The format of the user's audio."""
        return self._conversation().input_format

    @property
    def retention(self) -> AudioRetention:
        """How much audio is kept; what is set takes effect at once."""
        return self._conversation().retention

    @retention.setter
    def retention(self, retention: AudioRetention) -> None:
        def set_retention() -> None:
            self._conversation().retention = retention

        self._loop.run(set_retention)

    @property
    def audio_bytes(self) -> int:
        """How much audio is kept now."""
        return self._conversation().audio_bytes

    @property
    def dropped_audio_bytes(self) -> int:
        """How much audio the retention has let go."""
        return self._conversation().dropped_audio_bytes

    # --- keeping and sending again ---

    def to_dict(self, *, audio: bool = False) -> dict[str, Any]:
        """Return the items as JSON, with a version.

        `openai_realtime.RealtimeConversation.from_dict` builds a conversation of it.
        What is yours in ``formatted.file`` is not inside, nor are the responses.

        Args:
            audio: Whether the audio goes along, as base64 text.
        """
        return self._loop.run(lambda: self._conversation().to_dict(audio=audio))

    def history(self, *, audio: bool = False) -> list[Item]:
        """Return items for ``conversation.item.create`` that bring all this back.

        The assistant's speech goes as text, as far as it was heard where that is known;
        calls go in pairs with their outputs. Ids and what is in progress are left out.

        Args:
            audio: Whether the user's audio goes along where it is kept; else it is its
                transcript.
        """
        return self._loop.run(lambda: self._conversation().history(audio=audio))
