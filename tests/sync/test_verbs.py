"""The verbs of the client without ``async``, against the emulator over a socket."""

from __future__ import annotations

import contextlib
import io
from concurrent.futures import ThreadPoolExecutor

import pytest

from openai_realtime import (
    ConfigurationError,
    ConnectionState,
    LocalProtocolError,
    ReplyState,
    ResponseFailed,
    Toolset,
)
from openai_realtime.events import ResponseDone
from openai_realtime.sync import RealtimeAPI, RealtimeClient, Reply
from openai_realtime.testing import LiveServer

from .conftest import TIMEOUT_S, let_wait


def test_ask_returns_a_whole_reply(client: RealtimeClient) -> None:
    """`ask` blocks until the reply is whole; all of it is there."""
    reply = client.ask("How are you?", timeout=TIMEOUT_S)
    assert isinstance(reply, Reply)
    assert reply.transcript == "You said: How are you?"
    assert len(reply.audio) > 1000
    assert (reply.status, reply.state) == ("completed", ReplyState.ENDED)
    saved = io.BytesIO()
    reply.save_wav(saved)
    assert len(saved.getvalue()) > len(reply.audio)
    assert reply.usage is not None
    assert reply.usage.total_tokens
    assert [item.type for item in reply.items] == ["message"]
    assert [each.id for each in reply.responses] == reply.response_ids
    assert not reply.interrupted
    assert reply.tool_calls == []
    assert reply.timings.total_s is not None
    assert reply.ticket in [
        each.metadata["client_event_id"] for each in reply.responses
    ]


def test_ask_takes_the_fields_of_a_response(client: RealtimeClient) -> None:
    """Fields of the response are for this reply only."""
    reply = client.ask("Hello", output_modalities=["text"], timeout=TIMEOUT_S)
    assert reply.text
    assert reply.audio == b""


def test_a_failed_reply_is_raised(server: LiveServer, client: RealtimeClient) -> None:
    """What the model fails with is raised to who asked."""
    server.script([{"fail": "Too much.", "code": "server_error"}])
    with pytest.raises(ResponseFailed):
        client.ask("Hello", timeout=TIMEOUT_S)


def test_stream_follows_a_reply(client: RealtimeClient) -> None:
    """The pieces of a reply add up to it."""
    with client.stream("How are you?") as reply:
        audio = b"".join(reply.audio_chunks())
        words = "".join(reply.transcript_deltas())
        items = [item.id for item in reply.items()]
        kinds = [event.type for event in reply.events()]
    assert audio == reply.audio
    assert words == reply.transcript
    assert items == [item.id for item in reply.items]
    assert kinds[-1] == "response.done"
    assert reply.wait(TIMEOUT_S) is reply


def test_leaving_a_stream_cancels_it(client: RealtimeClient) -> None:
    """A reply that is left in the middle is cancelled, whatever one leaves by."""
    with (
        contextlib.suppress(ZeroDivisionError),
        client.stream("Count to fifty.") as reply,
    ):
        next(reply.audio_chunks())
        raise ZeroDivisionError
    assert reply.wait(TIMEOUT_S).interrupted


def test_a_reply_can_be_waited_for(client: RealtimeClient) -> None:
    """A message returns a reply at once; `wait` gives the answer, also twice."""
    reply = client.send_user_message_content("How are you?")
    assert reply.wait(TIMEOUT_S).wait().status == "completed"
    again = client.create_response()
    assert again.wait(TIMEOUT_S).is_over
    assert again.response_ids != reply.response_ids


def test_waiting_can_time_out(server: LiveServer, client: RealtimeClient) -> None:
    """A reply that is late goes on, and so does an iterator over events."""
    server.script([{"say": "Later.", "chunks": {"characters": 1, "delay_s": 0.1}}])
    with client.events("server.response.done") as events:
        reply = client.send_user_message_content("Hello")
        with pytest.raises(TimeoutError, match=r"the reply did not end within 0\.01 s"):
            reply.wait(timeout=0.01)
        with pytest.raises(TimeoutError, match=r"no event within 0\.01 s"):
            events.next(timeout=0.01)
        assert events.next(timeout=TIMEOUT_S).response.id == reply.response_ids[0]
    assert reply.wait(TIMEOUT_S).transcript == "Later."


def test_replies_are_iterated_as_they_begin(client: RealtimeClient) -> None:
    """`replies` has every reply, as one that can be waited for."""
    with client.replies() as replies:
        client.send_user_message_content("One")
        client.send_user_message_content("Two")
        first, second = next(replies), next(replies)
        assert first.wait(TIMEOUT_S).transcript == "You said: One"
        assert second.wait(TIMEOUT_S).transcript == "You said: Two"


def test_events_are_iterated(client: RealtimeClient) -> None:
    """A stream has the events from its creation on, and ends with its block."""
    with client.events("server.response.*") as events:
        client.ask("Hello", timeout=TIMEOUT_S)
        kinds = []
        for event in events:
            kinds.append(event.type)
            if isinstance(event, ResponseDone):
                break
        assert kinds[0] == "response.created"
        assert events.taken == len(kinds)
        assert (events.dropped, events.waiting) == (0, 0)
    assert list(events) == []


def test_events_end_with_the_connection(server: LiveServer) -> None:
    """A stream that is read to its end ends when the client disconnects."""
    client = RealtimeClient(url=server.url)
    with client:
        events = client.events("server.session.*")
        client.update_session(instructions="Be brief.")
    assert [event.type for event in events] == ["session.updated"]


