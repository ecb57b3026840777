"""What the log has of a connection, and what it must never have."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import traceback
from typing import Any

import pytest

from openai_realtime import RealtimeAPI, RealtimeClient
from openai_realtime.errors import ConfigurationError, ConnectFailed, ConnectionClosed
from openai_realtime.providers import Azure, OpenAI
from openai_realtime.testing import LiveServer
from openai_realtime.transports import Endpoint, Transport

from .conftest import URL
from .scripted_server import ScriptedServer

SESSION, EVENTS = "openai_realtime.session", "openai_realtime.events"
SOUND = b"hush" * 600
_TIMEOUT_S = 30


def lines(caplog: pytest.LogCaptureFixture, logger: str) -> list[str]:
    """Return what one logger has said."""
    return [r.getMessage() for r in caplog.records if r.name == logger]


async def say_hello(client: RealtimeClient) -> None:
    """Hold the shortest of conversations."""
    async with asyncio.timeout(_TIMEOUT_S), client:
        done = asyncio.create_task(client.wait_for_next("server.response.done"))
        await client.send_user_message_content(
            [{"type": "input_text", "text": "my bank account is 4711"}]
        )
        await done


@pytest.fixture
def emulator() -> Any:
    """A server over a socket."""
    with LiveServer(script=["Hello."]) as server:
        yield server


# --- the steps of a connection ---


async def test_one_line_for_each_step(
    emulator: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    """At INFO somebody reads how a session went, in six lines."""
    caplog.set_level(logging.INFO, logger="openai_realtime")
    client = RealtimeClient(url=emulator.url, model="gpt-realtime")
    await client.update_session(instructions="my bank account is 4711")
    await say_hello(client)
    wanted = [
        rf"connecting to {re.escape(emulator.url)}\?model=gpt-realtime",
        rf"connected to {re.escape(emulator.url)}\?model=gpt-realtime",
        r"session sess_\w+ began, model gpt-realtime",
        r"session sess_\w+: the configuration was accepted",
        r"response resp_\w+: completed, [1-9]\d* tokens in, [1-9]\d* out",
        r"connection closed with code 1000",
    ]
    said = lines(caplog, SESSION)
    assert len(said) == len(wanted)
    for line, pattern in zip(said, wanted, strict=True):
        assert re.fullmatch(pattern, line), line
    assert lines(caplog, EVENTS) == []
    assert "4711" not in caplog.text


async def test_failures_are_steps_too(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A refusal, an error of the server and an end are told, without what was said."""
    caplog.set_level(logging.INFO, logger="openai_realtime")

    async def refuse(endpoint: Endpoint) -> Transport:
        raise ConnectFailed(f"{endpoint.safe_url} refused", url=endpoint.safe_url)

    with pytest.raises(ConnectFailed):
        await RealtimeAPI(url=URL, transport=refuse).connect()
    assert lines(caplog, SESSION)[
        -1
    ] == f"not connected: {URL}?model=m refused".replace(
        "model=m", "model=gpt-realtime-2.1"
    )
    api = RealtimeAPI(url=URL, transport=server.connect)
    await api.connect()
    error = {"type": "invalid_request_error", "code": "x", "message": "4711 is wrong"}
    await server.send("error", error=error)
    await server.settle(api)
    assert lines(caplog, SESSION)[-1] == (
        "the server reports an error: type invalid_request_error, code x, param None,"
        " about None"
    )
    ended = asyncio.create_task(api.wait_for_next("close"))
    await asyncio.sleep(0)
    await server.line.close(1001, "max duration")
    assert (await ended).code == 1001
    assert lines(caplog, SESSION)[-1] == (
        "connection closed with code 1001 (max duration)"
    )
    assert "4711" not in caplog.text


