"""The service's schema file: other people's data, read from beside the repository.

It is not part of the repository; where it is missing, the tests that need it are
skipped by name.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

PROTOCOL = Path(__file__).parents[3] / "shared" / "protocol"

needs_protocol_files = pytest.mark.skipif(
    not (PROTOCOL / "realtime.schema.json").exists(),
    reason="realtime.schema.json and examples.jsonl are not beside the repository",
)

Json = dict[str, Any]


@cache
def schema() -> Json:
    """Return the schema file with its patches applied."""
    document: Json = json.loads((PROTOCOL / "realtime.schema.json").read_text())
    for patch in document["x-patches"]:
        _apply(document, patch)
    return document


@cache
def examples() -> list[Json]:
    """Return the official sample events that conform to the schema."""
    lines = (PROTOCOL / "examples.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["conformant"]]


def resolved(node: Json) -> Json:
    """Follow the references of a node."""
    while "$ref" in node:
        node = schema()["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def events_of(union: str) -> list[Json]:
    """Return the schemas of the events of one union, such as ``ga.server``."""
    whole = resolved(schema()["x-unions"][union])
    return [resolved(event) for event in whole.get("anyOf") or whole["oneOf"]]


def name_of(event: Json) -> str:
    """Return the wire name of an event's schema."""
    tag = event["properties"]["type"]
    return tag["const"] if "const" in tag else tag["enum"][0]


def _apply(document: Json, patch: Json) -> None:
    """Apply one patch, in the manner of RFC 6902."""
    *parents, last = (
        part.replace("~1", "/").replace("~0", "~")
        for part in patch["path"].split("/")[1:]
    )
    target: Any = document
    for part in parents:
        target = target[int(part)] if isinstance(target, list) else target[part]
    if isinstance(target, list):
        _apply_to_list(target, last, patch)
    elif patch["op"] == "remove":
        del target[last]
    else:
        target[last] = patch["value"]


def _apply_to_list(target: list[Any], last: str, patch: Json) -> None:
    if patch["op"] == "add" and last == "-":
        target.append(patch["value"])
    elif patch["op"] == "add":
        target.insert(int(last), patch["value"])
    elif patch["op"] == "replace":
        target[int(last)] = patch["value"]
    else:
        del target[int(last)]


@cache
def validator(union: str) -> jsonschema_rs.Draft202012Validator:
    """Return what validates an event against one union of the schema."""
    document = schema()
    reference = document["x-unions"][union]
    return jsonschema_rs.Draft202012Validator({**reference, "$defs": document["$defs"]})
