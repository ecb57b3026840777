"""What was asked for, what was accepted, and the tools beside it."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime import UNSET
from openai_realtime.core.configuration import Change, Configuration, merge
from openai_realtime.errors import ConfigurationError, RealtimeError, ToolError
from openai_realtime.events import SessionUpdated
from openai_realtime.resources import Session, ToolDefinition


@pytest.fixture
def configuration() -> Configuration:
    """Nothing asked for yet."""
    return Configuration()


def names(change: Change) -> list[str]:
    """Return the names of the tools that a change sends."""
    return [tool.name for tool in change.config.tools or []]


BY_HAND = {"type": "function", "name": "by_hand"}


# --- merging ---


@pytest.mark.parametrize(
    ("base", "change", "merged"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": 3}, {"a": 3, "b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": None}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        (
            {"a": {"b": {"c": 1}}},
            {"a": {"b": {"d": 2}}},
            {"a": {"b": {"c": 1, "d": 2}}},
        ),
        (
            {"t": {"type": "server_vad", "threshold": 0.5}},
            {"t": {"type": "semantic_vad"}},
            {"t": {"type": "semantic_vad"}},
        ),
        (
            {"t": {"type": "server_vad", "threshold": 0.5}},
            {"t": {"type": "server_vad", "silence_duration_ms": 200}},
            {
                "t": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "silence_duration_ms": 200,
                }
            },
        ),
    ],
    ids=str,
)
def test_merge(
    base: dict[str, Any], change: dict[str, Any], merged: dict[str, Any]
) -> None:
    """A partial update changes what it names at any depth, and nothing else."""
    before, asked = repr(base), repr(change)
    assert merge(base, change) == merged
    assert (repr(base), repr(change)) == (before, asked)


# --- changing ---


def test_change_sends_what_changed_and_keeps_everything(
    configuration: Configuration,
) -> None:
    """An update is small, but a new connection gets all that was ever asked for."""
    configuration.change({"instructions": "a", "voice": "ash"})
    change = configuration.change({"turn_detection": None})
    sent, notes = change.config, change.notes
    assert notes == ()
    assert sent.to_dict() == {
        "audio": {"input": {"turn_detection": None}},
    }
    assert configuration.whole().config.to_dict() == {
        "instructions": "a",
        "audio": {"output": {"voice": "ash"}, "input": {"turn_detection": None}},
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"instruction": "a"},
        {"instructions": 7},
        {"turn_detection": {"type": "server_vad", "threshold": "x"}},
        {"voice": "ash", "audio": {"output": {"voice": "coral"}}},
        {"turn_detection": {"treshold": 0.9}},
        {"turn_detection": {"threshold": "high"}},
        {"turn_detection": {"type": ["x"]}},
        {"turn_detection": {"threshold": float("nan")}},
        {"instructions": "\ud800"},
        {"tools": [{"type": "function", "name": "f", "strict": True}]},
        {"tools": {"type": "mcp", "server_label": "s"}},
    ],
    ids=str,
)
def test_bad_change_changes_nothing(
    configuration: Configuration, fields: dict[str, Any]
) -> None:
    """After a refused update the former configuration stands, whole."""
    configuration.change({"instructions": "before"})
    before = configuration.whole().config
    with pytest.raises(ConfigurationError):
        configuration.change(fields)
    assert configuration.whole().config == before


def test_empty_until_something_is_asked_for(configuration: Configuration) -> None:
    """Without wishes the server's defaults stand, and nothing is sent for them."""
    assert configuration.empty
    configuration.change({"instructions": ""})
    assert not configuration.empty


def test_tool_alone_is_a_wish(configuration: Configuration) -> None:
    """A client with tools and no other configuration still sends them."""
    configuration.add_tool(ToolDefinition(name="f"))
    assert not configuration.empty


# --- tools ---


