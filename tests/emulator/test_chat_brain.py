"""The brain that asks a chat server, against a server that misbehaves on demand."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from openai_realtime.emulator.brains.action import (
    Action,
    Call,
    CallMcp,
    ContentFilter,
    Fail,
    Pause,
    Say,
    TokenLimit,
)
from openai_realtime.emulator.brains.chat import ChatBrain
from openai_realtime.emulator.brains.prompt import (
    McpOffer,
    Message,
    Prompt,
    ToolCall,
    ToolOutput,
)
from openai_realtime.emulator.sentences import SentenceCutter, sentences
from openai_realtime.errors import ConfigurationError
from openai_realtime.resources.tools import (
    ToolChoiceForced,
    ToolChoiceMcp,
    ToolDefinition,
)

from .chat_server import Answer, ChatServer, Exchange, chat_server
from .session_driver import SessionDriver

KEY = "sk-very-secret"
WEATHER = ToolDefinition(name="get_weather", parameters={"type": "object"})
OFFER = McpOffer("docs", ToolDefinition(name="find page", description="Finds."))
HELLO = Prompt(items=(Message("user", "Hello"),))
PATIENCE_S = 20.0


def made(actions: Iterator[Action]) -> Iterator[Action]:
    """Leave out the pauses, which are waited for."""
    for action in actions:
        if isinstance(action, Pause):
            threading.Event().wait(action.seconds)
        else:
            yield action


def reply(answer: Answer, prompt: Prompt = HELLO, **options: Any) -> list[Action]:
    """Ask a server that answers like this."""
    with chat_server(answer) as server:
        return list(made(ChatBrain(server.url, "tiny", **options).reply(prompt)))


def asked(prompt: Prompt) -> dict[str, Any]:
    """Return what the server is asked, given this prompt."""
    with chat_server(silent_end) as server:
        list(made(ChatBrain(server.url, "tiny").reply(prompt)))
        return server.exchanges[0].body


def silent_end(exchange: Exchange) -> None:
    """Answer with nothing."""
    exchange.head()
    exchange.done()


def calls(*fragments: dict[str, Any], finish: str = "tool_calls") -> Answer:
    """Answer with these fragments of calls, one in each event."""

    def answer(exchange: Exchange) -> None:
        exchange.head()
        for fragment in fragments:
            exchange.chunk(tool_calls=[fragment])
        exchange.chunk(finish_reason=finish)
        exchange.done()

    return answer


def fragment(index: int | None, arguments: str = "", **more: Any) -> dict[str, Any]:
    """Make a fragment of a call."""
    id, name = more.get("id"), more.get("name")
    function = {"arguments": arguments, **({"name": name} if name else {})}
    return {"index": index, "function": function, **({"id": id} if id else {})}


# --- what is asked ---


def test_the_conversation_becomes_a_chat() -> None:
    """Protects what the model knows: all roles, calls in a row, outputs behind them."""
    body = asked(
        Prompt(
            instructions="Be brief.",
            items=(
                Message("system", "It is Monday."),
                Message("user", "", unheard_s=1.5),
                Message("assistant", "One moment."),
                ToolCall("get_weather", '{"city": "Rome"}', "call_1"),
                ToolCall("find page", "{}", "call_2", server_label="docs"),
                ToolOutput("call_2", "page 7"),
                ToolOutput("call_1", "sunny"),
                ToolCall("get_weather", '{"city": "Oslo"}', "call_3"),
                ToolOutput("gone", "late"),
            ),
        )
    )
    assert body["model"] == "tiny"
    assert body["stream"] is True
    assert "tools" not in body
    roles = [message["role"] for message in body["messages"]]
    assert roles == [
        *("system", "system", "user", "assistant", "tool", "tool"),
        *("assistant", "tool", "system"),
    ]
    _, _, unheard, first, *outputs, second, pending, orphan = body["messages"]
    assert "1.5 seconds" in unheard["content"]
    assert first["content"] == "One moment."
    assert [call["id"] for call in first["tool_calls"]] == ["call_1", "call_2"]
    assert first["tool_calls"][1]["function"]["name"] == "docs__find_page"
    assert [output["content"] for output in outputs] == ["sunny", "page 7"]
    assert [call["id"] for call in second["tool_calls"]] == ["call_3"]
    assert pending["tool_call_id"] == "call_3"
    assert "late" in orphan["content"]


def test_images_are_shown_with_what_is_said_of_them() -> None:
    """Protects the user's pictures, with a text beside them or alone."""
    png = "data:image/png;base64,iVBORw0KGgo="
    said = {"type": "text", "text": "What is this?"}
    shown = {"type": "image_url", "image_url": {"url": png}}
    body = asked(
        Prompt(
            items=(
                Message("user", "What is this?", images=(png,)),
                Message("user", "", images=(png,)),
            )
        )
    )
    assert [message["content"] for message in body["messages"]] == [
        [said, shown],
        [shown],
    ]


