"""Why a call has an error for its output, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from itertools import islice
from typing import Any, TypeAlias, cast

import msgspec

from .._json import parse_json
from .._struct import shorten
from ..resources.tools import ToolDefinition
from .call_state import Call
from .tool_arguments import complaints

__all__ = ["FATES", "WAY_OUT", "ArgumentCheck", "ToolFailure", "refusal"]

ArgumentCheck: TypeAlias = Callable[[dict[str, Any]], str | None]
"""Says what is wrong with arguments, in words for the model, or None; never raises."""

_NAMES_TOLD = 50

_NOT_JSON = (msgspec.MsgspecError, UnicodeError, RecursionError)


class ToolFailure(StrEnum):
    """Why a call has an error for its output."""

    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_JSON = "not_json"
    BAD_ARGUMENTS = "bad_arguments"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    REJECTED = "rejected"


# What the user can do. A failure without a line is no news to them: it was their own
# wish, or the shell, which has the traceback, tells of it.
WAY_OUT = {
    ToolFailure.UNKNOWN: "register it, or take it out of the session's tools",
    ToolFailure.NOT_JSON: "the model was told, and may try again",
    ToolFailure.BAD_ARGUMENTS: "the model was told, and may try again",
    ToolFailure.TIMED_OUT: "allow it a longer timeout_s, or run it in the background",
    ToolFailure.TOO_LARGE: "let it return less, or allow more max_output_bytes",
    ToolFailure.TOO_MANY: "see why the others are not answered",
}

# What has become of the call, where that is more than an answer.
FATES = {
    ToolFailure.INTERRUPTED: "it was stopped when the user interrupted",
    ToolFailure.TIMED_OUT: "its tool was stopped when the time was up",
    ToolFailure.REJECTED: "it was rejected",
}


def refusal(
    call: Call,
    definition: ToolDefinition | None,
    known: Iterable[str],
    check: ArgumentCheck | None,
) -> tuple[ToolFailure, str] | None:
    """Return why a call cannot be run and what to tell the model, or None.

    Args:
        call: The call.
        definition: The tool of its name, if there is one.
        known: The names that there are.
        check: What the tool itself says to arguments; without one, its schema does.
    """
    if definition is None:
        there_are = ", ".join(islice(known, _NAMES_TOLD))
        others = f"; there are: {there_are}" if there_are else ""
        return ToolFailure.UNKNOWN, f"there is no tool {shorten(call.name)}{others}"
    try:
        # A call without arguments may have an empty text for them.
        arguments: object = parse_json(call.arguments or "{}")
    except _NOT_JSON as exc:
        return ToolFailure.NOT_JSON, f"the arguments are not JSON: {exc}"
    if not isinstance(arguments, dict):
        return ToolFailure.NOT_JSON, "the arguments are not a JSON object"
    fields = cast("dict[str, Any]", arguments)
    if check is not None:
        complaint = check(fields)
    else:
        complaint = complaints(definition.parameters or {}, fields)
    return None if complaint is None else (ToolFailure.BAD_ARGUMENTS, complaint)
