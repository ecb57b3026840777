"""Requests for responses go out one by one, and none is lost or sent twice."""

from __future__ import annotations

import pytest

from openai_realtime.core.response_scheduler import ResponseScheduler
from openai_realtime.core.response_state import ResponseState
from openai_realtime.events import ResponseCreate
from openai_realtime.resources import APIError


def request(name: str) -> ResponseCreate:
    """Return a request with this id."""
    return ResponseCreate(event_id=name)


def refusal(code: str, event_id: str | None = None) -> APIError:
    """Return the details of a refusal."""
    return APIError(
        type="invalid_request_error", message="", code=code, event_id=event_id
    )


ACTIVE = "conversation_already_has_active_response"


@pytest.fixture
def scheduler() -> ResponseScheduler:
    """A scheduler with nothing to do."""
    return ResponseScheduler()


def test_a_request_is_offered_once(scheduler: ResponseScheduler) -> None:
    """Until it is sent, or was not, nobody else gets a turn."""
    first, second = request("1"), request("2")
    scheduler.ask(first)
    scheduler.ask(second)
    assert scheduler.next() is first
    assert scheduler.next() is None
    scheduler.sent(first)
    assert scheduler.next() is None
    scheduler.created("r1")
    scheduler.done("r1")
    assert scheduler.next() is second


def test_a_request_that_was_not_sent_gives_way(scheduler: ResponseScheduler) -> None:
    """Its caller got the error; the next one is served."""
    first, second = request("1"), request("2")
    scheduler.ask(first)
    scheduler.ask(second)
    assert scheduler.next() is first
    scheduler.not_sent(first)
    assert scheduler.next() is second


def test_a_late_not_sent_changes_nothing(scheduler: ResponseScheduler) -> None:
    """A call cancelled after its frame had left does not free the slot."""
    first = request("1")
    scheduler.ask(first)
    scheduler.next()
    scheduler.sent(first)
    scheduler.not_sent(first)
    assert scheduler.slot.state is ResponseState.REQUESTED


def test_a_lost_race_waits_its_turn(scheduler: ResponseScheduler) -> None:
    """Another response began first: ours is sent again after its end, once."""
    first = request("1")
    scheduler.ask(first)
    scheduler.next()
    scheduler.sent(first)
    scheduler.created("vad")
    assert scheduler.answers(refusal(ACTIVE, "1"))
    assert scheduler.refused(refusal(ACTIVE, "1"))
    assert scheduler.next() is None
    scheduler.done("vad")
    assert scheduler.next() is first
    assert not scheduler.has_waiting


def test_a_lost_race_of_a_request_by_hand_is_told(
    scheduler: ResponseScheduler,
) -> None:
    """What the user sent through the raw door is not sent again for him."""
    by_hand = request("mine")
    scheduler.sent(by_hand)
    scheduler.created("vad")
    assert scheduler.answers(refusal(ACTIVE, "mine"))
    assert not scheduler.refused(refusal(ACTIVE, "mine"))
    assert not scheduler.has_waiting


@pytest.mark.parametrize("event_id", ["1", None])
def test_a_refusal_frees_the_slot(
    scheduler: ResponseScheduler, event_id: str | None
) -> None:
    """Any other refusal is told, and the next request is served."""
    first, second = request("1"), request("2")
    scheduler.ask(first)
    scheduler.ask(second)
    scheduler.next()
    scheduler.sent(first)
    assert scheduler.answers(refusal("invalid_value", event_id))
    assert not scheduler.refused(refusal("invalid_value", event_id))
    assert scheduler.next() is second


def test_an_error_of_something_else_is_no_answer(
    scheduler: ResponseScheduler,
) -> None:
    """An error that names another event leaves the request alone."""
    first = request("1")
    scheduler.ask(first)
    scheduler.next()
    scheduler.sent(first)
    assert not scheduler.answers(refusal("invalid_value", "other"))


def test_dropping_leaves_the_one_on_its_way(scheduler: ResponseScheduler) -> None:
    """Barging in forgets what waits, not what has gone out."""
    first, second = request("1"), request("2")
    scheduler.ask(first)
    scheduler.ask(second)
    scheduler.sent(scheduler.next() or second)
    scheduler.drop_waiting()
    assert not scheduler.has_waiting
    assert scheduler.cancellable


def test_an_end_without_a_beginning_frees_the_slot(
    scheduler: ResponseScheduler,
) -> None:
    """A server that leaves `response.created` out does not block the next request."""
    first = request("1")
    scheduler.ask(first)
    scheduler.next()
    scheduler.sent(first)
    scheduler.done("r1")
    assert scheduler.slot.idle
