"""Who waits while the user has the floor, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.core.tool_options import ToolOptions
from openai_realtime.events import InputAudioBufferCommit, ResponseCreate
from openai_realtime.resources import ToolDefinition

from .protocol_driver import Driver
from .server_events import (
    audio_delta,
    created,
    finished,
    function_call,
    message,
    output_item,
    pcm,
    server,
    session,
)

SECOND = 24_000
LONGEST_SPEECH_S = 60
LONGEST_PAUSE_S = 5


def turn(moment: str, item_id: str = "u") -> Any:
    """Return a moment of the user's turn."""
    place = {"item_id": item_id, "audio_start_ms": 0, "audio_end_ms": 500}
    return server(f"input_audio_buffer.{moment}", **place)


@pytest.fixture
def driver() -> Driver:
    """A response runs, another one was asked for, and the user begins to speak."""
    driver = Driver()
    driver.receive(created())
    driver.create(event_id="waiting")
    driver.receive(turn("speech_started"))
    return driver


def test_request_waits_until_the_user_was_answered(driver: Driver) -> None:
    """It neither talks over the user nor takes the server's answer the place."""
    assert driver.receive(finished(status="cancelled")) == []
    assert driver.receive(turn("speech_stopped"), turn("committed")) == []
    assert driver.receive(created("r2")) == []
    assert driver.receive(finished("r2")) == ["response.create"]


def test_turn_that_is_dropped_is_over(driver: Driver) -> None:
    """The server forgets what was said, so there is nothing to wait for."""
    driver.receive(finished(status="cancelled"))
    assert driver.receive(server("input_audio_buffer.cleared")) == ["response.create"]


def test_turn_detection_that_is_turned_off_ends_the_turn(driver: Driver) -> None:
    """Nobody will tell of its end any more."""
    driver.receive(finished(status="cancelled"))
    off = session("session.updated", turn_detection=None)
    assert driver.receive(off) == ["response.create"]


@pytest.mark.parametrize(
    ("moments", "patience_s"),
    [
        ([], LONGEST_SPEECH_S),
        (["speech_stopped"], LONGEST_PAUSE_S),
        (["speech_stopped", "committed"], LONGEST_PAUSE_S),
    ],
    ids=["no end", "no commit", "no answer"],
)
def test_turn_that_never_goes_on_is_over_in_time(
    driver: Driver, moments: list[str], patience_s: float
) -> None:
    """A server that forgets to tell does not silence the conversation."""
    driver.receive(finished(status="cancelled"), *map(turn, moments))
    assert driver.protocol.next_timeout() == patience_s
    assert driver.pass_time(patience_s) == ["response.create"]


def test_explicit_request_does_not_wait_for_the_user() -> None:
    """Who asks for a response now, while nothing runs, has a reason."""
    driver = Driver()
    driver.receive(turn("speech_started"))
    assert driver.create() == ["response.create"]


def test_silence_is_answered_also_where_turns_are_not() -> None:
    """What an idle timeout begins is not taken for the answer to a request."""
    driver = Driver()
    quiet = {"type": "server_vad", "create_response": False, "idle_timeout_ms": 5000}
    driver.receive(session("session.updated", turn_detection=quiet))
    driver.send(ResponseCreate(event_id="by_hand"))
    driver.create(event_id="waiting")
    driver.receive(turn("timeout_triggered"), turn("committed"))
    assert driver.receive(created("silence"), finished("silence")) == []
    assert driver.receive(created("r"), finished("r")) == ["response.create"]


@pytest.mark.parametrize(
    ("settings", "moments"),
    [
        ({}, ["speech_started", "speech_stopped", "committed"]),
        ({"interrupt_response": False}, ["timeout_triggered", "committed"]),
    ],
    ids=["speech", "silence"],
)
def test_turn_that_is_not_answered_is_not_waited_for(
    settings: dict[str, Any], moments: list[str]
) -> None:
    """Where the server never speaks by itself, what begins was asked for."""
    driver = Driver()
    quiet = {"type": "server_vad", "create_response": False, **settings}
    driver.receive(session("session.updated", turn_detection=quiet))
    driver.send(ResponseCreate(event_id="by_hand"))
    driver.create(event_id="waiting")
    driver.receive(*map(turn, moments))
    assert driver.receive(created("r"), finished("r")) == ["response.create"]


def test_follow_up_waits_until_the_user_was_answered() -> None:
    """A tool that ends while the user speaks does not make the model interrupt."""
    driver = Driver()
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"))
    driver.receive(created(), output_item("done", function_call("c1")), finished())
    driver.receive(turn("speech_started"))
    assert driver.tool("c1") == ["conversation.item.create"]
    driver.receive(turn("speech_stopped"), turn("committed"))
    assert driver.receive(created("r2"), finished("r2")) == ["response.create"]


