"""Any JSON value in any field of a client's event: refused whole, or taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec.inspect as schema
import pytest

from openai_realtime._struct import OpenFamily
from openai_realtime.events import (
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    InputAudioBufferAppend,
    ResponseCancel,
    ResponseCreate,
    SessionUpdate,
)
from openai_realtime.resources.items import MessageItem
from openai_realtime.resources.session import SessionConfig
from openai_realtime.resources.tools import McpTool

from .session_driver import SessionDriver

EVENTS = (
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    InputAudioBufferAppend,
    ResponseCancel,
    ResponseCreate,
    SessionUpdate,
)
VALUES: list[Any] = [
    *(None, True, 7, -1.5, 1e300, 10**30, "", "x"),
    *([], [None], [[]], ["x"], [{}]),
    *({}, {"type": None}, {"type": []}, {"type": {}}, {"type": 7}),
    {"a": {"b": [{}]}},
]
# The only refusals that name no field (PROTOCOL.md section 5); None is a truncation's.
WITHOUT_PARAM = ("response_cancel_not_active", None)
NEEDED: dict[type, Any] = {
    # What the types leave open, though the protocol does not.
    SessionConfig: {"type": "realtime"},
    MessageItem: {"content": []},
    McpTool: {"server_url": "https://docs.example.com/mcp"},
}
# Where not any text will do.
TEXTS = {"item_id": "item_1", "previous_item_id": "item_1", "role": "user"}


class Place(NamedTuple):
    """A field at some depth, and how to make the whole with a value in it."""

    path: str
    make: Callable[[Any], Any]


def places(info: schema.Type) -> Iterator[Place]:
    """Walk through all fields that a type has, at every depth."""
    for name, wrap, inner in _children(info):
        yield Place(name, wrap)
        for place in places(inner):
            joint = "" if place.path.startswith("[") else "."
            path = f"{name}{joint}{place.path}"
            yield Place(path, lambda v, w=wrap, m=place.make: w(m(v)))


def _children(
    info: schema.Type,
) -> Iterator[tuple[str, Callable[[Any], Any], schema.Type]]:
    if isinstance(info, schema.UnionType):
        for member in info.types:
            yield from _children(member)
    elif isinstance(info, schema.Metadata):
        yield from _children(schema.type_info((info.extra or {})["object"]))
    elif isinstance(info, schema.ListType):
        yield "[0]", lambda value: [value], info.item_type
    elif isinstance(info, schema.DictType):
        yield "key", lambda value: {"key": value}, info.value_type
    elif isinstance(info, schema.CustomType) and issubclass(info.cls, OpenFamily):
        for variant in info.cls.variants.values():
            yield from _children(schema.type_info(variant))
    elif isinstance(info, schema.StructType):
        base = sample(info)
        if info.tag_field:
            name = info.tag_field
            yield name, lambda v, n=name: {**base, n: v}, schema.NoneType()
        for field in info.fields:
            name = field.encode_name
            yield name, lambda v, n=name: {**base, n: v}, field.type


def sample(info: schema.Type) -> Any:
    """Make a plain value of a type; of an object, what it must have."""
    if isinstance(info, schema.StructType):
        tag = {info.tag_field: info.tag} if info.tag_field else {}
        fields = {
            f.encode_name: TEXTS.get(f.encode_name, sample(f.type))
            for f in info.fields
            if f.required
        }
        return {**tag, **fields, **NEEDED.get(info.cls, {})}
    if isinstance(info, schema.CustomType):
        return sample(schema.type_info(next(iter(info.cls.variants.values()))))
    if isinstance(info, schema.UnionType):
        return sample(info.types[0])
    plain = {schema.IntType: 0, schema.FloatType: 0.5, schema.BoolType: True}
    return plain.get(type(info), "AAAA")


CASES = [
    pytest.param(place, id=f"{cls.__struct_config__.tag}-{place.path}")
    for cls in EVENTS
    for place in places(schema.type_info(cls))
    if place.path not in ("type", "event_id")
]


def is_about(param: str, path: str) -> bool:
    """Whether a refusal names the field, what it is in, or what is in or beside it."""
    parent = re.sub(r"(\.[^.\[]*|\[0\])$", "", path)
    return (
        param == path
        or path.startswith((f"{param}.", f"{param}["))
        or param.startswith((f"{path}.", f"{path}[", f"{parent}."))
        # What is of an unsupported type is refused for that alone.
        or (param.endswith(".type") and path.startswith(param.removesuffix("type")))
    )


@pytest.mark.parametrize("place", CASES)
def test_any_value_is_taken_or_refused_whole(place: Place) -> None:
    """One error that names event and field, with nothing changed; or a normal life."""
    for value in VALUES:
        driver = SessionDriver(pace=0, official=False)
        driver.say("Set it to 5 in Paris")
        before = driver.state()
        events = driver.send(**{**place.make(value), "event_id": "mine"})
        errors = [event.error for event in events if event.type == "error"]
        if errors:
            [error] = errors
            assert len(events) == 1
            assert error.event_id == "mine"
            if error.code not in WITHOUT_PARAM:
                assert is_about(error.param or "", place.path), (value, error)
            assert driver.state() == before, value
        driver.run()
        done = driver.respond(output_modalities=["text"], tool_choice="required")
        assert done[-2].response.status in ("completed", "incomplete"), value
        driver.order.assert_settled()
