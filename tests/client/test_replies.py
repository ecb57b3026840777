"""Replies as objects: awaited, iterated, cancelled, and how they end."""

from __future__ import annotations

import asyncio
import gc
import wave
import weakref
from pathlib import Path
from typing import Any

import pytest

from openai_realtime import (
    AudioError,
    ConnectionClosed,
    RealtimeClient,
    Reply,
    ReplyState,
    ResponseCancelled,
    ResponseFailed,
    ServerError,
)
from openai_realtime.events import ErrorOccurred
from openai_realtime.testing import MemoryPair, speech

from .scripted_server import PATIENCE_S, ScriptedServer

GREETING = {"reply": [{"when": {"text": "hello"}, "say": "Good day to you."}]}
LONG = "one two three four five six seven eight nine ten eleven twelve thirteen."
STORY = {"reply": [{"when": {"text": "story"}, "say": LONG}, *GREETING["reply"]]}
WEATHER = {
    "reply": [
        {"when": {"tool_output": {"regex": "sunny"}}, "say": "The sun shines."},
        {
            "when": {"text": "weather"},
            "do": [{"say": "Let me see."}, {"call": "get_weather"}],
        },
        *GREETING["reply"],
    ]
}
# One second of silence, after which the server takes the turn for over.
PAUSE = bytes(48_000)
PLACE = {"name": "get_weather", "parameters": {"type": "object"}}


async def text_pair(script: dict[str, Any]) -> MemoryPair:
    """Return a pair whose model writes."""
    pair = MemoryPair(script=script)
    await pair.client.update_session(output_modalities=["text"])
    return pair


# --- finished replies ---


async def test_ask_returns_the_whole_answer() -> None:
    """One call gives what was said, as words and sound, and what it cost."""
    async with MemoryPair(script=GREETING) as pair:
        reply = await pair.run(pair.client.ask("hello"))
    assert reply.transcript == "Good day to you."
    assert reply.text == ""
    assert len(reply.audio) > 24_000
    assert reply.status == "completed"
    assert reply.state is ReplyState.ENDED
    assert [item.role for item in reply.items] == ["assistant"]
    assert reply.usage is not None
    assert reply.usage.output_tokens
    assert not reply.interrupted
    assert reply.tool_calls == []


async def test_ask_returns_text() -> None:
    """Where the model writes, the words are the reply's text."""
    async with await text_pair(GREETING) as pair:
        reply = await pair.run(pair.client.ask("hello"))
    assert (reply.text, reply.transcript, reply.audio) == ("Good day to you.", "", b"")


async def test_ask_takes_parts_and_settings() -> None:
    """A message may be parts, and parameters hold for this reply only."""
    async with MemoryPair(script=GREETING) as pair:
        parts = [{"type": "input_text", "text": "hello"}]
        ask = pair.client.ask(parts, output_modalities=["text"], max_output_tokens=50)
        reply = await pair.run(ask)
    assert reply.text == "Good day to you."
    pair.assert_received("response.create", response={"max_output_tokens": 50})


async def test_ask_without_content_answers_what_was_said() -> None:
    """Audio that was streamed is committed and answered."""
    pair = MemoryPair(script=GREETING)
    await pair.client.update_session(turn_detection=None)
    async with pair:
        await pair.client.append_input_audio(speech("hello"))
        reply = await pair.run(pair.client.ask())
    assert reply.transcript == "Good day to you."
    pair.assert_received("input_audio_buffer.commit")


async def test_reply_goes_on_behind_its_tools() -> None:
    """A reply whose tool is called is whole when the model has said what it found."""
    pair = MemoryPair(script=WEATHER)
    pair.client.add_tool(PLACE, lambda arguments: "sunny")
    async with pair:
        reply = await pair.run(pair.client.ask("weather"))
    assert reply.transcript.endswith("The sun shines.")
    assert [call.name for call in reply.tool_calls] == ["get_weather"]
    assert len(reply.responses) == len(reply.response_ids) == 2
    assert reply.usage is not None
    totals = [each.usage.total_tokens for each in reply.responses if each.usage]
    assert reply.usage.total_tokens == sum(totals)


