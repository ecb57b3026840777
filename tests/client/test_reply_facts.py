"""What a reply says of itself stays true: how it ended, what was heard, its format."""

from __future__ import annotations

from openai_realtime import RealtimeClient
from openai_realtime.testing import MemoryPair

from .scripted_server import ScriptedServer
from .test_replies import GREETING, STORY, whole


async def test_what_was_heard_outlives_the_connection() -> None:
    """A new connection forgets the conversation, and a reply nothing of its own."""
    async with MemoryPair(script=STORY, pace=2.0) as pair:
        reply = await pair.client.send_user_message_content("story")
        await pair.advance(2.0)
        await pair.client.interrupt()
        await pair.run(whole(reply))
        await pair.advance(1.0)
        heard = reply.heard_transcript
        assert heard != reply.transcript
        await pair.client.disconnect()
        async with pair.client:
            assert pair.client.conversation.get_items() == []
            assert reply.heard_transcript == heard


async def test_interruption_of_what_played_outlives_the_connection() -> None:
    """A reply that was complete when it was cut short stays cut short."""
    async with MemoryPair(script=STORY, pace=0) as pair:
        reply = await pair.client.send_user_message_content("story")
        await pair.run(whole(reply))
        await pair.advance(1.0)
        assert not reply.interrupted
        await pair.client.interrupt()
        await pair.advance(1.0)
        assert (reply.status, reply.interrupted) == ("completed", True)
        await pair.client.disconnect()
        async with pair.client:
            assert reply.interrupted


async def test_item_that_the_user_deletes_was_heard() -> None:
    """Tidying the conversation up does not make an interruption of a whole reply."""
    async with MemoryPair(script=GREETING) as pair:
        reply = await pair.run(pair.client.ask("hello"))
        await pair.client.delete_item(reply.items[0].id)
        await pair.advance(1.0)
        assert len(pair.client.conversation.get_items()) == 1
    assert not reply.interrupted
    assert reply.heard_transcript == reply.transcript


async def test_format_of_one_response(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A reply for which another format was asked says so."""
    await client.connect()
    audio = {"output": {"format": {"type": "audio/pcmu"}}}
    reply = await client.create_response(audio=audio)
    await server.expect("response.create")
    response = {"id": "r1", "status": "in_progress", "conversation_id": "c"}
    await server.send("response.created", response={**response, "audio": audio})
    await server.settle(client)
    assert reply.audio_format.type == "audio/pcmu"
