"""A client and a server in memory: what is scripted, what fails, and virtual time."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from openai_realtime import (
    ConfigurationError,
    ConnectFailed,
    ConnectionClosed,
    RealtimeAPI,
    RealtimeClient,
    ToolOptions,
)
from openai_realtime.emulator.protocol import EmulatorProtocol
from openai_realtime.events import Closed
from openai_realtime.testing import MemoryPair, MemoryServer, memory_session
from openai_realtime.transports import Endpoint

PIZZA_TOML = """
[[reply]]
when.text = "pizza"
say = "Coming up."

[otherwise]
say = "Pardon?"
"""

PIZZA = {
    "reply": [{"when": {"text": "pizza"}, "say": "Coming up."}],
    "otherwise": {"say": "Pardon?"},
}


async def say(pair: MemoryPair, text: str) -> str:
    """Say something, and return what is answered."""
    await pair.client.send_user_message_content([{"type": "input_text", "text": text}])
    item = await pair.run(pair.client.wait_for_next_completed_item())
    return item.formatted.transcript


# --- scripts ---


def as_file(folder: Path) -> Path:
    """The scenario in a file."""
    file = folder / "pizza.toml"
    file.write_text(PIZZA_TOML)
    return file


@pytest.mark.parametrize(
    "script",
    [lambda _: PIZZA_TOML, lambda _: PIZZA, as_file],
    ids=["text", "dict", "file"],
)
async def test_a_scenario_may_be_text_dict_or_file(
    script: Callable[[Path], Any], tmp_path: Path
) -> None:
    """However it is given, the server says what the scenario says."""
    async with MemoryPair(script=script(tmp_path)) as pair:
        assert await say(pair, "A pizza, please") == "Coming up."
        assert await say(pair, "Thanks") == "Pardon?"


async def test_a_list_answers_one_message_after_the_other() -> None:
    """The shortest script: what is said first, what is done next, and what then."""
    pair = MemoryPair()
    pair.script(
        [
            "Hello, who is it?",
            {"call": "look_up", "arguments": {"name": "Ada"}},
            {"when": {"tool": "look_up"}, "say": "Welcome back."},
            "Goodbye.",
        ]
    )
    asked: list[Any] = []
    pair.client.add_tool({"name": "look_up"}, asked.append)
    async with pair:
        assert await say(pair, "Hi") == "Hello, who is it?"
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "Ada"}]
        )
        await pair.settle()
        assert asked == [{"name": "Ada"}]
        welcome = pair.client.conversation.get_items()[-1]
        assert welcome.formatted.transcript == "Welcome back."
        assert await say(pair, "Bye") == "Goodbye."


async def test_a_script_may_be_replaced_and_taken_back() -> None:
    """The next reply is by the newest script, and by the rules after a reset."""
    async with MemoryPair(script=["One."]) as pair:
        assert await say(pair, "Hi") == "One."
        pair.script(["Not this.", "Two."])
        assert await say(pair, "Hi") == "Two."
        pair.reset()
        assert len(pair.events) == 0
        assert await say(pair, "Hi") not in ("", "One.", "Two.", "Not this.")


async def test_the_faults_of_a_script_are_ordered() -> None:
    """A scenario with a fault in it makes the server fail, as under `serve`."""
    async with MemoryPair() as pair:
        pair.script({**PIZZA, "fault": ["close 1011 'oven' at response.done"]})
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "pizza"}]
        )
        await pair.settle()
        assert not pair.client.is_connected
        assert [count.times for count in pair.fault_counts] == [1]


async def test_the_mcp_servers_of_a_script_are_there() -> None:
    """A session that begins after `script` can use the scenario's MCP servers."""
    pair = MemoryPair(
        script="""
        [[mcp_server]]
        label = "docs"
        [[mcp_server.tool]]
        name = "search"
        """
    )
    tool = {
        "type": "mcp",
        "server_label": "docs",
        "server_url": "https://docs.test/mcp",
        "require_approval": "never",
    }
    await pair.client.update_session(tools=[tool])
    async with pair:
        await pair.settle()
        pair.assert_sent(
            "conversation.item.done",
            item__type="mcp_list_tools",
            item__tools=[{"name": "search"}],
        )


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("reply = 1", "reply"),
        ("[[reply", "not valid TOML"),
        ("pizza.toml", r"pathlib.Path\('pizza.toml'\)"),
        ({"replies": []}, "replies"),
        ([{"when": {"text": "x"}}], "there is nothing to do"),
        (["ok", 3], r"reply\[1\]"),
    ],
)
def test_a_script_that_cannot_be_read_changes_nothing(script: Any, told: str) -> None:
    """The complaint is the scenario's, and the server goes on as it was."""
    pair = MemoryPair(script=["One."])
    with pytest.raises(ConfigurationError, match=told):
        pair.script(script)

    async def still_says() -> str:
        async with pair:
            return await say(pair, "Hi")

    assert asyncio.run(still_says()) == "One."


