"""Faults over sockets: what the client of a server that misbehaves to order gets."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from openai_realtime.emulator.brains.rules import RuleBrain
from openai_realtime.emulator.faults import Fault, parse_fault
from openai_realtime.emulator.faults.damage import UNKNOWN_FIELD
from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings

from ..bare_client import FAST, KEY, Client, client_of, connected, until

OPENING = ["session.created", "conversation.created"]
BETA = {**KEY, "OpenAI-Beta": "realtime=v1"}


def failing(*faults: str, **options: Any) -> EmulatorSettings:
    """Return the settings of a server on which this goes wrong."""
    return EmulatorSettings(pace=0, faults=faults, **options)


async def types_of_a_turn(client: Client) -> list[str]:
    """Have a short conversation and return the types of its events."""
    await client.say("Hello")
    return [event["type"] for event in await client.until("response.done")]


async def lost(client: Client) -> tuple[int | None, str | None]:
    """Wait for the end; return the code and the reason of the close, or 1006."""
    try:
        while True:
            await client.receive()
    except ConnectionClosed as exc:
        received = exc.rcvd
    return (1006, None) if received is None else (received.code, received.reason)


async def test_a_close_with_code_and_reason() -> None:
    """Instead of the event; the session is over then."""
    async with connected(failing("close 4321 'for no reason' at 2")) as client:
        assert (await client.receive())["type"] == "session.created"
        assert await lost(client) == (4321, "for no reason")


async def test_a_connection_is_dropped() -> None:
    """Without a close frame, behind everything that was sent before."""
    async with connected(failing("drop at response.output_audio.delta#2")) as client:
        await client.say("Hello")
        await client.until("response.output_audio.delta")
        assert await lost(client) == (1006, None)


async def test_a_stall_holds_up_one_session() -> None:
    """Nobody else's; and the server can be left in spite of it."""
    settings = failing("stall 3600 at 2 on connection 1")
    async with EmulatorServer(settings) as server, client_of(server) as stalled:
        await stalled.receive()
        async with client_of(server) as other:
            assert "response.done" in await types_of_a_turn(other)
        assert [fault.times for fault in server.faults.counts] == [1]
        leaving = asyncio.create_task(server.__aexit__(None, None, None))
        assert await lost(stalled) == (1012, "the server is shutting down")
        await leaving


async def test_the_server_goes_during_a_stall_before_a_close() -> None:
    """What was to come after the stall is overtaken by what comes now."""
    settings = failing("stall 3600 at 2", "close 4001 'never' at 2")
    async with EmulatorServer(settings) as server, client_of(server) as client:
        await client.receive()
        await until(lambda: server.faults.counts[1].times)
        leaving = asyncio.create_task(server.__aexit__(None, None, None))
        assert await lost(client) == (1012, "the server is shutting down")
        await leaving


async def test_a_session_expires_during_a_stall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The event that says so is held up, and the close is not."""
    monkeypatch.setattr("openai_realtime.emulator.serving.session._GRACE_S", 0.1)
    settings = failing("stall 3600 at error", max_session_s=0.1)
    async with connected(settings) as client:
        assert await lost(client) == (1001, "session hit the maximum duration")


async def test_a_stall_ends() -> None:
    """What waited behind it comes then, in order."""
    async with connected(failing("stall 0.01 every")) as client:
        names = [event["type"] for event in await client.until(OPENING[-1])]
        assert names == OPENING
        assert (await types_of_a_turn(client))[-1] == "response.done"


async def test_an_event_comes_twice() -> None:
    """With the same id."""
    async with connected(failing("duplicate at session.created")) as client:
        first, second = await client.receive(), await client.receive()
        assert first == second
        assert (await client.receive())["type"] == "conversation.created"


async def test_an_event_comes_behind_the_next() -> None:
    """Both are whole."""
    async with connected(failing("reorder at 1")) as client:
        events = [await client.receive(), await client.receive()]
        assert [event["type"] for event in events] == OPENING[::-1]


async def test_an_event_does_not_come() -> None:
    """All others do."""
    async with connected(failing("omit response.created")) as client:
        await client.until(OPENING[-1])
        names = await types_of_a_turn(client)
        assert "response.created" not in names
        assert "response.output_item.added" in names


async def test_json_that_is_cut_off() -> None:
    """Nobody can read it; the event behind it is whole."""
    async with connected(failing("corrupt at 1")) as client:
        frame = await client.websocket.recv()
        with pytest.raises(json.JSONDecodeError):
            json.loads(frame)
        assert (await client.receive())["type"] == "conversation.created"


async def test_a_text_frame_that_is_no_utf8() -> None:
    """No server of a library can send it, this one can."""
    async with connected(failing("corrupt utf8 at 1")) as client:
        frame = await client.websocket.recv(decode=False)
        with pytest.raises(UnicodeDecodeError):
            frame.decode()
        assert b"session.created" in frame.replace(b"\xff", b"")
        assert (await client.receive())["type"] == "conversation.created"


async def test_a_strict_client_ends_a_connection_without_utf8(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With 1007, which the server takes as any other close."""
    async with EmulatorServer(failing("corrupt utf8 at 1")) as server:
        async with client_of(server) as client:
            with pytest.raises((UnicodeDecodeError, ConnectionClosed)):
                await client.receive()
            await client.websocket.close(1007)
        await until(lambda: server.stats()["closes"] == {"1007": 1})
        assert server.stats()["failures"] == 0