def test_an_empty_conversation_is_still_a_chat() -> None:
    """Protects agents that speak first: a chat without messages is refused."""
    assert len(asked(Prompt())["messages"]) == 1


@pytest.mark.parametrize(
    ("choice", "names", "expected"),
    [
        ("auto", ["get_weather", "docs__find_page"], "auto"),
        ("none", ["get_weather", "docs__find_page"], "none"),
        ("required", ["get_weather", "docs__find_page"], "required"),
        (
            ToolChoiceForced(name="get_weather"),
            ["get_weather", "docs__find_page"],
            {"type": "function", "function": {"name": "get_weather"}},
        ),
        (ToolChoiceMcp(server_label="docs"), ["docs__find_page"], "required"),
        (
            ToolChoiceMcp(server_label="docs", name="find page"),
            ["docs__find_page"],
            {"type": "function", "function": {"name": "docs__find_page"}},
        ),
    ],
)
def test_tools_and_their_choice_are_passed_on(
    choice: Any, names: list[str], expected: Any
) -> None:
    """Protects forced calls, and tools of MCP servers, which a chat does not know."""
    body = asked(Prompt(tools=(WEATHER,), mcp_tools=(OFFER,), tool_choice=choice))
    assert [tool["function"]["name"] for tool in body["tools"]] == names
    assert body["tool_choice"] == expected


def test_the_key_is_sent_and_shown_nowhere() -> None:
    """Protects the key, also from a server that repeats it."""

    def answer(exchange: Exchange) -> None:
        exchange.head(401, "application/json")
        error = {"message": f"Incorrect API key: {KEY}"}
        exchange.write(json.dumps({"error": error}))

    with chat_server(answer) as server:
        brain = ChatBrain(server.url, "tiny", api_key=KEY)
        [action] = made(brain.reply(HELLO))
        assert server.exchanges[0].headers["authorization"] == f"Bearer {KEY}"
    assert isinstance(action, Fail)
    assert "HTTP 401: Incorrect API key: [key]" in action.message
    assert KEY not in repr(brain) + repr(brain.__dict__)


def test_names_of_tools_never_meet() -> None:
    """Protects from calling another tool than the one the model has chosen."""
    long = "x" * 80
    offers = (
        *(McpOffer("docs", ToolDefinition(name=name)) for name in ("a.b", "a_b")),
        *(McpOffer(label, ToolDefinition(name="find")) for label in ("m.n", "m_n")),
        *(McpOffer("docs", ToolDefinition(name=f"{long}{n}")) for n in range(3)),
        McpOffer("my", ToolDefinition(name="search")),
    )
    prompt = Prompt(
        tools=(ToolDefinition(name="my__search"),),
        mcp_tools=offers,
        items=(
            Message("user", "Search"),
            ToolCall("search", "{}", "call_1", server_label="my"),
            ToolCall("a b", "{}", "call_2", server_label="docs"),
        ),
        tool_choice=ToolChoiceMcp(server_label="docs", name="a_b"),
    )
    body = asked(dataclasses.replace(prompt, tool_choice="auto"))
    names = [tool["function"]["name"] for tool in body["tools"]]
    assert names == [
        *("my__search", "docs__a_b", "docs__a_b_2", "m_n__find", "m_n__find_2"),
        *(f"docs__{'x' * 58}", f"docs__{'x' * 56}_2", f"docs__{'x' * 56}_3"),
        "my__search_2",
    ]
    past = [call["function"]["name"] for call in body["messages"][1]["tool_calls"]]
    assert past == ["my__search_2", "docs__a_b_3"]
    assert asked(prompt)["tool_choice"]["function"]["name"] == "docs__a_b_2"
    answer = calls(fragment(0, "{}", id="a", name="docs__a_b_2"))
    assert reply(answer, prompt) == [CallMcp("docs", "a_b", "{}")]


