"""What servers say, or leave out, that the service never would."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.errors import AnswerTimeout, ServerError

from .protocol_driver import Driver
from .server_events import created, finished, server


@pytest.fixture
def driver() -> Driver:
    """A client's protocol in a session."""
    return Driver()


def failed(**fields: Any) -> Any:
    """Return an error that is the server's fault and names no event."""
    error = {"type": "server_error", "code": "internal_error", "message": "oh"}
    return server("error", error={**error, **fields})


def text_delta(response_id: str = "r1") -> Any:
    """Return a sign of life."""
    return server(
        "response.output_text.delta",
        response_id=response_id,
        item_id="i1",
        output_index=0,
        content_index=0,
        delta="x",
    )


def under_way(driver: Driver) -> None:
    """Let one response run and another request wait."""
    for ticket in ("t1", "t2"):
        driver.wish(driver.protocol.create_response, event_id=ticket)
    driver.receive(created("r1"))


def wait(driver: Driver, seconds: float) -> None:
    """Let time pass."""
    driver.now += seconds
    driver.do(driver.protocol.handle_timeout(now=driver.now))
    driver.protocol.check()


# --- a response that is over, in other words ---


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"response_id": "r1"},
        {"response": {"id": "r1", "status": "incomplete"}},
        {"response": None},
        {"response": "r1"},
    ],
    ids=str,
)
def test_cancel_that_is_confirmed_ends_the_response(
    driver: Driver, fields: dict[str, Any]
) -> None:
    """Whoever asked has it as cancelled, and the next request goes out."""
    under_way(driver)
    driver.wish(driver.protocol.cancel_response, None, 0, now=driver.now)
    assert driver.receive(server("response.cancelled", **fields)) == ["response.create"]
    [(ticket, response)] = driver.settled
    assert (ticket, response.id, response.status) == ("t1", "r1", "cancelled")
    assert driver.protocol.conversation.responses["r1"].status == "cancelled"
    # What the service would say itself changes nothing any more.
    driver.receive(finished("r1", "cancelled"))
    assert len(driver.settled) == 1
    driver.protocol.check()


@pytest.mark.parametrize(
    "fields", [{}, {"response_id": "r9"}, {"response_id": 7}], ids=str
)
def test_confirmation_of_no_cancel_of_ours_ends_nothing(
    driver: Driver, fields: dict[str, Any]
) -> None:
    """A response that nobody has cancelled runs on."""
    under_way(driver)
    assert driver.receive(server("response.cancelled", **fields)) == []
    assert driver.settled == []
    assert driver.protocol.responses.running is not None
    driver.protocol.check()


def test_cancel_by_others_is_believed_where_it_names_the_response(
    driver: Driver,
) -> None:
    """The server may have cancelled it by itself."""
    under_way(driver)
    driver.receive(server("response.cancelled", response_id="r1"))
    assert [ticket for ticket, _ in driver.settled] == ["t1"]


def test_confirmation_does_not_end_what_has_not_begun(driver: Driver) -> None:
    """A late answer to one cancel is not taken for the answer to the next."""
    driver.wish(driver.protocol.create_response, event_id="t1")
    driver.wish(driver.protocol.cancel_response, None, 0, now=driver.now)
    driver.receive(server("response.cancelled"))
    assert driver.settled == []
    driver.receive(created("r1"), finished("r1", "cancelled"))
    assert [ticket for ticket, _ in driver.settled] == ["t1"]


# --- a failure without an end ---


def test_failure_without_an_end_is_waited_for_like_an_answer(driver: Driver) -> None:
    """What is silent after a failure is given up, cancelled, and has its cause."""
    under_way(driver)
    driver.now += 5
    driver.receive(failed())
    [error] = driver.errors
    assert isinstance(error, ServerError)
    wait(driver, 14.9)
    assert driver.settled == []
    wait(driver, 0.1)
    [(ticket, given_up)] = driver.settled
    assert ticket == "t1"
    assert isinstance(given_up, AnswerTimeout)
    assert given_up.__cause__ is error
    assert driver.types[-2:] == ["response.cancel", "response.create"]


@pytest.mark.parametrize(
    "event",
    [
        failed(event_id="somebody's"),
        failed(type="invalid_request_error", code="invalid_value"),
    ],
    ids=["named", "not the server's"],
)
def test_other_errors_leave_a_response_its_time(driver: Driver, event: Any) -> None:
    """An error that is about something else does not shorten anything."""
    under_way(driver)
    driver.receive(event)
    wait(driver, 60)
    assert driver.settled == []


def test_sign_of_life_after_a_failure_gives_the_response_its_time(
    driver: Driver,
) -> None:
    """What runs on was not what failed."""
    under_way(driver)
    driver.receive(failed(), text_delta())
    wait(driver, 60)
    assert driver.settled == []
    driver.receive(finished("r1"))
    assert [ticket for ticket, _ in driver.settled] == ["t1"]


# --- an error that names nothing ---


def test_event_that_a_server_does_not_know_is_no_request(driver: Driver) -> None:
    """Every server knows `response.create`, so the request is still to be answered."""
    driver.wish(driver.protocol.create_response, event_id="t1")
    driver.receive(
        server(
            "error",
            error={
                "type": "invalid_request_error",
                "code": "unknown_event",
                "message": "Unknown event type: conversation.item.truncate",
            },
        )
    )
    assert driver.settled == []
    driver.receive(created("r1"), finished("r1"))
    assert [ticket for ticket, _ in driver.settled] == ["t1"]
