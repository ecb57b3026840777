"""What type checkers are told of subscribing is what the table says."""

from __future__ import annotations

import ast
import inspect
import runpy
from pathlib import Path
from typing import Any

import pytest

from openai_realtime.events import EVENTS, LOCAL_EVENTS
from openai_realtime.subscriptions import ClientSubscriptions, ConnectionSubscriptions

ROOT = Path(__file__).parents[1]
SCRIPT = Path("scripts", "make_subscriptions.py")
METHODS = ("on", "on_next", "wait_for_next", "events")


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    """What the script that makes the stub defines."""
    return runpy.run_path(str(ROOT / SCRIPT))


@pytest.fixture(scope="module")
def classes(script: dict[str, Any]) -> dict[str, ast.ClassDef]:
    """The classes of the stub, by name."""
    body = ast.parse(script["stub"]()).body
    return {node.name: node for node in body if isinstance(node, ast.ClassDef)}


def test_stub_is_current(script: dict[str, Any]) -> None:
    """Who changes the table or an event's name makes the stub anew."""
    current = script["STUB"].read_text(encoding="utf-8") == script["stub"]()
    assert current, f"not current; run: python {SCRIPT.as_posix()}"


def test_stub_lies_beside_the_module(script: dict[str, Any]) -> None:
    """A type checker finds it where it looks for it."""
    module = Path(inspect.getfile(ClientSubscriptions))
    assert script["STUB"].name == module.with_suffix(".pyi").name
    assert module.with_suffix(".pyi").exists()


def test_every_event_has_its_class(script: dict[str, Any]) -> None:
    """Each name of the table is there once, with the class that is dispatched."""
    told = {
        name: event.cls for event in script["subscribable"]() for name in event.names
    }
    for name, cls in LOCAL_EVENTS.items():
        assert told.pop(name) is cls
    for row in EVENTS:
        if row.surface == "realtime":
            assert told.pop(f"{row.direction}.{row.name}") is row.cls
            assert told.pop(row.name, row.cls) is row.cls
    assert told == {}


def test_every_name_is_understood_at_run_time(script: dict[str, Any]) -> None:
    """No name has a type that a client would refuse, and all of an event are one."""
    for event in script["subscribable"]():
        full = {ClientSubscriptions._names.full(name) for name in event.names}
        assert len(full) == 1


@pytest.mark.parametrize("cls", [ClientSubscriptions, ConnectionSubscriptions])
@pytest.mark.parametrize("method", METHODS)
def test_stub_has_the_parameters_of_run_time(
    classes: dict[str, ast.ClassDef], cls: type, method: str
) -> None:
    """The last variant, which takes any name, is the method as it is written."""
    assert [base.id for base in classes[cls.__name__].bases] == ["Subscriptions"]
    written = [
        node
        for node in classes["Subscriptions"].body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name == method
    ]
    signature = inspect.signature(getattr(cls, method))
    args = written[-1].args
    told = [*args.args, *filter(None, [args.vararg]), *args.kwonlyargs]
    assert [arg.arg for arg in told] == list(signature.parameters)
    assert isinstance(written[-1], ast.AsyncFunctionDef) == (
        inspect.iscoroutinefunction(getattr(cls, method))
    )
    defaults = [p.default for p in signature.parameters.values()]
    given = [ast.literal_eval(d) for d in (*args.defaults, *args.kw_defaults) if d]
    assert (
        given == [d for d in defaults if d is not inspect.Parameter.empty][: len(given)]
    )
