"""The conversation's items: create, retrieve, truncate, delete."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from openai_realtime.audio import ms_to_samples
from openai_realtime.emulator.brains.action import Call, CallMcp, Chunks, Play, Say

from .event_order import check_order
from .planned_brain import PlannedBrain
from .session_driver import SessionDriver, speech


def message(role: str = "user", **fields: Any) -> dict[str, Any]:
    """Make a message with a text, of the type that its role has."""
    kind = "output_text" if role == "assistant" else "input_text"
    content = [{"type": kind, "text": "Hello"}]
    return {"type": "message", "role": role, "content": content, **fields}


def create(item: Any, **fields: Any) -> dict[str, Any]:
    """Make the event that creates an item."""
    return {"type": "conversation.item.create", "item": item, **fields}


def order_of(driver: SessionDriver) -> list[str]:
    """Return the ids in the server's order, from the events alone."""
    ids: list[str] = []
    for event in driver.events:
        if event.type == "conversation.item.added":
            previous = event.previous_item_id
            ids.insert(
                0 if previous is None else ids.index(previous) + 1, event.item.id
            )
        if event.type == "conversation.item.deleted":
            ids.remove(event.item_id)
    return ids


@pytest.mark.parametrize(
    "item",
    [
        message("user"),
        message("system"),
        message("assistant"),
        {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c1"},
        {"type": "function_call_output", "call_id": "c1", "output": "5"},
    ],
)
def test_an_item_is_added_and_done(item: dict[str, Any]) -> None:
    """A client's item is complete at once, with its id, object and status."""
    driver = SessionDriver()
    added, done = driver.send(**create(item))
    assert (added.type, done.type) == (
        "conversation.item.added",
        "conversation.item.done",
    )
    assert added.item == done.item
    assert added.previous_item_id is None
    fields = added.item.to_dict()
    assert fields.pop("id").startswith("item_")
    assert fields.pop("object") == "realtime.item"
    assert fields.pop("status") == "completed"
    assert fields == item


def test_items_go_where_they_are_put() -> None:
    """At the end, behind an item, or at the root; an id of one's own is kept."""
    driver = SessionDriver()
    driver.send(**create(message(id="b")))
    driver.send(**create(message(id="d"), previous_item_id=None))
    driver.send(**create(message(id="c"), previous_item_id="b"))
    driver.send(**create(message(id="a"), previous_item_id="root"))
    assert order_of(driver) == ["a", "b", "c", "d"]
    assert driver.events[-1].previous_item_id is None
    check_order(driver.events)


def test_an_item_says_what_it_stands_behind_now() -> None:
    """Also one that is still generated, when what was before it has changed."""
    driver = SessionDriver()
    first = driver.say("Count to five")
    driver.send("response.create")
    driver.run(0.2)
    [running] = {e.item_id for e in driver.events if e.type.endswith("audio.delta")}
    driver.send(**create(message(id="between"), previous_item_id=first))
    [done] = [e for e in driver.run() if e.type == "conversation.item.done"]
    assert (done.item.id, done.previous_item_id) == (running, "between")
    driver.send("response.create")
    driver.run(0.2)
    driver.send("conversation.item.delete", item_id=running)
    [done] = [e for e in driver.run() if e.type == "conversation.item.done"]
    assert done.previous_item_id == "between"
    driver.send("conversation.item.delete", item_id=first)
    driver.send(**create(message(id="front"), previous_item_id="root"))
    assert order_of(driver) == ["front", "between", done.item.id]
    check_order(driver.events)


@pytest.mark.parametrize("place", ["", None])
def test_no_place_is_the_end(place: str | None) -> None:
    """Clients say null, or an empty text, for nothing."""
    driver = SessionDriver()
    first = driver.say("One")
    added, _ = driver.send(**create(message(), previous_item_id=place))
    assert added.previous_item_id == first


def test_an_item_of_a_response_can_be_built_upon() -> None:
    """Behind it, also while it is generated."""
    driver = SessionDriver()
    driver.say("Count to five")
    driver.send("response.create")
    driver.run(0.2)
    [running] = {e.item_id for e in driver.events if e.type.endswith("audio.delta")}
    driver.send(**create(message(id="last")))
    added, _ = driver.send(**create(message(id="next"), previous_item_id=running))
    assert added.previous_item_id == running
    assert order_of(driver)[-3:] == [running, "next", "last"]
    driver.run()
    check_order(driver.events)


def test_every_type_of_item_can_be_retrieved_and_deleted() -> None:
    """Those of the client, of the user's voice, of responses and of MCP servers."""
    driver = SessionDriver(
        brain=PlannedBrain(Say("One"), Call("f"), CallMcp("a", "add"))
    )
    server = {"type": "mcp", "server_label": "a", "server_url": "https://a.example/"}
    driver.update(tools=[server], audio={"input": {"turn_detection": None}})
    driver.run()
    driver.append(speech("Hello"))
    driver.send("input_audio_buffer.commit")
    for role in ("user", "system", "assistant"):
        driver.send(**create(message(role)))
    output = {"type": "function_call_output", "call_id": "c", "output": "5"}
    driver.send(**create(output))
    request = next(e for e in driver.respond() if e.type == "response.done")
    approval = {
        "type": "mcp_approval_response",
        "id": "yes",
        "approval_request_id": request.response.output[-1].id,
        "approve": True,
    }
    driver.send(**create(approval))
    driver.run()
    ids = order_of(driver)
    types: list[str] = []
    for item_id in ids:
        [event] = driver.send("conversation.item.retrieve", item_id=item_id)
        assert event.type == "conversation.item.retrieved"
        assert event.item.id == item_id
        assert event.item.to_dict()["object"] == "realtime.item"
        types.append(event.item.type)
    assert set(types) == {
        "message",
        "function_call",
        "function_call_output",
        "mcp_list_tools",
        "mcp_call",
        "mcp_approval_request",
        "mcp_approval_response",
    }
    for item_id in ids:
        [event] = driver.send("conversation.item.delete", item_id=item_id)
        assert (event.type, event.item_id) == ("conversation.item.deleted", item_id)
    assert order_of(driver) == []
    check_order(driver.events)


@pytest.mark.parametrize("kind", ["mcp_list_tools", "mcp_call", "mcp_approval_request"])
def test_what_only_the_server_makes_is_refused(kind: str) -> None:
    """A client that could put these in would approve its own calls."""
    fields = {
        "id": "x",
        "server_label": "a",
        "name": "add",
        "arguments": "{}",
        "tools": list[Any](),
    }
    frame = create({"type": kind, **fields})
    SessionDriver().assert_refused("invalid_value", "item.type", frame)


def test_a_call_without_id_gets_one() -> None:
    """The output is matched by it."""
    driver = SessionDriver()
    item = {"type": "function_call", "name": "f", "arguments": "{}"}
    assert driver.send(**create(item))[0].item.call_id == "call_1"


AUDIO = base64.b64encode(bytes(4800)).decode()
REFUSED = [
    (create({**message(), "id": "taken"}), "invalid_value", "item.id"),
    (create(message(), previous_item_id="no"), "item_not_found", "previous_item_id"),
    (create({"type": "poem"}), "invalid_value", "item.type"),
    (create({"type": "item_reference", "id": "taken"}), "invalid_value", "item.type"),
    (create(message("wizard")), "invalid_value", "item.role"),
    (
        create({"type": "message", "role": "user"}),
        "missing_required_parameter",
        "item.content",
    ),
    (
        create(message(content=[{"type": "output_text", "text": "x"}])),
        "invalid_value",
        "item.content[0].type",
    ),
    (
        create(message(content=[{"type": "smell"}])),
        "invalid_value",
        "item.content[0].type",
    ),
    (
        create(
            message("assistant", content=[{"type": "output_audio", "audio": AUDIO}])
        ),
        "invalid_value",
        "item.content[0].type",
    ),
    (
        create(message("system", content=[{"type": "input_audio", "audio": AUDIO}])),
        "invalid_value",
        "item.content[0].type",
    ),
    (
        create(message("assistant", content=[{"type": "output_text"}])),
        "missing_required_parameter",
        "item.content[0].text",
    ),
    (
        create(message(content=[{"type": "input_audio"}])),
        "missing_required_parameter",
        "item.content[0].audio",
    ),
    (
        create(message(content=[{"type": "input_audio", "audio": "AAAA"}])),
        "invalid_value",
        "item.content[0].audio",
    ),
    (
        create(message(content=[{"type": "input_image", "image_url": "http://x"}])),
        "invalid_value",
        "item.content[0].image_url",
    ),
    (
        create({"type": "function_call", "name": "f"}),
        "missing_required_parameter",
        "item.arguments",
    ),
    (
        create({"type": "function_call_output", "call_id": "c"}),
        "missing_required_parameter",
        "item.output",
    ),
    (
        {"type": "conversation.item.retrieve", "item_id": "no"},
        "item_retrieve_invalid_item_id",
        "item_id",
    ),
    (
        {"type": "conversation.item.delete", "item_id": "no"},
        "item_not_found",
        "item_id",
    ),
]


@pytest.mark.parametrize(("frame", "code", "param"), REFUSED)
def test_what_cannot_be_is_refused(frame: Any, code: str, param: str) -> None:
    """The error names the field, and the conversation stays as it was."""
    driver = SessionDriver()
    driver.send(**create(message(id="taken")))
    error = driver.assert_refused(code, param, {**frame, "event_id": "mine"})
    assert error.event_id == "mine"


def test_user_audio_is_kept_for_retrieval_only() -> None:
    """Events show the part without its audio; the retrieved item has it."""
    driver = SessionDriver()
    pcm = speech("Hello there")
    part = {"type": "input_audio", "audio": base64.b64encode(pcm).decode()}
    added, _ = driver.send(**create(message(content=[part], id="a")))
    assert added.item.content[0].to_dict() == {
        "type": "input_audio",
        "transcript": None,
    }
    [retrieved] = driver.send("conversation.item.retrieve", item_id="a")
    assert retrieved.type == "conversation.item.retrieved"
    assert retrieved.item.content[0].audio == pcm


def test_a_transcript_of_the_clients_is_kept() -> None:
    """Whoever restores a conversation knows what was said in it."""
    driver = SessionDriver()
    part = {"type": "input_audio", "audio": AUDIO, "transcript": "Good evening"}
    added, _ = driver.send(**create(message(content=[part])))
    assert added.item.content[0].transcript == "Good evening"
    [event] = driver.send("conversation.item.retrieve", item_id=added.item.id)
    assert event.item.content[0].to_dict() == part
    events = driver.respond(output_modalities=["text"])
    text = events[-2].response.output[0].content[0].text
    assert "Good evening" not in text
    assert text.startswith("Hello!")


def test_an_image_is_accepted() -> None:
    """As a data URL."""
    driver = SessionDriver()
    part = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    assert driver.send(**create(message(content=[part])))[0].item.content[0].image_url


def test_a_deleted_item_is_gone() -> None:
    """It is confirmed, cannot be retrieved, and its id is free again."""
    driver = SessionDriver()
    driver.send(**create(message(id="a")))
    [event] = driver.send("conversation.item.delete", item_id="a")
    assert (event.type, event.item_id) == ("conversation.item.deleted", "a")
    [event] = driver.send("conversation.item.retrieve", item_id="a")
    assert event.type == "error"
    assert order_of(driver) == []


def spoken(driver: SessionDriver) -> Any:
    """Have the assistant speak and return its item, retrieved."""
    driver.say("Hello")
    [done] = [event for event in driver.respond() if event.type == "response.done"]
    item_id = done.response.output[0].id
    return driver.send("conversation.item.retrieve", item_id=item_id)[0].item


def truncate(item_id: str, audio_end_ms: int, content_index: int = 0) -> dict[str, Any]:
    """Make the event that truncates an item."""
    return {
        "type": "conversation.item.truncate",
        "item_id": item_id,
        "content_index": content_index,
        "audio_end_ms": audio_end_ms,
    }


def test_truncation_cuts_the_audio_and_drops_the_transcript() -> None:
    """PROTOCOL.md section 6.8: what was not heard is gone on the server too."""
    driver = SessionDriver()
    whole = spoken(driver)
    assert whole.content[0].transcript
    [event] = driver.send(**truncate(whole.id, 500))
    assert event.type == "conversation.item.truncated"
    assert (event.content_index, event.audio_end_ms) == (0, 500)
    [event] = driver.send("conversation.item.retrieve", item_id=whole.id)
    part = event.item.content[0].to_dict()
    assert "transcript" not in part
    kept = base64.b64decode(part["audio"])
    assert kept == whole.content[0].audio[: ms_to_samples(500) * 2]
    driver.assert_refused("invalid_value", "audio_end_ms", truncate(whole.id, 501))


def test_truncation_to_the_very_end_is_allowed() -> None:
    """The bound is inclusive, and a client may have rounded up."""
    driver = SessionDriver()
    item = spoken(driver)
    samples = len(item.content[0].audio) // 2
    rounded_up = -(-samples * 1000 // 24_000)
    frame = truncate(item.id, rounded_up + 1)
    driver.assert_refused("invalid_value", "audio_end_ms", frame)
    assert driver.send(**truncate(item.id, rounded_up))[0].type != "error"


def test_what_cannot_be_truncated_is_refused() -> None:
    """Unknown items, items without assistant audio, other parts, negative times."""
    driver = SessionDriver()
    spoken_id = spoken(driver).id
    user_id = driver.say("Hello")
    text_id = driver.send(**create(message("assistant")))[0].item.id
    refused = driver.assert_refused
    refused("item_truncate_invalid_item_id", "item_id", truncate("no", 0))
    refused(None, None, truncate(user_id, 0))
    refused(None, None, truncate(text_id, 0))
    refused("invalid_value", "content_index", truncate(spoken_id, 0, 1))
    refused("invalid_value", "audio_end_ms", truncate(spoken_id, -1))
    refused("invalid_value", "audio_end_ms", truncate(spoken_id, 1_000_000))


def test_an_item_can_be_truncated_while_it_is_generated() -> None:
    """Some clients truncate before they cancel; what comes later does not count."""
    driver = SessionDriver()
    driver.say("Count to twenty")
    driver.send("response.create")
    driver.run(0.3)
    [item_id] = {e.item_id for e in driver.events if e.type.endswith("audio.delta")}
    assert driver.send(**truncate(item_id, 200))[0].type != "error"
    driver.run(0.1)
    driver.send("response.cancel")
    [event] = driver.send("conversation.item.retrieve", item_id=item_id)
    assert len(event.item.content[0].audio) == ms_to_samples(200) * 2
    assert "transcript" not in event.item.content[0].to_dict()
    # The conversation has the item as it was cut; the response has what it made.
    [done] = [e for e in driver.events if e.type == "conversation.item.done"][1:]
    assert done.item.status == "incomplete"
    assert "transcript" not in done.item.content[0].to_dict()
    [made] = [e for e in driver.events if e.type == "response.output_item.done"]
    assert made.item.content[0].transcript
    check_order(driver.events)


@pytest.mark.parametrize("end", ["response.cancel", None])
def test_an_item_can_be_deleted_while_it_is_generated(end: str | None) -> None:
    """The response goes on, and the conversation hears no more of the item."""
    driver = SessionDriver()
    driver.say("Count to five")
    driver.send("response.create")
    driver.run(0.1)
    [item_id] = {e.item_id for e in driver.events if e.type.endswith("audio.delta")}
    [event] = driver.send("conversation.item.delete", item_id=item_id)
    assert event.type == "conversation.item.deleted"
    # The id is free again, and whoever has it now is somebody else.
    driver.send(**create(message(id=item_id)))
    rest = driver.send(end) if end else driver.run()
    names = [event.type for event in rest]
    assert "response.output_item.done" in names
    assert "conversation.item.done" not in names
    assert names[-2:] == ["response.done", "rate_limits.updated"]
    [event] = driver.send("conversation.item.retrieve", item_id=item_id)
    assert event.item.role == "user"
    check_order(driver.events)


LIMITS = "openai_realtime.emulator.session.holdings."


def test_old_audio_is_forgotten_before_memory_is(monkeypatch: Any) -> None:
    """Beyond a limit the oldest audio goes; who asks for it is told so."""
    monkeypatch.setattr(f"{LIMITS}_MOST_AUDIO_BYTES", 10_000)
    driver = SessionDriver()
    part = {"type": "input_audio", "audio": AUDIO}
    for name in ("a", "b", "c"):
        driver.send(**create(message(content=[part], id=name)))
    for name in ("b", "c"):
        [event] = driver.send("conversation.item.retrieve", item_id=name)
        assert event.item.content[0].audio == bytes(4800)
    frame = {"type": "conversation.item.retrieve", "item_id": "a"}
    error = driver.assert_refused("item_retrieve_invalid_item_id", "item_id", frame)
    assert "90 minutes" in error.message
    # The item itself is still there, and so is its length.
    assert order_of(driver) == ["a", "b", "c"]
    assert driver.respond()[-2].response.usage.input_token_details.audio_tokens == 3
    [event] = driver.send("conversation.item.delete", item_id="a")
    assert event.type == "conversation.item.deleted"


def test_what_was_forgotten_can_still_be_truncated(monkeypatch: Any) -> None:
    """Its length is known, and bounds the cut as before."""
    driver = SessionDriver()
    item = spoken(driver)
    monkeypatch.setattr(f"{LIMITS}_MOST_AUDIO_BYTES", 10_000)
    part = {"type": "input_audio", "audio": AUDIO}
    driver.send(**create(message(content=[part])))
    length_ms = -(-len(item.content[0].audio) // 48)
    too_long = truncate(item.id, length_ms + 1)
    driver.assert_refused("invalid_value", "audio_end_ms", too_long)
    assert driver.send(**truncate(item.id, 300))[0].type.endswith("truncated")
    driver.assert_refused("invalid_value", "audio_end_ms", truncate(item.id, 301))
    assert driver.send(**truncate(item.id, 0))[0].type.endswith("truncated")
    [event] = driver.send("conversation.item.retrieve", item_id=item.id)
    assert event.type == "error"


def test_audio_that_is_gone_makes_room(monkeypatch: Any) -> None:
    """Deleted or cut off, it does not count against what is there."""
    monkeypatch.setattr(f"{LIMITS}_MOST_AUDIO_BYTES", 200_000)
    driver = SessionDriver()
    driver.update(audio={"input": {"turn_detection": None}})
    kept = spoken(driver)
    driver.send(**truncate(kept.id, 100))
    part = {"type": "input_audio", "audio": AUDIO}
    for _ in range(50):
        added, _ = driver.send(**create(message(content=[part])))
        driver.send("conversation.item.delete", item_id=added.item.id)
    [event] = driver.send("conversation.item.retrieve", item_id=kept.id)
    assert len(event.item.content[0].audio) == 4800


def test_a_reply_without_a_limit_ends_at_the_models() -> None:
    """ "inf" is what the largest model can say, some 27 minutes of audio."""
    minutes = 40
    pcm = bytes(minutes * 60 * 48_000)
    brain = PlannedBrain(Play(pcm, chunks=Chunks(audio_ms=10_000)))
    driver = SessionDriver(brain=brain, pace=0)
    [done] = [e for e in driver.respond() if e.type == "response.done"]
    assert done.response.status == "incomplete"
    assert done.response.status_details.reason == "max_output_tokens"
    assert done.response.max_output_tokens == "inf"
    assert 31_000 < done.response.usage.output_tokens <= 32_000
    assert len(driver.events) < 400


def test_a_conversation_that_is_full_says_so(monkeypatch: Any) -> None:
    """What a client asks for is refused until it has deleted something."""
    monkeypatch.setattr(f"{LIMITS}_MOST_ITEMS", 3)
    driver = SessionDriver(pace=0)
    first = driver.say("One")
    driver.update(audio={"input": {"turn_detection": None}})
    driver.say("Two")
    driver.say("Three")
    driver.append(speech("Hello"))
    assert (
        "3 items"
        in driver.assert_refused("invalid_value", "item", create(message())).message
    )
    for name in ("response.create", "input_audio_buffer.commit"):
        driver.assert_refused("invalid_value", None, {"type": name})
    driver.send("conversation.item.delete", item_id=first)
    assert driver.respond()[-2].response.status == "completed"


def test_a_turn_goes_into_a_full_conversation(monkeypatch: Any) -> None:
    """It was announced; nobody has asked for it who could be refused."""
    monkeypatch.setattr(f"{LIMITS}_MOST_ITEMS", 1)
    driver = SessionDriver()
    driver.say("Count to three")
    driver.append(speech("Hello", silence_ms=900))
    driver.run()
    assert len(order_of(driver)) == 3
    check_order(driver.events)


@pytest.mark.parametrize(
    "item",
    [
        message(content=[{"type": "input_text", "text": "x" * 700}]),
        message(
            content=[
                {
                    "type": "input_image",
                    "image_url": "data:image/png;base64," + "A" * 700,
                }
            ]
        ),
        {"type": "function_call", "name": "f", "arguments": "x" * 700},
        {"type": "function_call_output", "call_id": "c", "output": "x" * 700},
        message(content=[{"type": "input_text", "text": ""}] * 40),
    ],
)
def test_text_and_images_are_bounded_together(monkeypatch: Any, item: Any) -> None:
    """Wherever in an item they are; what was deleted does not count."""
    monkeypatch.setattr(f"{LIMITS}_MOST_CHARACTERS", 1_500)
    driver = SessionDriver(official=False)
    first = driver.send(**create(item))[0].item.id
    error = driver.assert_refused("invalid_value", "item", create(item))
    assert "characters" in error.message
    driver.send("conversation.item.delete", item_id=first)
    assert driver.send(**create(item))[0].type == "conversation.item.added"


def test_ids_of_the_servers_are_none_of_the_clients() -> None:
    """Whatever a client calls its items: the server's own are called otherwise."""
    driver = SessionDriver(pace=0)
    for number in range(2, 7):
        driver.send(**create(message(id=f"item_{number}")))
    driver.update(
        tools=[{"type": "mcp", "server_label": "a", "server_url": "http://a"}]
    )
    driver.run(0.0)
    spoken(driver)
    driver.append(speech("Hello", silence_ms=900))
    driver.run()
    assert len(set(order_of(driver))) == len(order_of(driver)) == 10
    check_order(driver.events)


def test_an_item_that_was_announced_keeps_its_name() -> None:
    """Until it is there, or will not come, nobody else can have it."""
    driver = SessionDriver()
    pcm = speech("Hello there, my friend", silence_ms=900)
    [started] = driver.append(pcm[:60_000])
    taken = create(message(id=started.item_id))
    driver.assert_refused("invalid_value", "item.id", taken)
    driver.append(pcm[60_000:])
    assert order_of(driver)[0] == started.item_id
    driver.run()
    check_order(driver.events)


@pytest.mark.parametrize("end", ["commit", "clear"])
def test_an_announced_name_ends_with_its_turn(end: str) -> None:
    """Committed by hand, the item has it; cleared, it is free."""
    driver = SessionDriver()
    [started] = driver.append(speech("Hello there, my friend")[:60_000])
    driver.send(f"input_audio_buffer.{end}")
    [answer, *_] = driver.send(**create(message(id=started.item_id)))
    assert answer.type == ("error" if end == "commit" else "conversation.item.added")
    assert order_of(driver) == [started.item_id]


def test_an_import_keeps_the_name_of_its_item() -> None:
    """Also before it is announced, for ids may be guessed."""
    driver = SessionDriver()
    driver.update(
        tools=[{"type": "mcp", "server_label": "a", "server_url": "http://a"}]
    )
    driver.assert_refused("invalid_value", "item.id", create(message(id="item_1")))
    driver.run()
    assert order_of(driver) == ["item_1"]