async def test_an_event_that_nobody_knows() -> None:
    """Before the one that was named."""
    fault = "unknown-event 'response.thinking.delta' at conversation.created"
    async with connected(failing(fault)) as client:
        events = await client.until("conversation.created")
        names = [event["type"] for event in events]
        assert names == [OPENING[0], "response.thinking.delta", OPENING[1]]
        assert len({event["event_id"] for event in events}) == 3


async def test_fields_that_nobody_knows() -> None:
    """In every object of the event."""
    async with connected(failing("unknown-fields at 1")) as client:
        event = await client.receive()
        [name] = UNKNOWN_FIELD
        assert name in event
        assert name in event["session"]
        assert name in event["session"]["audio"]["input"]
        assert name not in await client.receive()


async def test_an_error_that_answers_nothing() -> None:
    """With the code that was ordered; the session goes on."""
    fault = "error 'rate_limit_exceeded' 'Slow down.' at response.created"
    async with connected(failing(fault)) as client:
        await client.say("Hello")
        events = await client.until("response.done")
        [error] = [event["error"] for event in events if event["type"] == "error"]
        assert (error["code"], error["message"]) == (
            "rate_limit_exceeded",
            "Slow down.",
        )
        assert error["event_id"] is None


async def test_a_handshake_that_takes_its_time() -> None:
    """It keeps nobody else from connecting, and ends with its client."""
    before = asyncio.all_tasks()
    async with EmulatorServer(failing("slow 3600 on connection 1")) as server:

        async def enter() -> None:
            async with client_of(server, open_timeout=None):
                raise AssertionError("the handshake was too quick")

        slow = asyncio.create_task(enter())
        await until(lambda: server.faults.counts[0].times)
        async with client_of(server) as client:
            assert (await client.receive())["type"] == "session.created"
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        await until(lambda: not server._server.server_state.connections)
    assert asyncio.all_tasks() == before


async def test_a_handshake_that_is_slow_and_succeeds() -> None:
    """The session is like any other."""
    async with connected(failing("slow 0.01")) as client:
        assert (await types_of_a_turn(client))[-1] == "response.done"


@pytest.mark.parametrize("status", [204, 301, 401, 429, 500, 503, 599])
async def test_a_handshake_is_refused(status: int) -> None:
    """With any status; who comes back is let in."""
    fault = f"refuse {status} on connection 1"
    async with EmulatorServer(failing(fault)) as server:
        with pytest.raises(InvalidStatus) as caught:
            async with client_of(server):
                pass
        assert caught.value.response.status_code == status
        async with client_of(server) as client:
            assert (await client.receive())["type"] == "session.created"
        assert server.stats()["handshakes_refused"] == {str(status): 1}


