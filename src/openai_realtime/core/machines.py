"""The machines of one session, side by side.

Each knows one thing and does not know the others; what follows from an event for
several of them stands in `reactions`, and what a user's wish means in `protocol`.
"""

from __future__ import annotations

from collections.abc import Callable

from .._struct import UNSET, Opt
from ..events import ResponseCancel
from ..resources.audio import PCM16
from .configuration import Configuration
from .conversation import RealtimeConversation
from .deadlines import earliest
from .error_owners import ErrorOwners
from .outputs import FollowUpDropped, Output, Send
from .playback import PlaybackLedger
from .recent import Recent
from .response_scheduler import ResponseScheduler
from .tool_calls import ToolCalls
from .tool_failure import ArgumentCheck
from .tool_options import ToolOptions
from .truncation import Truncation
from .turn_state import TurnState
from .turns import Turns

__all__ = ["Machines"]

# How long somebody may speak, and how long the server may take to commit what was said
# and to begin its answer, while a request waits for that.
_LONGEST_SPEECH_S = 60.0
_LONGEST_PAUSE_S = 5.0

_CALLS_REMEMBERED = 256


class Machines:
    """Holds what is known of a session: some of it for good, some for one connection.

    Args:
        ids: Makes the ids of the events that we send.
        configuration: What was asked for, across connections.
        conversation: The cache of items.
        tool_options: How each registered tool is to be run, across connections.
        tool_checks: What some of them say to arguments, in place of their schemas.
        responses: Who may ask for a response, and when.
        turns: The user's turns and audio.
        tools: The calls of functions.

    Attributes:
        playback: The ledger of what has been heard.
        owners: Tells whose an error is.
        truncation: Cuts what was not heard.
        offered_once: The functions that were offered for a single response, by name.
        called_outside: The calls of out-of-band responses that users were told of.
        turn_is_answered: Whether the server is about to answer a turn by itself.
        turn_is_refused: Whether it is about to try in vain: a response runs already.
        appended_since_update: Whether audio has gone out behind the last update.
        commit_offered: The id of a commit that is to be sent and has not gone out.
        users_until: How long the user has the floor at most; None while nobody does.
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
        tool_checks: dict[str, ArgumentCheck],
        responses: ResponseScheduler,
        turns: Turns,
        tools: ToolCalls,
    ) -> None:
        self.ids = ids
        self.configuration = configuration
        self.conversation = conversation
        self.tool_options = tool_options
        self.tool_checks = tool_checks
        self.responses = responses
        self.turns = turns
        self.tools = tools
        self.playback: PlaybackLedger = PlaybackLedger(PCM16)
        self.owners: ErrorOwners = ErrorOwners()
        self.truncation: Truncation = Truncation(
            conversation, self.playback, self.owners, self.ids
        )
        self.offered_once: set[str] = set()
        self.called_outside: Recent[None] = Recent[None](_CALLS_REMEMBERED)
        self.turn_is_answered: bool = False
        self.turn_is_refused = False
        self.users_until: float | None = None
        self.appended_since_update = False
        self.commit_offered: str | None = None
        self.quiet_from: float | None = None

    def stop_running(self) -> None:
        """Let go of what still comes of what runs, whoever cancels it."""
        for response_id in self.responses.running_ids:
            self.truncation.stop(response_id)

    def proceed(self, now: float) -> list[Output]:
        """Do what may have become due after anything has happened."""
        # The server may still be at what was given up: it is to be in nobody's way.
        abandoned = self.responses.take_abandoned()
        outputs: list[Output] = [self.cancel(each) for each in abandoned]
        outputs += self.tools.deliver(quiet=self.is_quiet(now))
        ends_at = self.playback.ends_at
        waits = self.tools.has_news and ends_at > now
        self.quiet_from = ends_at if waits else None
        follow_up = self.tools.take_follow_up()
        if follow_up.is_due:
            ids, news = follow_up.response_ids, follow_up.has_news
            self.responses.follow_up(self.ids(), ids, has_news=news)
        if follow_up.dropped:
            outputs.append(FollowUpDropped(follow_up.dropped))
        if not self.is_users_turn(now):
            outputs += self.responses.next()
        return outputs

    def is_users_turn(self, now: float) -> bool:
        """Whether the user has the floor, and what waits has to wait on.

        What was not heard is cut first, too: the model is not to answer with it in
        mind.
        """
        return self.truncation.holds or self._is_users_time(now)

    def turn_moved(self, now: float) -> None:
        """Note that the user's turn is somewhere else, and how long that may take.

        Not for ever: its end, or its answer, may never be told.
        """
        if self.turns.state is TurnState.SPEAKING:
            self.users_until = now + _LONGEST_SPEECH_S
        elif self.turns.is_ending or self.turn_is_answered:
            self.users_until = now + _LONGEST_PAUSE_S
        else:
            self.users_until = None

    def expects_answer(self, now: float) -> bool:
        """Whether the server is about to answer a turn by itself."""
        return self.turn_is_answered and self._is_users_time(now)

    def _is_users_time(self, now: float) -> bool:
        return self.users_until is not None and now < self.users_until

    def session_told(self) -> None:
        """Note a description of the session: detection may be off, and a turn over."""
        if self.turns.state is TurnState.QUIET and not self.turn_is_answered:
            self.users_until = None

    def commit_left(self, event_id: Opt[str]) -> None:
        """Note that a commit has gone out, or never will."""
        if event_id == self.commit_offered:
            self.commit_offered = None

    def cancel(self, response_id: str | None) -> Send:
        """Return the cancel of a response; without an id, of what is under way."""
        cancel = ResponseCancel(event_id=self.ids(), response_id=response_id or UNSET)
        self.owners.racing(cancel)
        return Send(cancel)

    def handle_timeout(self, *, now: float) -> list[Output]:
        """Do here what was to be done by now."""
        if self.users_until is not None and self.users_until <= now:
            self.users_until = None
            self.turn_is_answered = False
        return self.truncation.handle_timeout(now=now)

    def next_timeout(self) -> float | None:
        """Return when what is kept waiting here may go on, if anything is."""
        held = self.responses.has_waiting or self.tools.has_news
        turn = self.users_until if held else None
        dues = (self.truncation.next_timeout(), self.quiet_from, turn)
        return earliest(dues)

    def is_quiet(self, now: float) -> bool:
        """Whether nobody speaks, by the clock's estimate, and nothing is under way."""
        return (
            not self.responses.pending
            and not self.is_users_turn(now)
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
        self.commit_offered = self.users_until = None
        self.quiet_from = None

    def check(self) -> None:
        """Assert that nothing contradicts itself."""
        self.conversation.check()
        self.responses.check()
        self.turns.check()
        self.playback.check()
        self.tools.check()
