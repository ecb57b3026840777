"""Client events with one thing wrong, made from the service's schema.

Every field of every event is found in the schema; what is wrong with it is made from
what the schema says of it. The events in which it is put are whole and right otherwise.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import jsonschema_rs

from ..wire.schema_file import events_of, name_of, resolved, schema

Json: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str | int, ...]

UNKNOWN = "no_such_value"
HALF = "\ud83d"

_TYPES: dict[str, Any] = {
    "boolean": True,
    "integer": 7,
    "number": 1.5,
    "string": "words",
    "array": [],
    "object": {},
}

# Beyond what the schema says of numbers, as paths end (PROTOCOL.md sections 1.1, 3).
RANGES: dict[str, tuple[float | None, float | None]] = {
    "content_index": (0, 0),
    "audio_end_ms": (0, None),
    "threshold": (0, 1),
    "prefix_padding_ms": (0, None),
    "silence_duration_ms": (0, None),
    "max_output_tokens": (1, 4096),
}

# Which texts are not any text (PROTOCOL.md sections 3.1 and 3.2): the schema lists what
# was known when it was made.
OPEN = {
    "model": "names of models are an open set",
    "voice": "so are names of voices, which a name of one's own may join",
}


class Mistake(NamedTuple):
    """One thing that is wrong with an event.

    Attributes:
        what: What it is, for whoever reads of a failure.
        event: The event with it.
        code: The code of the error that it must meet.
        param: What that error names.
    """

    what: str
    event: Json
    code: str
    param: str


class Place(NamedTuple):
    """A field in a whole and right event.

    Attributes:
        name: What the event is called in `ALL_WHOLE`.
        path: The field.
        node: What the schema says of it.
        required: Whether it has to be there.
    """

    name: str
    path: Path
    node: Json
    required: bool

    @property
    def param(self) -> str:
        """The field as errors name it."""
        return param_of(self.path)


def param_of(path: Path) -> str:
    """Write a path as errors do: ``session.tools[0].name``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


# --- whole events ---

_AUDIO = base64.b64encode(bytes(4_800)).decode()
_PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
_FUNCTION = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather.",
    "parameters": _PARAMETERS,
}
_MCP: Json = {
    "type": "mcp",
    "server_label": "docs",
    "server_url": "https://docs.example.com/mcp",
    "authorization": "token",
    "server_description": "Has the documentation.",
    "headers": {"X-Own": "value"},
    "allowed_tools": ["search"],
    "allowed_callers": ["direct"],
    "require_approval": "never",
    "defer_loading": False,
}
_FILTER = {"tool_names": ["search"], "read_only": True}
_MCP_FILTERED: Json = {
    "type": "mcp",
    "server_label": "mail",
    "connector_id": "connector_gmail",
    "allowed_tools": _FILTER,
    "require_approval": {
        "always": _FILTER,
        "never": {"tool_names": ["add"], "read_only": True},
    },
}
_MCP_TUNNEL: Json = {
    "type": "mcp",
    "server_label": "home",
    "tunnel_id": f"tunnel_{'a' * 32}",
}
_TOOLS = [_FUNCTION, _MCP, _MCP_FILTERED, _MCP_TUNNEL]
_PROMPT = {"id": "pmpt_1", "version": "1", "variables": {"city": "Paris"}}
_SERVER_VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": 6_000,
    "create_response": True,
    "interrupt_response": True,
}
_SEMANTIC_VAD = {
    "type": "semantic_vad",
    "eagerness": "low",
    "create_response": True,
    "interrupt_response": False,
}
_PCM = {"type": "audio/pcm", "rate": 24_000}
# The one that has spoken already: no other is taken then.
_VOICE = {"id": "alloy"}
_MESSAGE = {"object": "realtime.item", "type": "message", "status": "completed"}

