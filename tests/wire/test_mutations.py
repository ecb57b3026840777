"""Damaged frames are events or refused: nothing else, whatever the damage.

Frames of every event, of both directions and surfaces, are mutated as bytes and as
JSON: the official samples where they are at hand, and always frames of our own classes.
Each Hypothesis example is a seed from which many mutations are drawn, so that 20,000
cases of each kind take a few seconds. For more, name the cases of each test:

    MUTATION_CASES=2000000 python -m pytest tests/wire/test_mutations.py

A failure shows the frame; give it to `decode_event` to see it again.
"""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from random import Random
from typing import Any, NamedTuple, TypeAlias, cast

import msgspec.inspect as mi
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from openai_realtime import decode_event, encode_event
from openai_realtime.errors import LocalProtocolError, RemoteProtocolError
from openai_realtime.events import (
    EVENTS,
    Dialect,
    Direction,
    RealtimeEvent,
    Surface,
    UnknownEvent,
    rows_of,
)

from .event_strategies import struct_types
from .schema_file import examples, needs_protocol_files

Frame: TypeAlias = str | bytes | memoryview

CASES = int(os.environ.get("MUTATION_CASES", "20000"))
CASES_A_SEED = 250

LONGEST_MESSAGE = 1_000
"""Characters of an error's text, however long the frame, its names and its paths."""

MEMORY_A_BYTE = 64
"""Bytes of memory for a byte of a frame, at the peak. An empty object is 64 bytes, and
8 in its list, for 3 bytes of the frame; twice that leaves room for a list to grow."""

MEMORY_A_FRAME = 64_000
"""Bytes of memory that any frame may take."""

