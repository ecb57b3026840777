"""What is told of a reply's life: whose it is, when it ends, what goes on behind it."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.core.outputs import FollowUpDropped, ResponseBegan, ResponseEnded
from openai_realtime.core.response_scheduler import When
from openai_realtime.core.tool_options import ToolOptions
from openai_realtime.errors import AnswerTimeout, ResponseCancelled, ResponseFailed
from openai_realtime.resources import ToolDefinition

from .protocol_driver import Driver
from .server_events import (
    audio_delta,
    created,
    error,
    finished,
    function_call,
    message,
    output_item,
    pcm,
)

SECOND = 24_000


@pytest.fixture
def driver() -> Driver:
    """A session with one tool."""
    driver = Driver()
    add_tool(driver, "f")
    return driver


def add_tool(driver: Driver, name: str, **options: Any) -> None:
    """Register a tool."""
    definition = ToolDefinition(name=name, parameters={"type": "object"})
    driver.wish(driver.protocol.add_tool, definition, ToolOptions(**options))


def call(driver: Driver, call_id: str = "c1", **fields: Any) -> None:
    """Let response r1 begin, call a tool, and end."""
    item = function_call(call_id, arguments="{}", status="completed", **fields)
    driver.receive(created("r1"), output_item("done", item, "r1"), finished("r1"))


def cancel(driver: Driver, ticket: str | None = None, *response_ids: str) -> Any:
    """Cancel one reply."""
    verb = driver.protocol.cancel_reply
    return driver.wish(verb, ticket, response_ids, now=driver.now)


def test_reply_is_its_askers(driver: Driver) -> None:
    """A response that was asked for names who asked; the server's own names nobody."""
    driver.create(event_id="mine")
    driver.receive(created("r1", metadata={"client_event_id": "mine"}), finished("r1"))
    driver.receive(created("r2"))
    began = [each for each in driver.lives if isinstance(each, ResponseBegan)]
    assert began == [ResponseBegan("r1", ("mine",)), ResponseBegan("r2")]


def test_end_of_a_reply_is_told_once(driver: Driver) -> None:
    """A response ends with what the server said of it, whoever asked, once."""
    driver.receive(created("r1"), finished("r1"), finished("r1"))
    (ended,) = (each for each in driver.lives if isinstance(each, ResponseEnded))
    assert ended.response_id == "r1"
    assert ended.response.status == "completed"
    assert ended.error is None
    assert not ended.goes_on


def test_reply_that_never_began_is_told_whole(driver: Driver) -> None:
    """A server that leaves `response.created` out costs nobody the reply."""
    driver.create(event_id="mine")
    driver.receive(finished("r1", metadata={"client_event_id": "mine"}))
    began, ended = driver.lives
    assert began == ResponseBegan("r1", ("mine",))
    assert isinstance(ended, ResponseEnded)


def test_failed_reply_carries_its_reason(driver: Driver) -> None:
    """Who follows a reply that nobody asked for learns why it failed, too."""
    driver.receive(created("r1"), finished("r1", status="failed"))
    assert isinstance(driver.lives[-1].error, ResponseFailed)


def test_reply_that_falls_silent_ends(driver: Driver) -> None:
    """A response that is given up has ended for those who follow it."""
    driver.receive(created("r1"))
    driver.pass_time(130)
    assert isinstance(driver.lives[-1].error, AnswerTimeout)


def test_answered_calls_go_on(driver: Driver) -> None:
    """A reply with calls goes on, and what follows it up names it."""
    call(driver)
    assert driver.lives[-1].goes_on
    driver.tool("c1")
    driver.receive(created("r2"))
    assert driver.lives[-1] == ResponseBegan("r2", (), ("r1",))


def test_request_of_the_user_serves_as_the_follow_up(driver: Driver) -> None:
    """A response that was asked for meanwhile is both an answer and a follow-up."""
    driver.receive(created("r1"))
    driver.create(event_id="mine")
    item = function_call("c1", arguments="{}", status="completed")
    driver.receive(output_item("done", item, "r1"))
    driver.tool("c1")
    driver.receive(finished("r1"), created("r2", metadata={"client_event_id": "mine"}))
    assert driver.lives[-1] == ResponseBegan("r2", ("mine",), ("r1",))


