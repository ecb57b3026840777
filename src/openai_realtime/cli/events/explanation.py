"""All about one event, for a person."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from ...events.description import FieldDescription
from .catalogue import CatalogueEntry

__all__ = ["explain"]

_WIDTH = 88
_LABEL = 12

_SENT_BY = {
    "client": "the client",
    "server": "the server",
    "local": "nobody: the client derives it for you",
}
_SESSIONS = {
    "realtime": "in conversations and transcription sessions",
    "translation": "in translation sessions",
}
_TRANSPORTS = {
    "all": "all",
    "media": "where the server plays the audio itself: WebRTC and SIP",
    "sip": "telephone calls (SIP)",
}
_DIALECTS = {"ga": "GA (the current one)", "beta": "beta (the old one)"}
_REFERENCE = "https://platform.openai.com/docs/api-reference/realtime-{}-events"


def explain(entry: CatalogueEntry) -> str:
    """Return what the event is, what it holds, and how to get hold of it."""
    lines = [entry.name, ""]
    for paragraph in entry.explanation.split("\n\n"):
        lines += textwrap.wrap(
            paragraph, _WIDTH - 2, initial_indent="  ", subsequent_indent="  "
        )
        lines.append("")
    for label, text in _facts(entry):
        lines.append(_labelled(label, text))
    lines += _field_lines(entry.fields)
    return "\n".join(lines)


def _facts(entry: CatalogueEntry) -> Iterator[tuple[str, str]]:
    yield "class", entry.class_path
    sessions = f", {_SESSIONS[entry.surface]}" if entry.surface else ""
    yield "sent by", _SENT_BY[entry.direction] + sessions
    if entry.dialects:
        yield "dialects", _dialects(entry)
    if entry.transports:
        yield "transports", _TRANSPORTS[entry.transports]
    yield "subscribe", f'client.on("{entry.subscription}", handler)'
    if entry.direction == "client":
        yield "send", f'await client.realtime.send("{entry.name}", {{...}})'
    yield "documented", _documented(entry)


def _dialects(entry: CatalogueEntry) -> str:
    said = ", ".join(_DIALECTS[dialect] for dialect in entry.dialects)
    if entry.beta_name in (None, entry.name):
        return said
    return f"{said}, which calls it {entry.beta_name}"


def _documented(entry: CatalogueEntry) -> str:
    if entry.direction == "local":
        return "README.md, Utility events"
    return f"docs/events.md; {_REFERENCE.format(entry.direction)}"


def _field_lines(fields: list[FieldDescription]) -> Iterator[str]:
    if not fields:
        yield _labelled("fields", "none of its own")
        return
    for index, field in enumerate(fields):
        mark = "" if field.required else "?"
        label = "fields" if index == 0 else ""
        yield _labelled(label, f"{field.name}{mark}: {field.type}")
        yield from textwrap.wrap(
            field.meaning,
            _WIDTH,
            initial_indent=" " * (_LABEL + 4),
            subsequent_indent=" " * (_LABEL + 4),
        )


def _labelled(label: str, text: str) -> str:
    return f"  {label:<{_LABEL}}{text}"
