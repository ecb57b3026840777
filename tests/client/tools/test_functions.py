"""Which callables can be tools, what they are called, and what others are told."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import annotated_types
import pytest

from openai_realtime.errors import ConfigurationError, ToolError
from openai_realtime.tools import Tool

if TYPE_CHECKING:
    from somewhere import Unknown  # type: ignore[import-not-found]


def search(query: str, user_id: int, limit: int = 10) -> str:
    """Search the orders."""
    return f"{query} {user_id} {limit}"


class Shop:
    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, query: str) -> str:
        """Find something."""
        return f"{query} in {self.name}"

    @classmethod
    def kind(cls, query: str) -> str:
        """Find a shop."""
        return f"{query} {cls.__name__}"

    @staticmethod
    def hours(day: str) -> str:
        """Tell the hours."""
        return f"{day} 9-17"

    async def __call__(self, query: str) -> str:
        """Ask the shop."""
        assert threading.current_thread() is threading.main_thread()
        return f"{query}? {self.name}"


def traced(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function, as decorators do."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    ("function", "options", "name", "description", "arguments", "output"),
    [
        (search, {}, "search", "Search the orders.", '{"query":"a","user_id":1}', None),
        (Shop("S").find, {}, "find", "Find something.", '{"query":"a"}', "a in S"),
        (Shop.kind, {}, "kind", "Find a shop.", '{"query":"a"}', "a Shop"),
        (Shop.hours, {}, "hours", "Tell the hours.", '{"day":"Monday"}', "Monday 9-17"),
        (Shop("S"), {"name": "ask"}, "ask", "Ask the shop.", '{"query":"a"}', "a? S"),
        (lambda: "x", {"name": "x", "description": "X."}, "x", "X.", "", "x"),
        (
            traced(search),
            {},
            "search",
            "Search the orders.",
            '{"query":"a","user_id":1}',
            None,
        ),
        (
            functools.partial(search, user_id=1),
            {},
            "search",
            "Search the orders.",
            '{"query":"a"}',
            None,
        ),
        (
            functools.partial(search, "a"),
            {"name": "search_a"},
            "search_a",
            "Search the orders.",
            '{"user_id":1}',
            None,
        ),
    ],
)
async def test_callables(
    function: Any,
    options: Any,
    name: str,
    description: str,
    arguments: str,
    output: str | None,
) -> None:
    """Whatever can be called by name can be a tool."""
    tool = Tool.from_function(function, **options)
    assert tool.definition.name == name
    assert tool.definition.description == description
    assert await tool.run(arguments) == (output or "a 1 10")


def test_what_a_partial_has_fixed_is_not_the_models() -> None:
    """Who the user is, for instance, is not for the model to choose."""
    tool = Tool.from_function(functools.partial(search, user_id=7))
    parameters = tool.definition.parameters or {}
    assert list(parameters["properties"]) == ["query", "limit"]
    with pytest.raises(ToolError, match="user_id is not known"):
        tool.read('{"query":"a","user_id":8}')


def starred(*places: str) -> None:
    """Take any number."""


def double_starred(**places: str) -> None:
    """Take any names."""


def generating() -> Iterator[int]:
    """Return bit by bit."""
    yield 1


async def generating_later() -> AsyncIterator[int]:
    """Return bit by bit, later."""
    yield 1


def taking_a_callable(value: Callable[[int], int]) -> None:
    """Take what is no JSON."""


def taking_a_thread(value: list[threading.Thread]) -> None:
    """Take what is no JSON, inside."""


def taking_the_unknown(value: Unknown) -> None:
    """Take what only the type checker knows."""


def taking_nonsense(value: list[1 / 0]) -> None:  # type: ignore[valid-type]
    """Take what cannot be made out."""


def taking_a_predicate(
    value: Annotated[int, annotated_types.Predicate(bool)],
) -> None:
    """Take what JSON schema cannot say."""


@dataclasses.dataclass
class Odd:
    worker: threading.Thread


def taking_an_odd_dataclass(value: Odd) -> None:
    """Take a class with what is no JSON."""


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (starred, r"\*places.*name each parameter.*list"),
        (double_starred, r"\*\*places.*name each parameter.*dict"),
        (generating, "generator.*return"),
        (generating_later, "generator.*return"),
        (lambda: None, "name="),
        (Shop("S"), "name="),
        (Shop, "class"),
        (Shop.find, "Shop.find is a method without its object.*thing.method"),
        (taking_a_callable, "'value' of function taking_a_callable.*Callable.*use"),
        (taking_a_thread, "'value'.*Thread"),
        (taking_an_odd_dataclass, "'value'.*Thread"),
        (taking_the_unknown, "taking_the_unknown.*'Unknown' is not defined.*TYPE_CHEC"),
        (taking_nonsense, "taking_nonsense.*division"),
        (taking_a_predicate, "'value'.*Predicate"),
        (7, "a tool is a function, not 7"),
        (min, "signature of .*min"),
    ],
)
def test_what_cannot_be_a_tool_is_told_why(function: Any, told: str) -> None:
    """A mistake shows where it is made, with the way out, and not at the first call."""
    with pytest.raises(ToolError, match=told):
        Tool.from_function(function)


def test_what_a_function_returns_may_be_unknown() -> None:
    """Only what the model gives has to be understood."""

    def f(value: int) -> Unknown: ...

    assert Tool.from_function(f).definition.name == "f"


def test_types_inside_a_function_are_found() -> None:
    """A decorator inside a function sees the classes that the function has made."""

    @dataclasses.dataclass
    class Local:
        a: int

    def inner() -> Tool:
        @dataclasses.dataclass
        class Innermost:
            b: int

        def f(one: Local, two: Innermost) -> str:
            return f"{one.a} {two.b}"

        return Tool.from_function(f)

    parameters = inner().definition.parameters or {}
    assert parameters["properties"]["one"]["required"] == ["a"]
    assert parameters["properties"]["two"]["required"] == ["b"]


def test_class_inside_a_function_that_names_another_is_told_why() -> None:
    """What stands in quotes inside a class is looked up in its module only."""

    @dataclasses.dataclass
    class Part:
        a: int

    @dataclasses.dataclass
    class Whole:
        part: Part

    def f(whole: Whole) -> None: ...

    with pytest.raises(ToolError, match=r"Whole.*'Part' is not defined.*in the module"):
        Tool.from_function(f)


def test_option_that_does_not_exist() -> None:
    """A misspelt option is not silently without effect."""
    with pytest.raises(TypeError, match="timeot"):
        Tool.from_function(search, timeot=3)  # type: ignore[call-arg]


def test_option_out_of_range() -> None:
    """Options of functions are held to what `ToolOptions` allows."""
    with pytest.raises(ConfigurationError, match="timeout_s is 0"):
        Tool.from_function(search, timeout=0)