def test_calls_that_want_no_reply_end_it(driver: Driver) -> None:
    """Where no tool wants the model to speak, that is told when all are answered."""
    add_tool(driver, "quiet", wants_reply=False)
    call(driver, name="quiet")
    assert driver.lives[-1].goes_on
    driver.tool("c1")
    assert driver.lives[-1] == FollowUpDropped(("r1",))


def test_call_of_the_users_does_not_go_on(driver: Driver) -> None:
    """A call that the user answers, who may never do so, holds up no reply."""
    driver.create(tools=[{"type": "function", "name": "by_hand"}])
    call(driver, name="by_hand")
    assert not driver.lives[-1].goes_on


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_reply_cut_short_does_not_go_on(driver: Driver, status: str) -> None:
    """What was cancelled or has failed is not followed up."""
    item = function_call("c1", arguments="{}", status="completed")
    driver.receive(
        created("r1"), output_item("done", item, "r1"), finished("r1", status=status)
    )
    assert not driver.lives[-1].goes_on


def test_interruption_drops_the_follow_up(driver: Driver) -> None:
    """A follow-up that waits and is dropped by an interruption is told as dropped."""
    call(driver)
    driver.receive(created("r2"))
    driver.tool("c1")
    driver.interrupt()
    dropped = driver.lives[-1]
    assert isinstance(dropped, FollowUpDropped)
    assert dropped.response_ids == ("r1",)
    assert isinstance(dropped.error, ResponseCancelled)


def test_refused_follow_up_is_told(driver: Driver) -> None:
    """A follow-up that the server refuses ends the reply with the server's reason."""
    call(driver)
    driver.tool("c1")
    request = driver.sent[-1]
    driver.receive(error("no_more_words", request.event_id))
    assert driver.lives[-1].response_ids == ("r1",)
    assert driver.lives[-1].error.code == "no_more_words"


# --- cancelling one reply ---


def test_cancel_names_the_reply(driver: Driver) -> None:
    """Of two that run, the one meant is named, and cut to what was heard."""
    driver.create(conversation="none", event_id="aside")
    tag = {"client_event_id": "aside"}
    driver.receive(created("r1", conversation_id=None, metadata=tag), created("r2"))
    driver.receive(
        output_item("added", message("i2", "assistant", status="in_progress"), "r2")
    )
    driver.receive(audio_delta("i2", pcm(2 * SECOND), "r2"))
    driver.now = 0.5
    assert cancel(driver, None, "r2") == [
        "response.cancel",
        "conversation.item.truncate",
    ]
    assert driver.sent[-2].response_id == "r2"
    assert driver.sent[-1].audio_end_ms == 500
    assert cancel(driver, "aside", "r1") == ["response.cancel"]
    assert driver.sent[-1].response_id == "r1"


def test_cancelled_reply_is_let_go_of(driver: Driver) -> None:
    """What still comes of a reply after its cancel is known to be dropped."""
    driver.receive(created("r1"))
    assert not driver.protocol.is_stopped("r1")
    cancel(driver, None, "r1")
    assert driver.protocol.is_stopped("r1")
    driver.receive(finished("r1", status="cancelled"))
    assert not driver.protocol.is_stopped("r1")


def test_waiting_request_is_withdrawn(driver: Driver) -> None:
    """A reply whose turn has not come is cancelled without a word to the server."""
    driver.receive(created("r1"))
    driver.create(event_id="mine")
    assert cancel(driver, "mine") == []
    ((ticket, outcome),) = driver.settled
    assert ticket == "mine"
    assert isinstance(outcome, ResponseCancelled)


def test_reply_that_has_no_id_yet(driver: Driver) -> None:
    """A request that is with the server is cancelled by being the only one there."""
    driver.create(event_id="mine")
    assert cancel(driver, "mine") == ["response.cancel"]
    assert not driver.sent[-1].response_id
    assert cancel(driver, "mine") == []


def test_reply_aside_waits_for_its_id(driver: Driver) -> None:
    """An out-of-band reply without an id is cancelled when it has one.

    Without one the cancel would hit the default conversation's response.
    """
    driver.receive(created("r1"))
    driver.create(conversation="none", event_id="aside")
    assert cancel(driver, "aside") == []
    tag = {"client_event_id": "aside"}
    sent = driver.receive(created("r2", conversation_id=None, metadata=tag))
    assert sent == ["response.cancel"]
    assert driver.sent[-1].response_id == "r2"


def test_cancel_while_tools_run(driver: Driver) -> None:
    """The tools of a cancelled reply are answered, and the model does not go on."""
    call(driver)
    assert cancel(driver, None, "r1") == []
    assert driver.tool("c1") == ["conversation.item.create"]
    assert driver.lives[-1] == FollowUpDropped(("r1",))