def test_the_whole_address_is_taken_too() -> None:
    """Protects who copies the address of the endpoint, and who has no key."""
    with chat_server(silent_end) as server:
        list(made(ChatBrain(f"{server.url}/chat/completions", "m").reply(HELLO)))
        assert server.exchanges[0].path == "/v1/chat/completions"
        assert "authorization" not in server.exchanges[0].headers


# --- what comes back ---


def test_the_first_sentence_is_said_before_the_second_is_written() -> None:
    """Protects the time to the first audio."""
    more = threading.Event()

    def answer(exchange: Exchange) -> None:
        exchange.head()
        for text in ("Hel", "lo the", "re. How ", "are"):
            exchange.chunk(content=text)
        assert more.wait(PATIENCE_S)
        exchange.chunk(content=" you?", finish_reason="stop")
        exchange.done()

    with chat_server(answer) as server:
        actions = made(ChatBrain(server.url, "tiny").reply(HELLO))
        assert next(actions) == Say("Hello there. ", more=True)
        more.set()
        assert list(actions) == [Say("How are you?", more=True)]


def test_written_answers_come_as_they_are_made() -> None:
    """Protects responses in text from waiting for sentences."""

    def answer(exchange: Exchange) -> None:
        exchange.head()
        exchange.write(": a comment\n\nretry: 5\n\n")
        exchange.chunk(role="assistant", content="")
        exchange.chunk(content="One ", reasoning_content="thinks")
        exchange.chunk(content="two")
        exchange.write('data: {"choices": [], "usage": {"total_tokens": 3}}\n\n')
        exchange.chunk(finish_reason="stop")

    prompt = Prompt(items=HELLO.items, modality="text")
    assert reply(answer, prompt) == [Say("One ", more=True), Say("two", more=True)]


@pytest.mark.parametrize(
    ("fragments", "expected"),
    [
        (
            [
                fragment(0, id="a", name="get_weather"),
                fragment(1, '{"city', id="b", name="get_time"),
                fragment(0, '{"city": '),
                fragment(1, '": 1}'),
                fragment(0, '"Rome"}'),
            ],
            [Call("get_weather", '{"city": "Rome"}'), Call("get_time", '{"city": 1}')],
        ),
        (
            [fragment(0, "{}", id="a", name="x"), fragment(0, "[]", id="b", name="y")],
            [Call("x", "{}"), Call("y", "[]")],
        ),
        (
            [
                fragment(None, '{"a"', id="a", name="x"),
                fragment(None, ": 1}", name="x"),
                fragment(None, id="b", name="y"),
            ],
            [Call("x", '{"a": 1}'), Call("y", "{}")],
        ),
        (
            [fragment(0, '{"q": 1}', id="a", name="docs__find_page")],
            [CallMcp("docs", "find page", '{"q": 1}')],
        ),
        (
            [{"index": 0, "id": "a", "function": {"name": "x", "arguments": {"é": 1}}}],
            [Call("x", '{"é":1}')],
        ),
    ],
    ids=["interleaved", "all numbered 0", "without numbers", "mcp", "whole"],
)
def test_fragments_are_joined_to_calls(
    fragments: list[dict[str, Any]], expected: list[Action]
) -> None:
    """Protects parallel calls, as the various servers stream them."""
    prompt = Prompt(tools=(WEATHER,), mcp_tools=(OFFER,))
    assert reply(calls(*fragments), prompt) == expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("length", TokenLimit()), ("content_filter", ContentFilter())],
)
def test_an_answer_that_was_cut_off_is_incomplete(
    reason: str, expected: Action
) -> None:
    """Protects from running a call whose arguments are torn."""

    def answer(exchange: Exchange) -> None:
        exchange.head()
        exchange.chunk(content="I was")
        exchange.chunk(tool_calls=[fragment(0, '{"ci', id="a", name="get_weather")])
        exchange.chunk(finish_reason=reason)

    assert reply(answer) == [Say("I was", more=True), expected]


