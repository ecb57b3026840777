"""One response, whoever began it: where it is, and who waits for its end."""

from __future__ import annotations

import msgspec

from .._struct import UNSET, Opt
from ..errors import ServerError
from ..events import ResponseCreate
from ..resources.brief import Brief
from ..resources.response import (
    Response,
    ResponseConfig,
    ResponseConfigConversation,
    ResponseStatus,
)
from .response_state import ENDINGS, TRANSITIONS, ResponseInput, ResponseState

__all__ = ["ResponseRun", "ending_of", "is_out_of_band", "tag_of", "tagged"]

# The service echoes metadata in `response.created` (PROTOCOL.md section 6.5). Under
# this key it brings the id of our event back, which is named nowhere else.
_TAG = "client_event_id"

# PROTOCOL.md section 3.5. Where the user needs all of them, order must do.
_MOST_METADATA = 16


class ResponseRun(Brief, msgspec.Struct, eq=False):
    """One response from the wish for it to its end.

    Attributes:
        request: The event that asks for it; None where the server began by itself.
        config: The parameters as they were asked for, without our tag.
        state: Where it is.
        tickets: Who waits for its end, by the ids that they were given.
        by_hand: Whether the user sent the request past us: then it is not sent again.
        in_conversation: Whether it is of the default conversation.
        gone_out: Whether the request has really been sent.
        response_id: Its id, once the server has told.
        follows: The responses whose tools were answered, and wait for it too.
        has_news: Whether the model is to hear of something that is of no response: a
            turn of the user, or what a background tool has brought.
        guessed: Whether it was taken for the answer by order alone.
        since: When it was sent, or when the server last spoke of it.
        lost_blindly: Whether it was refused because of a response nobody knows of.
        doubt: What the server failed in while it ran; None when it has run on since.
    """

    request: ResponseCreate | None = None
    config: Opt[ResponseConfig] = UNSET
    state: ResponseState = ResponseState.WAITING
    tickets: list[str] = msgspec.field(default_factory=list[str])
    by_hand: bool = False
    in_conversation: bool = True
    gone_out: bool = False
    response_id: str | None = None
    follows: list[str] = msgspec.field(default_factory=list[str])
    has_news: bool = False
    guessed: bool = False
    since: float = 0.0
    lost_blindly: bool = False
    doubt: ServerError | None = None

    def move(self, input: ResponseInput) -> bool:
        """Move on; False, and nothing changed, where the table has no such step."""
        following = TRANSITIONS.get((self.state, input))
        if following is None:
            return False
        self.state = following
        return True

    @property
    def wishes(self) -> int:
        """How many want it."""
        return len(self.tickets) + len(self.follows) + self.has_news

    @property
    def is_tagged(self) -> bool:
        """Whether the server will name our event, if it echoes metadata."""
        return self.request is not None and tag_of(self.request.response) is not None

    def is_asked_by(self, event_id: object) -> bool:
        """Whether the event of this id asked for it."""
        return (
            isinstance(event_id, str)
            and self.request is not None
            and self.request.event_id == event_id
        )

    def looks_like(self, response: Response) -> bool:
        """Whether a response has the metadata that were asked for."""
        asked = self.config.metadata if self.config else None
        return bool(asked) and asked == response.metadata


def is_out_of_band(config: Opt[ResponseConfig]) -> bool:
    """Whether a response is to be in no conversation (PROTOCOL.md section 6.5)."""
    none = ResponseConfigConversation.NONE
    return isinstance(config, ResponseConfig) and config.conversation == none


def tagged(config: Opt[ResponseConfig], event_id: str) -> Opt[ResponseConfig]:
    """Return the parameters with our tag, if there is room for it."""
    known = config or ResponseConfig()
    metadata = known.metadata or {}
    if len(metadata) >= _MOST_METADATA:
        return config
    return msgspec.structs.replace(known, metadata={**metadata, _TAG: event_id})


def tag_of(holder: Opt[ResponseConfig] | Response) -> str | None:
    """Return the id of the event that asked, where the metadata tell it."""
    metadata = holder.metadata if holder else None
    tag = metadata.get(_TAG) if metadata else None
    return tag if isinstance(tag, str) else None


def ending_of(response: Response) -> ResponseInput:
    """Return how a response ended; one that does not say is taken for complete."""
    for ending in ENDINGS:
        if response.status == ResponseStatus(ending.value):
            return ending
    return ResponseInput.COMPLETED
