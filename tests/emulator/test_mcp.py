"""MCP servers: import, calls, approvals (PROTOCOL.md sections 3.4 and 6.4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_realtime.emulator.brains.action import CallMcp, Say
from openai_realtime.emulator.mcp.server import McpServer, McpServers, McpServerTool
from openai_realtime.resources.items import McpHttpError

from .event_order import check_order
from .planned_brain import PlannedBrain
from .session_driver import SessionDriver

TEXT = {"output_modalities": ["text"]}
IMPORTED = [
    "mcp_list_tools.in_progress",
    "conversation.item.added",
    "conversation.item.done",
    "mcp_list_tools.completed",
]


def mcp(label: str = "docs", **fields: Any) -> dict[str, Any]:
    """Make the tool of a session that is an MCP server, asking for no approval."""
    return {
        "type": "mcp",
        "server_label": label,
        "server_url": "https://docs.example/mcp",
        "require_approval": "never",
        **fields,
    }


def connected(*tools: Any, brain: Any = None, **options: Any) -> SessionDriver:
    """Open a session that has imported its servers."""
    driver = SessionDriver(brain=brain, **options)
    driver.update(tools=list(tools) or [mcp()])
    driver.run()
    return driver


def types(events: list[Any]) -> list[str]:
    """Return the types, with runs of one type (deltas) as one."""
    names = [event.type for event in events]
    return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


def output_of(events: list[Any]) -> list[Any]:
    """Return the items of the response that has ended."""
    [done] = [event for event in events if event.type == "response.done"]
    assert done.response.status == "completed"
    items: list[Any] = done.response.output
    return items


def listed(driver: SessionDriver) -> list[str]:
    """Return the names of the tools that the last import has shown."""
    items = [
        event.item
        for event in driver.events
        if event.type == "conversation.item.done"
        and event.item.type == "mcp_list_tools"
    ]
    return [tool.name for tool in items[-1].tools]


# --- imports ---


def test_the_tools_are_imported() -> None:
    """Behind `session.updated`, as an item that shows what there is."""
    driver = SessionDriver()
    [updated] = driver.update(tools=[mcp()])
    assert updated.session.to_dict()["tools"][0]["server_label"] == "docs"
    came = driver.run()
    assert types(came) == IMPORTED
    begun, added, done, completed = came
    assert begun.item_id == added.item.id == done.item.id == completed.item_id
    assert added.item.to_dict()["tools"] == []
    item = done.item.to_dict()
    assert (item["type"], item["server_label"]) == ("mcp_list_tools", "docs")
    search = item["tools"][0]
    assert search["name"] == "search"
    assert search["input_schema"]["required"] == ["query"]
    assert search["annotations"] == {"readOnlyHint": True}
    [event] = driver.send("conversation.item.retrieve", item_id=item["id"])
    assert event.item == done.item
    check_order(driver.events)


def test_each_server_is_imported_once() -> None:
    """Other updates leave it alone; its label is enough then, a new address is new."""
    driver = connected()
    before = len(driver.events)
    driver.update(instructions="Be brief.")
    driver.update(tools=[mcp()])
    driver.update(tools=[{"type": "mcp", "server_label": "docs"}])
    driver.say("Hello")
    driver.respond(tools=[{"type": "mcp", "server_label": "docs"}])
    assert "mcp_list_tools.in_progress" not in driver.names[before:]
    driver.update(tools=[mcp(), mcp("wiki", server_url="https://wiki.example/")])
    assert types(driver.run()) == IMPORTED
    driver.update(tools=[mcp(server_url="https://elsewhere.example/")])
    assert types(driver.run()) == IMPORTED
    check_order(driver.events)


def test_a_session_may_begin_with_a_server() -> None:
    """What it is bound to is imported as well, and what a response brings along."""
    driver = SessionDriver(config={"tools": [mcp()]})
    assert types(driver.run()) == IMPORTED
    driver.say("Hello")
    driver.send("response.create", response={"tools": [mcp("wiki")]})
    driver.run()
    assert driver.names.count("mcp_list_tools.completed") == 2
    check_order(driver.events)


def test_a_server_that_is_not_there_fails() -> None:
    """By its own event; the session goes on, and nothing of the server is offered."""
    driver = SessionDriver()
    gone = mcp(server_url="https://docs.invalid/mcp")
    driver.update(tools=[gone])
    came = driver.run()
    assert types(came) == [*IMPORTED[:3], "mcp_list_tools.failed"]
    assert came[2].item.to_dict()["tools"] == []
    driver.say("Use the tool search")
    [message] = output_of(driver.respond(tool_choice="required"))
    assert message.type == "message"
    # A response does not try again; who names the tools once more does.
    driver.update(instructions="Be brief.")
    assert driver.run() == []
    driver.update(tools=[gone])
    assert types(driver.run())[-1] == "mcp_list_tools.failed"
    frame = {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "tools": [{"type": "mcp", "server_label": "docs"}],
        },
    }
    driver.assert_refused(
        "missing_required_parameter", "session.tools[0].server_url", frame
    )
    driver.update(tools=[mcp()])
    assert types(driver.run()) == IMPORTED
    check_order(driver.events)


def test_a_list_of_tools_may_be_deleted_while_it_is_imported() -> None:
    """The import ends all the same, without its item."""
    driver = SessionDriver()
    driver.update(tools=[mcp()])
    begun, _ = driver.run(0.0)
    driver.send("conversation.item.delete", item_id=begun.item_id)
    assert types(driver.run()) == ["mcp_list_tools.completed"]


@pytest.mark.parametrize(
    ("allowed", "names"),
    [
        (None, ["search", "add", "remember", "always_fails"]),
        (["add", "search"], ["search", "add"]),
        ({"tool_names": ["remember"]}, ["remember"]),
        ({"read_only": True}, ["search", "add"]),
        ({"read_only": True, "tool_names": ["add", "remember"]}, ["add"]),
        ([], []),
    ],
)
def test_only_allowed_tools_are_there(allowed: Any, names: list[str]) -> None:
    """Listed and offered, by name or by whether they change anything."""
    driver = connected(mcp(allowed_tools=allowed), brain=(brain := PlannedBrain()))
    assert listed(driver) == names
    driver.respond()
    [prompt] = brain.prompts
    assert [offer.tool.name for offer in prompt.mcp_tools] == names


def two(**fields: Any) -> list[Any]:
    """Make two servers of one label."""
    return [mcp(), mcp(**fields)]


@pytest.mark.parametrize(
    ("tools", "code", "param"),
    [
        (two(), "invalid_value", "[1].server_label"),
        ([mcp(server_url=None)], "missing_required_parameter", "[0].server_url"),
        ([mcp(server_label="")], "missing_required_parameter", "[0].server_label"),
        ([mcp(connector_id="connector_gmail")], "invalid_value", "[0].connector_id"),
        ([mcp(server_url="ftp://x")], "invalid_value", "[0].server_url"),
        ([mcp(server_url="http://[abc")], "invalid_value", "[0].server_url"),
        (
            [mcp(server_url="https://exa\u2100mple.com/")],
            "invalid_value",
            "[0].server_url",
        ),
        ([mcp(server_url="http://:80/")], "invalid_value", "[0].server_url"),
        (
            [mcp(authorization="k", headers={"AUTHORIZATION": "k"})],
            "invalid_value",
            "[0].headers",
        ),
        ([mcp(require_approval="perhaps")], "invalid_value", "[0].require_approval"),
        ([mcp(colour="red")], "unknown_parameter", "[0].colour"),
    ],
)
def test_what_cannot_be_imported_is_refused(tools: Any, code: str, param: str) -> None:
    """For the session and for one response, in the same words."""
    driver = SessionDriver()
    for event, root, own in (
        ("session.update", "session", {"type": "realtime"}),
        ("response.create", "response", {}),
    ):
        frame = {"type": event, root: {**own, "tools": tools}}
        driver.assert_refused(code, f"{root}.tools{param}", frame)
    assert driver.run() == []


# --- calls ---

CALLED = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.mcp_call_arguments.delta",
    "response.mcp_call_arguments.done",
    "response.mcp_call.in_progress",
    "response.mcp_call.completed",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
    "rate_limits.updated",
]


def test_a_call_runs_inside_its_response() -> None:
    """Arguments, phases, result; then the client asks for the talk."""
    driver = connected()
    driver.say("Use the tool add for 17 and 25")
    events = driver.respond()
    assert types(events) == CALLED
    [call] = output_of(events)
    assert (call.server_label, call.name, call.output) == ("docs", "add", "42")
    assert json.loads(call.arguments) == {"a": 17, "b": 25}
    assert call.to_dict()["error"] is None
    assert call.approval_request_id is None
    phases = [e for e in events if e.type.startswith("response.mcp_call.")]
    assert {(e.item_id, e.output_index) for e in phases} == {(call.id, 0)}
    added = next(e for e in events if e.type == "response.output_item.added").item
    assert (added.arguments, added.to_dict()["output"]) == ("", None)
    assert driver.run() == []
    [message] = output_of(driver.respond(**TEXT))
    assert "42" in message.content[0].text
    check_order(driver.events)


def test_a_call_that_fails_says_why() -> None:
    """The response is completed: it is the call that has failed, and can be told."""
    driver = connected()
    driver.say("Use always fails")
    events = driver.respond()
    assert types(events) == [
        name.replace("call.completed", "call.failed") for name in CALLED
    ]
    [call] = output_of(events)
    assert call.to_dict()["output"] is None
    error = call.error.to_dict()
    assert error["type"] == "tool_execution_error"
    assert error["message"]
    [message] = output_of(driver.respond(**TEXT))
    assert "call failed" in message.content[0].text


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (CallMcp("docs", "fly"), "protocol_error"),
        (CallMcp("docs", "add", "no json"), "protocol_error"),
        (CallMcp("docs", "add", "[]"), "protocol_error"),
        (CallMcp("docs", "add", {"a": "x"}), "tool_execution_error"),
        (CallMcp("moon", "add", {"a": 1, "b": 2}), "protocol_error"),
        (
            CallMcp("docs", "add", error=McpHttpError(code=503, message="Down")),
            "http_error",
        ),
    ],
)
def test_every_kind_of_error(action: CallMcp, error: str) -> None:
    """Unknown tools and servers, arguments that do not fit, a server that is down."""
    driver = connected(brain=PlannedBrain(action))
    driver.say("Go")
    [call] = output_of(driver.respond())
    assert call.error.type == error
    assert "response.mcp_call.failed" in driver.names
    check_order(driver.events)


def test_a_described_server_answers_as_described() -> None:
    """Its tools instead of those that every server has."""
    clock = McpServerTool(name="clock", description="Tells the time.", output="12:00")
    servers = McpServers([McpServer("docs", (clock,))])
    driver = connected(mcp_servers=servers)
    assert listed(driver) == ["clock"]
    driver.say("What says the clock?")
    [call] = output_of(driver.respond())
    assert call.output == "12:00"


@pytest.mark.parametrize("name", ["add", None])
def test_a_forced_server_is_used(name: str | None) -> None:
    """One of its tools, or that one."""
    driver = connected(mcp("other"), mcp("docs"))
    driver.say("Hello")
    choice = {"type": "mcp", "server_label": "docs"} | ({"name": name} if name else {})
    [call] = output_of(driver.respond(tool_choice=choice))
    assert (call.server_label, call.name) == ("docs", name or "search")


@pytest.mark.parametrize("phase", ["arguments", "call"])
def test_a_cancelled_call_is_closed(phase: str) -> None:
    """While its arguments are written, and while it runs."""
    action = CallMcp("docs", "search", {"query": "x" * 60})
    driver = connected(brain=PlannedBrain(action))
    driver.say("Go")
    driver.send("response.create")
    if phase == "arguments":
        driver.run(0.05)
    else:
        driver.run(until="response.mcp_call.in_progress")
    events = driver.send("response.cancel")
    first = events[0].type
    assert first == (
        "response.mcp_call_arguments.done"
        if phase == "arguments"
        else "response.mcp_call.failed"
    )
    [call] = events[-2].response.output
    assert events[-2].response.status == "cancelled"
    assert (call.error is not None) == (phase == "call")
    assert driver.run() == []
    check_order(driver.events)


# --- approvals ---


def asked(**fields: Any) -> tuple[SessionDriver, Any]:
    """Have a session ask for the approval of a call, and return the request."""
    driver = connected(mcp(**{"require_approval": "always", **fields}))
    driver.say("Use the tool add for 17 and 25")
    events = driver.respond()
    assert types(events) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
        "rate_limits.updated",
    ]
    [request] = output_of(events)
    assert request.type == "mcp_approval_request"
    assert (request.server_label, request.name) == ("docs", "add")
    assert json.loads(request.arguments) == {"a": 17, "b": 25}
    assert driver.run() == []
    return driver, request


def answer(request: Any, approve: bool, **fields: Any) -> dict[str, Any]:
    """Make the event that answers a request."""
    item = {
        "type": "mcp_approval_response",
        "id": "answer_1",
        "approval_request_id": request.id,
        "approve": approve,
        **fields,
    }
    return {"type": "conversation.item.create", "item": item}


def test_an_approved_call_runs() -> None:
    """Outside of any response, as an item that names the request."""
    driver, request = asked()
    added, done = driver.send(**answer(request, True))
    assert added.item.id == done.item.id == "answer_1"
    came = driver.run()
    assert types(came) == [
        "conversation.item.added",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "conversation.item.done",
    ]
    call = came[-1].item
    assert (call.output, call.approval_request_id) == ("42", request.id)
    assert {came[1].item_id, came[2].item_id} == {call.id}
    [message] = output_of(driver.respond(**TEXT))
    assert message.content[0].text == "Add: 42."
    check_order(driver.events)


def test_a_call_that_is_not_approved_does_not_run() -> None:
    """The brain is told, with the reason."""
    driver, request = asked()
    driver.send(**answer(request, False, reason="too dear"))
    assert driver.run() == []
    [message] = output_of(driver.respond(**TEXT))
    assert "not approved: too dear" in message.content[0].text
    check_order(driver.events)


def test_an_answer_without_an_id_gets_one() -> None:
    """The schema asks for it, and a widely used client sends none."""
    driver, request = asked()
    frame = answer(request, True)
    del frame["item"]["id"]
    assert driver.send(**frame)[0].item.id.startswith("item_")
    assert driver.run()[-1].item.output == "42"


def test_a_request_is_answered_once() -> None:
    """A second answer, and one to what was never asked, change nothing."""
    driver, request = asked()
    driver.send(**answer(request, False))
    param = "item.approval_request_id"
    again = answer(request, True, id="answer_2")
    driver.assert_refused("item_not_found", param, again)
    never = answer(request, True, approval_request_id="item_1")
    driver.assert_refused("item_not_found", param, never)
    assert driver.run() == []


def test_an_answer_that_cannot_be_put_in_leaves_the_request_open() -> None:
    """A duplicate id is refused, and the next try counts."""
    driver, request = asked()
    taken = driver.say("Hm")
    frame = answer(request, True, id=taken)
    driver.assert_refused("invalid_value", "item.id", frame)
    driver.send(**answer(request, True))
    assert driver.run()[-1].item.output == "42"


@pytest.mark.parametrize(
    ("approval", "needed"),
    [
        (None, True),
        ("always", True),
        ("never", False),
        ({"never": {"tool_names": ["add"]}}, False),
        ({"never": {"tool_names": ["search"]}}, True),
        ({"never": {"read_only": True}}, False),
        ({"always": {"tool_names": ["add"]}, "never": {"read_only": True}}, True),
    ],
)
def test_what_needs_approval(approval: Any, needed: bool) -> None:
    """All calls by default; filters may except some, and `always` goes before."""
    driver = connected(mcp(require_approval=approval))
    driver.say("Use the tool add for 1 and 2")
    [item] = output_of(driver.respond())
    assert (item.type == "mcp_approval_request") == needed


def test_calls_talk_and_requests_in_one_response() -> None:
    """Each an item of its own, in order."""
    brain = PlannedBrain(
        Say("Let me see."),
        CallMcp("docs", "add", {"a": 1, "b": 2}),
        CallMcp("safe", "add", {"a": 3, "b": 4}),
    )
    safe = mcp("safe", require_approval="always")
    driver = connected(mcp(), safe, brain=brain)
    driver.say("Go")
    items = output_of(driver.respond())
    assert [item.type for item in items] == [
        "message",
        "mcp_call",
        "mcp_approval_request",
    ]
    driver.send(**answer(items[2], True))
    call = driver.run()[-1].item
    assert call.output == "7"
    phases = [e for e in driver.events if e.type == "response.mcp_call.completed"]
    assert [event.output_index for event in phases] == [1, 2]
    check_order(driver.events)


def test_a_deleted_request_cannot_be_answered() -> None:
    """Nobody can see any more what would be approved."""
    driver, request = asked()
    driver.send("conversation.item.delete", item_id=request.id)
    driver.assert_refused(
        "item_not_found", "item.approval_request_id", answer(request, True)
    )
    assert driver.run() == []


def test_a_request_that_is_deleted_at_once_is_never_asked() -> None:
    """Between its first event and its last."""
    driver = connected(mcp(require_approval="always"), pace=0)
    driver.say("Use the tool add for 17 and 25")
    driver.send("response.create")
    [opened] = [
        event
        for event in driver.run(until="conversation.item.added")
        if event.type == "response.output_item.added"
    ]
    driver.send("conversation.item.delete", item_id=opened.item.id)
    driver.run()
    driver.assert_refused(
        "item_not_found", "item.approval_request_id", answer(opened.item, True)
    )


def test_open_requests_are_bounded(monkeypatch: Any) -> None:
    """Those that came first wait no longer; out of band nobody could delete them."""
    monkeypatch.setattr("openai_realtime.emulator.mcp.connections._MOST_ASKED", 2)
    driver = connected(mcp(require_approval="always"), pace=0)
    driver.say("Use the tool add for 17 and 25")
    requests = [output_of(driver.respond(conversation="none"))[0] for _ in range(3)]
    driver.assert_refused(
        "item_not_found", "item.approval_request_id", answer(requests[0], True)
    )
    driver.send(**answer(requests[1], True))
    assert driver.run()[-1].item.output == "42"


def test_imports_are_bounded(monkeypatch: Any) -> None:
    """The servers that came first have to be described anew."""
    monkeypatch.setattr("openai_realtime.emulator.mcp.connections._MOST_IMPORTS", 2)
    driver = SessionDriver()
    for label in ("a", "b", "c"):
        driver.update(tools=[mcp(label)])
        driver.run()
    for label, known in (("a", False), ("c", True)):
        named = {"type": "mcp", "server_label": label}
        [event] = driver.update(tools=[named])
        assert (event.type == "session.updated") == known


def test_an_import_out_of_band_is_not_in_the_conversation() -> None:
    """It is told of, and its tools can be called, but there is no item."""
    driver = SessionDriver()
    driver.say("Use the tool add for 17 and 25")
    before = list(driver.order.history)
    driver.respond(conversation="none", tools=[mcp()], **TEXT)
    driver.run()
    imports = [name for name in driver.names if name.startswith("mcp_list_tools")]
    assert imports == ["mcp_list_tools.in_progress", "mcp_list_tools.completed"]
    assert driver.order.history == before
    [call] = output_of(driver.respond(conversation="none", tools=[mcp()], **TEXT))
    assert call.output == "42"
    assert driver.order.history == before
    # The session has not seen it yet.
    driver.update(tools=[{"type": "mcp", "server_label": "docs"}])
    assert types(driver.run()) == IMPORTED


def test_credentials_are_not_shown() -> None:
    """What a server is let in with is for nobody who reads along."""
    driver = SessionDriver()
    tools = [
        mcp("one", authorization="SECRET"),
        mcp("two", headers={"Authorization": "SECRET"}),
        {"type": "function", "name": "headers", "parameters": {}},
    ]
    [updated] = driver.update(tools=tools)
    shown = updated.to_dict()["session"]["tools"]
    assert shown[0] == mcp("one")
    assert shown[1] == mcp("two")
    assert shown[2]["name"] == "headers"
    bound = SessionDriver(config={"tools": tools[:2]})
    assert "SECRET" not in json.dumps([e.to_dict() for e in bound.events])
    assert "SECRET" not in json.dumps([e.to_dict() for e in driver.run()])
