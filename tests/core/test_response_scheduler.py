"""Who may ask for a response, and which response answers whom."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from openai_realtime import UNSET
from openai_realtime.core.outputs import (
    Emit,
    FollowUpDropped,
    Output,
    ResponseBegan,
    ResponseEnded,
    Send,
    Settle,
)
from openai_realtime.core.response_scheduler import ResponseScheduler, When
from openai_realtime.core.response_state import ResponseState
from openai_realtime.errors import (
    AnswerTimeout,
    ConnectionClosed,
    LocalProtocolError,
    RealtimeError,
    ResponseCancelled,
    ResponseFailed,
    ServerError,
)
from openai_realtime.events import ErrorOccurred, ResponseCreate
from openai_realtime.resources import APIError, Response, ResponseConfig

ALREADY_ACTIVE = "conversation_already_has_active_response"


class Asker:
    """Asks a scheduler, sends at once what may be sent, and keeps what is settled.

    Attributes:
        now: The time.
        sent: The ids of the requests that went out.
        settled: What was settled: tickets with results or errors.
        lives: What was told of the beginnings and ends of responses.
        told: The errors that everybody was told of.
    """

    def __init__(self, *, echoes: bool = True) -> None:
        self.scheduler = ResponseScheduler(answer_timeout_s=15.0, stall_timeout_s=120.0)
        self.echoes = echoes
        self.now = 1.0
        self.sent: list[str] = []
        self.settled: list[tuple[str, Any]] = []
        self.lives: list[Output] = []
        self.told: list[RealtimeError] = []
        self._requests: dict[str, ResponseCreate] = {}
        self._numbers = count(1)

    def ask(self, event_id: str = "", *, when: When = When.WAIT, **config: Any) -> str:
        """Ask for a response; return the ticket."""
        event_id = event_id or f"e{next(self._numbers)}"
        fields = ResponseConfig(**config) if config else UNSET
        self.do(self.scheduler.ask(fields, event_id=event_id, when=when))
        return event_id

    def by_hand(self, event_id: str = "hand", **config: Any) -> str:
        """Send a request past the scheduler."""
        fields = ResponseConfig(**config) if config else UNSET
        request = ResponseCreate(event_id=event_id, response=fields)
        self._requests[event_id] = request
        self.scheduler.sent(request, now=self.now)
        return event_id

    def created(
        self, response_id: str, answers: str = "", *, by_turn: bool = False, **more: Any
    ) -> None:
        """Let a response begin, perhaps as the answer to a request."""
        response = self._response(response_id, answers, status="in_progress", **more)
        self.do(self.scheduler.created(response, by_turn=by_turn, now=self.now))

    def done(
        self,
        response_id: str,
        answers: str = "",
        status: str = "completed",
        **more: Any,
    ) -> None:
        """Let a response end."""
        response = self._response(response_id, answers, status=status, **more)
        self.do(self.scheduler.done(response))

    def refuse(
        self, event_id: str | None, code: str = ALREADY_ACTIVE
    ) -> list[Output] | None:
        """Let the server refuse a request; return what follows, already done."""
        details = APIError(type="t", code=code, message="no", event_id=event_id)
        error = ServerError("no", type="t", code=code, event_id=event_id)
        outputs = self.scheduler.refused(details, error, now=self.now)
        self.do(outputs or [])
        return outputs

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and what is due happen."""
        self.now += seconds
        self.do(self.scheduler.handle_timeout(now=self.now))

    def do(self, outputs: list[Output]) -> None:
        """Carry outputs out."""
        for output in outputs:
            match output:
                case Send(event=ResponseCreate(event_id=str(event_id)) as request):
                    self._requests[event_id] = request
                    self.scheduler.sent(request, now=self.now)
                    self.sent.append(event_id)
                case Settle(ticket=ticket, result=result, error=error):
                    self.settled.append((ticket, error or result))
                case Emit(event=ErrorOccurred(error=error)):
                    self.told.append(error)
                case ResponseBegan() | ResponseEnded() | FollowUpDropped():
                    self.lives.append(output)
                case _:
                    raise AssertionError(output)
        self.scheduler.check()
        if following := self.scheduler.next():
            self.do(following)

    def _response(self, response_id: str, answers: str, **fields: Any) -> Response:
        request = self._requests.get(answers)
        config = None if request is None else request.response
        metadata = config.metadata if config and self.echoes else None
        return Response(
            id=response_id,
            **{"conversation_id": "conv", "metadata": metadata, **fields},
        )

    @property
    def outcomes(self) -> dict[str, Any]:
        """What became of each ticket: the status of its response, or its error."""
        return {
            ticket: what.status if isinstance(what, Response) else type(what)
            for ticket, what in self.settled
        }


