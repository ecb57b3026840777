"""What type checkers are told of subscribing is what the table says."""

from __future__ import annotations

import ast
import inspect
import runpy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from openai_realtime import subscriptions
from openai_realtime.events import EVENTS, LOCAL_EVENTS
from openai_realtime.subscriptions import ClientSubscriptions
from openai_realtime.sync import subscriptions as subscriptions_without_async

ROOT = Path(__file__).parents[1]
SCRIPT = Path("scripts", "make_subscriptions.py")
METHODS = ("on", "on_next", "wait_for_next", "events")
MODULES = (subscriptions, subscriptions_without_async)


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    """What the script that makes the stubs defines."""
    return runpy.run_path(str(ROOT / SCRIPT))


@pytest.fixture(scope="module", params=MODULES, ids=lambda module: module.__name__)
def module(request: pytest.FixtureRequest) -> ModuleType:
    """A module that has a stub."""
    found: ModuleType = request.param
    return found


@pytest.fixture(scope="module")
def face(module: ModuleType, script: dict[str, Any]) -> Any:
    """What the script knows of the module; its stub lies beside it."""
    beside = Path(str(module.__file__)).with_suffix(".pyi")
    (found,) = (face for face in script["FACES"] if face.path == beside)
    return found


@pytest.fixture(scope="module")
def classes(face: Any, script: dict[str, Any]) -> dict[str, ast.ClassDef]:
    """The classes of the stub, by name."""
    body = ast.parse(script["stub"](face)).body
    return {node.name: node for node in body if isinstance(node, ast.ClassDef)}


def test_stub_is_current(face: Any, script: dict[str, Any]) -> None:
    """Who changes the table or an event's name makes the stubs anew."""
    current = face.path.read_text(encoding="utf-8") == script["stub"](face)
    assert current, f"not current; run: python {SCRIPT.as_posix()}"


def test_every_stub_has_a_module(script: dict[str, Any]) -> None:
    """No stub is made for what is not there."""
    assert len(script["FACES"]) == len(MODULES)


def test_stub_has_the_classes_of_run_time(
    module: ModuleType, classes: dict[str, ast.ClassDef]
) -> None:
    """A type checker knows the same classes, with the same bases."""
    assert sorted(classes) == module.__all__
    for name, told in classes.items():
        bases = [base.id for base in told.bases if isinstance(base, ast.Name)]
        assert bases == [base.__name__ for base in getattr(module, name).__bases__]


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


@pytest.mark.parametrize("method", METHODS)
def test_stub_has_the_parameters_of_run_time(
    module: ModuleType, classes: dict[str, ast.ClassDef], method: str
) -> None:
    """The last variant, which takes any name, is the method as it is written."""
    real = getattr(module.Subscriptions, method)
    written = [
        node
        for node in classes["Subscriptions"].body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name == method
    ]
    signature = inspect.signature(real)
    args = written[-1].args
    told = [*args.args, *filter(None, [args.vararg]), *args.kwonlyargs]
    assert [arg.arg for arg in told] == list(signature.parameters)
    assert isinstance(written[-1], ast.AsyncFunctionDef) == (
        inspect.iscoroutinefunction(real)
    )
    defaults = [p.default for p in signature.parameters.values()]
    given = [ast.literal_eval(d) for d in (*args.defaults, *args.kw_defaults) if d]
    assert (
        given == [d for d in defaults if d is not inspect.Parameter.empty][: len(given)]
    )
