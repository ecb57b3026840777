"""Who may ask for a response, and when; and which response answers whom.

At most one response runs on the default conversation (PROTOCOL.md section 1.1), so
requests queue. One is *offered* for sending when nothing is under way there, is *asked*
until the server begins or refuses it, and *live* until its end. Out-of-band requests
never wait. A server begins responses by itself too, so a request can lose a race: then
it waits for the end of what runs and is sent again.

Whoever tells the scheduler something asks it for what is `next` afterwards.

What began is known by our tag in its metadata, else by the user's metadata, else by
order; what was refused is known by the id of our event.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from enum import StrEnum

from .._struct import UNSET, Opt
from ..errors import (
    AnswerTimeout,
    LocalProtocolError,
    RealtimeError,
    ResponseCancelled,
    ResponseFailed,
    ServerError,
)
from ..events import ErrorOccurred, ResponseCreate
from ..resources.limits import APIError
from ..resources.response import Response, ResponseConfig
from .conversation.response_memory import is_in_conversation
from .outputs import (
    Emit,
    FollowUpDropped,
    Output,
    ResponseBegan,
    ResponseEnded,
    Send,
    Settle,
)
from .recent import Recent
from .response_run import ResponseRun, ending_of, is_out_of_band, tag_of, tagged
from .response_state import ResponseInput, ResponseState

__all__ = ["ALREADY_ACTIVE", "ResponseScheduler", "When"]

ALREADY_ACTIVE = "conversation_already_has_active_response"

# More than that means that somebody asks in a loop.
_MOST_WAITING = 256

# A server that begins responses and never ends them is no reason to grow for ever.
_MOST_LIVE = 256
_ENDED_REMEMBERED = 256

_S, _I = ResponseState, ResponseInput


class When(StrEnum):
    """What becomes of a request while another response is under way."""

    WAIT = "wait"
    """It waits for its turn."""
    MERGE = "merge"
    """It shares the response of a request with the same parameters that waits."""
    REFUSE = "refuse"
    """It is an error."""


class ResponseScheduler:
    """Lets requests for responses out one by one, and follows what becomes of them.

    Args:
        answer_timeout_s: How long the server may take to begin or refuse a response,
            or to end one that was cancelled.
        stall_timeout_s: How long a response may run without a sign of life.
    """

    def __init__(
        self, *, answer_timeout_s: float = 15.0, stall_timeout_s: float = 120.0
    ) -> None:
        self._answer_timeout_s = answer_timeout_s
        self._stall_timeout_s = stall_timeout_s
        self._waiting: deque[ResponseRun] = deque()
        self._asked: list[ResponseRun] = []
        self._live: dict[str, ResponseRun] = {}
        self._ended: deque[str] = deque(maxlen=_ENDED_REMEMBERED)
        self._blocked_until: float | None = None
        self._echoes_metadata = False
        self._answered_early: set[str] = set()
        self._refused_unnamed = Recent[None](_ENDED_REMEMBERED)
        self._abandoned: list[str] = []

    # --- what is known ---

    @property
    def idle(self) -> bool:
        """Whether nothing is under way on the default conversation."""
        return self._blocked_until is None and not any(self._under_way())

    @property
    def running(self) -> ResponseRun | None:
        """The response that runs on the default conversation, if one does."""
        return next((r for r in self._live.values() if r.in_conversation), None)

    @property
    def running_ids(self) -> list[str]:
        """The ids of what runs on the default conversation."""
        return [name for name, run in self._live.items() if run.in_conversation]

    @property
    def is_unanswered(self) -> bool:
        """Whether a request is with the server, which has not begun or refused it."""
        return any(run.gone_out for run in self._asked)

    def over_by_cancel(self, response_id: str | None) -> str | None:
        """Return which response that runs is over, when a server says so of a cancel.

        Without an id it is the one that we have cancelled.
        """
        if response_id is not None:
            return response_id if response_id in self._live else None
        ours = (name for name in self.running_ids if self.is_cancelled(name))
        return next(ours, None)

    def is_cancelled(self, response_id: str) -> bool:
        """Whether a response that runs has been cancelled by us."""
        run = self._live.get(response_id)
        return run is not None and run.state is _S.CANCELLING

    @property
    def has_waiting(self) -> bool:
        """Whether a request waits for its turn."""
        return bool(self._waiting)

    @property
    def pending(self) -> bool:
        """Whether anything is asked for, runs, or waits."""
        return bool(self._waiting or self._asked or self._live) or not self.idle

    def _under_way(self) -> Iterator[ResponseRun]:
        """Yield what is asked for or runs on the default conversation."""
        yield from (run for run in self._asked if run.in_conversation)
        yield from (run for run in self._live.values() if run.in_conversation)

    # --- asking ---

    def ask(
        self, config: Opt[ResponseConfig], *, event_id: str, when: When = When.WAIT
    ) -> list[Output]:
        """Ask for a response on behalf of somebody who waits for it.

        Raises:
            LocalProtocolError: Another one is under way, and this was not to wait; or
                too many wait.
        """
        run = _run(config, event_id)
        run.tickets.append(event_id)
        if not run.in_conversation:
            return [self._offer(run)]
        if when is When.REFUSE and (self._waiting or not self.idle):
            raise LocalProtocolError(
                "a response is under way already; await its end, cancel it, or let "
                'this one wait: when="wait"'
            )
        if when is When.MERGE:
            same = (each for each in self._waiting if each.config == config)
            other = next(same, None)
            if other is not None:
                other.tickets.append(event_id)
                return []
        if len(self._waiting) >= _MOST_WAITING:
            raise LocalProtocolError(
                f"{_MOST_WAITING} requests for responses wait already; await some of "
                'them, or let them share one: when="merge"'
            )
        self._waiting.append(run)
        # What waits already is waiting for something.
        return self.next() if len(self._waiting) == 1 else []

    def follow_up(
        self, event_id: str, follows: Iterable[str] = (), *, has_news: bool = False
    ) -> None:
        """Ask for a response that nobody waits for; one that is waiting serves.

        Args:
            event_id: The id of the event that asks, where one is needed.
            follows: The responses whose calls were answered.
            has_news: Whether it is due for the sake of something else, too.
        """
        if not self._waiting:
            self._waiting.append(_run(UNSET, event_id))
        self._waiting[0].follows += follows
        self._waiting[0].has_news |= has_news

    def next(self) -> list[Output]:
        """Return the request to send now, if it is anybody's turn."""
        if not self._waiting or not self.idle:
            return []
        return [self._offer(self._waiting.popleft())]

    def _offer(self, run: ResponseRun) -> Send:
        run.move(_I.OFFER)
        self._asked.append(run)
        assert run.request is not None
        return Send(run.request)

    def sent(self, event: ResponseCreate, *, now: float) -> bool:
        """Note that a request went out, ours or one that the user sent by hand.

        Returns:
            Whether it was cancelled meanwhile, so that its cancel is to be sent now;
            that of an out-of-band response needs its id, and waits for it.
        """
        if event.event_id and event.event_id in self._answered_early:
            self._answered_early.remove(event.event_id)
            return False
        run = self._offered(event)
        if run is None:
            in_conversation = not is_out_of_band(event.response)
            run = ResponseRun(
                event,
                event.response,
                _S.OFFERED,
                by_hand=True,
                in_conversation=in_conversation,
            )
            self._asked.append(run)
        run.move(_I.SEND)
        run.gone_out = True
        run.since = now
        return run.state is _S.CANCELLING and run.in_conversation

    def not_sent(self, event: ResponseCreate, error: RealtimeError) -> list[Output]:
        """Note that a request could not be sent: nobody may wait for its answer."""
        self._answered_early.discard(event.event_id or "")
        run = self._offered(event)
        if run is None:
            return []
        run.move(_I.DROP)
        self._asked.remove(run)
        return _settle(run, error=error)

    def _offered(self, event: ResponseCreate) -> ResponseRun | None:
        """Return what was given out to be sent as this event and has not gone out."""
        waiting = (run for run in self._asked if not run.gone_out)
        return next((run for run in waiting if run.is_asked_by(event.event_id)), None)

    # --- cancelling ---

    def cancel(self, *, now: float) -> list[str | None]:
        """Cancel what is asked for or runs on the default conversation.

        Returns:
            What to send cancels for: the ids of responses, None for one whose id is
            not known yet. The server takes request and cancel in their order, so one
            that has not gone out is cancelled when it has.
        """
        cancelled: list[str | None] = []
        for run in self._under_way():
            if run.move(_I.CANCEL) and (run.gone_out or run.response_id is not None):
                run.since = now
                cancelled.append(run.response_id)
        if self._blocked_until is not None:
            # Something runs there that we were never told of.
            cancelled.append(None)
        return cancelled

    def cancel_one(
        self, ticket: str | None, response_id: str | None, *, now: float
    ) -> tuple[list[Output], ResponseRun | None]:
        """Cancel one response, or its follow-up; a request that waits is withdrawn.

        A request that others share goes on for them.

        Args:
            ticket: The id of the event that asked for it, where one did.
            response_id: The response, where it has begun.
            now: The time.

        Returns:
            What follows, and what is to be cancelled at the server, which is None
            where nothing runs there.
        """
        runs = [*self._waiting, *self._asked, *self._live.values()]
        run = next((r for r in runs if self._is_of(r, ticket, response_id)), None)
        if run is None:
            return ([] if ticket is None else self.withdraw(ticket)), None
        if run.response_id is None and (run.state is _S.WAITING or run.wishes > 1):
            return self._take_back(run, ticket, response_id), None
        gone_out = run.gone_out or run.response_id is not None
        if not run.move(_I.CANCEL) or not gone_out:
            return [], None
        run.since = now
        return [], run

    def _is_of(
        self, run: ResponseRun, ticket: str | None, response_id: str | None
    ) -> bool:
        if response_id is None:
            return ticket is not None and ticket in run.tickets
        return run.response_id == response_id or response_id in run.follows

    def _take_back(
        self, run: ResponseRun, ticket: str | None, response_id: str | None
    ) -> list[Output]:
        """Take one wish back; a request that waits and that nobody wants is dropped."""
        told: list[Output] = []
        if response_id is not None:
            run.follows.remove(response_id)
            told.append(FollowUpDropped((response_id,)))
        elif ticket is not None:
            run.tickets.remove(ticket)
            error = ResponseCancelled("the request for a response was withdrawn")
            told.append(Settle(ticket, error=error))
        if not run.wishes:
            run.move(_I.DROP)
            self._waiting.remove(run)
        return told

    def drop_waiting(self) -> list[Output]:
        """Forget the requests that wait: somebody barged in."""
        dropped = list(self._waiting)
        self._waiting.clear()
        for run in dropped:
            run.move(_I.DROP)
        error = ResponseCancelled(
            "the request for a response was dropped before it was sent: the "
            "conversation was interrupted"
        )
        return _settle_all(dropped, error)

    def withdraw(self, event_id: str) -> list[Output]:
        """Forget a request that waits: whoever made it does not want it any more."""
        for run in self._waiting:
            if event_id in run.tickets:
                return self._take_back(run, event_id, None)
        return []

    # --- what the server says ---

    def created(self, response: Response, *, by_turn: bool, now: float) -> list[Output]:
        """Note that a response began.

        Args:
            response: The response.
            by_turn: Whether the server is about to answer a turn of the user by itself.
            now: The time.
        """
        response_id = response.id
        if not response_id or response_id in self._live or response_id in self._ended:
            return []
        run = self._match(response, by_turn=by_turn)
        if run is None:
            run = ResponseRun(
                state=_S.ACTIVE, in_conversation=is_in_conversation(response)
            )
        else:
            self._leave_asked(run)
            run.move(_I.CREATED)
        if run.in_conversation:
            self._blocked_until = None
        run.response_id = response_id
        run.since = now
        self._live[response_id] = run
        outputs: list[Output] = [_began(run, response_id)]
        if len(self._live) > _MOST_LIVE:
            oldest = next(iter(self._live.values()))
            outputs += self._give_up(
                oldest, "began and was followed by too many others"
            )
        return outputs

    def progress(self, response_id: str, *, now: float) -> None:
        """Note a sign of life of a response."""
        run = self._live.get(response_id)
        if run is not None:
            run.since = now
            run.doubt = None

    def doubt(self, error: ServerError, *, now: float) -> None:
        """Note that the server failed in something: what runs may never be ended.

        Without a sign of life it is waited for no longer than for an answer.
        """
        for run in self._live.values():
            if run.state is _S.ACTIVE:
                run.since = now
                run.doubt = error

    def done(self, response: Response, *, goes_on: bool = False) -> list[Output]:
        """Note that a response ended, also one whose beginning was never told.

        Args:
            response: The response.
            goes_on: Whether its calls are answered by us, and then it is followed up.
        """
        response_id = response.id
        if not response_id or response_id in self._ended:
            return []
        self._ended.append(response_id)
        run = self._live.pop(response_id, None)
        outputs: list[Output] = []
        if run is None:
            run = self._match(response, by_turn=False)
            if run is None:
                run = ResponseRun(state=_S.ACTIVE)
            else:
                self._leave_asked(run)
            run.response_id = response_id
            outputs.append(_began(run, response_id))
        if is_in_conversation(response):
            self._blocked_until = None
        run.move(ending_of(response))
        error = _failure_of(response) if run.state is _S.FAILED else None
        outputs.append(ResponseEnded(response_id, response, error, goes_on))
        return [*outputs, *_settle_ended(run, response, error)]

    def _leave_asked(self, run: ResponseRun) -> None:
        """Note that a request was answered, be it before we were told that it went out.

        A server may be faster than whoever sends comes to say so.
        """
        self._asked.remove(run)
        if not run.gone_out and run.request is not None and run.request.event_id:
            run.move(_I.SEND)
            run.gone_out = True
            self._answered_early.add(run.request.event_id)

    def _match(self, response: Response, *, by_turn: bool) -> ResponseRun | None:
        """Return the request that a response answers, if it is one of ours."""
        tag = tag_of(response)
        if tag is not None:
            self._echoes_metadata = True
            return next((run for run in self._asked if run.is_asked_by(tag)), None)
        candidates = [
            run
            for run in self._asked
            if run.in_conversation == is_in_conversation(response)
            and run.gone_out
            and not (run.is_tagged and self._echoes_metadata)
        ]
        for run in candidates:
            if run.looks_like(response):
                return run
        if not candidates or by_turn:
            return None
        candidates[0].guessed = True
        return candidates[0]

    def refused(
        self, details: APIError, error: ServerError, *, now: float
    ) -> list[Output] | None:
        """Take an error that answers a request: it is refused, or lost a race.

        Returns:
            What follows; None where the error answers no request.
        """
        if details.event_id and details.event_id in self._refused_unnamed:
            # An error that did not name it came first, and was taken for its answer.
            del self._refused_unnamed[details.event_id]
            return []
        run = self._answered_by(details)
        if run is None or not run.gone_out:
            return None
        if not details.event_id and run.request is not None:
            self._refused_unnamed.keep(run.request.event_id or "", None)
        if details.code == ALREADY_ACTIVE and not run.by_hand and run.in_conversation:
            return self._lost_race(run, error, now=now)
        if run.response_id is not None or not run.move(_I.REFUSE):
            # It has begun: whatever went wrong since is not its end.
            return None
        self._asked.remove(run)
        return _settle(run, error=error)

    def _answered_by(self, details: APIError) -> ResponseRun | None:
        """Return the request that an error answers.

        Some servers leave the id of the offending event out; an error that comes while
        a request is unanswered is then taken for its answer.
        """
        if details.event_id:
            runs = (*self._asked, *self._live.values())
            named = (run for run in runs if run.is_asked_by(details.event_id))
            return next(named, None)
        param = details.param or ""
        if param and not param.startswith("response"):
            return None
        about_the_conversation = details.code == ALREADY_ACTIVE
        unanswered = [run for run in self._asked if run.gone_out]
        if about_the_conversation:
            # What began may have been another's, and this is the answer to ours.
            guessed = [run for run in self._live.values() if run.guessed]
            unanswered = [run for run in unanswered + guessed if run.in_conversation]
        return next(iter(unanswered), None)

    def _lost_race(
        self, run: ResponseRun, error: ServerError, *, now: float
    ) -> list[Output]:
        """Let a request wait for the end of the response that was before it."""
        before = run.state
        run.move(_I.LOST_RACE)
        if run.response_id is None:
            self._asked.remove(run)
        else:
            # What began was taken for its answer, and is another's.
            self._live[run.response_id] = ResponseRun(
                state=before, response_id=run.response_id, since=run.since
            )
            run.response_id = None
            run.guessed = False
        if run.state is _S.DROPPED:
            return _settle(run, error=_cancelled_first())
        if self.running is None:
            if run.lost_blindly:
                run.move(_I.DROP)
                return _settle(run, error=error)
            # A response runs that we were never told of: its end, or some time, must
            # pass before it makes sense to ask again.
            run.lost_blindly = True
            self._blocked_until = now + self._answer_timeout_s
        run.gone_out = False
        self._waiting.appendleft(run)
        return []

    # --- time, and the end ---

    def next_timeout(self) -> float | None:
        """Return when patience with the server ends, if anything is awaited."""
        dues = [self._due(run) for run in self._under_watch()]
        if self._blocked_until is not None:
            dues.append(self._blocked_until)
        return min(dues, default=None)

    def handle_timeout(self, *, now: float) -> list[Output]:
        """Give up what the server has not answered in time."""
        outputs: list[Output] = []
        for run in [run for run in self._under_watch() if self._due(run) <= now]:
            waited = f"{now - run.since:.0f} s"
            outputs += self._give_up(run, f"was not heard of for {waited}")
        if self._blocked_until is not None and self._blocked_until <= now:
            self._blocked_until = None
        return outputs

    def take_abandoned(self) -> list[str]:
        """Return the responses that were given up and may still run, once."""
        abandoned, self._abandoned = self._abandoned, []
        return abandoned

    def connection_ended(self, error: RealtimeError) -> list[Output]:
        """Settle everything: nothing will be answered any more."""
        runs = [*self._waiting, *self._asked, *self._live.values()]
        self._waiting.clear()
        self._asked.clear()
        self._live.clear()
        self._answered_early.clear()
        self._blocked_until = None
        for run in runs:
            run.move(_I.GIVE_UP)
        return _settle_all(runs, error)

    def check(self) -> None:
        """Assert that each response stands where its state says."""
        for run in self._waiting:
            assert run.state is _S.WAITING, run
            assert run.in_conversation, run
        for run in self._asked:
            assert run.state in (_S.OFFERED, _S.SENT, _S.CANCELLING), run
            assert run.response_id is None, run
        for response_id, run in self._live.items():
            assert run.state in (_S.ACTIVE, _S.CANCELLING), run
            assert run.response_id == response_id, run
        ours = [run for run in self._under_way() if run.request and not run.by_hand]
        assert len(ours) <= 1, ours
        tickets = [
            ticket
            for run in (*self._waiting, *self._asked, *self._live.values())
            for ticket in run.tickets
        ]
        assert len(tickets) == len(set(tickets)), tickets

    def _under_watch(self) -> Iterator[ResponseRun]:
        """Yield what the server owes an answer: what is offered is not with it yet."""
        yield from (run for run in self._asked if run.gone_out)
        yield from self._live.values()

    def _due(self, run: ResponseRun) -> float:
        runs_on = run.state is _S.ACTIVE and run.doubt is None
        patience = self._stall_timeout_s if runs_on else self._answer_timeout_s
        return run.since + patience

    def _give_up(self, run: ResponseRun, what: str) -> list[Output]:
        run.move(_I.GIVE_UP)
        if run.response_id is None:
            self._asked.remove(run)
            subject = f"the response asked for by {run.tickets or 'an event of yours'}"
        else:
            del self._live[run.response_id]
            self._ended.append(run.response_id)
            self._abandoned.append(run.response_id)
            subject = f"response {run.response_id}"
        ticket = run.tickets[0] if run.tickets else run.response_id or ""
        error = AnswerTimeout(f"{subject} {what}; it is given up", ticket=ticket)
        error.__cause__ = run.doubt
        settled = _settle(run, error=error)
        if run.response_id is None:
            return settled
        return [ResponseEnded(run.response_id, error=error), *settled]