@pytest.fixture(params=[True, False], ids=["echoes", "silent"])
def asker(request: pytest.FixtureRequest) -> Asker:
    """Somebody who asks a server that echoes metadata, or one that does not."""
    return Asker(echoes=request.param)


# --- one at a time ---


def test_requests_go_out_one_by_one(asker: Asker) -> None:
    """The second waits for the end of the first, and each is told of its own."""
    first, second = asker.ask(), asker.ask()
    assert asker.sent == [first]
    assert asker.scheduler.has_waiting
    asker.created("r1", first)
    assert asker.sent == [first]
    asker.done("r1", first)
    assert asker.sent == [first, second]
    asker.created("r2", second)
    asker.done("r2", second, "incomplete")
    assert asker.outcomes == {first: "completed", second: "incomplete"}
    assert not asker.scheduler.pending


def test_end_without_a_beginning_settles_too(asker: Asker) -> None:
    """A server that forgets `response.created` leaves nobody waiting."""
    ticket = asker.ask()
    asker.done("r1", ticket)
    assert asker.outcomes == {ticket: "completed"}
    assert not asker.scheduler.pending


def test_duplicates_change_nothing(asker: Asker) -> None:
    """A beginning or an end told twice neither settles twice nor begins anew."""
    ticket = asker.ask()
    for _ in range(2):
        asker.created("r1", ticket)
    for _ in range(2):
        asker.done("r1", ticket)
    asker.created("r1", ticket)
    assert asker.settled == [(ticket, asker.settled[0][1])]
    assert not asker.scheduler.pending


@pytest.mark.parametrize("response_id", [UNSET, None, ""])
def test_response_without_an_id_is_passed_over(response_id: Any) -> None:
    """What cannot be told apart cannot be followed; the request goes on waiting."""
    asker = Asker()
    ticket = asker.ask()
    asker.created(response_id, ticket)
    asker.done(response_id, ticket)
    assert asker.settled == []
    assert asker.scheduler.pending


def test_failed_response_fails_its_request(asker: Asker) -> None:
    """Whoever waits for a response learns why the model did not give one."""
    ticket = asker.ask()
    asker.created("r1", ticket)
    details = {"type": "failed", "error": {"code": "insufficient_quota"}}
    response = Response.from_dict(
        {"id": "r1", "status": "failed", "status_details": details}
    )
    asker.do(asker.scheduler.done(response))
    [(settled, error)] = asker.settled
    assert settled == ticket
    assert isinstance(error, ResponseFailed)
    assert error.response is response
    assert "insufficient_quota" in str(error)


def test_failed_response_of_nobody_is_told_to_everybody() -> None:
    """A reply to a spoken turn that fails is not lost in silence."""
    asker = Asker()
    asker.created("vad")
    asker.done("vad", status="failed")
    [error] = asker.told
    assert isinstance(error, ResponseFailed)
    assert "gave no reason" in str(error)


@pytest.mark.parametrize("status", [UNSET, "in_progress", "new"])
def test_end_that_does_not_say_how_is_an_end(status: Any) -> None:
    """Nobody waits for ever on a server that leaves the status out."""
    asker = Asker()
    ticket = asker.ask()
    asker.created("r1", ticket)
    asker.done("r1", ticket, status)
    assert [name for name, _ in asker.settled] == [ticket]


# --- policies ---


