"""How one tool is to be run: how long, when, and what follows from it."""

from __future__ import annotations

import math

from msgspec import Struct

from ..errors import ConfigurationError
from ..resources.brief import Brief

__all__ = ["DEFAULT_MAX_OUTPUT_BYTES", "ToolOptions"]

# Enough to fill the context of a 32k model, at four bytes a token (PROTOCOL.md section
# 3.6). In JSON each byte takes six at the most, so the message stays below 1 MiB, which
# many servers refuse; the service's own limit is not documented.
DEFAULT_MAX_OUTPUT_BYTES = 128 * 1024

_INTERIM_OUTPUT = (
    '{"status": "started", "note": "This takes a while. The result follows later."}'
)


class ToolOptions(Brief, Struct, frozen=True, kw_only=True):
    """How one tool is to be run.

    Attributes:
        timeout_s: Seconds that a run may take; None for no limit.
        needs_approval: Whether somebody has to agree to each call before it runs.
        background: Whether a call is answered at once with `interim_output`, and its
            result is brought in as a new item at a quiet moment.
        interim_output: What the model is told when a background tool begins.
        wants_reply: Whether the model is to speak once the call is answered.
        cancel_on_interrupt: Whether an interruption by the user stops a call.
        max_output_bytes: The longest output, as UTF-8; the model is told of a longer
            one, but not given it.

    Raises:
        ConfigurationError: A number is out of range, or the interim output too long.
    """

    timeout_s: float | None = 60.0
    needs_approval: bool = False
    background: bool = False
    interim_output: str = _INTERIM_OUTPUT
    wants_reply: bool = True
    cancel_on_interrupt: bool = False
    max_output_bytes: int = DEFAULT_MAX_OUTPUT_BYTES

    def __post_init__(self) -> None:
        timeout_s = self.timeout_s
        if timeout_s is not None and not 0 < timeout_s < math.inf:
            raise ConfigurationError(
                f"timeout_s is {timeout_s!r}; give seconds above 0, or None for no "
                "limit"
            )
        if self.max_output_bytes < 1:
            raise ConfigurationError(
                f"max_output_bytes is {self.max_output_bytes!r}; give at least 1"
            )
        size = len(self.interim_output.encode(errors="backslashreplace"))
        if size > self.max_output_bytes:
            raise ConfigurationError(
                f"interim_output has {size} bytes, more than the max_output_bytes of "
                f"{self.max_output_bytes}; shorten it, or allow more"
            )