def _run(config: Opt[ResponseConfig], event_id: str) -> ResponseRun:
    request = ResponseCreate(event_id=event_id, response=tagged(config, event_id))
    return ResponseRun(request, config, in_conversation=not is_out_of_band(config))


def _cancelled_first() -> ResponseCancelled:
    return ResponseCancelled(
        "the response was cancelled before the server had begun it"
    )


def _began(run: ResponseRun, response_id: str) -> ResponseBegan:
    return ResponseBegan(response_id, tuple(run.tickets), tuple(run.follows))


def _settle_ended(
    run: ResponseRun, response: Response, error: RealtimeError | None
) -> list[Output]:
    """Tell whoever asked how a response ended; of a failed one, somebody is told."""
    if error is None:
        return [Settle(ticket, result=response) for ticket in run.tickets]
    return _settle(run, error=error)


def _failure_of(response: Response) -> ResponseFailed:
    details = response.status_details
    error = details.error if details else None
    said = [str(part) for part in (error.code, error.message) if part] if error else []
    why = ": ".join(said) or "the server gave no reason"
    return ResponseFailed(f"response {response.id} failed: {why}", response=response)


def _settle(run: ResponseRun, *, error: RealtimeError) -> list[Output]:
    """Tell whoever asked why nothing came of it; where nobody did, tell everybody."""
    told = [*_settle_all([run], error)]
    if not run.tickets:
        told.append(Emit("error", ErrorOccurred(error=error, context=run.request)))
    return told


def _settle_all(runs: Iterable[ResponseRun], error: RealtimeError) -> list[Output]:
    """Tell all who asked; what was nobody's wish needs no telling."""
    told: list[Output] = []
    for run in runs:
        told += [Settle(ticket, error=error) for ticket in run.tickets]
        if run.follows and run.response_id is None:
            told.append(FollowUpDropped(tuple(run.follows), error))
    return told