def test_merged_requests_share_a_response(asker: Asker) -> None:
    """Of several that wait for the same, one goes out and all are told."""
    first = asker.ask()
    waiting = asker.ask(when=When.MERGE)
    same = asker.ask(when=When.MERGE)
    other = asker.ask(when=When.MERGE, instructions="other")
    asker.created("r1", first)
    asker.done("r1", first)
    asker.created("r2", waiting)
    asker.done("r2", waiting)
    assert asker.sent == [first, waiting, other]
    assert asker.outcomes == dict.fromkeys((first, waiting, same), "completed")


def test_request_that_may_not_wait_is_refused_at_once() -> None:
    """Nothing is queued and nothing is sent for it."""
    asker = Asker()
    asker.ask(when=When.REFUSE)
    with pytest.raises(LocalProtocolError, match="under way"):
        asker.ask(when=When.REFUSE)
    assert len(asker.sent) == 1
    assert not asker.scheduler.has_waiting


def test_too_many_requests_are_refused() -> None:
    """A loop that asks and asks is told, and does not fill the memory."""
    asker = Asker()
    for _ in range(257):
        asker.ask()
    with pytest.raises(LocalProtocolError, match="256"):
        asker.ask()


def test_follow_up_is_served_by_a_request_that_waits() -> None:
    """Answered tools and a user who asks anyway make one response, not two."""
    asker = Asker()
    first, second = asker.ask(), asker.ask()
    asker.scheduler.follow_up("follow")
    asker.created("r1", first)
    asker.done("r1", first)
    assert asker.sent == [first, second]
    asker.created("r2", second)
    asker.scheduler.follow_up("follow")
    asker.done("r2", second)
    assert asker.sent == [first, second, "follow"]


def test_out_of_band_requests_never_wait(asker: Asker) -> None:
    """They overlap what runs, and each other, and are told apart."""
    inside = asker.ask()
    topics = {
        asker.ask(conversation="none", metadata={"topic": topic}): topic
        for topic in ("a", "b")
    }
    one, two = topics
    assert asker.sent == [inside, one, two]
    outside = {"conversation_id": None}
    for number, ticket in enumerate(reversed(list(topics))):
        metadata = {"topic": topics[ticket]}
        if asker.echoes:
            metadata["client_event_id"] = ticket
        asker.created(f"o{number}", **outside, metadata=metadata)
    asker.done("o0", status="incomplete", **outside)
    asker.done("o1", **outside)
    assert asker.outcomes == {two: "incomplete", one: "completed"}
    assert asker.scheduler.pending


def test_tag_is_left_out_where_the_user_needs_all_pairs() -> None:
    """Sixteen pairs are all that the service takes; order must do then."""
    asker = Asker()
    pairs = {f"k{number}": "v" for number in range(16)}
    ticket = asker.ask(metadata=pairs)
    asker.created("r1", metadata=pairs)
    asker.done("r1", metadata=pairs)
    assert asker.outcomes == {ticket: "completed"}


# --- the server's own responses, and races ---


def test_request_waits_for_a_response_of_the_server(asker: Asker) -> None:
    """A reply to a spoken turn occupies the conversation like any other."""
    asker.created("vad")
    ticket = asker.ask()
    assert asker.sent == []
    asker.done("vad")
    assert asker.sent == [ticket]


def test_lost_race_waits_and_is_sent_again(asker: Asker) -> None:
    """The server was first: the request is sent once more, after that response."""
    ticket = asker.ask()
    asker.created("vad", by_turn=True)
    asker.refuse(ticket)
    assert asker.sent == [ticket]
    asker.done("vad")
    assert asker.sent == [ticket, ticket]
    asker.created("r1", ticket)
    asker.done("r1", ticket)
    assert asker.outcomes == {ticket: "completed"}
    assert asker.told == []