async def test_a_connection_that_comes_back_is_served_well() -> None:
    """Where the fault is for the first one only."""
    fault = "close 1011 at response.created on connection 1"
    async with EmulatorServer(failing(fault)) as server:
        async with client_of(server) as client:
            await client.say("Hello")
            assert (await lost(client))[0] == 1011
        async with client_of(server) as client:
            assert (await types_of_a_turn(client))[-1] == "response.done"


async def test_faults_of_the_brain_s_script() -> None:
    """They are ordered along with those of the settings."""

    class Saboteur(RuleBrain):
        faults = (parse_fault("omit conversation.created"),)

    settings = failing("duplicate at 1", brain=Saboteur())
    async with EmulatorServer(settings) as server:
        async with client_of(server) as client:
            await client.say("Hello")
            names = [e["type"] for e in await client.until("response.done")]
        assert names[:2] == ["session.created"] * 2
        assert "conversation.created" not in names
        assert [fault.times for fault in server.faults.counts] == [1, 1]


async def test_faults_in_the_old_dialect() -> None:
    """They are ordered in the current names, and what travels is in the old ones."""
    faults = failing("duplicate conversation.item.added", "corrupt at response.done")
    async with connected(faults, additional_headers=BETA) as client:
        await client.say("Hello")
        frames: list[str] = []
        while not frames or frames[-1].endswith("}"):
            frames.append(await client.websocket.recv())
        cut = frames.pop()
        names = [json.loads(frame)["type"] for frame in frames]
        assert "response.done" in cut
        assert names.count("conversation.item.created") == 3
        assert "response.done" not in names


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("close 4001 at conversation.item.done", 4001),
        ("drop at conversation.item.done", 1006),
    ],
)
async def test_an_end_at_an_event_that_the_old_dialect_lacks(
    fault: str, code: int
) -> None:
    """It has a place among the others all the same."""
    async with connected(failing(fault), additional_headers=BETA) as client:
        await client.say("Hello")
        assert (await lost(client))[0] == code


@pytest.mark.parametrize("fault", ["drop at 1", "corrupt utf8 at 1", "close 1013 at 1"])
async def test_faults_in_a_translation(fault: str) -> None:
    """They are the same there."""
    async with (
        EmulatorServer(failing(fault)) as server,
        client_of(server, path="/v1/realtime/translations") as client,
    ):
        if fault.startswith("corrupt"):
            assert b"\xff" in await client.websocket.recv(decode=False)
        else:
            code = 1013 if fault.startswith("close") else 1006
            assert (await lost(client))[0] == code


# --- ordered while the server runs ---


@pytest.mark.parametrize("form", [str, parse_fault])
async def test_a_fault_for_a_session_that_runs(form: Any) -> None:
    """Its events are counted from then on; the tally counts for all sessions."""
    async with EmulatorServer(FAST) as server:
        async with client_of(server) as client, client_of(server) as other:
            await types_of_a_turn(client)
            fault: Fault | str = form("omit response.done")
            tally = server.fail(fault)
            await client.say("Hello")
            await client.until("response.output_item.done")
            await client.until("rate_limits.updated")
            assert tally.times == 1
            # It was for the first of each session.
            assert "response.done" in await types_of_a_turn(client)
            await other.say("Hello")
            await other.until("rate_limits.updated")
        assert tally.times == 2
        async with client_of(server) as later:
            await later.say("Hello")
            await later.until("rate_limits.updated")
        assert tally.times == 3


async def test_a_refusal_for_those_to_come() -> None:
    """The handshake of a session that runs is over."""
    async with EmulatorServer(FAST) as server, client_of(server) as client:
        await client.until(OPENING[-1])
        tally = server.fail("refuse 503")
        with pytest.raises(InvalidStatus):
            async with client_of(server):
                pass
        assert tally.times == 1
        assert (await types_of_a_turn(client))[-1] == "response.done"


async def test_faults_are_called_off() -> None:
    """For the sessions that run, and for those to come."""
    async with EmulatorServer(failing("omit response.done")) as server:
        async with client_of(server) as client:
            await client.until(OPENING[-1])
            server.fail("refuse 503")
            server.clear_faults()
            assert server.faults.counts == ()
            assert "response.done" in await types_of_a_turn(client)
        async with client_of(server) as client:
            assert "response.done" in await types_of_a_turn(client)
