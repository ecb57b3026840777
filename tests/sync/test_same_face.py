"""Both clients have one face: the same names, with the same parameters."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import openai_realtime
from openai_realtime import sync

# What differs, and why: "left out" is the business of the client itself, "coroutine"
# has no place in a plain program.
CORE = "left out: the client itself calls it"
DIFFERENT: dict[str, dict[str, str]] = {
    "RealtimeClient": {
        "connection_ended": CORE,
        "event_received": CORE,
        "event_sent": CORE,
        "problem_occurred": CORE,
        "run_plain_handlers": CORE,
    },
    "RealtimeAPI": {
        "observe": CORE,
        "post": CORE,
        "require_open": CORE,
        "run_plain_handlers": CORE,
    },
    "RealtimeConversation": {
        "apply": CORE,
        "attach_audio": CORE,
        "check": CORE,
        "clear": CORE,
        "cut_off": CORE,
        "expect_item": CORE,
        "expect_no_more": CORE,
        "from_dict": "left out: it builds one that belongs to no client",
        "mark_heard": CORE,
        "stop_response": CORE,
    },
    "Reply": {
        "begin": CORE,
        "break_off": CORE,
        "end": CORE,
        "fail": CORE,
        "is_followed": CORE,
        "news": CORE,
        "steps": CORE,
        "take": CORE,
        "unseen_failure": CORE,
    },
    "ReplyItems": {},
    "EventStream": {"offer": CORE, "wants": CORE},
}

TAKES_LESS = {("EventStream", "end"): "left out: an error is the client's to give"}

ADDED = {
    "RealtimeClient": set[str](),
    "RealtimeAPI": {"of_client", "state"},
    "RealtimeConversation": set[str](),
    "Reply": {"response_ids", "state", "ticket", "timings", "wait"},
    "ReplyItems": set[str](),
    "EventStream": {"dropped", "next", "taken"},
}
"""What is an attribute there, or stands for what a plain program cannot do."""


def public(owner: type) -> dict[str, Any]:
    """Return what a class has by name, constructor included."""
    names = {name for name in dir(owner) if not name.startswith("_")}
    return {name: getattr(owner, name) for name in sorted(names)}


def parameters(function: Any) -> list[inspect.Parameter]:
    """Return the parameters of a function, without `self`."""
    found = inspect.signature(function).parameters.values()
    return [each for each in found if each.name != "self"]


@pytest.mark.parametrize("name", DIFFERENT)
def test_nothing_is_missing(name: str) -> None:
    """Each public name of the one is one of the other, but for those in the table."""
    here, there = getattr(sync, name), getattr(openai_realtime, name)
    assert public(there).keys() - public(here).keys() == DIFFERENT[name].keys()
    assert public(here).keys() - public(there).keys() == ADDED[name]


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        (name, verb)
        for name in DIFFERENT
        for verb, value in public(getattr(sync, name)).items()
        if callable(value) and hasattr(getattr(openai_realtime, name), verb)
        if (name, verb) not in TAKES_LESS
    ],
)
def test_verbs_take_the_same(name: str, verb: str) -> None:
    """A verb takes the same parameters, with the same types and defaults."""
    here = getattr(getattr(sync, name), verb)
    there = getattr(getattr(openai_realtime, name), verb)
    assert parameters(here) == parameters(there)
    assert not inspect.iscoroutinefunction(here)


@pytest.mark.parametrize("name", ["RealtimeClient", "RealtimeAPI"])
def test_constructors_take_the_same(name: str) -> None:
    """A client is made with the same arguments."""
    here, there = getattr(sync, name), getattr(openai_realtime, name)
    assert parameters(here) == parameters(there)


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_is_said_is_said(name: str) -> None:
    """Everything public has a docstring."""
    for verb, value in public(getattr(sync, name)).items():
        if not hasattr(list, verb):
            assert inspect.getdoc(value), verb