# --- faults ---


async def test_a_drop_and_a_second_connection() -> None:
    """A connection breaks in the middle of a reply; the next one is served well."""
    pair = MemoryPair(pace=1, script=["It was a dark and stormy night.", "It was day."])
    pair.fail("drop at response.output_audio.delta#3 on connection 1")
    ends: list[Closed] = []
    pair.client.on("close", ends.append)
    async with pair:
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "A story!"}]
        )
        await pair.advance(10)
        assert [(end.code, end.clean) for end in ends] == [(1006, False)]
        assert len(pair.events.sent("response.output_audio.delta")) == 2
        with pytest.raises(ConnectionClosed):
            await pair.client.create_response()
        await pair.run(pair.client.connect())
        assert await say(pair, "Go on") == "It was a dark and stormy night."
    assert [session.number for session in pair.sessions] == [1, 2]
    assert pair.sessions[0].sent("response.done") == []
    assert len(pair.sessions[1].sent("response.done")) == 1
    assert repr(pair.sessions[1]).startswith("<session 2: ")


async def test_a_close_has_its_code_and_reason() -> None:
    """The client sees the close that was ordered, after all that was sent before."""
    async with MemoryPair(faults=["close 1011 'gone' at response.done"]) as pair:
        ending = asyncio.create_task(pair.client.wait_for_next("close"))
        await pair.settle()
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "Hi"}]
        )
        end = await pair.run(ending)
        assert (end.code, end.reason) == (1011, "gone")
        pair.assert_sent("response.output_audio.done")
        assert pair.client.conversation.get_items()[-1].formatted.transcript


async def test_faults_in_a_running_session_and_their_end() -> None:
    """What is ordered later happens from then on, until it is taken back."""
    async with MemoryPair() as pair:
        pair.fail("unknown-event 'from.the.future' every input_audio_buffer.cleared")
        await pair.client.realtime.send("input_audio_buffer.clear")
        assert pair.assert_sent("from.the.future")
        pair.reset()
        await pair.client.realtime.send("input_audio_buffer.clear")
        pair.assert_sent("input_audio_buffer.cleared")
        assert pair.events.sent("from.the.future") == []
        assert pair.fault_counts == ()


async def test_damaged_frames_are_logged_as_they_are() -> None:
    """What nobody can read is in the log too, and the client reports it."""
    problems: list[Any] = []
    pair = MemoryPair()
    pair.client.on("error", problems.append)
    async with pair:
        pair.fail("corrupt json at input_audio_buffer.cleared")
        await pair.client.realtime.send("input_audio_buffer.clear")
        await pair.settle()
        assert [seen.event for seen in pair.events][-1] is None
        assert len(problems) == 1


async def test_a_stall_takes_virtual_time() -> None:
    """A server that stalls neither speaks nor listens, until the time has passed."""
    async with MemoryPair() as pair:
        pair.fail("stall 30 at input_audio_buffer.cleared")
        await pair.client.realtime.send("input_audio_buffer.clear")
        await pair.client.realtime.send("response.cancel")
        await pair.advance(29.9)
        assert pair.events.sent("input_audio_buffer.cleared") == []
        assert pair.events.sent("error") == []
        # It has arrived, though.
        pair.assert_received("response.cancel")
        await pair.advance(0.1)
        names = [event.type for event in pair.events.sent()][-2:]
        assert names == ["input_audio_buffer.cleared", "error"]


async def test_a_handshake_may_be_slow_or_refused() -> None:
    """Connecting waits in virtual time, and a refusal is the transport's error."""
    pair = MemoryPair(faults=["slow 5", "refuse 503 on connection 1"])
    with pytest.raises(ConnectFailed, match="HTTP 503") as failure:
        await pair.run(pair.client.connect())
    assert failure.value.status == 503
    assert pair.clock() == 5
    async with pair:
        assert pair.clock() == 10


async def test_a_fault_that_cannot_be_read_orders_none() -> None:
    """Two faults of which the second is wrong leave no first behind."""
    pair = MemoryPair()
    with pytest.raises(ConfigurationError, match="there is no fault 'explode'"):
        pair.fail("drop at 3", "explode")
    assert pair.fault_counts == ()