_ITEMS: dict[str, Json] = {
    "system": {
        **_MESSAGE,
        "id": "new",
        "role": "system",
        "content": [{"type": "input_text", "text": "Be kind."}],
    },
    "user": {
        **_MESSAGE,
        "id": "new",
        "role": "user",
        "content": [
            {"type": "input_text", "text": "Hello"},
            {"type": "input_audio", "audio": _AUDIO, "transcript": "Hello"},
            {
                "type": "input_image",
                "image_url": "data:image/png;base64,AAAA",
                "detail": "low",
            },
        ],
    },
    "assistant": {
        **_MESSAGE,
        "id": "new",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "Hello"}],
    },
    "function_call": {
        "id": "new",
        "object": "realtime.item",
        "type": "function_call",
        "status": "completed",
        "call_id": "call_new",
        "name": "get_weather",
        "arguments": "{}",
    },
    "function_call_output": {
        "id": "new",
        "object": "realtime.item",
        "type": "function_call_output",
        "status": "completed",
        "call_id": "call_own",
        "output": "{}",
    },
}


def _session(**fields: Any) -> Json:
    return {"type": "session.update", "session": {"type": "realtime", **fields}}


def _input(**fields: Any) -> Json:
    return _session(audio={"input": fields})


def _hears(**fields: Any) -> Json:
    return _input(transcription=fields)


def _retention(**fields: Any) -> Json:
    return {"type": "retention_ratio", "retention_ratio": 0.5, **fields}


WHOLE: dict[str, Json] = {
    "session.update": _session(
        model="gpt-realtime",
        output_modalities=["audio"],
        instructions="Be kind.",
        tools=_TOOLS,
        tool_choice="auto",
        parallel_tool_calls=True,
        reasoning={"effort": "low"},
        max_output_tokens=100,
        truncation=_retention(token_limits={"post_instructions": 1_000}),
        include=["item.input_audio_transcription.logprobs"],
        tracing={"workflow_name": "w", "group_id": "g", "metadata": {"a": "b"}},
        prompt=_PROMPT,
        audio={
            "input": {
                "format": _PCM,
                "transcription": {
                    "model": "gpt-transcribe",
                    "language": "en",
                    "keywords": ["Ada"],
                    "prompt": "Names of people.",
                },
                "noise_reduction": {"type": "near_field", "strength": 0.5},
                "turn_detection": _SERVER_VAD,
            },
            "output": {"format": _PCM, "voice": "alloy", "speed": 1.25},
        },
    ),
    "session.update of languages": _hears(model="gpt-transcribe", languages=["en"]),
    "session.update of a delay": _session(
        audio={
            "input": {
                "transcription": {"model": "gpt-realtime-whisper", "delay": "low"},
                "turn_detection": None,
            }
        }
    ),
    "session.update of semantic_vad": _input(turn_detection=_SEMANTIC_VAD),
    "session.update of a tool choice": _session(
        tools=[_FUNCTION], tool_choice={"type": "function", "name": "get_weather"}
    ),
    "session.update of an mcp choice": _session(
        tools=[_MCP],
        tool_choice={"type": "mcp", "server_label": "docs", "name": "search"},
    ),
    "session.update of transcription": {
        "type": "session.update",
        "session": {
            "type": "transcription",
            "include": ["item.input_audio_transcription.logprobs"],
            "audio": {
                "input": {
                    "format": _PCM,
                    "transcription": {"model": "gpt-4o-transcribe", "language": "en"},
                    "noise_reduction": {"type": "near_field", "strength": 0.5},
                    "turn_detection": {
                        "type": "server_vad",
                        "threshold": 0.5,
                        "prefix_padding_ms": 300,
                        "silence_duration_ms": 500,
                    },
                }
            },
        },
    },
    "session.update of a voice": _session(audio={"output": {"voice": _VOICE}}),
    "session.update of words": _session(
        tracing="auto", truncation="disabled", max_output_tokens="inf"
    ),
    "input_audio_buffer.append": {
        "type": "input_audio_buffer.append",
        "audio": _AUDIO,
    },
    "input_audio_buffer.commit": {"type": "input_audio_buffer.commit"},
    "input_audio_buffer.clear": {"type": "input_audio_buffer.clear"},
    **{
        f"conversation.item.create of {name}": {
            "type": "conversation.item.create",
            "previous_item_id": "own_user",
            "item": item,
        }
        for name, item in _ITEMS.items()
    },
    "conversation.item.create of mcp_approval_response": {
        "type": "conversation.item.create",
        "previous_item_id": "own_user",
        "item": {
            "type": "mcp_approval_response",
            "id": "new",
            "approval_request_id": "$approval",
            "approve": True,
            "reason": "Why not.",
        },
    },
    "conversation.item.retrieve": {
        "type": "conversation.item.retrieve",
        "item_id": "own_user",
    },
    "conversation.item.delete": {
        "type": "conversation.item.delete",
        "item_id": "own_user",
    },
    "conversation.item.truncate": {
        "type": "conversation.item.truncate",
        "item_id": "$spoken",
        "content_index": 0,
        "audio_end_ms": 100,
    },
    "response.create": {
        "type": "response.create",
        "response": {
            "output_modalities": ["text"],
            "instructions": "Be kind.",
            "audio": {"output": {"format": _PCM, "voice": "alloy"}},
            "tools": _TOOLS,
            "tool_choice": "auto",
            "parallel_tool_calls": True,
            "reasoning": {"effort": "low"},
            "max_output_tokens": 100,
            "conversation": "none",
            "metadata": {"a": "b"},
            "prompt": _PROMPT,
            "input": [
                *_ITEMS.values(),
                {"type": "item_reference", "id": "own_user"},
            ],
        },
    },
    "response.create with a tool choice": {
        "type": "response.create",
        "response": {
            "tools": [_FUNCTION],
            "tool_choice": {"type": "function", "name": "get_weather"},
            "max_output_tokens": "inf",
        },
    },
    "response.create with an mcp choice": {
        "type": "response.create",
        "response": {
            "tools": [_MCP],
            "tool_choice": {"type": "mcp", "server_label": "docs", "name": "search"},
            "audio": {"output": {"voice": _VOICE}},
        },
    },
    "response.cancel": {"type": "response.cancel", "response_id": "$running"},
}
"""Events with nothing wrong, and among them every field that there is.

A text that begins with a dollar stands for an id that the session has made.
"""