def test_a_chunk_may_hold_nothing_new() -> None:
    """Protects the answers of servers whose last chunk has a null there."""

    def answer(exchange: Exchange) -> None:
        exchange.head()
        exchange.chunk(content="Yes")
        exchange.write(
            'data: {"choices": [{"delta": null, "finish_reason": "stop"}]}\n\n'
        )

    assert reply(answer) == [Say("Yes", more=True)]


# --- trouble ---


def refuse(status: int, body: str, kind: str = "application/json") -> Answer:
    """Answer with an error."""

    def answer(exchange: Exchange) -> None:
        exchange.head(status, kind)
        exchange.write(body)

    return answer


def stream(*pieces: str | bytes) -> Answer:
    """Answer with a stream of just these bytes."""

    def answer(exchange: Exchange) -> None:
        exchange.head()
        for piece in pieces:
            exchange.write(piece)

    return answer


@pytest.mark.parametrize(
    ("answer", "words", "code"),
    [
        (
            refuse(429, '{"error": {"message": "slow down"}}'),
            "HTTP 429: slow down",
            "rate_limit_exceeded",
        ),
        (refuse(404, '{"error": "no model tiny"}'), "HTTP 404: no model tiny", None),
        (refuse(500, "<h1>Oops</h1>"), "HTTP 500: '<h1>Oops</h1>'", None),
        (refuse(503, ""), "HTTP 503", None),
        (refuse(200, '{"choices": []}'), "application/json", None),
        (stream("data: {nonsense\n\n"), "no completion: '{nonsense'", None),
        (stream('data: {"choices": 7}\n\n'), "no completion", None),
        (stream('data: {"error": {"message": "GPU"}}\n\n'), "broke off: GPU", None),
        (stream("event: x\ndata: \xff\n\n".encode("latin-1")), "no completion", None),
        (stream(""), "ended its answer in the middle", None),
        (stream("data: " + "[" * 200_000 + "\n\n"), "no completion", None),
    ],
)
def test_what_goes_wrong_outside_fails_the_response(
    answer: Answer, words: str, code: str | None
) -> None:
    """Protects the session: the client is told, and nothing is raised."""
    [action] = reply(answer)
    assert isinstance(action, Fail)
    assert words in action.message
    assert action.code == (code or "chat_server_failed")


@pytest.mark.parametrize(
    ("fragments", "words"),
    [
        (
            [fragment(n, id=f"call_{n}", name="f") for n in range(129)],
            "more than 128 calls",
        ),
        (
            [fragment(0, "x" * 600_000, id="a", name="f") for _ in range(2)],
            "does not end the arguments",
        ),
    ],
    ids=["calls", "arguments"],
)
def test_calls_without_end_fail_the_response(
    fragments: list[dict[str, Any]], words: str
) -> None:
    """Protects the memory, and the other sessions."""
    [action] = reply(calls(*fragments))
    assert isinstance(action, Fail)
    assert words in action.message


def test_what_was_said_before_a_break_is_kept() -> None:
    """Protects the beginning of an answer whose connection is lost."""

    def answer(exchange: Exchange) -> None:
        exchange.head()
        exchange.chunk(content="Well. And")

    said, failed = reply(answer)
    assert said == Say("Well. ", more=True)
    assert isinstance(failed, Fail)


def test_a_silent_server_is_given_up() -> None:
    """Protects from waiting forever."""
    [action] = reply(Exchange.wait_for_close, timeout_s=0.05)
    assert isinstance(action, Fail)
    assert "silent for 0.05 s" in action.message


