"""The events of a whole connection in both dialects (PROTOCOL.md section 2.1)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime.dialect import BetaDialect

Json = dict[str, Any]


def item(item_id: str, role: str = "assistant", status: str = "in_progress") -> Json:
    """Return a message without content."""
    return {
        "id": item_id,
        "type": "message",
        "role": role,
        "status": status,
        "content": [],
    }


def spoken(item_id: str, part: str) -> Json:
    """Return a finished message of the assistant."""
    content = [{"type": part, "text": "Hello."}]
    return {**item(item_id, status="completed"), "content": content}


def created(of: Json, previous: str | None = "item_0") -> Json:
    """Return the old event that an item entered the conversation."""
    return {
        "type": "conversation.item.created",
        "event_id": f"event_created_{of.get('id')}",
        "previous_item_id": previous,
        "item": of,
    }


def output_item(name: str, of: Json) -> Json:
    """Return the event that a response opened or finished an item."""
    return {
        "type": f"response.output_item.{name}",
        "event_id": f"event_{name}_{of['id']}",
        "response_id": "resp_1",
        "output_index": 0,
        "item": of,
    }


def response_created(response_id: str = "resp_1") -> Json:
    """Return the event that a response began."""
    return {"type": "response.created", "response": {"id": response_id, "output": []}}


def response_done(*output: Json, response_id: str = "resp_1") -> Json:
    """Return the event that a response ended."""
    response = {"id": response_id, "status": "completed", "output": list(output)}
    return {"type": "response.done", "event_id": "event_end", "response": response}


def create(of: Json) -> Json:
    """Return the event with which a client inserts an item."""
    return {"type": "conversation.item.create", "item": of}


def deleted(item_id: str) -> Json:
    """Return the event that an item was removed."""
    return {"type": "conversation.item.deleted", "item_id": item_id}


def towards_ga(dialect: BetaDialect, *events: Json) -> list[Json]:
    """Translate a server's events, one after the other."""
    return [
        made for event in events for made in dialect.to_ga(event, direction="server")
    ]


def names(events: list[Json]) -> list[str]:
    """Return the events' names with the ids of their items, shortened."""
    shown: list[str] = []
    for event in events:
        name = event["type"].removeprefix("conversation.").removeprefix("response.")
        item_id = event.get("item", {}).get("id")
        shown.append(f"{name} {item_id}" if item_id else name)
    return shown


# --- from the old dialect ---


@pytest.mark.parametrize(
    "of",
    [
        item("a", "user", "completed"),
        item("a", "user"),
        item("a", "system"),
        item("a", "assistant", "completed"),
        {"id": "a", "type": "function_call_output", "status": "in_progress"},
        {"id": "a", "type": "mcp_approval_response", "status": "in_progress"},
        {"id": "a", "type": "function_call", "status": "completed"},
        {"id": "a", "type": "hologram"},
        {"id": "a", "type": "mcp_list_tools", "status": "in_progress"},
        spoken("a", "output_text"),
        {**spoken("a", "output_text"), "status": "in_progress"},
    ],
    ids=str,
)
def test_item_that_is_not_the_model_s_is_done_at_once(of: Json) -> None:
    """Users' items and clients' items are final when they enter the conversation."""
    dialect = BetaDialect()
    added, done = towards_ga(dialect, created(of))
    common = {"previous_item_id": "item_0", "item": of}
    assert added == {
        "type": "conversation.item.added",
        "event_id": "event_created_a",
        **common,
    }
    assert done == {
        "type": "conversation.item.done",
        "event_id": "event_created_a_done_a",
        **common,
    }
    assert dialect.open_items == ()


@pytest.mark.parametrize("announced_first", [True, False])
def test_item_of_the_model_is_done_after_its_output_item(announced_first: bool) -> None:
    """The made-up event says what the item has become, and where it stands."""
    dialect = BetaDialect()
    opening = [output_item("added", item("a")), created(item("a"), None)]
    if not announced_first:
        opening.reverse()
    towards_ga(dialect, *opening)
    assert dialect.open_items == ("a",)
    final = output_item("done", spoken("a", "text"))
    last, done = towards_ga(dialect, final)
    assert last["type"] == "response.output_item.done"
    assert done == {
        "type": "conversation.item.done",
        "event_id": "event_done_a_done_a",
        "previous_item_id": None,
        "item": spoken("a", "output_text"),
    }
    assert dialect.open_items == ()
    assert names(towards_ga(dialect, response_done(spoken("a", "text")))) == ["done"]