WHOLE_TRANSLATION: dict[str, Json] = {
    "translation: session.update": {
        "type": "session.update",
        "session": {
            "audio": {
                "input": {
                    "transcription": {"model": "gpt-realtime-whisper"},
                    "noise_reduction": {"type": "near_field", "strength": 0.5},
                },
                "output": {"language": "fr"},
            }
        },
    },
    "translation: session.input_audio_buffer.append": {
        "type": "session.input_audio_buffer.append",
        "audio": _AUDIO,
    },
    "translation: session.close": {"type": "session.close"},
}
"""The same of sessions that translate."""

ALL_WHOLE = {**WHOLE, **WHOLE_TRANSLATION}

# The fields of the schema that no whole event has, as paths end, and why.
NOT_SHOWN = {
    "output_audio_buffer.clear": "refused as a whole: it is for WebRTC and SIP",
    "item (mcp_list_tools)": "made by the server alone",
    "item (mcp_call)": "made by the server alone",
    "item (mcp_approval_request)": "made by the server alone",
}


# --- the fields of the schema ---


def client_events(surface: str = "ga") -> dict[str, Json]:
    """Return the schema of each client event."""
    return {name_of(event): event for event in events_of(f"{surface}.client")}


def places() -> Iterator[Place]:
    """Find every field of the whole events in the schema, each one once."""
    nodes = {"ga": client_events(), "translation": client_events("translation")}
    seen: set[tuple[str, str, Path]] = set()
    for name, event in ALL_WHOLE.items():
        whole: Json = {"event_id": "mine", **event}
        surface = "translation" if name in WHOLE_TRANSLATION else "ga"
        for place in _places(name, (), nodes[surface][event["type"]], whole):
            key = (surface, event["type"], place.path)
            if key not in seen or "of" in name:
                seen.add(key)
                yield place


def _places(name: str, path: Path, node: Json, value: Any) -> Iterator[Place]:
    """Walk through an object or a list, and what the schema says of it."""
    for branch in _branches(node):
        if not _fits(branch, value):
            continue
        if isinstance(value, dict):
            yield from _fields(name, path, branch, value)
        elif isinstance(value, list) and "items" in branch:
            for index, inner in enumerate(value):
                at = (*path, index)
                yield Place(name, at, branch["items"], False)
                yield from _places(name, at, branch["items"], inner)
        return