async def test_call_without_a_handler_ends_the_reply() -> None:
    """A call that is yours to answer is in the reply, which waits for nobody."""
    pair = MemoryPair(script=WEATHER)
    await pair.client.update_session(tools=[{"type": "function", **PLACE}])
    async with pair:
        reply = await pair.run(pair.client.ask("weather"))
    assert [call.name for call in reply.tool_calls] == ["get_weather"]
    assert reply.status == "completed"


async def test_reply_aside_leaves_no_trace() -> None:
    """An out-of-band reply has its content, and the conversation knows nothing."""
    async with await text_pair(GREETING) as pair:
        reply = await pair.run(pair.client.ask("hello", conversation="none"))
        assert pair.client.conversation.get_items() == []
    assert reply.text == "Good day to you."
    assert reply.responses[0].conversation_id is None
    pair.assert_received(
        "response.create", response={"conversation": "none", "input": [{}]}
    )


async def test_replies_aside_run_beside_the_conversation() -> None:
    """Out-of-band replies do not wait for the one that runs, nor get mixed up."""
    async with await text_pair(STORY) as pair:
        story, aside = await pair.run(
            asyncio.gather(
                pair.client.ask("story"),
                pair.client.ask("hello", conversation="none", metadata={"kind": "a"}),
            )
        )
    assert (story.text, aside.text) == (LONG, "Good day to you.")


async def test_replies_come_one_after_the_other() -> None:
    """Several that ask at once all get a reply of their own, in their order."""
    async with await text_pair(STORY) as pair:
        asked = (pair.client.ask("story") for _ in range(3))
        replies = await pair.run(asyncio.gather(*asked))
    assert [reply.text for reply in replies] == [LONG] * 3
    began = [reply.timings.began_at for reply in replies]
    assert began == sorted(began)
    assert len({reply.response_ids[0] for reply in replies}) == 3


async def test_seeds_message_returns_the_reply() -> None:
    """The seeds' verb gives a handle, too."""
    async with MemoryPair(script=GREETING) as pair:
        reply = await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "hello"}]
        )
        assert await pair.run(whole(reply)) is reply
    assert reply.transcript == "Good day to you."


async def whole(reply: Reply) -> Reply:
    """Await a reply, as a coroutine."""
    return await reply


async def test_timings_are_by_the_clients_clock() -> None:
    """A reply knows when it was asked for, began, spoke and ended."""
    async with MemoryPair(script=GREETING) as pair:
        before = pair.clock()
        reply = await pair.run(pair.client.ask("hello"))
        after = pair.clock()
    timings = reply.timings
    assert timings.requested_at == before
    assert timings.ended_at == after
    assert timings.total_s == after - before
    assert timings.first_audio_s is not None
    assert timings.first_text_s is not None
    assert 0 <= timings.first_audio_s <= timings.total_s


# --- while they run ---


async def collect(pieces: Any) -> list[Any]:
    """Return all that an iterator gives."""
    return [piece async for piece in pieces]


async def test_stream_gives_the_pieces() -> None:
    """Words and audio come piece by piece, and make up the whole."""
    async with (
        MemoryPair(script=STORY) as pair,
        pair.client.stream("story") as reply,
    ):
        words, audio = await pair.run(
            asyncio.gather(
                collect(reply.transcript_deltas()), collect(reply.audio_chunks())
            )
        )
    assert len(words) > 3
    assert "".join(words) == reply.transcript == LONG
    assert b"".join(audio) == reply.audio


async def test_late_follower_gets_what_came_before() -> None:
    """Who begins to follow a finished reply gets all of it."""
    async with await text_pair(STORY) as pair:
        reply = await pair.run(pair.client.ask("story"))
    assert "".join(await collect(reply.text_deltas())) == LONG
    names = [event.type for event in await collect(reply.events())]
    assert names[0] == "response.created"
    assert names[-1] == "response.done"
    assert await collect(reply.items()) == reply.items