@pytest.mark.parametrize(
    "moments",
    [
        ["speech_started"],
        ["speech_started", "speech_stopped"],
        ["speech_started", "speech_stopped", "committed"],
    ],
    ids=["speaking", "ending", "about to be answered"],
)
def test_news_of_the_background_wait_for_the_end_of_the_turn(
    moments: list[str],
) -> None:
    """Somebody speaks, or is about to be answered: that is no quiet moment."""
    driver = Driver()
    options = ToolOptions(background=True)
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"), options)
    driver.receive(created(), output_item("done", function_call("c1")), finished())
    driver.receive(created("r2"), finished("r2"))
    driver.receive(*map(turn, moments))
    assert driver.tool("c1", "news") == []
    rest = ["speech_stopped", "committed"][len(moments) - 1 :]
    assert driver.receive(*map(turn, rest), created("r3")) == []
    assert driver.receive(finished("r3")) == [
        "conversation.item.create",
        "response.create",
    ]


@pytest.mark.parametrize(
    ("moments", "patience_s"),
    [(["speech_started"], LONGEST_SPEECH_S), (["speech_stopped"], LONGEST_PAUSE_S)],
    ids=["no end", "no commit"],
)
def test_news_of_the_background_do_not_wait_for_ever(
    moments: list[str], patience_s: float
) -> None:
    """A server that forgets to tell how the turn went on does not keep them back."""
    driver = Driver()
    options = ToolOptions(background=True)
    driver.wish(driver.protocol.add_tool, ToolDefinition(name="f"), options)
    driver.receive(session("session.updated"))
    driver.receive(created(), output_item("done", function_call("c1")), finished())
    driver.receive(created("r2"), finished("r2"), turn("speech_started"))
    driver.receive(*map(turn, moments))
    assert driver.tool("c1", "news") == []
    assert driver.protocol.next_timeout() == patience_s
    assert len(driver.pass_time(patience_s)) == 2


def test_commit_by_hand_in_the_middle_of_speech_is_not_answered() -> None:
    """The server answers the turns that it finds itself; nobody waits for more."""
    driver = Driver()
    driver.append(pcm(SECOND))
    driver.receive(turn("speech_started"))
    driver.send(InputAudioBufferCommit(event_id="mine"))
    driver.receive(turn("committed"))
    driver.create()
    driver.receive(created("r1"))
    assert driver.create() == []
    assert driver.receive(finished("r1")) == ["response.create"]


# --- what was not heard is cut first ---


def speaking() -> Driver:
    """Return a session in which the user has just interrupted a long reply."""
    driver = Driver()
    item = message("a", "assistant", status="in_progress")
    driver.receive(created(), output_item("added", item))
    driver.receive(audio_delta("a", pcm(4 * SECOND)))
    driver.now = 1.0
    return driver


def test_waiting_request_goes_out_behind_the_cut() -> None:
    """The model is not to answer with what nobody heard in mind."""
    driver = speaking()
    driver.create()
    driver.receive(turn("speech_started"), server("input_audio_buffer.cleared"))
    assert driver.receive(finished(status="cancelled")) == []
    assert driver.pass_time(0.25) == ["conversation.item.truncate", "response.create"]


def test_request_in_the_grace_cuts_at_once() -> None:
    """Who asks now does not wait for a player's last word."""
    driver = speaking()
    driver.receive(turn("speech_started"), finished(status="cancelled"))
    assert driver.say({"type": "input_text", "text": "hi"}) == [
        "conversation.item.create",
        "conversation.item.truncate",
        "response.create",
    ]
    assert driver.sent[1].audio_end_ms == 1_000


def test_reply_that_ends_in_the_grace_is_cut_as_it_was() -> None:
    """All that came was heard, but more had been said: the words are not all heard."""
    driver = speaking()
    driver.now = 4.0
    driver.receive(turn("speech_started"))
    content = [{"type": "output_audio", "transcript": "one two three four five"}]
    end = message("a", "assistant", status="incomplete", content=content)
    driver.receive(output_item("done", end), finished(status="cancelled"))
    assert driver.pass_time(0.25) == ["conversation.item.truncate"]
    assert driver.sent[-1].audio_end_ms == 4_000
    item = driver.protocol.conversation.get_item("a")
    assert item is not None
    assert item.formatted.heard is not None
    assert item.formatted.heard.estimate


def test_deleted_item_takes_no_time_to_play() -> None:
    """What comes after it is heard from then on, and is not deleted as unheard."""
    driver = speaking()
    driver.receive(server("conversation.item.deleted", item_id="a"), finished())
    item = message("b", "assistant", status="in_progress")
    driver.receive(created("r2"), output_item("added", item, "r2"))
    driver.receive(audio_delta("b", pcm(4 * SECOND), "r2"))
    driver.now = 3.0
    driver.interrupt()
    assert driver.sent[-1].item_id == "b"
    assert driver.sent[-1].audio_end_ms == 2_000