async def test_a_server_that_fails_within_closes_with_1011(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of the emulator is its own, not an exception in the client."""
    async with MemoryPair() as pair:

        def break_down(*args: object, **options: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(EmulatorProtocol, "receive_frame", break_down)
        with caplog.at_level(logging.ERROR):
            ending = asyncio.create_task(pair.client.wait_for_next("close"))
            await pair.settle()
            await pair.client.realtime.send("input_audio_buffer.clear")
            end = await pair.run(ending)
        assert end is not None
        assert end.code == 1011
        assert "ZeroDivisionError" in caplog.text


# --- time ---


async def test_minutes_pass_at_once() -> None:
    """Two minutes of speech come in the order and at the times that they would have."""
    async with MemoryPair(pace=1, script=["word " * 300]) as pair:
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "Talk!"}]
        )
        await pair.advance(30)
        assert audio_s(pair) == pytest.approx(30, abs=0.2)
        done = await pair.wait_sent("response.done")
        assert done.type == "response.done"
        assert pair.clock() == pytest.approx(audio_s(pair), abs=0.2)
        times = [seen.time_s for seen in pair.events]
        assert times == sorted(times)


def audio_s(pair: MemoryPair) -> float:
    """How many seconds of audio the server has sent."""
    deltas: list[Any] = pair.events.sent("response.output_audio.delta")
    return sum(len(event.delta) for event in deltas) / 48_000


async def test_an_interruption_cuts_at_the_virtual_playback_position() -> None:
    """What was heard is what time has passed for, to the millisecond."""
    async with MemoryPair(pace=5, script=["word " * 60]) as pair:
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "Talk!"}]
        )
        await pair.wait_sent("response.output_audio.delta")
        begin = pair.clock()
        await pair.advance(2.34)
        await pair.client.interrupt()
        assert pair.clock() == begin + 2.34
        pair.assert_received("response.cancel")
        cut: Any = pair.assert_received("conversation.item.truncate")
        assert cut.audio_end_ms == 2340
        pair.assert_sent("conversation.item.truncated", item_id=cut.item_id)
        pair.assert_sent(
            "response.done",
            response__status="cancelled",
            response__status_details__reason="client_cancelled",
        )


async def test_the_user_barges_in() -> None:
    """Speech while the assistant talks ends the reply where it was heard to."""
    pair = MemoryPair(pace=1, script=["word " * 60])
    interruptions: list[Any] = []
    pair.client.on("conversation.interrupted", interruptions.append)
    await pair.client.update_session(turn_detection={"type": "server_vad"})
    async with pair:
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "Talk!"}]
        )
        await pair.advance(3)
        for _ in range(50):
            await pair.client.append_input_audio(LOUD)
            await pair.advance(0.02)
        assert len(interruptions) == 1
        pair.assert_sent("input_audio_buffer.speech_started")
        pair.assert_sent(
            "response.done", response__status_details__reason="turn_detected"
        )


# 20 ms of something that an ear for loudness takes for speech.
LOUD = b"".join(
    (12_000 if n // 60 % 2 else -12_000).to_bytes(2, "little", signed=True)
    for n in range(480)
)


async def test_run_gives_up_when_nothing_more_can_happen() -> None:
    """A wait for what never comes ends at once, not after minutes of real time."""
    async with MemoryPair() as pair:
        with pytest.raises(TimeoutError, match=r"within 600 s of virtual time"):
            await pair.run(pair.client.wait_for_next("server.response.done"))
        with pytest.raises(AssertionError, match=r"no response\.done was sent"):
            await pair.wait_sent("response.done")
        with pytest.raises(AssertionError, match=r"within 2 s"):
            await pair.wait_received("response.create", timeout_s=2)
        # The session would have expired only after an hour.
        assert pair.clock() < 3600


async def test_a_session_expires() -> None:
    """The end that comes after an hour can be met in a test."""
    pair = MemoryPair(max_session_s=3600)
    async with pair:
        end = await pair.run(pair.client.wait_for_next("close"), limit_s=4000)
        assert end.code == 1001
        assert pair.clock() == 3600
        pair.assert_sent("error", error__code="session_expired")


async def test_time_passes_for_handlers_and_tools() -> None:
    """A tool that takes its time on the virtual clock delays only its own answer."""
    pair = MemoryPair(script=[{"call": "slow"}])

    async def slow(arguments: dict[str, Any]) -> str:
        await pair.clock.sleep(90)
        return f"done at {pair.clock():g} s"

    options = ToolOptions(timeout_s=100)
    pair.client.add_tool({"name": "slow"}, slow, options)
    async with pair:
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "Go"}]
        )
        await pair.advance(89)
        assert pair.events.received("conversation.item.create")[1:] == []
        await pair.advance(1)
        pair.assert_received("conversation.item.create", item__output="done at 90 s")


async def test_plain_functions_are_tools_in_threads() -> None:
    """A tool in a thread is waited for, though no virtual time passes for it."""
    threads: list[threading.Thread] = []

    def tool(arguments: dict[str, Any]) -> dict[str, Any]:
        threads.append(threading.current_thread())
        return {"sum": arguments["a"] + arguments["b"]}

    pair = MemoryPair(script=[{"call": "add", "arguments": {"a": 1, "b": 2}}])
    pair.client.add_tool({"name": "add"}, tool)
    async with pair:
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "1 + 2?"}]
        )
        await pair.settle()
        pair.assert_received("conversation.item.create", item__output={"sum": 3})
        assert threads
        assert threads[0] is not threading.main_thread()
        assert pair.clock() == 0


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
async def test_no_length_of_time_is_refused(seconds: float) -> None:
    """Time passes forward, and not for ever."""
    with pytest.raises(ConfigurationError, match="seconds cannot be"):
        await MemoryServer().advance(seconds)


async def test_a_client_that_does_not_read_stops_the_server_not_the_test() -> None:
    """The server waits for a slow client; time goes on for everybody else."""
    server = MemoryServer(pace=1, script=["word " * 300])
    transport = await server.connect(Endpoint(server.url))
    message = {
        "type": "conversation.item.create",
        "item": {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Talk!"}],
        },
    }
    await transport.send(json.dumps(message))
    await transport.send(json.dumps({"type": "response.create"}))
    await server.advance(200)
    assert server.clock() == 200
    unread = len(server.events.sent())
    assert unread < 100
    for _ in range(unread):
        await transport.recv()
    await server.advance(1)
    assert len(server.events.sent()) > unread
    await transport.close()


@pytest.mark.parametrize("stalls", [True, False])
async def test_nothing_waits_without_a_limit(
    monkeypatch: pytest.MonkeyPatch, stalls: bool
) -> None:
    """Neither what a stalling server has to take in, nor what a client has to read."""
    monkeypatch.setattr(memory_session, "_MOST_WAITING", 100)
    server = MemoryServer(faults=["stall 30 at session.created"] if stalls else [])
    transport = await server.connect(Endpoint(server.url))
    clear = json.dumps({"type": "input_audio_buffer.clear"})
    sending = asyncio.gather(*(transport.send(clear) for _ in range(200)))
    with pytest.raises(ConnectionClosed) as end:
        await sending
    assert end.value.code == 1008
    assert len(server.events) < 210


# --- the same each time ---


async def whole_conversation() -> list[tuple[int, str, float, dict[str, Any]]]:
    """Everything there is, once: replies, tools, speech, an interruption, a drop."""
    pair = MemoryPair(
        pace=1.5,
        script=["word " * 30, {"call": "add"}],
        faults=["drop at response.output_audio.delta#9 on connection 1"],
    )
    pair.client.add_tool({"name": "add"}, lambda arguments: {"sum": 3})
    await pair.client.update_session(turn_detection={"type": "server_vad"})
    async with pair:
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "Talk!"}]
        )
        await pair.advance(5)
        await pair.client.connect()
        for text in ("Talk!", "Add!"):
            await pair.client.send_user_message_content(
                [{"type": "input_text", "text": text}]
            )
            await pair.advance(4)
        for _ in range(40):
            await pair.client.append_input_audio(LOUD)
            await pair.advance(0.02)
        await pair.client.append_input_audio(bytes(48_000))
        await pair.advance(20)
    return [
        (seen.session, seen.way, seen.time_s, seen.event.to_dict())
        for seen in pair.events
    ]


async def test_the_same_test_gives_the_same_events() -> None:
    """Two runs agree in every event, its content and its time."""
    first, second = await whole_conversation(), await whole_conversation()
    assert len(first) > 100
    assert {name for _, _, _, event in first for name in [event["type"]]} >= {
        "response.done",
        "input_audio_buffer.speech_started",
    }
    assert first == second


# --- clients ---


async def test_several_clients_of_one_server() -> None:
    """Each client has its own session, and assertions can name it."""
    server = MemoryServer(script=["Hello."])
    one, two = server.new_client(), server.new_client()
    async with one, two:
        await two.create_response()
        await server.settle()
        server.assert_received("response.create", in_session=2)
        with pytest.raises(AssertionError, match="in session 1 was received"):
            server.assert_received("response.create", in_session=1)
    assert [session.id for session in server.sessions] == ["sess_1", "sess_2"]
    assert one.session is not None
    assert one.session.id == "sess_1"


async def test_a_program_makes_its_own_client() -> None:
    """`client_options` is all that a program needs to talk to the server in memory."""
    server = MemoryServer(script=["Hello."])

    async def program(**options: Any) -> str:
        async with RealtimeClient(model="gpt-mini", **options) as client:
            await client.create_response()
            item = await client.wait_for_next_completed_item()
        return item.formatted.transcript

    server.script({"otherwise": {"say": "Hello."}})
    assert await server.run(program(**server.client_options)) == "Hello."
    server.assert_sent("session.created", session__model="gpt-mini")


async def test_a_transcription_session() -> None:
    """An address with the intent begins such a session, as over a socket."""
    server = MemoryServer()
    url = f"{server.url}?intent=transcription"
    async with server.new_client(url=url):
        server.assert_sent("session.created", session__type="transcription")


async def test_the_old_dialect() -> None:
    """A client of the old dialect is spoken to in it."""
    server = MemoryServer()
    headers = {"OpenAI-Beta": "realtime=v1"}
    api = RealtimeAPI(url=server.url, transport=server.connect, headers=headers)
    created = asyncio.create_task(api.wait_for_next("server.session.created"))
    await asyncio.sleep(0)
    async with api:
        assert "modalities" in str((await created).to_dict())


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("ws://emulator.test/v1/other", 404),
        ("ws://emulator.test/v1/realtime?call_id=rtc_1", 404),
        ("ws://emulator.test/v1/realtime?intent=fun", 400),
        ("ws://emulator.test/v1/realtime?intent=transcription&model=x", 400),
    ],
)
async def test_the_rules_at_the_door(address: str, status: int) -> None:
    """What the server refuses over a socket is refused in memory."""
    server = MemoryServer()
    with pytest.raises(ConnectFailed, match=f"HTTP {status}: ") as failure:
        await server.new_client(url=address).connect()
    assert failure.value.status == status
    assert server.sessions == []


@pytest.mark.parametrize(
    "settings", [{"vad": "loud"}, {"pace": -1}, {"max_session_s": 0}, {"max_events": 0}]
)
def test_a_setting_out_of_range_is_refused(settings: Mapping[str, Any]) -> None:
    """The complaint names the setting and its value."""
    [(name, value)] = settings.items()
    named = "limit" if name == "max_events" else name
    with pytest.raises(ConfigurationError, match=f"{named} cannot be '?{value}'?;"):
        MemoryServer(**settings)


async def test_nothing_is_left() -> None:
    """A pair that was left leaves no task behind, whatever was under way."""
    before = asyncio.all_tasks()
    pair = MemoryPair(pace=1, script=["word " * 60])

    async def listen(event: Any) -> None:
        await pair.clock.sleep(100)

    pair.client.on("conversation.updated", listen)
    async with pair:
        await pair.client.send_user_message_content(
            [{"type": "input_text", "text": "Talk!"}]
        )
        await pair.advance(1)
        assert asyncio.all_tasks() > before
    assert asyncio.all_tasks() == before


def test_without_pytest_and_in_several_loops() -> None:
    """A pair works under `asyncio.run`, and a server in one loop after the other."""
    server = MemoryServer(script=["Hello."])

    async def visit() -> None:
        async with server.new_client() as client:
            await client.realtime.send("input_audio_buffer.clear")
            await server.settle()

    asyncio.run(visit())
    asyncio.run(visit())
    assert len(server.events.sent("input_audio_buffer.cleared")) == 2


def test_no_extra_is_needed() -> None:
    """A pair works where only the client is installed."""
    code = """
import asyncio, sys
sys.modules.update(dict.fromkeys(("starlette", "uvicorn", "websockets", "picows")))
from openai_realtime.testing import MemoryPair

async def talk():
    async with MemoryPair() as pair:
        await pair.client.create_response()
        await pair.wait_sent("response.done")

asyncio.run(talk())
"""
    command = [sys.executable, "-W", "error", "-c", code]
    subprocess.run(command, check=True)