def bare(of: Json) -> Json:
    """Return an item without its status, which the old schema does not demand."""
    return {key: value for key, value in of.items() if key != "status"}


A, B, USER = item("a"), item("b"), item("u", "user", "completed")
A_DONE, B_DONE = spoken("a", "text"), spoken("b", "text")
FLOWS: list[tuple[str, list[Json], list[str]]] = [
    (
        "announced items are the model's, whatever their status",
        [output_item("added", A_DONE), created(A_DONE)],
        ["output_item.added a", "item.added a"],
    ),
    (
        "late creation of a finished item",
        [output_item("added", A), output_item("done", A_DONE), created(A)],
        [
            "output_item.added a",
            "output_item.done a",
            "item.added a",
            "item.done a",
        ],
    ),
    (
        "output item without a creation: out of band",
        [
            output_item("added", A),
            output_item("done", A_DONE),
            response_done(A_DONE),
        ],
        ["output_item.added a", "output_item.done a", "done"],
    ),
    (
        "a server that forgets the end of an output item",
        [output_item("added", A), created(A), response_done(A_DONE)],
        ["output_item.added a", "item.added a", "item.done a", "done"],
    ),
    (
        "two items at a time, and a user's between them",
        [
            output_item("added", A),
            created(A),
            created(USER),
            output_item("added", B),
            created(B),
            output_item("done", B_DONE),
            output_item("done", A_DONE),
        ],
        [
            "output_item.added a",
            "item.added a",
            "item.added u",
            "item.done u",
            "output_item.added b",
            "item.added b",
            "output_item.done b",
            "item.done b",
            "output_item.done a",
            "item.done a",
        ],
    ),
    (
        "an item deleted while it is made",
        [created(A), deleted("a"), output_item("done", A_DONE)],
        ["item.added a", "item.deleted", "output_item.done a"],
    ),
    (
        "the end of an output item, twice",
        [created(A), output_item("done", A_DONE), output_item("done", A_DONE)],
        ["item.added a", "output_item.done a", "item.done a", "output_item.done a"],
    ),
    (
        "a response that leaves its item out",
        [output_item("added", A), created(A), response_done()],
        ["output_item.added a", "item.added a", "item.done a", "done"],
    ),
    (
        "a response that leaves an unannounced item out",
        [response_created(), created(bare(A)), response_done()],
        ["created", "item.added a", "item.done a", "done"],
    ),
    (
        "another response that ends in the meantime",
        [
            response_created(),
            response_created("resp_2"),
            created(bare(A)),
            output_item("added", B),
            created(B),
            response_done(response_id="resp_2"),
            output_item("done", B_DONE),
            response_done(A_DONE, B_DONE),
        ],
        [
            "created",
            "created",
            "item.added a",
            "output_item.added b",
            "item.added b",
            "done",
            "output_item.done b",
            "item.done b",
            "item.done a",
            "done",
        ],
    ),
    (
        "two items of one response, in the order of their creation",
        [created(A), created(B), response_done(B_DONE, A_DONE)],
        ["item.added a", "item.added b", "item.done a", "item.done b", "done"],
    ),
    (
        "a creation told twice",
        [output_item("added", A), created(A), created(A), output_item("done", A_DONE)],
        [
            "output_item.added a",
            "item.added a",
            "item.added a",
            "output_item.done a",
            "item.done a",
        ],
    ),
    (
        "an item that a response finishes after it was created whole",
        [response_created(), created(A_DONE), output_item("done", A_DONE)],
        ["created", "item.added a", "item.done a", "output_item.done a"],
    ),
    (
        "an item without an id",
        [created({"type": "message", "role": "assistant", "status": "in_progress"})],
        ["item.added", "item.done"],
    ),
]


@pytest.mark.parametrize(
    ("events", "expected"),
    [flow[1:] for flow in FLOWS],
    ids=[flow[0] for flow in FLOWS],
)
def test_order_of_events(events: list[Json], expected: list[str]) -> None:
    """Whatever the order, every item is added once and done at most once, later."""
    assert names(towards_ga(BetaDialect(), *events)) == expected


CALL: Json = {"id": "a", "type": "function_call", "name": "f", "arguments": ""}


