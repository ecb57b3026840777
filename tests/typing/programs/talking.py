"""Programs that talk; type checkers read them, nothing runs them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, assert_type

from openai_realtime import (
    AudioRetention,
    FormattedItem,
    FormattedProperty,
    FormattedTool,
    RealtimeAPI,
    RealtimeClient,
    RealtimeConversation,
    RealtimeEvent,
    Reply,
    Response,
    Session,
    Tool,
    ToolContext,
    ToolDefinition,
    ToolOptions,
    Toolset,
    Usage,
    decode_event,
    encode_event,
    session_config,
)
from openai_realtime.events import ResponseCancel, SessionUpdate


async def lifetime() -> None:
    """A client is connected by its block."""
    async with RealtimeClient(url="ws://localhost:8080", model="m") as client:
        assert_type(client, RealtimeClient)
        assert_type(client.is_connected, bool)
        assert_type(client.session, Session | None)
        assert_type(client.realtime, RealtimeAPI)
        await client.update_session(voice="alloy", turn_detection=None)
        await client.reset()


async def asking(client: RealtimeClient) -> None:
    """A reply is an object, whoever asked for it."""
    reply = await client.ask("How are you?", timeout=30)
    assert_type(reply, Reply)
    assert_type(await client.create_response(when="merge"), Reply)
    sent = await client.send_user_message_content(
        [{"type": "input_text", "text": "Hello"}], interrupt=True
    )
    assert_type(await sent, Reply)
    assert_type(reply.text, str)
    assert_type(reply.transcript, str)
    assert_type(reply.heard_transcript, str)
    assert_type(reply.audio, bytes)
    assert_type(reply.status, str)
    assert_type(reply.usage, Usage | None)
    assert_type(reply.tool_calls, list[FormattedTool])
    assert_type(reply.responses, list[Response])
    assert_type(reply.interrupted, bool)
    for item in reply.items:
        assert_type(item, FormattedItem)


async def following(client: RealtimeClient) -> None:
    """A reply can be followed while it comes, in whatever form."""
    async with client.stream("Tell me a story") as reply:
        assert_type(reply, Reply)
        assert_type(reply.text_deltas(), AsyncIterator[str])
        assert_type(reply.transcript_deltas(), AsyncIterator[str])
        async for chunk in reply.audio_chunks():
            assert_type(chunk, bytes)
        async for event in reply.events():
            assert_type(event, RealtimeEvent)
        async for item in reply.items():
            assert_type(item, FormattedItem)
        await reply.cancel()
    async for each in client.replies():
        assert_type(each, Reply)


async def speaking(client: RealtimeClient) -> None:
    """Audio goes in as bytes, and what was heard is told in samples."""
    await client.append_input_audio(b"\0\0" * 2400)
    assert_type(await client.send_audio("question.wav", paced=True), float)
    client.report_played("item_1", 24_000)
    await client.wait_until_played(timeout=5)
    await client.interrupt()
    await client.cancel_response("item_1", sample_count=24_000)


async def tools(client: RealtimeClient) -> None:
    """A tool is a definition with a function, plain or coroutine."""

    def plain(arguments: dict[str, Any]) -> dict[str, int]:
        return {"temperature_c": len(arguments)}

    async def coroutine(arguments: dict[str, Any]) -> str:
        return str(arguments)

    tool = client.add_tool({"name": "plain", "parameters": {}}, plain)
    assert_type(tool, Tool)
    definition = ToolDefinition(name="coroutine")
    client.add_tool(definition, coroutine, ToolOptions(timeout_s=5, background=True))
    client.add_tool({"name": "x"}, lambda arguments: arguments["city"])
    assert_type(tool.definition, ToolDefinition)
    client.remove_tool("plain")
    await client.answer_tool_call("call_1", "42", reply=False)
    client.add_tool({"name": "x"}, 7)  # type: ignore[call-overload]
    client.add_tool(plain, {"name": "x"})  # type: ignore[call-overload]


async def functions(client: RealtimeClient, ctx: ToolContext) -> None:
    """A function that is made a tool stays what it is."""

    @client.tool
    async def get_weather(city: str, ctx: ToolContext) -> dict[str, int]:
        return {city: len(ctx.call_id)}

    @client.tool(timeout=5, approval=True)
    def open_door(door: int) -> str:
        return str(door)

    assert_type(await get_weather("Rome", ctx), dict[str, int])
    assert_type(open_door(1), str)
    tool = client.add_tool(open_door, name="door", background=True)
    assert_type(tool, Tool)
    kitchen = Toolset([get_weather, tool])
    client.add_tools([kitchen, open_door])
    assert_type(RealtimeClient(tools=[kitchen]), RealtimeClient)
    client.tool(timeout="5")  # type: ignore[call-overload]


async def conversation(client: RealtimeClient) -> None:
    """The cache is read without waiting."""
    assert_type(client.conversation, RealtimeConversation)
    assert_type(client.conversation.items, list[FormattedItem])
    assert_type(client.conversation.get_items(), list[FormattedItem])
    assert_type(client.conversation.get_item("item_1"), FormattedItem | None)
    client.conversation.retention = AudioRetention.seconds(60)
    item = await client.wait_for_next_completed_item(timeout=30)
    assert_type(item, FormattedItem)
    assert_type(await client.wait_for_next_item(), FormattedItem)
    assert_type(item.role, str | None)
    assert_type(item.formatted, FormattedProperty)
    assert_type(item.formatted.transcript, str)
    assert_type(item.formatted.audio, bytes)


async def wire() -> None:
    """The connection alone takes events by name and as objects."""
    async with RealtimeAPI(url="ws://localhost:8080") as api:
        assert_type(api, RealtimeAPI)
        assert_type(await api.send("response.cancel"), str | None)
        await api.send("session.update", {"session": {"instructions": "Be brief."}})
        await api.send(SessionUpdate(session=session_config(voice="alloy")))
        api.post(ResponseCancel())
        await api.send(7)  # type: ignore[arg-type]
    assert_type(decode_event(b"{}", direction="server"), RealtimeEvent)
    assert_type(encode_event(ResponseCancel()), bytes)