def test_the_next_events_are_waited_for(client: RealtimeClient) -> None:
    """The waiting verbs return what comes next, or say that nothing came."""
    with pytest.raises(TimeoutError, match=r"no event 'server\.error' within 0\.01 s"):
        client.wait_for_next("server.error", timeout=0.01)
    with ThreadPoolExecutor() as pool:
        done = pool.submit(
            client.wait_for_next,
            "server.response.done",
            lambda event: event.response.status == "completed",
            TIMEOUT_S,
        )
        appended = pool.submit(client.wait_for_next_item, TIMEOUT_S)
        completed = pool.submit(client.wait_for_next_completed_item, TIMEOUT_S)
        let_wait(client, 3)
        reply = client.ask("Hello", timeout=TIMEOUT_S)
        assert done.result().response.id == reply.response_ids[0]
        assert appended.result().role == completed.result().role == "user"


def test_configuration_needs_no_connection(server: LiveServer) -> None:
    """What was set before is accepted when `connect` returns; refusals are raised."""
    client = RealtimeClient(url=server.url)
    client.update_session(instructions="Be kind.")
    with pytest.raises(ConfigurationError, match="did you mean `voice`"):
        client.update_session(voise="alloy")
    assert client.session is None
    assert client.state is ConnectionState.CLOSED
    with client:
        assert client.session is not None
        assert client.session.instructions == "Be kind."
        client.update_session(instructions="Be brief.")
        assert client.session.instructions == "Be brief."
    with pytest.raises(LocalProtocolError, match="not connected"):
        client.ask("Hello")


def test_a_reply_is_interrupted(client: RealtimeClient) -> None:
    """`interrupt` cuts what plays to what was reported as played."""
    reply = client.ask("Count to fifty.", timeout=TIMEOUT_S)
    item_id = reply.items[0].id
    client.report_played(item_id, 12_000)
    with client.events("server.conversation.item.truncated") as truncated:
        client.interrupt()
        assert truncated.next(TIMEOUT_S).audio_end_ms == 500
    assert reply.interrupted
    assert reply.heard_transcript != reply.transcript


def test_items_are_deleted(client: RealtimeClient) -> None:
    """`delete_item` removes an item here and there."""
    reply = client.ask("Hello", timeout=TIMEOUT_S)
    with client.events("server.conversation.item.deleted") as deleted:
        client.delete_item(reply.items[0].id)
        deleted.next(TIMEOUT_S)
    assert [item.role for item in client.conversation.get_items()] == ["user"]
    assert client.conversation.was_deleted(reply.items[0].id)


def test_what_is_heard_can_be_waited_for(client: RealtimeClient) -> None:
    """`wait_until_played` waits for the listener, not for the server."""
    reply = client.ask("Hello", timeout=TIMEOUT_S)
    with pytest.raises(TimeoutError, match="not heard out"):
        client.wait_until_played(timeout=0)
    client.report_played(reply.items[0].id, len(reply.audio) // 2)
    client.wait_until_played(timeout=TIMEOUT_S)


def test_the_conversation_is_read(client: RealtimeClient) -> None:
    """The cache has what was said, and can be kept; lists are copies."""
    client.ask("Hello", timeout=TIMEOUT_S)
    items = client.conversation.get_items()
    assert [item.role for item in items] == ["user", "assistant"]
    items.clear()
    assert len(client.conversation.items) == 2
    assert len(client.conversation.to_dict()["items"]) == 2
    assert len(client.conversation.history()) == 2
    assert client.conversation.audio_bytes > 0
    assert not client.conversation.anomalies


def test_functions_are_tools(client: RealtimeClient) -> None:
    """A decorated function is called in a thread, and may use the client."""
    known: list[int] = []

    @client.tool
    def get_weather(location: str) -> str:
        """Tells the weather of a place."""
        known.append(len(client.conversation.get_items()))
        return f"Rain in {location}"

    reply = client.ask("What is the weather in Paris?", timeout=TIMEOUT_S)
    assert "Rain in Paris" in reply.transcript
    assert [call.name for call in reply.tool_calls] == ["get_weather"]
    assert known == [2]
    client.remove_tool("get_weather")


def test_tools_come_and_go_together(client: RealtimeClient) -> None:
    """A set of tools is added and removed as one, while connected too."""
    kitchen = Toolset()

    @kitchen.tool
    def light_stove(plate: int) -> str:
        """Lights the stove."""
        return f"plate {plate} is on"

    with client.events("server.session.updated") as updated:
        client.add_tools(kitchen)
        tools = updated.next(TIMEOUT_S).session.to_dict()["tools"]
        assert [tool["name"] for tool in tools] == ["light_stove"]
        client.remove_tools(kitchen)
        assert updated.next(TIMEOUT_S).session.to_dict()["tools"] == []


def test_a_bare_connection(server: LiveServer) -> None:
    """`RealtimeAPI` alone sends any event and receives every event."""
    api = RealtimeAPI(url=server.url)
    with api.events("server.*") as events, api:
        assert events.next(TIMEOUT_S).type == "session.created"
        event_id = api.send("response.create", response={"conversation": "none"})
        assert event_id is not None
        assert api.wait_for_next("server.response.done", timeout=TIMEOUT_S)
        assert api.is_connected
    assert api.wait_closed().clean
    assert not api.was_lost