MUTATED = settings(
    deadline=None,
    max_examples=max(1, CASES // CASES_A_SEED),
    # A seed cannot be made smaller in any way that means something.
    phases=[Phase.explicit, Phase.generate],
    database=None,
)
SEEDS = st.integers(0, 2**64 - 1)


class Sample(NamedTuple):
    """A frame to mutate."""

    direction: Direction
    surface: Surface
    event: dict[str, Any]


@cache
def official_samples(dialect: Dialect = "ga") -> list[Sample]:
    """Return the official samples of a dialect."""
    return [
        Sample(
            cast("Direction", line["direction"]),
            "translation" if line["surface"] == "translation" else "realtime",
            line["event"],
        )
        for line in examples()
        if line["dialect"] == dialect
    ]


@cache
def own_samples() -> list[Sample]:
    """Return a full frame of every event: all fields, and all variants in a list."""
    return [
        Sample(row.direction, row.surface, full(struct))
        for row in EVENTS
        for struct in struct_types(mi.type_info(row.cls))
    ]


def full(struct: mi.StructType) -> dict[str, Any]:
    """Return the JSON of an object with all of its fields."""
    tag = {} if struct.tag is None else {str(struct.tag_field): struct.tag}
    return {**tag, **{f.encode_name: filled(f.type) for f in struct.fields}}


PLAIN: dict[type[mi.Type], Any] = {
    mi.AnyType: {"any": [1, None]},
    mi.BoolType: True,
    mi.BytesType: "AAECAwQF/+8=",
    mi.FloatType: 0.5,
    mi.IntType: 24_000,
    mi.StrType: 'text é "\\" \u0000',
    mi.NoneType: None,
}


def filled(kind: mi.Type) -> Any:
    """Return the JSON of a value of a type, the largest of what it may be."""
    structs = struct_types(kind)
    match kind:
        case mi.Metadata(type=inner):
            return filled(inner)
        case mi.ListType(item_type=inner):
            return [full(one) for one in structs] or [filled(inner)]
        case mi.DictType(value_type=inner):
            return {"key": filled(inner)}
        case mi.UnionType(types=types) if len(types) == 2 and mi.NoneType() in types:
            return filled(next(one for one in types if one != mi.NoneType()))
        case mi.UnionType(types=types) if not structs:
            return filled(types[0])
        case mi.StructType() | mi.CustomType() | mi.UnionType():
            return full(structs[-1])
        case _:
            return PLAIN[type(kind)]


# --- what is done to a frame ---

ODD_VALUES = (
    *("null", "true", "0", "-1", "1.5", "9" * 30, "-" + "9" * 30, "1e308"),
    *('""', '"AAE"', '"="', '"\\u0000"', '"é😀"', f'"{"x" * 300}"'),
    *('"session.update"', '"message"', "[]", "[[]]", "{}", '["audio", null]'),
    *('{"type": null}', '{"type": "new"}', '{"type": "message"}'),
    *('{"type": "function", "name": 1}', '[{"type": "input_text"}]'),
)
ODD_KEYS = ("type", "event_id", "item", "delta", "audio", "content", "new", "", "\x00")
ODD_BYTES = b'"\\{}[]:,=/\x00\xff\xc3\xed\xa0 \t0123456789eE+-.truefalsn'
ODD_TEXT = (
    *(b"null", b"1e999", b"NaN", b"-Infinity", b"9" * 50),
    *(b"\\ud800", b"\\u0000", b"\\/", b"\xed\xa0\x80", b"\xef\xbb\xbf"),
    *(b'"delta":"', b'"d\\u0065lta":"AAEC",', b'"type":"'),
    *(b"[" * 3_000, b'{"a":' * 3_000, b"{}" * 40, b"," * 40),
)


def mutated_bytes(random: Random, frame: bytes) -> bytes:
    """Return a frame that something has happened to on its way."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        start = random.randrange(len(frame) + 1)
        end = min(len(frame), start + random.choice((0, 1, 1, 2, 5, 40)))
        match random.randrange(6):
            case 0:
                frame = frame[:start]
            case 1:
                frame = frame[:start] + frame[end:]
            case 2:
                frame = frame[:end] + frame[start:]
            case 3:
                frame = frame[:start] + random.choice(ODD_TEXT) + frame[end:]
            case _:
                byte = ODD_BYTES[random.randrange(len(ODD_BYTES))]
                frame = frame[:start] + bytes((byte,)) + frame[end:]
    return frame


def mutated_json(random: Random, event: dict[str, Any]) -> bytes:
    """Return the frame of an event that somebody else understands otherwise."""
    for _ in range(random.choice((1, 1, 2, 4))):
        spots = list(spots_of(event))
        holder, key = spots[random.randrange(len(spots))]
        match random.randrange(7):
            case 0:
                del holder[key]
            case 1:
                holder[key] = [holder[key]]
            case 2:
                other, place = spots[random.randrange(len(spots))]
                holder[key] = copied(other[place])
            case 3 if isinstance(holder, dict):
                holder[random.choice(ODD_KEYS)] = holder.pop(key)
            case 4 if isinstance(holder, dict):
                holder[random.choice(ODD_KEYS)] = odd_value(random)
            case 5 if isinstance(holder[key], list) and len(spots) < 500:
                holder[key] = copied(holder[key] * random.choice((2, 50)))
            case _:
                holder[key] = odd_value(random)
        if not event:
            break
    text = json.dumps(
        event,
        ensure_ascii=random.random() < 0.5,
        indent=random.choice((None, None, 1)),
        separators=random.choice((None, (",", ":"))),
    )
    if random.random() < 0.1:
        text = text[:-1] + "," + text[1:]  # Every key twice.
    return text.encode()


def odd_value(random: Random) -> Any:
    """Return a JSON value that belongs nowhere."""
    return json.loads(random.choice(ODD_VALUES))


def copied(value: Any) -> Any:
    """Return a copy that shares nothing."""
    return json.loads(json.dumps(value))


def spots_of(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in a JSON value, as what holds it and the key in that."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from spots_of(value[key])


def mutate_bytes(random: Random, sample: Sample) -> bytes:
    """Mutate the frame of a sample as bytes."""
    compact = (",", ":") if random.random() < 0.7 else None
    frame = json.dumps(sample.event, separators=compact, ensure_ascii=False)
    return mutated_bytes(random, frame.encode())


def mutate_json(random: Random, sample: Sample) -> bytes:
    """Mutate a sample as JSON."""
    return mutated_json(random, copied(sample.event))


Mutate: TypeAlias = Callable[[Random, Sample], bytes]
BOTH_WAYS = pytest.mark.parametrize(
    "mutate", [mutate_bytes, mutate_json], ids=["bytes", "json"]
)


# --- what must come of it ---


def in_some_form(random: Random, frame: bytes) -> Frame:
    """Return a frame in one of the forms in which transports hand it over."""
    form = random.randrange(4)
    if form == 0:
        return memoryview(frame)
    if form == 1:
        return frame.decode("utf-8", "surrogateescape")
    return frame


def outcome(
    frame: Frame, direction: Direction, surface: Surface, dialect: Dialect = "ga"
) -> RealtimeEvent | RemoteProtocolError:
    """Return what a frame leads to; anything but the two is a failure."""
    try:
        return decode_event(
            frame, direction=direction, surface=surface, dialect=dialect
        )
    except RemoteProtocolError as exc:
        return exc
    except Exception as exc:
        raise AssertionError(f"{exc!r} of {frame!r} ({direction}, {surface})") from exc


def check(frame: Frame, direction: Direction, surface: Surface) -> None:
    """Check that a frame is an event that can be passed on, or is refused."""
    found = outcome(frame, direction, surface)
    told = f"of {frame!r} ({direction}, {surface})"
    if isinstance(found, RemoteProtocolError):
        raw = bytes(frame) if isinstance(frame, memoryview) else frame
        assert found.raw == raw, told
        assert len(str(found)) <= LONGEST_MESSAGE, told
        return
    assert isinstance(found, RealtimeEvent), told
    rows = rows_of(direction, surface)
    known = rows[found.type].cls if found.type in rows else UnknownEvent
    assert type(found) is known, told
    again = outcome(encode_event(found), direction, surface)
    assert again == found, told


def mutations(
    seed: int, samples: list[Sample], mutate: Mutate, cases: int
) -> Iterator[tuple[Frame, Direction, Surface]]:
    """Yield mutated frames, some of them on the wrong side of the wire."""
    random = Random(seed)
    for _ in range(cases):
        sample = samples[random.randrange(len(samples))]
        frame = in_some_form(random, mutate(random, sample))
        if random.random() < 0.9:
            yield frame, sample.direction, sample.surface
        else:
            direction: Direction = random.choice(("client", "server"))
            surface: Surface = random.choice(("realtime", "translation"))
            yield frame, direction, surface


@BOTH_WAYS
@MUTATED
@given(seed=SEEDS)
def test_mutated_frame_of_our_own_is_an_event_or_refused(
    mutate: Mutate, seed: int
) -> None:
    """Whatever happened to a frame, it is an event that survives, or it is refused."""
    for case in mutations(seed, own_samples(), mutate, CASES_A_SEED):
        check(*case)


@needs_protocol_files
@BOTH_WAYS
@MUTATED
@given(seed=SEEDS)
def test_mutated_official_sample_is_an_event_or_refused(
    mutate: Mutate, seed: int
) -> None:
    """Whatever happened to a sample, it is an event that survives, or it is refused."""
    for case in mutations(seed, official_samples(), mutate, CASES_A_SEED):
        check(*case)


@needs_protocol_files
@BOTH_WAYS
@MUTATED
@given(seed=SEEDS)
def test_mutated_frame_of_an_old_peer_is_an_event_or_refused(
    mutate: Mutate, seed: int
) -> None:
    """The translation of the old dialect meets damage as the rest does."""
    samples = official_samples("beta")
    for frame, direction, _ in mutations(seed, samples, mutate, CASES_A_SEED):
        found = outcome(frame, direction, "realtime", "beta")
        if isinstance(found, RemoteProtocolError):
            assert len(str(found)) <= LONGEST_MESSAGE, frame
        else:
            with suppress(LocalProtocolError):
                encode_event(found, dialect="beta")


@BOTH_WAYS
@settings(MUTATED, max_examples=max(1, CASES // 20 // CASES_A_SEED))
@given(seed=SEEDS)
def test_mutated_frame_takes_memory_in_proportion(mutate: Mutate, seed: int) -> None:
    """No small frame makes the reader take much memory, not even for a moment."""
    cases = list(mutations(seed, own_samples(), mutate, CASES_A_SEED))
    tracemalloc.start()
    try:
        for frame, direction, surface in cases:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            found = outcome(frame, direction, surface)
            peak = tracemalloc.get_traced_memory()[1] - before
            limit = MEMORY_A_FRAME + MEMORY_A_BYTE * len(frame)
            assert peak <= limit, f"{peak} bytes for {frame!r}"
            del found
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("surface", ["realtime", "translation"])
@pytest.mark.parametrize("direction", ["client", "server"])
@pytest.mark.parametrize(
    "frame",
    [
        b'{"type":"new","deep":' + b"[" * 500_000,
        b'{"type":"new","deep":' + b'{"a":' * 200_000,
        b'{"type":"new","wide":[' + b"[]," * 200_000 + b"[]]}",
        b'{"type":"new","wide":[' + b"{}," * 200_000 + b"{}]}",
        b'{"type":"new","long":"' + b"\\u0041" * 100_000 + b'"}',
        b'{"type":"new","number":' + b"9" * 500_000 + b"}",
        b'{"type":"error","error":' + b"[" * 500_000,
        b'{"type":"' + b"x" * 500_000 + b'"}',
        b'{"' + b"x" * 500_000 + b'":1}',
        b"[" * 500_000,
        b"\x00" * 500_000,
    ],
    ids=lambda frame: repr(frame[:30]),
)
def test_hostile_frame_takes_memory_in_proportion(
    frame: bytes, direction: Direction, surface: Surface
) -> None:
    """A long frame made to hurt costs no more than its length, and a short error."""
    tracemalloc.start()
    try:
        found = outcome(frame, direction, surface)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= MEMORY_A_FRAME + MEMORY_A_BYTE * len(frame)
    if isinstance(found, RemoteProtocolError):
        assert found.raw == frame
        assert len(str(found)) <= LONGEST_MESSAGE


def test_our_own_samples_are_events_of_every_row() -> None:
    """The frames that are mutated are whole to begin with, one of every row."""
    for sample, row in zip(own_samples(), EVENTS, strict=True):
        frame = json.dumps(sample.event)
        event = decode_event(frame, direction=row.direction, surface=row.surface)
        assert type(event) is row.cls
        assert json.loads(encode_event(event)) == sample.event