async def test_iterators_go_on_behind_tools() -> None:
    """Iterating over a reply gives what is said behind its tools as well."""
    pair = MemoryPair(script=WEATHER)
    pair.client.add_tool(PLACE, lambda arguments: "sunny")
    async with pair, pair.client.stream("weather") as reply:
        items = await pair.run(collect(reply.items()))
    kinds = [item.type for item in items]
    assert kinds == ["message", "function_call", "message"]


async def test_leaving_the_block_cancels_and_cuts() -> None:
    """Who leaves early stops the model, which forgets what was not heard."""
    async with MemoryPair(script=STORY, pace=2.0) as pair:
        async with pair.client.stream("story") as reply:
            await pair.advance(2.0)
        await pair.run(whole(reply))
        assert reply.status == "cancelled"
        assert reply.interrupted
        pair.assert_received("response.cancel", response_id=reply.response_ids[0])
        pair.assert_received("conversation.item.truncate", item_id=reply.items[0].id)
        assert LONG.startswith(reply.heard_transcript)
        assert len(reply.heard_transcript) < len(LONG)


async def test_leaving_a_finished_block_cuts_nothing() -> None:
    """A reply that was generated to its end is left to be played."""
    async with MemoryPair(script=STORY) as pair:
        async with pair.client.stream("story") as reply:
            await pair.run(whole(reply))
        await pair.advance(1.0)
    assert reply.status == "completed"
    assert not pair.events.received("response.cancel")
    assert not pair.events.received("conversation.item.truncate")


async def test_nothing_comes_behind_a_cancel() -> None:
    """Audio that was under way when a reply was cancelled is let go of."""
    async with MemoryPair(script=STORY, pace=2.0) as pair:
        reply = await pair.client.create_response(
            input=[], instructions="", output_modalities=["audio"]
        )
        await pair.run(whole(reply))
        reply = await pair.client.send_user_message_content("story")
        await pair.advance(1.5)
        await reply.cancel()
        so_far = reply.audio
        await pair.run(whole(reply))
    assert so_far
    assert reply.audio == so_far


async def test_interruption_shows_in_the_reply() -> None:
    """A reply that the user's voice cuts short says so, and what was heard."""
    async with MemoryPair(script=STORY, pace=2.0) as pair:
        reply = await pair.client.send_user_message_content("story")
        await pair.advance(2.0)
        await pair.client.append_input_audio(speech("hello"))
        await pair.run(whole(reply))
        await pair.advance(2.0)
    assert reply.interrupted
    assert reply.status == "cancelled"
    assert reply.heard_transcript != reply.transcript or not reply.heard_transcript


async def test_reply_that_nobody_heard_has_no_heard_words() -> None:
    """A reply that is cut before a sample of it was heard leaves no words."""
    async with MemoryPair(script=STORY, pace=0) as pair:
        reply = await pair.client.send_user_message_content("story")
        await pair.settle()
        await pair.client.interrupt()
        await pair.run(whole(reply))
        await pair.advance(1.0)
    pair.assert_received("conversation.item.delete")
    assert reply.transcript
    assert reply.heard_transcript == ""
    assert reply.interrupted


async def test_audio_is_saved_as_wav(tmp_path: Path) -> None:
    """A reply's audio becomes a file that players take; one without audio says so."""
    async with MemoryPair(script=GREETING) as pair:
        reply = await pair.run(pair.client.ask("hello"))
        written = await pair.run(pair.client.ask("hello", output_modalities=["text"]))
    reply.save_wav(tmp_path / "reply.wav")
    with wave.open(str(tmp_path / "reply.wav")) as file:
        assert file.getparams()[:3] == (1, 2, 24_000)
        assert file.readframes(file.getnframes()) == reply.audio
    with pytest.raises(AudioError, match="output_modalities"):
        written.save_wav(tmp_path / "none.wav")


