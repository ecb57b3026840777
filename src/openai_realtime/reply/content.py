"""What a reply consists of: its events in order, and the items that they make."""

from __future__ import annotations

from typing import NamedTuple

from ..core.conversation import RealtimeConversation
from ..events import RealtimeEvent, ResponseCreated, ResponseOutputItemDone
from ..resources.audio import AudioFormat
from ..resources.formatted import EventHandlerResult, FormattedItem
from ..resources.formatted_content import FormattedTool
from ..resources.items import ItemStatus
from ..resources.response import Response

__all__ = ["ReplyContent", "ReplyStep"]


class ReplyStep(NamedTuple):
    """One event of a reply, and what it did.

    Attributes:
        event: The event.
        change: The item that it changed, and what was added to that.
    """

    event: RealtimeEvent
    change: EventHandlerResult


class ReplyContent:
    """Takes in the events of a reply's responses, whatever conversation they are of.

    It is a cache of its own: what the client's conversation lets go of, or never takes
    in, is here as long as the reply is held.

    Attributes:
        steps: The events so far, with what they did.
        responses: The responses that have ended.
    """

    def __init__(self, output_format: AudioFormat) -> None:
        self.steps: list[ReplyStep] = []
        self.responses: list[Response] = []
        self._cache = RealtimeConversation(output_format=output_format)

    def take(self, event: RealtimeEvent) -> EventHandlerResult:
        """Take in an event of one of the responses."""
        if type(event) is ResponseCreated:
            self._use_format_of(event.response)
        # What announces a response would also say that it is out-of-band, and its items
        # are of no conversation but this one; so the cache is not told.
        change = _NOTHING if _announces(event) else self._cache.apply(event)
        self.steps.append(ReplyStep(event, change))
        return change

    def _use_format_of(self, response: Response) -> None:
        """Take over the format that was asked for this response only, if one was."""
        output = response.audio.output if response.audio else None
        if output and output.format:
            self._cache.output_format = output.format

    def stop(self, response_id: str) -> None:
        """Let go of what still comes of a response: it was interrupted."""
        self._cache.stop_response(response_id)

    def ended(self, response: Response) -> None:
        """Take in how a response ended, and the items that it alone tells of."""
        self.responses.append(response)
        for index, item in enumerate(response.output or []):
            known = self._cache.get_item(item.id or "")
            if known is None or known.status == ItemStatus.IN_PROGRESS:
                self.take(
                    ResponseOutputItemDone(
                        response_id=response.id or "", output_index=index, item=item
                    )
                )

    @property
    def audio_format(self) -> AudioFormat:
        """The format of the audio."""
        return self._cache.output_format

    @property
    def items(self) -> list[FormattedItem]:
        """The items, in order."""
        return self._cache.items

    @property
    def text(self) -> str:
        """The text of all messages."""
        return "".join(item.formatted.text for item in self.items)

    @property
    def transcript(self) -> str:
        """What was said in all messages."""
        return "".join(item.formatted.transcript for item in self.items)

    @property
    def audio(self) -> bytes:
        """The audio of all messages, one after the other."""
        return b"".join(item.formatted.audio for item in self.items)

    @property
    def tool_calls(self) -> list[FormattedTool]:
        """The calls of tools, in order."""
        tools = (item.formatted.tool for item in self.items)
        return [tool for tool in tools if tool is not None]


_NOTHING = EventHandlerResult()


def _announces(event: RealtimeEvent) -> bool:
    return event.type in ("response.created", "response.done")
