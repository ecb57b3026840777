"""What `repr` shows: enough for a log line, and neither audio nor frames nor keys."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from enum import Enum
from types import UnionType
from typing import Any, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

import pytest
from msgspec import Struct, UnsetType

import openai_realtime
from openai_realtime import events, resources
from openai_realtime._struct import OpenFamily, UnknownVariant, WireObject
from openai_realtime.errors import RealtimeError, RemoteProtocolError
from openai_realtime.events import (
    ErrorOccurred,
    InputAudioBufferAppend,
    RealtimeEvent,
    RealtimeEventSeen,
    ResponseDone,
    SessionCreated,
    SessionUpdate,
    UnknownEvent,
)
from openai_realtime.resources import (
    ClientSecret,
    Delta,
    FormattedItem,
    FormattedProperty,
    FormattedTool,
    McpTool,
    MessageItem,
    ResponseConfig,
    Session,
    SessionConfig,
    ToolDefinition,
)

LIMIT = 1_000
MANY = 20
TEXT = "a long text of somebody " * 2_000
AUDIO = b"hush" * 10_000
IN_BASE64 = base64.b64encode(AUDIO).decode()
KEY = "ek_68af296e8e408191a1120ab6383263c2"


def below(base: type) -> Iterator[type[Any]]:
    """Yield the public classes of the library below a base."""
    for cls in base.__subclasses__():
        yield from below(cls)
        ours = cls.__module__.startswith("openai_realtime.")
        if ours and not cls.__name__.startswith("_"):
            yield cls


# The emulator reads other protocols too, whose objects nobody is shown.
STRUCTS = sorted(
    (
        cls
        for cls in {*below(Struct)}
        if not cls.__module__.startswith("openai_realtime.emulator.")
    ),
    key=lambda cls: (cls.__module__, cls.__name__),
)
UNKNOWN_VARIANTS = sorted(below(UnknownVariant), key=lambda cls: cls.__name__)


def bulk(hint: Any) -> int:
    """Tell how much a value of a type can hold."""
    if hint in (bool, int, float) or hint in (type(None), UnsetType):
        return 0
    return 1 if hint is str else 2


def huge(hint: Any) -> Any:
    """Return a value of a type that holds very much."""
    if get_origin(hint) in (Union, UnionType):
        return huge(max(get_args(hint), key=bulk))
    if get_origin(hint) is list:
        return [huge(get_args(hint)[0])] * MANY
    if get_origin(hint) is tuple:
        return (huge(get_args(hint)[0]),) * MANY
    if get_origin(hint) is dict:
        return {f"{n} {TEXT}": huge(get_args(hint)[1]) for n in range(MANY)}
    if isinstance(hint, type) and OpenFamily in hint.__bases__:
        family = cast("type[OpenFamily]", hint)
        return huge(next(iter(family.variants.values())))
    if isinstance(hint, type) and issubclass(hint, Struct):
        return filled(ResponseDone if hint is RealtimeEvent else hint)
    if isinstance(hint, type) and issubclass(hint, RealtimeError):
        return RemoteProtocolError(TEXT, raw=AUDIO)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    return SIMPLE[hint]


def filled(cls: type[Struct]) -> Any:
    """Return an object with very much in each of its fields."""
    hints = get_type_hints(cls)
    return cls(**{name: huge(hints[name]) for name in cls.__struct_fields__})


SIMPLE: dict[Any, Any] = {
    bool: True,
    int: 10**30,
    float: 0.123456789,
    str: TEXT,
    bytes: AUDIO,
    Any: {TEXT: [{"deep": {"er": {TEXT: AUDIO}}}, AUDIO] * MANY, 1: bytearray(AUDIO)},
}


def filled_item() -> FormattedItem:
    """Return a cached item with very much in it."""
    item = FormattedItem(TEXT, MessageItem(role=TEXT), TEXT)
    item.formatted.text = item.formatted.transcript = TEXT
    item.formatted.audio = AUDIO
    item.formatted.tool = filled(FormattedTool)
    item.formatted.output = TEXT
    return item


SIMPLE[FormattedItem] = filled_item()


@pytest.mark.parametrize("cls", STRUCTS, ids=lambda cls: cls.__name__)
def test_repr_is_short_whatever_the_object_holds(cls: type[Struct]) -> None:
    """An object in a log is a line, and shows of audio its size at most."""
    shown = repr(filled(cls))
    assert len(shown) < LIMIT
    assert shown.startswith(cls.__name__)
    assert "hush" not in shown
    assert IN_BASE64[:16] not in shown


@pytest.mark.parametrize("cls", UNKNOWN_VARIANTS, ids=lambda cls: cls.__name__)
def test_repr_of_an_unknown_variant_is_short(
    cls: Callable[[dict[str, Any]], UnknownVariant],
) -> None:
    """What nobody knows may have a name of any length."""
    assert len(repr(cls({"type": TEXT, "id": TEXT}))) < LIMIT


@pytest.mark.parametrize(
    "data",
    [
        {"type": TEXT},
        {"type": "x", 1: 2, "b": 3},
        {f"{n} {TEXT}": n for n in range(99)},
    ],
    ids=["long type", "mixed keys", "many keys"],
)
def test_repr_of_an_unknown_event_is_short(data: dict[Any, Any]) -> None:
    """An event of any type, with any keys, can be shown."""
    assert len(repr(UnknownEvent(data=data))) < LIMIT


def test_reprs_of_cached_content_are_short() -> None:
    """An hour of audio and text in the cache does not fill the screen."""
    item = filled_item()
    for thing in (item, item.formatted):
        assert len(repr(thing)) < LIMIT
    assert "hush" not in repr(item)
    fresh = FormattedProperty()
    fresh.add_audio(AUDIO)
    assert f"audio=<{len(AUDIO)} bytes>" in repr(fresh)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_repr_shows_the_size_of_any_kind_of_bytes(kind: Callable[[bytes], Any]) -> None:
    """Audio is not shown, whatever it is kept in."""
    for holder in (InputAudioBufferAppend(audio=kind(AUDIO)), Delta(audio=kind(AUDIO))):
        assert f"audio=<{len(AUDIO)} bytes>" in repr(holder)
        assert len(repr(holder)) < 100


class Point(NamedTuple):
    x: bytes


class Unshowable:
    def __repr__(self) -> str:
        raise ValueError("not now")


def nested(levels: int) -> Any:
    """Return a list in a list in a list."""
    inner: Any = []
    for _ in range(levels):
        inner = [inner, {"more": inner}]
    return inner


def endless() -> dict[str, Any]:
    """Return an object that holds itself."""
    holder: dict[str, Any] = {}
    holder["itself"] = holder
    return holder


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ([1, 2, 3], "[1, 2, 3]"),
        ([1, 2, 3, 4], "[1, 2, 3, ... 4 in all]"),
        ((1,), "(1,)"),
        ((1, 2, 3, 4), "(1, 2, 3, ... 4 in all)"),
        ({}, "{}"),
        ({"a": b"123", 1: None}, "{'a': <3 bytes>, 1: None}"),
        (dict.fromkeys("abcd"), "{'a': None, 'b': None, 'c': None, ... 4 in all}"),
        ([[[[1]]]], "[[[<list of 1>]]]"),
        (endless(), "{'itself': {'itself': {'itself': <dict of 1>}}}"),
        (Point(x=b"123"), "Point(x=b'123')"),
        (Unshowable(), "<Unshowable>"),
        (10**5_000, "<int>"),
        ("x" * 61, f"'{'x' * 60}'... <61 characters>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_of_any_kind_are_shown_in_short(value: object, shown: str) -> None:
    """The form of a value can be seen, and its size where it is long."""
    occurred = ErrorOccurred(error=RealtimeError("no"), context=value)
    assert repr(occurred) == (
        f"ErrorOccurred(error=RealtimeError('no'), context={shown})"
    )


def test_deeply_nested_parameters_can_be_shown() -> None:
    """A schema that is nested without end fails no log line."""
    tool = ToolDefinition(
        name="t", parameters={"type": "object", "deep": nested(5_000)}
    )
    assert len(repr(tool)) < LIMIT


def test_tool_parameters_show_their_beginning() -> None:
    """A tool is recognized by its name and the first words of its schema."""
    properties = {f"parameter_{n}": {"type": "string"} for n in range(500)}
    tool = ToolDefinition(
        name="t", parameters={"type": "object", "properties": properties}
    )
    assert repr(tool).startswith(
        "ToolDefinition(name='t', parameters={'type': 'object'"
    )
    assert "500 in all" in repr(tool)


# --- keys ---

MCP_TOOL = McpTool(server_label="m", authorization=KEY, headers={"X-Api-Key": KEY})
WITH_KEYS: list[RealtimeEvent] = [
    SessionCreated(
        event_id="e",
        session=Session(client_secret=ClientSecret(value=KEY, expires_at=1)),
    ),
    SessionUpdate(session=SessionConfig(tools=[MCP_TOOL])),
    events.ResponseCreate(response=ResponseConfig(tools=[MCP_TOOL])),
    UnknownEvent.of({"type": "new", "client_secret": {"value": KEY}, "note": KEY}),
]


@pytest.mark.parametrize("event", WITH_KEYS, ids=lambda event: event.type)
@pytest.mark.parametrize("as_text", [False, True], ids=["bytes", "text"])
def test_a_passing_event_shows_no_key(event: RealtimeEvent, as_text: bool) -> None:
    """Whoever logs `realtime.event` logs no credential of a session or a tool."""
    frame = openai_realtime.encode_event(event)
    raw = frame.decode() if as_text else frame
    seen = RealtimeEventSeen(time=1.5, source="server", event=event, raw=raw)
    assert KEY not in repr(seen)
    assert f"raw=<{len(frame)} bytes>" in repr(seen)
    assert KEY not in str(seen.to_dict())


@pytest.mark.parametrize(
    "frame",
    [f'{{"value":"{KEY}"}}', f'{{"value":"{KEY}"}}'.encode(), f'"{KEY}"', KEY],
)
def test_an_error_shows_no_frame(frame: str | bytes) -> None:
    """A frame that could not be read may hold anything, so only its size is shown."""
    error = RemoteProtocolError("frame is no object", raw=frame)
    occurred = ErrorOccurred(error=error, context=frame)
    for shown in (repr(occurred), str(occurred), str(occurred.to_dict())):
        assert KEY not in shown
        assert f"<{len(frame)} bytes>" in shown


def test_an_error_shows_which_event_it_concerns() -> None:
    """The name of a handler's event is no frame."""
    occurred = ErrorOccurred(error=RealtimeError("no"), context="server.response.*")
    assert "context='server.response.*'" in repr(occurred)


def test_public_objects_share_the_short_form() -> None:
    """No wire class falls back to a form that prints everything."""
    assert {cls for cls in STRUCTS if cls.__repr__ is Struct.__repr__} == set()
    assert WireObject in STRUCTS
    assert resources.EventHandlerResult in STRUCTS