@pytest.mark.parametrize("announced", ["before", "after", "never"])
@pytest.mark.parametrize("ended_by", ["its own event", "the response"])
@pytest.mark.parametrize(
    "opened",
    [
        bare(A),
        {**A, "status": None},
        {**A, "status": "incomplete"},
        {**A, "status": "completed"},
        {**bare(A), "content": None},
        CALL,
    ],
    ids=str,
)
def test_item_is_the_model_s_while_a_response_runs(
    opened: Json, ended_by: str, announced: str
) -> None:
    """The old schema has no status for an item that begins, so none is demanded."""
    dialect = BetaDialect()
    events = [response_created(), created(opened)]
    if announced != "never":
        events.insert(1 if announced == "before" else 2, output_item("added", opened))
    final = {**opened, "status": "completed", "content": [{"type": "text"}]}
    assert "item.done a" not in names(towards_ga(dialect, *events))
    end = (
        output_item("done", final)
        if ended_by == "its own event"
        else response_done(final)
    )
    made = towards_ga(dialect, end)
    (done,) = [event for event in made if event["type"] == "conversation.item.done"]
    assert done["item"]["status"] == "completed"
    assert done["item"]["content"]


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("of", [A, bare(A), spoken("a", "text"), CALL], ids=str)
@pytest.mark.parametrize("spoken_to", ["to_ga", "to_beta"])
def test_item_that_the_client_named_is_never_the_model_s(
    of: Json, spoken_to: str, running: bool
) -> None:
    """A client's own item of the past is final at once, whatever its echo says."""
    dialect = BetaDialect()
    getattr(dialect, spoken_to)(create(of), direction="client")
    if running:
        towards_ga(dialect, response_created())
    echo = created({**of, "status": "in_progress"})
    assert names(towards_ga(dialect, echo)) == ["item.added a", "item.done a"]
    assert dialect.open_items == ()
    # The name is used up: the next item of that id is anybody's.
    assert names(towards_ga(dialect, created(A))) == ["item.added a"]


def test_client_s_name_does_not_hide_what_is_open() -> None:
    """A client that takes the id of an item of the model is refused, and we go on."""
    dialect = BetaDialect()
    towards_ga(dialect, output_item("added", A), created(A))
    dialect.to_ga(create(A), direction="client")
    made = towards_ga(dialect, output_item("done", A_DONE))
    assert names(made) == ["output_item.done a", "item.done a"]


@pytest.mark.parametrize("echo", ["added", "created"])
def test_client_s_names_are_forgotten_where_the_server_speaks_anew(echo: str) -> None:
    """Between an old client and a new server the names do not pile up."""
    dialect = BetaDialect(max_items=1)
    for number in range(5):
        of = item(f"item_{number}")
        dialect.to_ga(create(of), direction="client")
        event = {"type": f"conversation.item.{echo}", "item": of}
        dialect.to_beta(event, direction="server")
    assert dialect.forgotten_count == 0


def test_item_that_its_response_leaves_out_is_closed_as_incomplete() -> None:
    """Every end is told even of what was cancelled, and that it is not whole."""
    dialect = BetaDialect()
    towards_ga(dialect, output_item("added", A), created(A))
    done, end = towards_ga(dialect, response_done())
    assert done["item"] == {**A, "status": "incomplete"}
    assert end["type"] == "response.done"
    assert dialect.note_count == 1
    assert "'a'" in dialect.notes[0]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "conversation.item.created", **fields}
        for fields in ({}, {"item": None}, {"item": "x"}, {"item": []}, {"item": {}})
    ],
    ids=str,
)
def test_creation_of_nothing_makes_nothing_up(event: Json) -> None:
    """A malformed event passes as it came."""
    dialect = BetaDialect()
    assert towards_ga(dialect, event) == [event]
    assert dialect.to_beta(event, direction="server") == [event]
    assert dialect.note_count == 0


def test_final_item_of_a_late_creation_is_the_finished_one() -> None:
    """The item in the made-up event is the final one, not the one that was opened."""
    events = [output_item("done", A_DONE), created(A)]
    added, done = towards_ga(BetaDialect(), *events)[1:]
    assert added["item"] == A
    assert done["item"] == spoken("a", "output_text")


def test_made_up_event_has_an_id_only_where_its_cause_has() -> None:
    """No id is invented out of nothing."""
    event = created(USER)
    del event["event_id"]
    added, done = towards_ga(BetaDialect(), event)
    assert "event_id" not in added
    assert "event_id" not in done