def test_beginning_of_another_is_given_back_when_the_error_comes() -> None:
    """Taken for ours by order, it was the server's own: the refusal tells."""
    asker = Asker(echoes=False)
    ticket = asker.ask()
    asker.created("vad")
    asker.refuse(ticket)
    assert asker.settled == []
    running = asker.scheduler.running
    assert running is not None
    assert running.response_id == "vad"
    asker.done("vad")
    asker.created("r1", ticket)
    asker.done("r1")
    assert asker.outcomes == {ticket: "completed"}


def test_tag_tells_the_servers_own_response_from_ours() -> None:
    """A reply to speech that ends before ours begins is not taken for ours."""
    asker = Asker()
    first = asker.ask()
    asker.created("r1", first)
    asker.done("r1", first)
    second = asker.ask()
    asker.created("vad")
    asker.done("vad")
    asker.created("r2", second)
    asker.done("r2", second, "incomplete")
    assert asker.outcomes == {first: "completed", second: "incomplete"}


def test_tag_of_somebody_else_is_not_ours() -> None:
    """Another client of the same session has requests of its own."""
    asker = Asker()
    ticket = asker.ask()
    asker.created("r1", metadata={"client_event_id": "theirs"})
    asker.done("r1")
    assert asker.settled == []
    asker.created("r2", ticket)
    asker.done("r2")
    assert asker.outcomes == {ticket: "completed"}


def test_lost_race_against_nobody_known_waits_for_a_while(asker: Asker) -> None:
    """A response that we were never told of must end before it makes sense to ask."""
    ticket = asker.ask()
    asker.refuse(ticket)
    assert asker.sent == [ticket]
    assert not asker.scheduler.idle
    assert asker.scheduler.cancel(now=asker.now) == [None]
    assert asker.scheduler.next_timeout() == asker.now + 15
    asker.pass_time(15)
    assert asker.sent == [ticket, ticket]
    asker.refuse(ticket)
    [(settled, error)] = asker.settled
    assert settled == ticket
    assert isinstance(error, ServerError)
    assert not asker.scheduler.pending


def test_end_of_an_unknown_response_lets_the_next_one_go(asker: Asker) -> None:
    """The end of what nobody had told us of is what the request waits for."""
    ticket = asker.ask()
    asker.refuse(ticket)
    asker.done("unknown", metadata={"client_event_id": "theirs"})
    assert asker.sent == [ticket, ticket]


def test_refusal_that_comes_twice_is_one(asker: Asker) -> None:
    """Told first without a name and then with it, the request waits once."""
    ticket = asker.ask()
    asker.created("vad", by_turn=True)
    asker.refuse(None)
    assert asker.refuse(ticket) == []
    asker.done("vad")
    assert asker.sent == [ticket, ticket]


def test_refused_request_fails_and_the_next_one_goes(asker: Asker) -> None:
    """An error that is no race is told to whoever asked, and holds up nobody else."""
    first, second = asker.ask(), asker.ask()
    asker.refuse(first, "invalid_value")
    assert isinstance(asker.settled[0][1], ServerError)
    assert asker.sent == [first, second]


@pytest.mark.parametrize("event_id", [None, "", "first"])
def test_refusal_that_names_nobody_is_of_the_one_that_waits_for_an_answer(
    event_id: str | None,
) -> None:
    """Some servers leave the id of the offending event out."""
    asker = Asker()
    ticket = asker.ask("first")
    asker.refuse(event_id, "invalid_value")
    assert asker.outcomes == {ticket: ServerError}


def test_error_that_names_another_event_is_not_taken() -> None:
    """An error of something else leaves the request in peace."""
    asker = Asker()
    asker.ask()
    assert asker.refuse("another") is None
    assert asker.settled == []


def test_error_about_a_response_that_runs_is_not_its_end() -> None:
    """Trouble that the server tells of in the middle does not end the response."""
    asker = Asker()
    ticket = asker.ask()
    asker.created("r1", ticket)
    assert asker.refuse(ticket, "server_error") is None
    asker.done("r1", ticket)
    assert asker.outcomes == {ticket: "completed"}