async def test_replies_to_the_voice_come_too() -> None:
    """`replies()` gives each reply as it begins, whoever asked for it."""
    async with MemoryPair(script=STORY) as pair, pair.client.replies() as replies:
        await pair.client.append_input_audio(speech("hello") + PAUSE)
        first = await pair.run(anext(replies))
        await pair.run(whole(first))
        asked = await pair.client.send_user_message_content("story")
        second = await pair.run(anext(replies))
        assert second is asked
        await pair.run(whole(asked))
    assert first.ticket is None
    assert first.transcript == "Good day to you."


async def test_follow_up_is_no_reply_of_its_own() -> None:
    """What follows a tool belongs to the reply that called it."""
    pair = MemoryPair(script=WEATHER)
    pair.client.add_tool(PLACE, lambda arguments: "sunny")
    async with pair, pair.client.replies() as replies:
        await pair.run(pair.client.ask("weather"))
        assert replies.taken == 1


async def test_reply_that_nobody_holds_is_let_go() -> None:
    """A handle that was thrown away keeps nothing of the reply."""
    async with MemoryPair(script=STORY) as pair:
        reply = weakref.ref(await pair.client.send_user_message_content("story"))
        gc.collect()
        assert reply() is None
        await pair.advance(30)


# --- cancelling ---


async def test_waiting_reply_is_withdrawn() -> None:
    """A reply whose turn has not come is cancelled without a word to the server."""
    async with MemoryPair(script=STORY) as pair:
        running = await pair.client.send_user_message_content("story")
        waiting = await pair.client.create_response()
        await waiting.cancel()
        with pytest.raises(ResponseCancelled):
            await waiting
        await pair.run(whole(running))
    assert waiting.state is ReplyState.FAILED
    assert not pair.events.received("response.cancel")


async def test_cancel_while_a_tool_runs_ends_the_reply() -> None:
    """Nobody waits for a tool whose answer nobody wants; the call is answered."""
    pair = MemoryPair(script=WEATHER)

    async def slow(arguments: dict[str, Any]) -> str:
        await pair.clock.sleep(20)
        return "sunny"

    pair.client.add_tool(PLACE, slow)
    async with pair:
        reply = await pair.client.send_user_message_content("weather")
        await pair.advance(10)
        assert reply.state is ReplyState.CALLING
        await reply.cancel()
        assert await reply is reply
        assert reply.interrupted
        await pair.advance(30)
        pair.assert_received(
            "conversation.item.create",
            item={"type": "function_call_output", "output": "sunny"},
        )
    assert len(pair.events.received("response.create")) == 1


async def test_cancel_of_a_finished_reply_does_nothing() -> None:
    """Cancelling what is over sends nothing, also when the connection has ended."""
    async with MemoryPair(script=GREETING) as pair:
        reply = await pair.run(pair.client.ask("hello"))
        await reply.cancel()
    await reply.cancel()
    assert not pair.events.received("response.cancel")


async def test_time_that_is_up_cancels_the_reply() -> None:
    """A reply that takes too long is an error, and the model is stopped."""
    async with MemoryPair(script=STORY) as pair:
        with pytest.raises(TimeoutError, match="cancelled"):
            await pair.client.ask("story", timeout=0)
        await pair.advance(5)
        assert pair.events.received("response.cancel")