def test_client_s_events_are_translated_one_by_one() -> None:
    """A client's creation of an item is not the server's."""
    content = [{"type": "text", "text": "a"}]
    past = {"type": "message", "role": "assistant", "content": content}
    event = {"type": "conversation.item.create", "item": past}
    dialect = BetaDialect()
    (made,) = dialect.to_ga(event, direction="client")
    assert made["item"]["content"] == [{"type": "output_text", "text": "a"}]
    assert dialect.to_beta(made, direction="client") == [event]


# --- towards the old dialect ---


def test_added_is_created_and_done_is_silent() -> None:
    """The old dialect says once what the current one says twice, and loses nothing."""
    dialect = BetaDialect()
    added = {"type": "conversation.item.added", "event_id": "e", "item": USER}
    done = {"type": "conversation.item.done", "event_id": "f", "item": USER}
    expected = {"type": "conversation.item.created", "event_id": "e", "item": USER}
    assert dialect.to_beta(added, direction="server") == [expected]
    assert dialect.to_beta(done, direction="server") == []
    assert dialect.note_count == 0


@pytest.mark.parametrize(
    "event",
    [
        {"type": "input_audio_buffer.timeout_triggered", "item_id": "i"},
        {"type": "input_audio_buffer.dtmf_event_received", "event": "1"},
        {"type": "session.created", "session": {"type": "translation"}},
    ],
    ids=lambda event: event["type"],
)
def test_event_that_the_old_dialect_lacks_is_dropped_with_a_note(event: Json) -> None:
    """A relay goes on, and whoever runs it can see what its clients miss."""
    dialect = BetaDialect()
    assert dialect.to_beta(event, direction="server") == []
    assert dialect.note_count == 1
    assert event["type"] in dialect.notes[-1]


def test_settings_that_are_dropped_are_noted_both_ways() -> None:
    """What a session loses on its way is told."""
    dialect = BetaDialect()
    beta = {"type": "session.update", "session": {"temperature": 1.0}}
    dialect.to_ga(beta, direction="client")
    ga = {"type": "session.updated", "session": {"truncation": "auto"}}
    dialect.to_beta(ga, direction="server")
    assert dialect.note_count == 2
    assert "temperature" in dialect.notes[0]
    assert "truncation" in dialect.notes[1]


# --- what is kept ---


def test_notes_are_bounded_and_counted() -> None:
    """A connection that lives long costs no more than one that does not."""
    dialect = BetaDialect(max_notes=3)
    event = {"type": "session.update", "session": {"temperature": 1.0}}
    for _ in range(10):
        dialect.to_ga(event, direction="client")
    assert len(dialect.notes) == 3
    assert dialect.note_count == 10


def test_items_are_bounded_and_a_lost_end_is_noted() -> None:
    """A server that never ends its items cannot fill our memory, and is noticed."""
    dialect = BetaDialect(max_items=2)
    for number in range(5):
        towards_ga(dialect, created(item(f"item_{number}")))
    assert dialect.open_items == ("item_3", "item_4")
    assert dialect.note_count == 3
    assert "item_0" in dialect.notes[0]
    assert dialect.forgotten_count == 3


@pytest.mark.parametrize(
    ("direction", "remembered"),
    [
        ("server", lambda of: created(of)),
        ("server", lambda of: output_item("added", of)),
        ("server", lambda of: output_item("done", of)),
        ("server", lambda of: response_created(of["id"])),
        ("client", lambda of: create(of)),
    ],
    ids=["open", "announced", "finished", "running", "ours"],
)
def test_whatever_is_forgotten_is_noted_and_counted(
    direction: Any, remembered: Any
) -> None:
    """Beyond the limit the oldest makes room, and never in silence."""
    dialect = BetaDialect(max_items=2)
    for number in range(5):
        dialect.to_ga(remembered(item(f"item_{number}")), direction=direction)
    assert dialect.forgotten_count == dialect.note_count == 3
    for number, note in enumerate(dialect.notes):
        assert f"'item_{number}'" in note


def test_end_of_a_response_makes_room() -> None:
    """Nothing of a response is remembered once it is over, created or not."""
    dialect = BetaDialect(max_items=2)
    for number in range(9):
        response_id = f"resp_{number}"
        placed = {"response_id": response_id}
        towards_ga(
            dialect,
            response_created(response_id),
            {**output_item("added", item(f"out_{number}")), **placed},
            {**output_item("done", item(f"fin_{number}")), **placed},
            response_done(response_id=response_id),
        )
    assert dialect.forgotten_count == dialect.note_count == 0