def _fields(name: str, path: Path, branch: Json, value: Json) -> Iterator[Place]:
    known: Json = branch.get("properties", {})
    others = branch.get("additionalProperties")
    for field, inner in value.items():
        node = known.get(field, others)
        if not isinstance(node, dict):
            continue
        at = (*path, field)
        yield Place(name, at, node, field in branch.get("required", ()))
        yield from _places(name, at, node, inner)


def _branches(node: Json) -> list[Json]:
    """Return all alternatives of a node, at any depth."""
    node = resolved(node)
    for union in ("anyOf", "oneOf"):
        if union in node:
            return [one for inner in node[union] for one in _branches(inner)]
    return [node]


def _fits(branch: Json, value: Any) -> bool:
    return _validator(json.dumps(branch)).is_valid(value)


@cache
def _validator(branch: str) -> Any:
    document = {**json.loads(branch), "$defs": schema()["$defs"]}
    return jsonschema_rs.Draft202012Validator(document)


# --- what can be wrong ---


def mistakes(place: Place) -> Iterator[Mistake]:
    """Make every mistake that a field allows."""
    if place.required:
        yield _mistake(place, "is missing", _MISSING)
    for what, value in [
        *_wrong_types(place),
        *_unknown_values(place),
        *_out_of_range(place),
    ]:
        yield _mistake(place, what, value)


_MISSING = object()


def _mistake(place: Place, what: str, value: Any) -> Mistake:
    event: Json = {"event_id": "mine", **_copy(ALL_WHOLE[place.name])}
    *parents, last = place.path
    target: Any = event
    for step in parents:
        target = target[step]
    if value is _MISSING:
        del target[last]
        return Mistake(what, event, "missing_required_parameter", place.param)
    target[last] = value
    return Mistake(f"{what}: {value!r:.40}", event, "invalid_value", place.param)


def _copy(event: Json) -> Json:
    """Copy an event, and anew whatever stands in it twice."""
    copied: Json = json.loads(json.dumps(event))
    return copied


def _wrong_types(place: Place) -> Iterator[tuple[str, Any]]:
    """Yield a value of every type that the field does not have.

    Null is left out: it says that a field is not given (PROTOCOL.md section 3).
    """
    taken: set[str] = set()
    for branch in _branches(place.node):
        found = branch.get("type", [])
        taken |= set(found if isinstance(found, list) else [found])
        if not found and "enum" in branch:
            taken |= {"string"}
    if not taken:
        return
    if "number" in taken:
        taken.add("integer")
    for name, value in _TYPES.items():
        if name not in taken:
            yield f"is of type {name}", value


def _unknown_values(place: Place) -> Iterator[tuple[str, Any]]:
    """Yield a value that a closed set does not have, and an empty list."""
    branches = _branches(place.node)
    if any(branch.get("minItems") for branch in branches):
        yield "is empty", []
    if place.path[-1] in OPEN or place.path == ("type",):
        return
    texts = [branch for branch in branches if _says_text(branch)]
    if texts and (
        all(_closed(branch) for branch in texts) or place.path[-1] == "conversation"
    ):
        yield "is unknown", UNKNOWN
        yield "is half of a character", HALF
    if any(branch.get("type") == "integer" and "enum" in branch for branch in branches):
        yield "is unknown", 12_345


def _says_text(branch: Json) -> bool:
    return branch.get("type") == "string" or (
        "type" not in branch and ("enum" in branch or "const" in branch)
    )


def _closed(branch: Json) -> bool:
    return "enum" in branch or "const" in branch or "pattern" in branch


def _out_of_range(place: Place) -> Iterator[tuple[str, Any]]:
    """Yield what is just below, and just above, what a number or text may be."""
    for branch in _branches(place.node):
        longest = branch.get("maxLength")
        if longest is not None:
            yield "is too long", "x" * (longest + 1)
        if branch.get("type") not in ("integer", "number"):
            continue
        lowest, highest = RANGES.get(str(place.path[-1]), (None, None))
        lowest = branch.get("minimum", lowest)
        highest = branch.get("maximum", highest)
        step = 1 if branch["type"] == "integer" else 0.125
        if lowest is not None:
            yield "is too small", lowest - step
        if highest is not None:
            yield "is too large", highest + step
        yield "is far too large", 10**30 if step == 1 else 1e300