def test_request_by_hand_that_is_refused_is_not_sent_again() -> None:
    """The raw door does what it is told, once, and the error comes out."""
    asker = Asker()
    asker.by_hand()
    waiting = asker.ask()
    asker.refuse("hand")
    assert [type(error) for error in asker.told] == [ServerError]
    assert asker.sent == [waiting]


def test_out_of_band_request_that_is_refused_fails() -> None:
    """It cannot have lost the conversation: it was never about it."""
    asker = Asker()
    ticket = asker.ask(conversation="none")
    asker.refuse(ticket)
    assert asker.outcomes == {ticket: ServerError}


# --- cancelling ---


def test_cancel_names_what_runs(asker: Asker) -> None:
    """The server's word ends it; a cancel that came too late is no failure."""
    ticket = asker.ask()
    asker.created("r1", ticket)
    assert asker.scheduler.cancel(now=asker.now) == ["r1"]
    assert asker.scheduler.cancel(now=asker.now) == []
    asker.done("r1", ticket, "completed")
    assert asker.outcomes == {ticket: "completed"}


def test_request_on_its_way_can_be_cancelled(asker: Asker) -> None:
    """The server takes the two in order, so it begins and is cancelled."""
    ticket = asker.ask()
    assert asker.scheduler.cancel(now=asker.now) == [None]
    asker.created("r1", ticket)
    running = asker.scheduler.running
    assert running is not None
    assert running.state is ResponseState.CANCELLING
    asker.done("r1", ticket, "cancelled")
    assert asker.outcomes == {ticket: "cancelled"}


def test_cancelled_request_that_loses_its_race_is_not_sent_again(asker: Asker) -> None:
    """What was to be cancelled has no business to begin later."""
    ticket = asker.ask()
    asker.created("vad", by_turn=True)
    asker.scheduler.cancel(now=asker.now)
    asker.refuse(ticket)
    asker.done("vad")
    assert asker.sent == [ticket]
    assert asker.outcomes == {ticket: ResponseCancelled}


def test_dropped_requests_are_settled() -> None:
    """Whoever waited behind what was interrupted is told that nothing will come."""
    asker = Asker()
    first, second = asker.ask(), asker.ask()
    asker.scheduler.follow_up("follow")
    asker.do(asker.scheduler.drop_waiting())
    assert asker.outcomes == {second: ResponseCancelled}
    asker.done("r1", first)
    assert asker.sent == [first]


def test_request_that_is_withdrawn_does_not_go_out() -> None:
    """Whoever shared it keeps it; the last one to go takes it along."""
    asker = Asker()
    first, second = asker.ask(), asker.ask()
    shared = asker.ask(when=When.MERGE)
    asker.do(asker.scheduler.withdraw(second))
    assert asker.outcomes == {second: ResponseCancelled}
    assert asker.scheduler.has_waiting
    asker.do(asker.scheduler.withdraw(shared))
    assert not asker.scheduler.has_waiting
    asker.do(asker.scheduler.withdraw(first))
    assert first not in asker.outcomes


# --- what does not go out ---


def test_request_that_could_not_be_sent_fails_and_frees_the_place() -> None:
    """Its caller is told, and the next one goes."""
    asker = Asker()
    outputs = asker.scheduler.ask(UNSET, event_id="lost")
    waiting = asker.ask()
    assert asker.sent == []
    [output] = outputs
    assert isinstance(output, Send)
    request = output.event
    assert isinstance(request, ResponseCreate)
    asker.do(asker.scheduler.not_sent(request, ConnectionClosed(1006)))
    assert asker.outcomes == {"lost": ConnectionClosed}
    assert asker.sent == [waiting]
    assert asker.scheduler.not_sent(request, ConnectionClosed(1006)) == []


def test_request_that_was_cancelled_before_it_went_out_is_cancelled_then() -> None:
    """A cancel that overtook its request would reach nothing, or somebody else."""
    asker = Asker()
    [output] = asker.scheduler.ask(UNSET, event_id="e")
    assert asker.scheduler.cancel(now=asker.now) == []
    assert isinstance(output, Send)
    request = output.event
    assert isinstance(request, ResponseCreate)
    assert asker.scheduler.sent(request, now=asker.now)
    asker.do(asker.scheduler.done(Response(id="r1", status="cancelled")))
    assert asker.outcomes == {"e": "cancelled"}