def test_a_server_that_is_not_there_is_named() -> None:
    """Protects who has not started it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    [action] = made(ChatBrain(url, "tiny").reply(HELLO))
    assert isinstance(action, Fail)
    assert f"{url} cannot be reached" in action.message


@pytest.mark.parametrize("begun", [False, True], ids=["no answer yet", "streaming"])
def test_closing_the_reply_closes_the_request(begun: bool) -> None:
    """Protects the server's time: what nobody wants is not computed any further."""
    arrived = threading.Event()

    def answer(exchange: Exchange) -> None:
        if begun:
            exchange.head()
            exchange.chunk(content="Once upon a time. There")
        arrived.set()
        exchange.wait_for_close()

    with chat_server(answer) as server:
        actions: Any = ChatBrain(server.url, "tiny").reply(HELLO)
        if begun:
            assert next(made(actions)) == Say("Once upon a time. ", more=True)
        else:
            assert isinstance(next(actions), Pause)
            assert arrived.wait(PATIENCE_S)
        actions.close()
        assert server.exchanges[0].closed_by_client.wait(PATIENCE_S)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url": "localhost:11434"}, "no URL of a chat server"),
        ({"url": "ftp://host/v1"}, "http://localhost:11434/v1"),
        ({"url": "http://me:pass@host/v1"}, "must not hold a password"),
        ({"url": "htp://me:pass@host:x/v1"}, "must not hold a password"),
        ({"url": "me:pass@host/v1"}, "must not hold a password"),
        ({"url": "http://host/v1?api-key=sk-1"}, "given as api_key"),
        ({"url": "http://host/v1#sk-1"}, "a query or a fragment"),
        ({"url": "localhost:1?key=sk-1"}, "a query or a fragment"),
        ({"model": " "}, "has no name"),
        ({"api_key": "sk-\n1"}, "no header can carry"),
        ({"timeout_s": 0.0}, "timeout_s cannot be 0.0"),
        ({"timeout_s": float("nan")}, "timeout_s cannot be nan"),
    ],
)
def test_impossible_settings_are_refused(options: dict[str, Any], words: str) -> None:
    """Protects from finding out in the first reply; no secret is in the message."""
    settings: dict[str, Any] = {"url": "http://host/v1", "model": "m", **options}
    with pytest.raises(ConfigurationError, match=words) as caught:
        ChatBrain(**settings)
    assert "pass@" not in str(caught.value)
    assert "sk-" not in str(caught.value)


