"""Every error, close and status of PROTOCOL.md section 5, from a server over sockets.

The section itself is read: a code or a status in it that nothing here shows is a
failure, and so is a word on "try again?" by which our own client does not go.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import ConnectionClosed as WebSocketClosed

from openai_realtime.core.outputs import Close
from openai_realtime.emulator.brains.action import Fail
from openai_realtime.emulator.faults import Fault, RefuseHandshake, parse_fault
from openai_realtime.emulator.ids import CountedIds
from openai_realtime.emulator.protocol import EmulatorProtocol
from openai_realtime.emulator.server import EmulatorServer, EmulatorSettings
from openai_realtime.errors import (
    ConfigurationError,
    ConnectFailed,
    ConnectionClosed,
)
from openai_realtime.transports import Endpoint
from openai_realtime.transports.websocket import connect

from .bare_client import FAST, KEY, Client, client_of, connected

PAGE = Path(__file__).parents[2] / "docs" / "PROTOCOL.md"

BETA = {**KEY, "OpenAI-Beta": "realtime=v1"}
OPENING = ("session.created", "conversation.created")

# What the server fails with, by itself or through its model; no table row of their own.
FAILURES = (
    "server_error",
    "insufficient_quota",
    "rate_limit_exceeded",
    "model_not_found",
)

_Test = TypeVar("_Test", bound=Callable[..., Any])

SHOWN: set[str] = set()
"""The codes, statuses and closes that there is a test of."""


def shows(*rows: str) -> Callable[[_Test], _Test]:
    """Say what a test shows."""
    SHOWN.update(rows)
    return lambda test: test


# --- the section ---


class Row(NamedTuple):
    """A row of one of the tables.

    Attributes:
        names: What stands in its first cell: codes, statuses or closes.
        again: What is said of trying again, where that is said.
    """

    names: tuple[str, ...]
    again: str


def section() -> str:
    """Return section 5."""
    text = PAGE.read_text(encoding="utf-8")
    return text.partition("\n## 5. ")[2].partition("\n## ")[0]


def rows() -> list[Row]:
    """Read both tables."""
    found: list[Row] = []
    for line in section().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] not in ("Code", "What"):
            again = cells[2] if len(cells) == 3 else ""
            found.append(Row(tuple(_names_in(cells[0])), again))
    return found


def _names_in(cell: str) -> Iterator[str]:
    if cell.startswith("HTTP"):
        yield from (
            f"HTTP {status}" for status in re.findall(r"\b\dxx|\b\d{3}\b", cell)
        )
    elif cell[0].isdigit():
        yield from re.findall(r"\b\d{4}\b", cell)
    elif cell.startswith("`"):
        yield from re.findall(r"`(\w+)`", cell)
    else:
        yield re.split(r",| at all", cell)[0]


def test_every_row_is_shown() -> None:
    """What the section says can go wrong, goes wrong in one of these tests."""
    named = {name for row in rows() for name in row.names}
    paragraph = re.search(r"^`server_error`.*?\n\n", section(), re.M | re.S)
    assert paragraph
    named.update(re.findall(r"`(\w+_\w+)`", paragraph[0]))
    assert len(rows()) > 20
    assert named == SHOWN


@pytest.mark.parametrize(
    "row", [row for row in rows() if row.again], ids=lambda row: row.names[0]
)
def test_the_client_tries_again_where_that_helps(row: Row) -> None:
    """What the client's exceptions say of it is what the table says."""
    expected = row.again.startswith("yes")
    for name in row.names:
        if name.isdigit():
            assert ConnectionClosed(int(name)).retryable is expected
        else:
            status = int(name[5:].replace("xx", "03")) if "HTTP" in name else None
            failed = ConnectFailed("", url="ws://127.0.0.1", status=status)
            assert failed.retryable is expected


# --- errors that a request meets ---


class Mistake(NamedTuple):
    """A request that is refused.

    Attributes:
        code: The code of the error.
        param: What it names.
        request: The request, or a text that is none.
        before: What has to have been asked before.
        until: The event of the server's up to which that takes.
    """

    code: str | None
    param: str | None
    request: Any
    before: tuple[Any, ...] = ()
    until: str = ""