def test_server_may_be_faster_than_the_sender() -> None:
    """An answer that overtakes the news that its request went out is an answer."""
    asker = Asker()
    for event_id, ends in (("begun", False), ("over", True)):
        [output] = asker.scheduler.ask(UNSET, event_id=event_id)
        assert isinstance(output, Send)
        response = Response(
            id=event_id, metadata={"client_event_id": event_id}, status="completed"
        )
        if not ends:
            asker.do(asker.scheduler.created(response, by_turn=False, now=asker.now))
            asker.do([output])
        asker.do(asker.scheduler.done(response))
        if ends:
            asker.do([output])
        assert asker.settled[-1] == (event_id, response)
        assert not asker.scheduler.pending


# --- time ---


def test_server_that_never_answers_is_given_up(asker: Asker) -> None:
    """Silence becomes a typed failure, and the next request has its turn."""
    first, second = asker.ask(), asker.ask()
    assert asker.scheduler.next_timeout() == asker.now + 15
    asker.pass_time(14.9)
    assert asker.settled == []
    asker.pass_time(0.2)
    assert asker.outcomes == {first: AnswerTimeout}
    assert asker.sent == [first, second]


def test_response_that_stalls_is_given_up() -> None:
    """A sign of life is patience for another while; none at all is the end."""
    asker = Asker()
    ticket = asker.ask()
    asker.created("r1", ticket)
    asker.pass_time(119)
    asker.scheduler.progress("r1", now=asker.now)
    asker.scheduler.progress("unknown", now=asker.now)
    asker.pass_time(119)
    assert asker.settled == []
    asker.pass_time(2)
    [(settled, error)] = asker.settled
    assert settled == ticket
    assert isinstance(error, AnswerTimeout)
    assert "r1" in str(error)
    asker.done("r1", ticket)
    assert len(asker.settled) == 1
    assert asker.scheduler.next_timeout() is None


def test_cancelled_response_must_end_soon() -> None:
    """Silence after a cancel is the end; while pieces come, so will the end."""
    asker = Asker()
    ticket = asker.ask()
    asker.created("r1", ticket)
    asker.scheduler.cancel(now=asker.now)
    asker.now += 10
    asker.scheduler.progress("r1", now=asker.now)
    asker.pass_time(14)
    assert asker.settled == []
    asker.pass_time(2)
    assert asker.outcomes == {ticket: AnswerTimeout}
    assert asker.scheduler.take_abandoned() == ["r1"]
    assert asker.scheduler.take_abandoned() == []


def test_stalled_response_of_the_server_is_told() -> None:
    """It holds the conversation up for nobody, and somebody learns of it."""
    asker = Asker()
    asker.created("vad")
    ticket = asker.ask()
    asker.pass_time(121)
    assert [type(error) for error in asker.told] == [AnswerTimeout]
    assert asker.sent == [ticket]


def test_responses_without_end_are_bounded() -> None:
    """A server that begins and begins does not fill the memory."""
    asker = Asker()
    for number in range(300):
        asker.created(f"r{number}", conversation_id=None)
    assert len(asker.told) == 300 - 256
    assert all(isinstance(error, AnswerTimeout) for error in asker.told)


# --- the end ---


def test_end_of_the_connection_settles_everything_once() -> None:
    """Waiting, on its way, running, in or out of the conversation: all are told."""
    asker = Asker()
    tickets = [asker.ask(), asker.ask(), asker.ask(conversation="none")]
    asker.created("r1", tickets[0])
    end = ConnectionClosed(1006)
    asker.do(asker.scheduler.connection_ended(end))
    assert sorted(asker.settled) == sorted((ticket, end) for ticket in tickets)
    assert not asker.scheduler.pending
    assert asker.scheduler.next_timeout() is None
    asker.do(asker.scheduler.connection_ended(end))
    assert len(asker.settled) == len(tickets)
