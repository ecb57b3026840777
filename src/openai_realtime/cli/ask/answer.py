"""The answer: shown while it comes, and summed up as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...reply import Reply, ReplyTimings
from ...resources.response import ResponseStatus

__all__ = ["shortcoming_of", "show", "summary_of"]


async def show(reply: Reply, *, spoken: bool) -> None:
    """Print the words of a reply as they come, and end the line.

    Raises:
        RealtimeError: The reply failed; what came of it is printed.
    """
    shown = ""
    try:
        pieces = reply.transcript_deltas() if spoken else reply.text_deltas()
        async for piece in pieces:
            shown += piece
            print(piece, end="", flush=True)
        if not shown:
            # Servers that do not do as they are told speak where they should write.
            shown = reply.text or reply.transcript
            print(shown, end="")
    finally:
        if shown and not shown.endswith("\n"):
            print(flush=True)


def shortcoming_of(reply: Reply) -> str | None:
    """Say why a reply is not whole; None where it is."""
    if reply.status == ResponseStatus.COMPLETED:
        return None
    details = reply.responses[-1].status_details if reply.responses else None
    reason = f": {details.reason}" if details and details.reason else ""
    return f"the answer is {reply.status}{reason}"


def summary_of(
    reply: Reply, *, model: str | None, audio_file: Path | None
) -> dict[str, Any]:
    """Return all that is told of a reply, as JSON."""
    usage = reply.usage
    return {
        "text": reply.text,
        "transcript": reply.transcript,
        "audio_file": None if audio_file is None else str(audio_file),
        "status": reply.status,
        "model": model,
        "response_ids": list(reply.response_ids),
        "usage": None if usage is None else usage.to_dict(),
        "timings": _timings(reply.timings),
    }


def _timings(timings: ReplyTimings) -> dict[str, float | None]:
    """Return the seconds from the request to the first word, audio, and to the end."""
    measured = {
        "first_text_s": timings.first_text_s,
        "first_audio_s": timings.first_audio_s,
        "total_s": timings.total_s,
    }
    return {
        name: None if value is None else round(value, 3)
        for name, value in measured.items()
    }