async def test_cancelled_ask_cancels_the_reply() -> None:
    """A task that is cancelled while it asks leaves no model talking."""
    async with MemoryPair(script=STORY, pace=2.0) as pair:
        task = asyncio.create_task(pair.client.ask("story"))
        await pair.advance(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await pair.advance(1.0)
        pair.assert_received("response.cancel")


# --- failures ---


async def test_failed_reply_raises() -> None:
    """A response that fails is raised by whoever awaits it, and told to nobody else."""
    script = {
        "reply": [
            {"when": {"text": "hello"}, "fail": "Too much.", "code": "server_error"}
        ]
    }
    async with MemoryPair(script=script) as pair:
        errors: list[ErrorOccurred] = []
        pair.client.on("error", errors.append)
        with pytest.raises(ResponseFailed) as caught:
            await pair.run(pair.client.ask("hello"))
    assert caught.value.response.status == "failed"
    assert errors == []


@pytest.fixture
async def asked(server: ScriptedServer, client: RealtimeClient) -> Reply:
    """A reply that was asked for, and that the server has not begun."""
    await client.connect()
    reply = await client.create_response()
    await server.expect("response.create")
    return reply


async def test_failure_that_nobody_awaits_is_an_event(
    server: ScriptedServer, client: RealtimeClient, asked: Reply
) -> None:
    """A handle that is not awaited does not swallow the failure, and keeps it."""
    told = asyncio.ensure_future(client.wait_for_next("error", timeout=PATIENCE_S))
    await asyncio.sleep(0)
    await server.begin_response()
    await server.end_response(status="failed")
    assert isinstance((await told).error, ResponseFailed)
    with pytest.raises(ResponseFailed):
        await asked
    with pytest.raises(ResponseFailed):
        await asked


async def test_failure_that_a_block_does_not_see_is_an_event(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Who leaves a block without looking is told of the failure all the same."""
    await client.connect()
    errors: list[ErrorOccurred] = []
    client.on("error", errors.append)
    async with client.stream("hello") as reply:
        await server.expect("conversation.item.create")
        await server.expect("response.create")
        ended = client.wait_for_next("server.response.done", timeout=PATIENCE_S)
        done = asyncio.ensure_future(ended)
        await asyncio.sleep(0)
        await server.begin_response()
        await server.end_response(status="failed")
        await done
    assert reply.status == "failed"
    assert [type(event.error) for event in errors] == [ResponseFailed]


async def test_iterators_end_with_the_failure(
    server: ScriptedServer, asked: Reply
) -> None:
    """Who iterates gets what came, and then the failure."""
    words = asked.transcript_deltas()
    await server.begin_response()
    await server.speak("i1", b"\1\0" * 2400)
    await server.send(
        "response.output_audio_transcript.delta",
        response_id="r1",
        item_id="i1",
        output_index=0,
        content_index=0,
        delta="Hm",
    )
    await server.end_response(status="failed")
    assert await anext(words) == "Hm"
    with pytest.raises(ResponseFailed):
        await anext(words)


async def test_lost_connection_ends_replies(
    server: ScriptedServer, client: RealtimeClient, asked: Reply
) -> None:
    """Replies that wait or run when the connection breaks end with its end."""
    await server.begin_response()
    later = await client.create_response()
    await server.line.close(1011, "gone")
    for reply in (asked, later):
        with pytest.raises(ConnectionClosed) as caught:
            await reply
        assert caught.value.code == 1011
        assert reply.status == "failed"


async def test_refused_request_raises(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A request that the server refuses raises its error for whoever asked."""
    await client.connect()
    asking = asyncio.ensure_future(client.ask("hello"))
    await server.expect("conversation.item.create")
    request = await server.expect("response.create")
    await server.refuse(request)
    with pytest.raises(ServerError, match="refused"):
        await asking


async def test_server_that_tells_all_at_the_end(
    server: ScriptedServer, asked: Reply
) -> None:
    """A reply of a server that sends no pieces has its content from the end."""
    item = {
        "id": "i1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "All at once."}],
    }
    response = {"id": "r1", "status": "completed", "conversation_id": "c"}
    await server.begin_response()
    await server.send("response.done", response={**response, "output": [item]})
    await asked
    assert asked.text == "All at once."


async def test_repr_is_short(asked: Reply) -> None:
    """What a debugger shows of a reply says where it is, and not what it holds."""
    assert repr(asked).startswith("<Reply evt_")
    assert "waiting" in repr(asked)