def update(**session: Any) -> Any:
    """Write an update of the session."""
    return {"type": "session.update", "session": session}


def about(verb: str, item_id: str, **fields: Any) -> Any:
    """Write a request about an item."""
    return {"type": f"conversation.item.{verb}", "item_id": item_id, **fields}


def cut(item_id: str, audio_end_ms: int) -> Any:
    """Write a request to truncate."""
    return about("truncate", item_id, content_index=0, audio_end_ms=audio_end_ms)


def user(text: str) -> Any:
    """Write a message of the user, whose id is always the same."""
    content = [{"type": "input_text", "text": text}]
    item = {"id": "own", "type": "message", "role": "user", "content": content}
    return {"type": "conversation.item.create", "item": item}


RESPOND = {"type": "response.create"}
SPOKEN = (user("Hello"), RESPOND)
NONE_YET = {"type": "input_audio_buffer.commit"}

MISTAKES = {
    "not JSON": Mistake("invalid_event", None, "{"),
    "no object": Mistake("invalid_event", None, "[]"),
    "no such event": Mistake("invalid_value", "type", {"type": "no.such.event"}),
    "no such value": Mistake(
        "invalid_value",
        "session.audio.output.speed",
        update(type="realtime", audio={"output": {"speed": 9}}),
    ),
    "an id taken": Mistake("invalid_value", "item.id", user("Hi"), (user("Hi"),)),
    "too long a cut": Mistake(
        "invalid_value", "audio_end_ms", cut("$reply", 600_000), SPOKEN, "response.done"
    ),
    "no such field": Mistake(
        "unknown_parameter", "session.colour", update(type="realtime", colour="red")
    ),
    "no type": Mistake("missing_required_parameter", "session.type", update()),
    "another type": Mistake(
        "invalid_parameter", "session.type", update(type="transcription")
    ),
    "one runs": Mistake(
        "conversation_already_has_active_response",
        None,
        RESPOND,
        (user("Count slowly to 50"), RESPOND),
        "response.created",
    ),
    "none runs": Mistake(
        "response_cancel_not_active", None, {"type": "response.cancel"}
    ),
    "no audio": Mistake("input_audio_buffer_commit_empty", None, NONE_YET),
    "99 ms of audio": Mistake(
        "input_audio_buffer_commit_empty",
        None,
        NONE_YET,
        ({"type": "input_audio_buffer.append", "audio": "AAAA" * (48 * 99 // 3)},),
    ),
    "truncate nothing": Mistake(
        "item_truncate_invalid_item_id", "item_id", cut("none", 0)
    ),
    "delete nothing": Mistake("item_not_found", "item_id", about("delete", "none")),
    "behind nothing": Mistake(
        "item_not_found", "previous_item_id", {**user("Hi"), "previous_item_id": "none"}
    ),
    "retrieve nothing": Mistake(
        "item_retrieve_invalid_item_id", "item_id", about("retrieve", "none")
    ),
    "truncate a user": Mistake(None, None, cut("own", 0), (user("Hi"),)),
    "another voice": Mistake(
        "cannot_update_voice",
        "session.audio.output.voice",
        update(type="realtime", audio={"output": {"voice": "echo"}}),
        SPOKEN,
        "response.done",
    ),
}


@shows(*(mistake.code or "null" for mistake in MISTAKES.values()))
@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
async def test_a_request_is_refused(mistake: Mistake) -> None:
    """By one error with code, param and event_id, and the session goes on."""
    # One reply is to be running still, the others are to be over.
    pace = 1.0 if mistake.until == "response.created" else 0.0
    async with connected(EmulatorSettings(pace=pace)) as client:
        for request in mistake.before:
            await client.websocket.send(json.dumps(request))
        events = await client.until(mistake.until) if mistake.until else []
        replies = [e["item"]["id"] for e in events if "output_item" in e["type"]]
        await ask(client, mistake.request, replies[0] if replies else "")
        await client.send("session.update", session={"type": "realtime"})
        later = await client.until("session.updated")
    [error] = [event["error"] for event in later if event["type"] == "error"]
    assert error["type"] == "invalid_request_error"
    assert (error["code"], error["param"]) == (mistake.code, mistake.param)
    assert error["message"]
    assert error["event_id"] == ("mine" if isinstance(mistake.request, dict) else None)


async def ask(client: Client, request: Any, reply: str) -> None:
    """Send a request with an id of its own, and the reply's id where that stands."""
    if isinstance(request, dict):
        request = json.dumps({"event_id": "mine", **request}).replace("$reply", reply)
    await client.websocket.send(request)


# --- failures of the server's ---


class FailingBrain:
    """Fails always, in one way."""

    def __init__(self, failure: Fail) -> None:
        self.failure = failure

    def reply(self, prompt: Any) -> Iterator[Fail]:
        """Fail."""
        yield self.failure


@shows(*FAILURES)
@pytest.mark.parametrize("code", FAILURES)
async def test_a_response_fails(code: str) -> None:
    """What it failed with is in it, with no error besides; the next may be asked."""
    kind = "server_error" if code == "server_error" else "invalid_request_error"
    settings = EmulatorSettings(pace=0, brain=FailingBrain(Fail("No.", code, kind)))
    async with connected(settings) as client:
        for _ in range(2):
            await client.send("response.create")
            events = await client.until("response.done")
            response = events[-1]["response"]
            assert "error" not in [event["type"] for event in events]
            assert response["status"] == "failed"
            details = response["status_details"]
            assert details["error"]["type"] == kind
            assert details["error"]["code"] == code


@pytest.mark.parametrize("code", [*FAILURES, ""])
async def test_a_server_has_a_problem(code: str) -> None:
    """An error about no event of the client's, after which the session lives on."""
    fault = f"error '{code}' 'Sorry.' 'server_error' at 2"
    async with connected(EmulatorSettings(pace=0, faults=[fault])) as client:
        error = (await client.until("error"))[-1]["error"]
        assert (error["type"], error["event_id"]) == ("server_error", None)
        assert (error["code"] or "") == code
        await client.send("response.create")
        await client.until("response.done")


# --- the end of a connection ---


class Lost(NamedTuple):
    """How a connection has ended, as our own client sees it."""

    frames: list[Any]
    end: ConnectionClosed


async def lose(server: EmulatorServer, headers: dict[str, str] = KEY) -> Lost:
    """Connect, say nothing and listen to the end."""
    transport = await connect(Endpoint(server.url, headers=headers))
    frames: list[Any] = []
    try:
        while True:
            frames.append(json.loads(await transport.recv()))
    except ConnectionClosed as exc:
        return Lost(frames, exc)


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[EmulatorServer]:
    """Run a server."""
    async with EmulatorServer(EmulatorSettings(pace=0, **options)) as server:
        yield server


@shows("1000", "1011", "1012", "1013")
@pytest.mark.parametrize("code", [1000, 1011, 1012, 1013])
async def test_a_close_with_a_code(code: int) -> None:
    """Any of them, to order."""
    async with serving(faults=[f"close {code} 'so it is' at 2"]) as server:
        lost = await lose(server)
    assert [frame["type"] for frame in lost.frames] == ["session.created"]
    assert (lost.end.code, lost.end.reason) == (code, "so it is")


@shows("1006")
async def test_an_end_without_a_close() -> None:
    """To order, behind what was sent before."""
    async with serving(faults=["drop at 2"]) as server:
        lost = await lose(server)
    assert (len(lost.frames), lost.end.code) == (1, 1006)


@shows("1005")
async def test_a_close_without_a_code() -> None:
    """A client that closes with none is answered in kind."""
    async with (
        EmulatorServer(FAST) as server,
        connect_websocket(server.url, additional_headers=KEY) as websocket,
    ):
        await Client(websocket).until(OPENING[-1])
        websocket.protocol.send_close()
        websocket.transport.writelines(websocket.protocol.data_to_send())
        with pytest.raises(WebSocketClosed):
            await Client(websocket).receive()
        assert websocket.close_code == 1005


@shows("1015")
def test_a_close_that_nobody_sends() -> None:
    """1015 is what a client itself calls the failure of TLS; it cannot be ordered.

    No close frame has this code, nor 1005 or 1006 (RFC 6455, section 7.4.1).
    """
    for code in (1005, 1006, 1015):
        with pytest.raises(ConfigurationError, match="`drop`"):
            parse_fault(f"close {code}")


@shows("session_expired", "1001")
async def test_a_session_expires() -> None:
    """An error about nothing that the client did, and the close behind it."""
    async with serving(max_session_s=0.05) as server:
        lost = await lose(server)
    error = lost.frames[-1]["error"]
    assert (error["code"], error["param"]) == ("session_expired", None)
    assert error["event_id"] is None
    assert lost.end.code == 1001
    assert "maximum duration of 0.05 seconds" in lost.end.reason


def test_a_session_expires_after_an_hour() -> None:
    """In the words of the service."""
    protocol = EmulatorProtocol(ids=CountedIds())
    protocol.open(0.0)
    assert protocol.next_timeout() == 3600.0
    [error, close] = protocol.handle_timeout(now=3600.0)
    assert isinstance(close, Close)
    assert close.code == 1001
    assert "maximum duration of 60 minutes" in close.reason
    assert error.event.error.code == "session_expired"  # type: ignore[union-attr]


@shows("invalid_api_key", "3000")
async def test_a_wrong_key_is_told_of_behind_the_upgrade() -> None:
    """Where the server is set so: the error is in the place of `session.created`."""
    async with serving(keys=["sk-right"], wrong_key="event") as server:
        lost = await lose(server)
    check_refused(lost, "invalid_api_key", 3000)


@shows("beta_api_shape_disabled", "4000")
async def test_the_old_dialect_is_refused() -> None:
    """Where the server is set so, as the service does today."""
    async with serving(beta="refuse") as server:
        lost = await lose(server, BETA)
        check_refused(lost, "beta_api_shape_disabled", 4000)
        async with client_of(server) as client:
            assert (await client.receive())["type"] == "session.created"


def check_refused(lost: Lost, code: str, close: int) -> None:
    """Check that a client was turned away behind the upgrade."""
    [frame] = lost.frames
    assert frame["error"]["type"] == "invalid_request_error"
    assert frame["error"]["code"] == code
    assert lost.end.code == close
    assert lost.end.reason == f"invalid_request_error.{code}"


# --- there is no connection ---


@shows("HTTP 401")
async def test_a_wrong_key_is_not_let_in() -> None:
    """401 instead of the upgrade, with an error in the body."""
    async with serving(keys=["sk-right"]) as server:
        failed = await refused(server)
    assert (failed.status, failed.retryable) == (401, False)
    assert json.loads(failed.body)["error"]["code"] == "invalid_api_key"
    assert KEY["Authorization"].split()[1] not in failed.body


@shows("HTTP 429")
async def test_there_are_too_many() -> None:
    """429 for whoever comes while the house is full."""
    async with serving(max_sessions=1) as server, client_of(server) as client:
        await client.receive()
        failed = await refused(server)
    assert (failed.status, failed.retryable) == (429, True)


@shows("HTTP 403", "HTTP 5xx")
@pytest.mark.parametrize(
    ("status", "again"),
    [(403, False), (408, True), (425, True), (429, True), (500, True), (503, True)],
)
async def test_any_other_status(status: int, again: bool) -> None:
    """To order."""
    async with serving(faults=[Fault(RefuseHandshake(status))]) as server:
        failed = await refused(server)
    assert (failed.status, failed.retryable) == (status, again)


@shows("no answer")
async def test_there_is_nobody() -> None:
    """A server that has gone: no status, and worth another try."""
    async with serving() as server:
        url = server.url
    with pytest.raises(ConnectFailed) as caught:
        await connect(Endpoint(url, headers=KEY))
    assert (caught.value.status, caught.value.retryable) == (None, True)


async def refused(server: EmulatorServer) -> ConnectFailed:
    """Be turned away at the door."""
    with pytest.raises(ConnectFailed) as caught:
        await connect(Endpoint(server.url, headers=KEY))
    return caught.value
