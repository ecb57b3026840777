"""The log of what passed between a server and its clients."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from openai_realtime.errors import ConfigurationError
from openai_realtime.testing import EventLog, SeenEvent
from openai_realtime.testing.event_log import Way

DEADLINE_S = 10.0


def note(log: EventLog, type: str, session: int = 1, way: Way = "received") -> None:
    """Take an event down."""
    log.note(session, way, json.dumps({"type": type}), time_s=float(len(log)))


def is_clear(seen: SeenEvent) -> bool:
    """Whether it is the event that these tests look for."""
    return seen.type == "input_audio_buffer.clear"


def test_events_are_kept_in_order_and_by_way() -> None:
    """A test sees who sent what, in which session, and when."""
    log = EventLog()
    note(log, "response.create")
    note(log, "response.cancel", session=2)
    note(log, "input_audio_buffer.cleared", way="sent")
    assert [event.type for event in log.received()] == [
        "response.create",
        "response.cancel",
    ]
    assert [event.type for event in log.received(session=2)] == ["response.cancel"]
    assert log.received("response.create", session=2) == []
    assert [event.type for event in log.sent()] == ["input_audio_buffer.cleared"]
    assert [(seen.session, seen.time_s) for seen in log] == [(1, 0), (2, 1), (1, 2)]


def test_what_is_no_event_is_kept_as_it_came() -> None:
    """A frame that was damaged to order can be looked at, and is no event."""
    log = EventLog()
    log.note(1, "sent", b'{"type": "resp', time_s=0.0)
    [seen] = log
    assert (seen.event, seen.type, seen.frame) == (None, "", b'{"type": "resp')
    assert log.sent() == []


def test_the_oldest_make_room() -> None:
    """A server that runs for long does not fill the memory, and says what is lost."""
    log = EventLog(2)
    for name in ("response.create", "response.cancel", "input_audio_buffer.clear"):
        note(log, name)
    assert [seen.type for seen in log] == [
        "response.cancel",
        "input_audio_buffer.clear",
    ]
    assert (len(log), log.dropped) == (2, 1)
    log.clear()
    assert (len(log), log.dropped) == (0, 0)


def test_a_log_without_room_is_refused() -> None:
    """A limit that keeps nothing is a mistake."""
    with pytest.raises(ConfigurationError, match="limit cannot be 0"):
        EventLog(0)
    with pytest.raises(ConfigurationError, match="limit_bytes cannot be 0"):
        EventLog(limit_bytes=0)


def test_long_events_make_room_too() -> None:
    """Audio does not fill the memory; the latest event is kept, however long it is."""
    log = EventLog(limit_bytes=1_000)
    for _ in range(3):
        log.note(1, "received", b'{"type":"response.create"}' + b" " * 374, time_s=0.0)
    assert (len(log), log.dropped) == (2, 1)
    log.note(1, "received", b'{"type":"response.cancel"}' + b" " * 5_000, time_s=0.0)
    assert [seen.type for seen in log] == ["response.cancel"]
    log.clear()
    note(log, "response.create")
    note(log, "response.create")
    assert (len(log), log.dropped) == (2, 0)


def test_an_event_that_is_there_is_found_without_waiting() -> None:
    """The first that is accepted is returned."""
    log = EventLog()
    note(log, "input_audio_buffer.clear", session=3)
    note(log, "input_audio_buffer.clear", session=4)
    found = log.find(is_clear)
    assert found is not None
    assert found.session == 3
    assert log.find(lambda seen: False) is None


@pytest.mark.parametrize("waits_in_loop", [True, False])
def test_an_event_of_another_thread_is_waited_for(waits_in_loop: bool) -> None:
    """Who waits, in a thread or in an event loop, is woken by another thread."""
    log = EventLog(3)

    def send() -> None:
        for _ in range(1_000):
            note(log, "response.create")
        note(log, "input_audio_buffer.clear")

    thread = threading.Thread(target=send)
    thread.start()
    if waits_in_loop:
        found = asyncio.run(log.wait_for(is_clear, timeout_s=DEADLINE_S))
    else:
        found = log.find(is_clear, timeout_s=DEADLINE_S)
    thread.join()
    assert found is not None
    assert found.type == "input_audio_buffer.clear"


async def test_a_wait_that_is_cancelled_leaves_nothing() -> None:
    """Who gave up is not told of later events."""
    log = EventLog()
    waiting = asyncio.create_task(log.wait_for(is_clear, timeout_s=DEADLINE_S))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    note(log, "input_audio_buffer.clear")
    assert await log.wait_for(lambda seen: False, timeout_s=0) is None


def test_each_event_is_looked_at_once_even_when_others_go() -> None:
    """A search goes on where it was, whatever has made room meanwhile."""
    log = EventLog(2)
    looked_at: list[str] = []

    def accepts(seen: SeenEvent) -> bool:
        looked_at.append(seen.type)
        return False

    search = log.search(accepts)
    note(log, "response.create")
    search.go_on()
    note(log, "response.cancel")
    note(log, "input_audio_buffer.clear")
    search.go_on()
    log.clear()
    note(log, "input_audio_buffer.commit")
    assert not search.go_on()
    assert looked_at == [
        "response.create",
        "response.cancel",
        "input_audio_buffer.clear",
        "input_audio_buffer.commit",
    ]