def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Protects who installed without extras."""
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ConfigurationError, match=r"openai-realtime\[chat\]"):
        ChatBrain("http://host/v1", "m")


# --- many replies ---


def test_certificates_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects the event loop's processor: they are not read for every reply."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with chat_server(calls(fragment(0, id="a", name="f")), tls) as server:
        brain = ChatBrain(server.url, "tiny")
        trusted.unlink()
        for _ in range(2):
            assert list(made(brain.reply(HELLO))) == [Call("f", "{}")]


def arrive(server: ChatServer, count: int, replies: list[Any]) -> None:
    """Ask for replies that have nothing to say, until so many requests are there."""
    end = time.monotonic() + PATIENCE_S
    while len(server.exchanges) < count:
        assert time.monotonic() < end, f"{len(server.exchanges)} of {count} requests"
        for actions in replies:
            assert isinstance(next(actions), Pause)
        threading.Event().wait(0.01)


def test_replies_wait_for_their_turn() -> None:
    """Protects the chat server, and this one from thousands of threads."""
    with chat_server(Exchange.wait_for_close) as server:
        brain = ChatBrain(server.url, "tiny")
        running: list[Any] = [brain.reply(HELLO) for _ in range(64)]
        for actions in running:
            assert isinstance(next(actions), Pause)
        waiting: list[Any] = [brain.reply(HELLO) for _ in range(3)]
        for actions in waiting:
            assert isinstance(next(actions), Pause)
        arrive(server, 64, running)
        # One gives up before its turn, and one reply that is over makes room.
        waiting.pop().close()
        running.pop().close()
        arrive(server, 65, waiting)
        for actions in [*running, *waiting]:
            actions.close()
        assert len(server.exchanges) == 65


# --- in a session ---


def run(session: SessionDriver, until: str) -> list[Any]:
    """Let virtual time pass, and the world outside keep up with it."""
    came: list[Any] = []
    while until not in session.names:
        came += session.run(0.1, until=until)
        threading.Event().wait(0.002)
    return came


def test_a_session_speaks_what_the_chat_server_writes() -> None:
    """Protects the whole way: one message, its transcript whole, its call behind it."""

    def answer(exchange: Exchange) -> None:
        exchange.head()
        exchange.chunk(content="Let me see. It is ")
        exchange.chunk(content="soon told.")
        exchange.chunk(tool_calls=[fragment(0, "{}", id="a", name="get_weather")])
        exchange.chunk(finish_reason="tool_calls")
        exchange.done()

    with chat_server(answer) as server:
        session = SessionDriver(brain=ChatBrain(server.url, "tiny"), pace=5.0)
        session.say("What is the weather?")
        session.send("response.create")
        run(session, "response.done")
    done = next(event for event in session.events if event.type == "response.done")
    assert done.response.status == "completed"
    message, call = done.response.output
    assert message.content[0].transcript == "Let me see. It is soon told."
    assert (call.name, call.arguments) == ("get_weather", "{}")


def test_cancelling_a_response_closes_the_request() -> None:
    """Protects barge-in: the model stops writing when the user interrupts."""

    def answer(exchange: Exchange) -> None:
        exchange.head()
        exchange.chunk(content="Once upon a time. There was")
        exchange.wait_for_close()

    with chat_server(answer) as server:
        session = SessionDriver(brain=ChatBrain(server.url, "tiny"), pace=5.0)
        session.say("Tell me a story.")
        session.send("response.create")
        run(session, "response.output_audio.delta")
        session.send("response.cancel")
        assert server.exchanges[0].closed_by_client.wait(PATIENCE_S)
    done = session.events[-2]
    assert (done.type, done.response.status) == ("response.done", "cancelled")
    assert session.failures == []


async def test_a_failing_server_fails_the_response_only() -> None:
    """Protects the session, which goes on with the next response."""
    answers: list[Answer] = [refuse(429, '{"error": {"message": "slow"}}'), silent_end]

    def both(server: ChatServer) -> list[str]:
        session = SessionDriver(brain=ChatBrain(server.url, "tiny"), pace=0.0)
        statuses: list[str] = []
        for _ in range(2):
            session.events.clear()
            session.send("response.create")
            run(session, "response.done")
            done = [event for event in session.events if event.type == "response.done"]
            statuses.append(done[0].response.status)
        return statuses

    with chat_server(lambda exchange: answers.pop(0)(exchange)) as server:
        statuses = await asyncio.to_thread(both, server)
    assert statuses == ["failed", "completed"]


# --- sentences ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Yes", ["Yes"]),
        ("One. Two! Three?", ["One. ", "Two! ", "Three?"]),
        ("It costs 3.14 at example.com now.", ["It costs 3.14 at example.com now."]),
        ("Ask Dr. Who. He knows.", ["Ask Dr. Who. ", "He knows."]),
        ("1. Eggs\n2. Milk", ["1. Eggs\n", "2. Milk"]),
        ('"Stop!" he said.', ['"Stop!" ', "he said."]),
        (" " * 300 + "Hi.", [" " * 300 + "Hi."]),
        ("  \n Hi. There", ["  \n Hi. ", "There"]),
        ("你好。再见！", ["你好。", "再见！"]),  # noqa: RUF001
    ],
)
def test_text_is_cut_into_sentences(text: str, expected: list[str]) -> None:
    """Protects the pauses of speech: numbers, names and titles are not torn."""
    assert sentences(text) == expected


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_nothing_is_lost_and_nothing_grows(size: int) -> None:
    """Protects text without an end, however it comes."""
    text = "word " * 200 + "x" * 900 + " Done. Bye"
    cutter = SentenceCutter()
    parts: list[str] = []
    for start in range(0, len(text), size):
        parts += cutter.push(text[start : start + size])
    parts += cutter.flush()
    assert "".join(parts) == text
    assert max(map(len, parts)) <= 240
