"""The end of what was plugged in and is not asked any more: a brain or a voice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .outputs import Failure, Report

__all__ = ["end_plugin"]


def end_plugin(answers: Iterator[object], who: str, report: Report) -> None:
    """Let it clean up, which may fail in any way, and is then reported.

    Args:
        answers: What it was asked by; where it has no `close`, there is nothing to do.
        who: What to call it in the report.
        report: Takes what it fails with.
    """
    close: Callable[[], object] | None = getattr(answers, "close", None)
    try:
        if close is not None:
            close()
    except Exception as exc:
        report(Failure(f"{who} failed to end", exc))