def bytes_held(dialect: BetaDialect) -> int:
    """Return roughly how much text a dialect holds."""
    return len(repr(vars(dialect)))


@pytest.mark.parametrize("name", ["opened", "finished"])
def test_audio_is_not_remembered(name: str) -> None:
    """Memory holds words; the audio went by in the events themselves."""
    dialect = BetaDialect()
    part = {"type": "audio", "audio": "A" * 100_000, "transcript": "Hi."}
    of = {**A, "content": [part, 7]}
    event = created(of) if name == "opened" else output_item("done", of)
    towards_ga(dialect, response_created(), event)
    assert bytes_held(dialect) < 2_000
    assert of["content"][0]["audio"] == "A" * 100_000


def test_made_up_end_is_without_audio() -> None:
    """An end of the current dialect has no audio inside (PROTOCOL.md section 1.2)."""
    content = [{"type": "audio", "audio": "AAEC", "transcript": "Hi."}]
    final = output_item("done", {**A_DONE, "content": content})
    towards_ga(dialect := BetaDialect(), created(A))
    last, done = towards_ga(dialect, final)
    assert last["item"]["content"][0]["audio"] == "AAEC"
    assert done["item"]["content"] == [{"type": "output_audio", "transcript": "Hi."}]


IDS = st.sampled_from(["a", "b", "c"])
STATUSES = st.sampled_from(["in_progress", "completed", "incomplete"])
ITEMS = st.builds(item, IDS, st.sampled_from(["user", "assistant"]), STATUSES)
RESPONSE_IDS = st.sampled_from(["resp_1", "resp_2"])
SERVER_EVENTS = st.one_of(
    ITEMS.map(created),
    ITEMS.map(lambda of: output_item("added", of)),
    ITEMS.map(lambda of: output_item("done", of)),
    ITEMS.map(lambda of: created(bare(of))),
    RESPONSE_IDS.map(response_created),
    st.builds(
        lambda output, of: response_done(*output, response_id=of),
        st.lists(ITEMS, max_size=2),
        RESPONSE_IDS,
    ),
    IDS.map(deleted),
    st.sampled_from(
        [
            {"type": "response.text.delta", "delta": "a"},
            {"type": "session.updated", "session": {"turn_detection": None}},
            {"type": "conversation.item.created", "item": None},
            {"type": "response.output_item.added"},
            {"type": "response.output_item.done", "item": {"id": 7}},
            {"type": "response.created"},
            {"type": "response.created", "response": {"id": []}},
            {"type": "response.done"},
            {"type": "response.done", "response": {"output": [7, None]}},
            {"type": "conversation.item.deleted", "item_id": ["a"]},
        ]
    ),
)


@settings(deadline=None, max_examples=300)
@given(events=st.lists(SERVER_EVENTS, max_size=12), limit=st.integers(1, 3))
def test_there_and_back_is_the_identity_in_any_order(
    events: list[Json], limit: int
) -> None:
    """Whatever an old server sends, the way to the current dialect loses nothing."""
    before = copy.deepcopy(events)
    there, back = BetaDialect(max_items=limit), BetaDialect()
    returned = [
        old
        for made in towards_ga(there, *events)
        for old in back.to_beta(made, direction="server")
    ]
    assert returned == events == before


@settings(deadline=None, max_examples=300)
@given(events=st.lists(SERVER_EVENTS, max_size=12))
def test_no_item_is_done_without_having_been_added(events: list[Json]) -> None:
    """In any order of events, each end has a beginning of its own before it."""
    open_ends: dict[Any, int] = {}
    for made in towards_ga(BetaDialect(), *events):
        item_id = (made.get("item") or {}).get("id")
        if made["type"] == "conversation.item.added":
            open_ends[item_id] = open_ends.get(item_id, 0) + 1
        elif made["type"] == "conversation.item.done":
            open_ends[item_id] = open_ends.get(item_id, 0) - 1
            assert open_ends[item_id] >= 0


@settings(deadline=None, max_examples=300)
@given(events=st.lists(SERVER_EVENTS, max_size=12))
def test_no_item_is_open_when_no_response_runs(events: list[Json]) -> None:
    """Once every response has ended, every item that was added is done."""
    dialect = BetaDialect()
    towards_ga(dialect, *events)
    ends = [response_done(response_id=f"resp_{number}") for number in (1, 2)]
    # A response without an id ends without one.
    towards_ga(dialect, *ends, {"type": "response.done", "response": {}})
    assert dialect.open_items == ()
