"""The machines of one session, side by side.

Each knows one thing and does not know the others; what follows from an event for
several of them stands in `reactions`, and what a user's wish means in `protocol`.
"""

from __future__ import annotations

from collections.abc import Callable

from ..resources.audio import PCM16
from .configuration import Configuration
from .conversation import RealtimeConversation
from .error_owners import ErrorOwners
from .outputs import Output
from .playback import PlaybackLedger
from .response_scheduler import ResponseScheduler
from .tool_calls import ToolCalls
from .tool_options import ToolOptions
from .truncation import Truncation
from .turn_state import TurnState
from .turns import Turns

__all__ = ["Machines"]


class Machines:
    """Holds what is known of a session: some of it for good, some for one connection.

    Args:
        ids: Makes the ids of the events that we send.
        configuration: What was asked for, across connections.
        conversation: The cache of items.
        tool_options: How each registered tool is to be run, across connections.
        responses: Who may ask for a response, and when.
        turns: The user's turns and audio.
        tools: The calls of functions.

    Attributes:
        playback: The ledger of what has been heard.
        owners: Tells whose an error is.
        truncation: Cuts what was not heard.
        offered_once: The functions that were offered for a single response, by name.
        turn_is_answered: Whether the server is about to answer a turn by itself.
        turn_is_refused: Whether it is about to try in vain: a response runs already.
        commit_offered: The id of a commit that is to be sent and has not gone out.
        quiet_from: When it may be quiet enough for what background tools have brought;
            None where nothing waits for that, or only for an event.
    """

    def __init__(
        self,
        *,
        ids: Callable[[], str],
        configuration: Configuration,
        conversation: RealtimeConversation,
        tool_options: dict[str, ToolOptions],
        responses: ResponseScheduler,
        turns: Turns,
        tools: ToolCalls,
    ) -> None:
        self.ids = ids
        self.configuration = configuration
        self.conversation = conversation
        self.tool_options = tool_options
        self.responses = responses
        self.turns = turns
        self.tools = tools
        self.playback = PlaybackLedger(PCM16)
        self.owners = ErrorOwners()
        self.truncation = Truncation(conversation, self.playback, self.owners, self.ids)
        self.offered_once: set[str] = set()
        self.turn_is_answered = False
        self.turn_is_refused = False
        self.commit_offered: str | None = None
        self.quiet_from: float | None = None

    def stop_running(self) -> None:
        """Let go of what still comes of the running response, whoever cancels it."""
        running = self.responses.running
        if running is not None and running.response_id is not None:
            self.truncation.stop(running.response_id)

    def proceed(self, now: float) -> list[Output]:
        """Do what may have become due after anything has happened."""
        outputs = self.tools.deliver(quiet=self.is_quiet(now))
        ends_at = self.playback.ends_at
        waits = self.tools.has_news and ends_at > now
        self.quiet_from = ends_at if waits else None
        if self.tools.take_follow_up():
            outputs += self.responses.follow_up(self.ids())
        return [*outputs, *self.responses.next()]

    def is_quiet(self, now: float) -> bool:
        """Whether nobody speaks, by the clock's estimate, and nothing is under way."""
        return (
            not self.responses.pending
            and self.turns.state is TurnState.QUIET
            and self.playback.ends_at <= now
        )

    def is_users_function(self, name: str) -> bool:
        """Whether a function was offered without a handler, for the user to answer."""
        if name in self.configuration.tools:
            return False
        if name in self.offered_once:
            return True
        return self.configuration.offers_without_handler(name)

    def connection_ended(self) -> None:
        """Let nothing be due any more."""
        self.truncation.forget_held()
        self.commit_offered = None
        self.quiet_from = None

    def check(self) -> None:
        """Assert that nothing contradicts itself."""
        self.conversation.check()
        self.responses.check()
        self.turns.check()
        self.playback.check()
        self.tools.check()
