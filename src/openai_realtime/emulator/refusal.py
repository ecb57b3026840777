"""Refusing what a client asked for: every `error` event of the emulator is made here.

The rooms raise a `Refusal` before they change anything; the protocol turns it into an
event that names the client's event (PROTOCOL.md section 5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from ..events import Error
from ..resources.limits import APIError

__all__ = [
    "MAX_EVENT_ID",
    "Refusal",
    "invalid_field",
    "invalid_value",
    "missing",
    "unknown",
]

MAX_EVENT_ID = 512
"""How many characters an `event_id` has at most (PROTOCOL.md section 3.6)."""

# An error shows what was sent, which may be long: then its middle is left out.
_LONGEST_MESSAGE = 1_000
_LONGEST_PARAM = 300
_CUT = " ... "

_MISSING_FIELD = re.compile(r"missing required field `([^`]*)`")
_PATH = re.compile(r" at `\$\.?([^`]*)`")

# How msgspec writes some key of a map.
_ANY_KEY = "[...]"
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


class Refusal(Exception):
    """A request that the emulator does not grant; nothing has changed.

    Attributes:
        message: What is wrong and what would be right.
        code: The machine-readable code, or None.
        param: The field at fault, from the event's root, or None.
        type: The kind of error.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None,
        param: str | None = None,
        type: str = "invalid_request_error",
    ) -> None:
        message = _shortened(message, _LONGEST_MESSAGE)
        super().__init__(message)
        self.message = message
        self.code = code
        self.param: str | None = _shortened(param, _LONGEST_PARAM) if param else param
        self.type = type

    def event(self, event_id: str | None) -> Error:
        """Return the `error` event that tells the client, about its event."""
        return Error(
            error=APIError(
                type=self.type,
                message=self.message,
                code=self.code,
                param=self.param,
                event_id=event_id[:MAX_EVENT_ID] if event_id else None,
            )
        )


def _shortened(text: str, longest: int) -> str:
    """Leave the middle out of a text that is too long: both its ends say something."""
    if len(text) <= longest:
        return text
    half = (longest - len(_CUT)) // 2
    return f"{text[:half]}{_CUT}{text[-half:]}"


def invalid_value(param: str, message: str) -> Refusal:
    """Refuse a value that is of the wrong type, out of range or unknown."""
    return Refusal(message, code="invalid_value", param=param)


def missing(param: str) -> Refusal:
    """Refuse an object that lacks a field."""
    return Refusal(
        f"Missing required parameter: '{param}'.",
        code="missing_required_parameter",
        param=param,
    )


def unknown(param: str, known: Sequence[str]) -> Refusal:
    """Refuse a field that there is not, naming those that there are."""
    return Refusal(
        f"Unknown parameter: '{param}'. Known here: {', '.join(sorted(known))}.",
        code="unknown_parameter",
        param=param,
    )


def invalid_field(
    problem: str, *, root: str = "", whole: Mapping[str, Any] | None = None
) -> Refusal:
    """Refuse a field by what its decoder says: a sentence that ends in a path.

    Args:
        problem: Such as ``Expected `int`, got `str` at `$.item.id```.
        root: The path of the object that was decoded, where it was no whole event.
        whole: The object that was decoded, in which the key of a map is looked up.
    """
    found = _PATH.search(problem)
    within = _with_key(found[1], whole or {}) if found else ""
    path = ".".join(filter(None, (root, within)))
    text = problem[: found.start()] if found else problem
    lacking = _MISSING_FIELD.search(text)
    if lacking:
        return missing(f"{path}.{lacking[1]}" if path else lacking[1])
    where = f" for '{path}'" if path else ""
    return Refusal(
        f"Invalid value{where}: {text}.", code="invalid_value", param=path or None
    )


def _with_key(path: str, whole: Mapping[str, Any]) -> str:
    """Put the key at fault where the decoder says "some key"; else name the map.

    The maps of the protocol that are not free JSON hold texts.
    """
    place, any_key, _ = path.partition(_ANY_KEY)
    if not any_key:
        return place
    value: Any = whole
    for index, name in _STEP.findall(place):
        try:
            value = value[int(index) if index else name]
        except (LookupError, TypeError):
            return place
    if isinstance(value, dict):
        for key, text in cast("dict[str, object]", value).items():
            if not isinstance(text, str):
                return f"{place}.{key}"
    return place