async def test_quiet_by_default(
    emulator: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A program that sets up no logging sees nothing of ours."""
    await say_hello(RealtimeClient(url=emulator.url))
    assert [r for r in caplog.records if r.name.startswith("openai_realtime")] == []


# --- events ---


async def test_events_by_name_and_size(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG each event is a line, either way, and says nothing of its content."""
    caplog.set_level(logging.DEBUG, logger="openai_realtime")
    server.greeting = None
    api = RealtimeAPI(url=URL, transport=server.connect)
    await api.connect()
    new = '{"type": "response.new", "text": "4711 ü"}'
    await server.line.send(new)
    await api.send("input_audio_buffer.append", audio=SOUND)
    await server.settle(api)
    await api.close()
    size = len(base64.b64encode(SOUND)) + len(
        '{"type":"input_audio_buffer.append","audio":""}'
    )
    said = lines(caplog, EVENTS)
    assert f"-> input_audio_buffer.append, {size} bytes" in said
    assert f"<- response.new, {len(new.encode())} bytes" in said
    assert "4711" not in caplog.text


async def test_name_that_would_forge_a_line(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What a server calls an event cannot look like a line of somebody else's."""
    caplog.set_level(logging.DEBUG, logger="openai_realtime")
    server.greeting = None
    api = RealtimeAPI(url=URL, transport=server.connect)
    await api.connect()
    await server.send("x\n2026 ERROR all is lost \x1b[31m" + "y" * 1000)
    await server.settle(api)
    await api.close()
    for record in caplog.records:
        if record.name == EVENTS:
            assert record.getMessage().isprintable()
            assert len(record.getMessage()) < 200


async def talk_of_everything(server: ScriptedServer, **given: Any) -> None:
    """Send and receive text, audio, an image and deep nesting."""
    server.greeting = None
    api = RealtimeAPI(url=URL, transport=server.connect, **given)
    await api.connect()
    sound = base64.b64encode(SOUND).decode()
    short = base64.b64encode(b"hush").decode()
    place = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
    await server.send("response.output_audio.delta", delta=short, **place)
    await server.send("response.new_sound.delta", waves=sound)
    await server.send("response.output_text.delta", delta="4711 ü", **place)
    await server.line.send('{"type": "deep", "x":' + "[" * 900 + "]" * 900 + "}")
    await api.send("input_audio_buffer.append", audio=SOUND)
    await api.send(
        "conversation.item.create",
        item={
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_image", "image_url": f"data:image/png;base64,{sound}"},
                {"type": "input_audio", "audio": short},
                {"type": "input_text", "text": "long " * 2000},
            ],
        },
    )
    await server.settle(api)
    await api.close()


@pytest.mark.parametrize("by", ["argument", "variable"])
async def test_content_after_an_explicit_switch(
    server: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    by: str,
) -> None:
    """Text is there, shortened; of audio and images there is the size."""
    caplog.set_level(logging.DEBUG, logger="openai_realtime")
    if by == "variable":
        monkeypatch.setenv("OPENAI_REALTIME_LOG", "content")
        await talk_of_everything(server)
    else:
        await talk_of_everything(server, log_content=True)
    said = "\n".join(lines(caplog, EVENTS))
    assert '"delta": "4711 ü"' in said
    assert '"delta": "<4 bytes>"' in said
    assert f'"waves": "<{len(SOUND)} bytes>"' in said
    assert f'"image_url": "<{len(SOUND)} bytes>"' in said
    assert '"audio": "<4 bytes>"' in said
    assert f'"audio": "<{len(SOUND)} bytes>"' in said
    assert "long long ... (10000 characters)" in said
    assert "<- deep" in said
    assert base64.b64encode(SOUND).decode()[:16] not in caplog.text


async def test_argument_goes_before_the_variable(
    server: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program that must not show content cannot be made to."""
    caplog.set_level(logging.DEBUG, logger="openai_realtime")
    monkeypatch.setenv("OPENAI_REALTIME_LOG", "content")
    await talk_of_everything(server, log_content=False)
    assert "4711" not in caplog.text
    assert "<- response.output_text.delta, " in caplog.text


@pytest.mark.parametrize("face", [RealtimeAPI, RealtimeClient])
def test_unknown_switch_is_refused(monkeypatch: pytest.MonkeyPatch, face: Any) -> None:
    """A slip of the pen is told, and not taken for a no."""
    monkeypatch.setenv("OPENAI_REALTIME_LOG", "contents")
    with pytest.raises(ConfigurationError, match="'content'"):
        face()


# --- keys ---

KEY = "sk-proj-AbCdEf0123456789AbCdEf"
EPHEMERAL = "ek_68af296e8e408191a1120ab6383263c2"
# Not of a form by which it could be known as a key.
AZURE_KEY = "0123456789abcdef0123456789abcdef"
SECRETS = (KEY, EPHEMERAL, AZURE_KEY)


def everything_said(caplog: pytest.LogCaptureFixture, *things: Any) -> str:
    """What a log, a debugger or a traceback would show."""
    formatter = logging.Formatter()
    shown = [formatter.format(record) for record in caplog.records]
    for thing in things:
        shown += [repr(thing), str(thing)]
        if isinstance(thing, BaseException):
            # But for the frame as it came, which is documented as such.
            fields = {k: v for k, v in vars(thing).items() if k != "raw"}
            shown += [repr(fields), *traceback.format_exception(thing)]
    return "\n".join(shown)


def settings_with_keys() -> dict[str, Any]:
    """Return a configuration with keys in it, rightly and wrongly."""
    return {
        "instructions": f"Use {KEY}.",
        "tools": [
            {
                "type": "mcp",
                "server_label": "m",
                "server_url": "https://mcp.test",
                "authorization": AZURE_KEY,
                "headers": {"X-Api-Key": AZURE_KEY},
            }
        ],
    }


@pytest.mark.parametrize("log_content", [False, True])
@pytest.mark.parametrize("level", [1, logging.DEBUG, logging.INFO])
@pytest.mark.parametrize(
    "provider",
    [
        OpenAI(url=f"{URL}?api-key={AZURE_KEY}&ticket=1", api_key=KEY),
        OpenAI(url=URL, api_key=lambda: EPHEMERAL, credentials="subprotocol"),
        Azure(endpoint="https://a.test", deployment="d", api_key=AZURE_KEY),
        Azure(endpoint="https://a.test", deployment="d", token=lambda: AZURE_KEY),
        Azure(
            endpoint="https://a.test",
            deployment="d",
            api_key=AZURE_KEY,
            credentials="query",
        ),
    ],
    ids=["key", "subprotocol", "Azure key", "Azure token", "Azure query"],
)
async def test_no_key_is_anywhere(
    server: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
    provider: Any,
    level: int,
    log_content: bool,
) -> None:
    """Keys go through every place that there is, and come out at none."""
    caplog.set_level(level)
    api = RealtimeAPI(
        provider=provider,
        headers={"X-Auth-Ticket": AZURE_KEY},
        transport=server.connect,
        log_content=log_content,
    )
    things: list[Any] = [api, provider]
    api.on("error", lambda event: things.append(event.error))
    api.on("realtime.event", lambda seen: things.extend((seen, seen.event)))
    await api.connect()
    things.append(server.endpoints[-1])
    secret = {"value": EPHEMERAL, "expires_at": 1}
    quoted = f"Incorrect API key provided: {KEY}, or was it {EPHEMERAL}?"
    error = {"type": "invalid_request_error", "code": "k", "message": quoted}
    await server.send("session.created", session={"id": "s", "client_secret": secret})
    await server.send("session.new", client_secret=secret, note=quoted)
    await server.send("error", error=error)
    await server.send(f"new.{KEY}")
    await server.line.send(f"no event, but {KEY}")
    await api.send("session.update", session=settings_with_keys())
    await server.settle(api)
    ended = asyncio.create_task(api.wait_for_next("close"))
    await asyncio.sleep(0)
    await server.line.close(3000, f"bad {KEY}")
    things.append(await ended)
    with pytest.raises(ConnectionClosed) as caught:
        await api.send("response.create")
    shown = everything_said(caplog, *things, caught.value)
    for key in SECRETS:
        assert key not in shown


@pytest.mark.parametrize("log_content", [False, True])
async def test_no_key_is_anywhere_when_connecting_fails(
    caplog: pytest.LogCaptureFixture, log_content: bool
) -> None:
    """Nor where a server or somebody's transport quotes what it was sent."""
    caplog.set_level(1)

    async def refuse(endpoint: Endpoint) -> Transport:
        raise ConnectFailed(
            f"refused {endpoint.headers}", url=endpoint.safe_url, body=f"bad {KEY}"
        )

    api = RealtimeAPI(url=URL, api_key=KEY, transport=refuse, log_content=log_content)
    with pytest.raises(ConnectFailed) as caught:
        await api.connect()
    assert KEY not in everything_said(caplog, api, caught.value)