def test_registered_tools_come_after_those_set_by_hand(
    configuration: Configuration,
) -> None:
    """Tools set by hand and registered ones stand together, as the seeds promise."""
    configuration.change({"tools": [BY_HAND]})
    sent = configuration.add_tool(ToolDefinition(name="registered"))
    assert names(sent) == ["by_hand", "registered"]
    assert names(configuration.whole()) == ["by_hand", "registered"]


def test_tools_set_by_hand_do_not_drop_registered_ones(
    configuration: Configuration,
) -> None:
    """An update of `tools` replaces the former ones by hand, and no registered one."""
    configuration.add_tool(ToolDefinition(name="registered"))
    configuration.change({"tools": [BY_HAND]})
    sent = configuration.change({"tools": [{**BY_HAND, "name": "other"}]})
    assert names(sent) == ["other", "registered"]
    cleared = configuration.change({"tools": []})
    assert names(cleared) == ["registered"]


def test_update_without_tools_sends_none(configuration: Configuration) -> None:
    """An update of the voice does not send all tools again."""
    configuration.add_tool(ToolDefinition(name="registered"))
    sent = configuration.change({"voice": "ash"})
    assert "tools" not in sent.config.to_dict()


def test_name_of_another_tool_is_refused(configuration: Configuration) -> None:
    """Two tools of one name would make it unclear which one answers."""
    configuration.add_tool(ToolDefinition(name="f", description="first"))
    with pytest.raises(ToolError, match=r"'f'.*remove_tool"):
        configuration.add_tool(ToolDefinition(name="f"))
    assert configuration.tools["f"].description == "first"


def test_name_of_a_tool_set_by_hand_is_refused(configuration: Configuration) -> None:
    """A registered tool cannot take a name that was set by hand, nor be sent twice."""
    configuration.change({"tools": [BY_HAND]})
    with pytest.raises(ToolError, match="by_hand"):
        configuration.add_tool(ToolDefinition(name="by_hand"))
    assert names(configuration.whole()) == ["by_hand"]


def test_name_of_a_registered_tool_is_refused_by_hand(
    configuration: Configuration,
) -> None:
    """Tools set by hand cannot take the name of a registered one, nor be sent twice."""
    configuration.add_tool(ToolDefinition(name="f"))
    with pytest.raises(RealtimeError, match=r"\bf\b"):
        configuration.change({"tools": [{"type": "function", "name": "f"}]})
    assert names(configuration.whole()) == ["f"]


def test_tool_that_cannot_be_sent_is_not_registered(
    configuration: Configuration,
) -> None:
    """A number that JSON lacks is refused before the tool is kept."""
    unsendable = ToolDefinition(name="f", parameters={"minimum": float("inf")})
    with pytest.raises(ToolError, match=r"'f'.*parameters\.minimum"):
        configuration.add_tool(unsendable)
    assert configuration.empty
    configuration.add_tool(ToolDefinition(name="f"))


def test_credentials_in_a_misplaced_tool_are_not_shown(
    configuration: Configuration,
) -> None:
    """Who forgets the list around an MCP tool learns so without its secret."""
    tool = {"type": "mcp", "server_label": "s", "authorization": "secret"}
    with pytest.raises(ConfigurationError, match="list of tools") as caught:
        configuration.change({"tools": tool})
    assert "secret" not in str(caught.value)


def test_removed_tool_is_gone(configuration: Configuration) -> None:
    """Removing sends the remaining tools, and the last one leaves an empty list."""
    configuration.add_tool(ToolDefinition(name="f"))
    configuration.add_tool(ToolDefinition(name="g"))
    assert names(configuration.remove_tool("f")) == ["g"]
    assert configuration.remove_tool("g").config.to_dict()["tools"] == []
    configuration.add_tool(ToolDefinition(name="f"))


def test_unknown_tool_cannot_be_removed(configuration: Configuration) -> None:
    """The error for an unknown name lists the names there are."""
    configuration.add_tool(ToolDefinition(name="f"))
    with pytest.raises(ToolError, match=r"'g'.*\bf\b"):
        configuration.remove_tool("g")