def test_cancel_while_the_follow_up_waits(driver: Driver) -> None:
    """A follow-up that waits for its turn is not asked for any more."""
    call(driver)
    driver.receive(created("r2"))
    driver.tool("c1")
    assert cancel(driver, None, "r1") == []
    assert driver.lives[-1] == FollowUpDropped(("r1",))
    assert driver.receive(finished("r2")) == []


def test_follow_up_that_somebody_else_wants_stays(driver: Driver) -> None:
    """Cancelling a reply takes nobody else's request away."""
    call(driver)
    driver.receive(created("r2"))
    driver.create(event_id="mine")
    driver.tool("c1")
    cancel(driver, None, "r1")
    assert driver.receive(finished("r2")) == ["response.create"]


def test_follow_up_that_is_shared_goes_on(driver: Driver) -> None:
    """A follow-up that is somebody's answer too is with the server, and stays there."""
    call(driver)
    driver.receive(created("r2"))
    driver.create(event_id="mine")
    driver.tool("c1")
    driver.receive(finished("r2"))
    assert cancel(driver, None, "r1") == []
    assert driver.lives[-1] == FollowUpDropped(("r1",))
    driver.receive(created("r3", metadata={"client_event_id": "mine"}))
    assert driver.lives[-1] == ResponseBegan("r3", ("mine",))


def test_request_that_is_shared_goes_on(driver: Driver) -> None:
    """Of two that share a request, one may leave when it is with the server."""
    driver.receive(created("r1"))
    for name in ("mine", "yours"):
        driver.create(event_id=name, when=When.MERGE)
    driver.receive(finished("r1"))
    assert cancel(driver, "mine") == []
    assert [ticket for ticket, _ in driver.settled] == ["mine"]
    assert cancel(driver, "yours") == ["response.cancel"]


def test_request_that_all_have_left_is_not_sent(driver: Driver) -> None:
    """What was both a follow-up and an answer, and is neither now, is forgotten."""
    call(driver)
    driver.receive(created("r2"))
    driver.create(event_id="mine")
    driver.tool("c1")
    cancel(driver, None, "r1")
    cancel(driver, "mine")
    assert driver.receive(finished("r2")) == []


def test_news_are_told_without_the_reply(driver: Driver) -> None:
    """What the model is to hear of besides is told, though a follow-up fell away."""
    call(driver)
    driver.receive(created("r2"))
    driver.protocol.responses.follow_up("e", has_news=True)
    driver.tool("c1")
    cancel(driver, None, "r1")
    assert driver.receive(finished("r2")) == ["response.create"]


def test_calls_behind_a_cancel_are_not_followed_up(driver: Driver) -> None:
    """A cancel that came too late to stop the calls still stops what follows them."""
    driver.receive(created("r1"))
    cancel(driver, None, "r1")
    item = function_call("c1", arguments="{}", status="completed")
    driver.receive(output_item("done", item, "r1"), finished("r1"))
    assert not driver.lives[-1].goes_on
    assert driver.tool("c1") == ["conversation.item.create"]


def test_cancel_cuts_all_of_the_reply(driver: Driver) -> None:
    """What was said before the tools were called may still be playing."""
    driver.receive(created("r1"))
    begun = message("i1", "assistant", status="in_progress")
    driver.receive(output_item("added", begun, "r1"))
    driver.receive(audio_delta("i1", pcm(2 * SECOND), "r1"))
    spoken = message("i1", "assistant", status="completed")
    item = function_call("c1", arguments="{}", status="completed")
    driver.receive(output_item("done", spoken, "r1"), output_item("done", item, "r1"))
    driver.receive(finished("r1"))
    driver.now = 0.5
    assert cancel(driver, None, "r1") == ["conversation.item.truncate"]
    assert driver.sent[-1].audio_end_ms == 500


def test_cancel_of_the_follow_up(driver: Driver) -> None:
    """Where the follow-up is with the server, it is what is cancelled."""
    call(driver)
    driver.tool("c1")
    assert cancel(driver, None, "r1") == ["response.cancel"]


def test_cancel_of_what_is_over(driver: Driver) -> None:
    """A reply that has ended is cancelled without effect."""
    driver.receive(created("r1"), finished("r1"))
    assert cancel(driver, None, "r1") == []