@pytest.mark.parametrize("source", ["by hand", "session"])
def test_offers_what_has_no_handler(configuration: Configuration, source: str) -> None:
    """A function set by hand or by the server is known to be somebody's to answer."""
    assert not configuration.offers_without_handler("by_hand")
    if source == "by hand":
        configuration.change({"tools": [BY_HAND]})
    else:
        configuration.acknowledged = Session.from_dict({"tools": [BY_HAND]})
    assert configuration.offers_without_handler("by_hand")
    assert not configuration.offers_without_handler("other")


# --- turn detection ---


def test_turn_detection_is_what_the_server_acknowledged(
    configuration: Configuration,
) -> None:
    """Whether turns are found by hand is the server's word, not our wish."""
    configuration.change({"turn_detection": None})
    assert configuration.manual_turns
    described = {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
    updated = {"type": "session.updated", "session": described}
    configuration.acknowledged = SessionUpdated.from_dict(updated).session
    assert not configuration.manual_turns


def described(turn_detection: Any) -> Session:
    """Return what a server says of a session with this turn detection."""
    described = {"audio": {"input": {"turn_detection": turn_detection}}}
    return Session.from_dict(described)


SEMANTIC = {"type": "semantic_vad"}
SERVER = {"type": "server_vad"}


@pytest.mark.parametrize(
    ("wanted", "accepted", "kind"),
    [
        ([], UNSET, "server_vad"),
        ([SEMANTIC], UNSET, "semantic_vad"),
        ([SEMANTIC], SERVER, "semantic_vad"),
        ([SEMANTIC, None], SEMANTIC, "server_vad"),
        ([{"type": "new"}], SERVER, "new"),
        (
            [{"eagerness": "low", **SEMANTIC}, {"eagerness": "high"}],
            UNSET,
            "semantic_vad",
        ),
        ([], SEMANTIC, "semantic_vad"),
        ([], None, "server_vad"),
    ],
    ids=str,
)
@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_partial_turn_detection_is_of_the_kind_that_is_wanted(
    configuration: Configuration,
    wanted: list[Any],
    accepted: Any,
    kind: str,
    nested: bool,
) -> None:
    """The kind, which the wire requires, is the one asked for or else accepted."""
    for turn_detection in wanted:
        configuration.change({"turn_detection": turn_detection})
    if accepted is not UNSET:
        configuration.acknowledged = described(accepted)
    part = {"create_response": False}
    sent = configuration.change(
        {"audio": {"input": {"turn_detection": part}}}
        if nested
        else {"turn_detection": part}
    )
    assert sent.config.to_dict()["audio"]["input"]["turn_detection"] == {
        "type": kind,
        "create_response": False,
    }
    assert part == {"create_response": False}


def test_partial_turn_detection_joins_what_is_wanted(
    configuration: Configuration,
) -> None:
    """A new connection gets the values of all updates of one kind."""
    configuration.change({"turn_detection": {**SERVER, "threshold": 0.5}})
    configuration.change({"turn_detection": {"silence_duration_ms": 200}})
    assert configuration.wanted["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "silence_duration_ms": 200,
    }


def test_partial_turn_detection_of_another_kind_is_refused(
    configuration: Configuration,
) -> None:
    """A value is held to the kind that is wanted, and the error names the other."""
    configuration.change({"turn_detection": SEMANTIC})
    with pytest.raises(ConfigurationError, match=r"threshold.*type server_vad"):
        configuration.change({"turn_detection": {"threshold": 0.5}})


def test_type_none_means_that_turns_are_manual(configuration: Configuration) -> None:
    """Turn detection goes off by either spelling, in either place."""
    configuration.change({"audio": {"input": {"turn_detection": {"type": "none"}}}})
    assert configuration.manual_turns
