"""What the cache of a conversation costs, against one that keeps whole buffers.

From a minute to an hour, in one reply and in turns of six seconds, and the microphone
beside it. What it prints is Markdown: `docs/performance.md` shows it as it stands.
`conversation_cost.py` has the measurements, and how they are made comparable.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

from conversation_cost import (
    Memory,
    Piece,
    in_fresh_process,
    integrate,
    keep_conversation,
    keep_microphone,
    keep_whole,
    sample_microphone_whole,
    sample_reply_whole,
    time_conversation,
    time_microphone,
    time_microphone_whole,
    time_pieces,
    time_whole,
)
from spoken_conversation import one_reply, turns

_MINUTES = (1, 5, 20, 60)

# What was timed, and for how many minutes: seconds of CPU time.
_Round: TypeAlias = dict[tuple[str, int], float]

_KEPT: tuple[tuple[str, Callable[[int], Memory], tuple[int, ...]], ...] = (
    ("one reply, ours", partial(keep_conversation, one_reply), _MINUTES),
    ("turns, ours", partial(keep_conversation, turns), _MINUTES),
    ("microphone, ours", keep_microphone, _MINUTES),
    ("one reply, whole buffer", partial(keep_whole, one_reply), (1,)),
)

_Kept: TypeAlias = dict[tuple[str, int], Memory]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="one round, not five")
    parser.add_argument(
        "--whole",
        type=int,
        default=5,
        metavar="MINUTES",
        help="how long whole buffers that only grow run in full (default: 5)",
    )
    args = parser.parse_args()
    count = 1 if args.quick else 5
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores.")
    rounds = [_round(args.whole) for _ in range(count)]
    print(f"CPU time, median of {count} rounds; ~ is computed from samples.\n")
    _print_table(
        ("minutes", *_TIMED), (_time_cells(rounds, minutes) for minutes in _MINUTES)
    )
    for what in ("one reply, whole buffer", "microphone, whole buffer"):
        run, computed = (_median(rounds, name, 5) for name in (what, _computed(what)))
        print(
            f"To check: {what}, 5 minutes: ran {run:.2f} s, computed {computed:.2f} s."
        )
    print()
    pieces = _best([in_fresh_process(time_pieces, 10) for _ in range(count)])
    _print_table(
        ("one piece, the best round", "looked at", "cached", "added"),
        (
            [name, *(f"{us:.2f} us" for us in (*piece, piece.added))]
            for name, piece in pieces.items()
        ),
    )
    kept = {
        (what, minutes): in_fresh_process(task, minutes)
        for what, task, lengths in _KEPT
        for minutes in lengths
    }
    _print_table(
        ("bytes for a byte of PCM", "minutes", "kept", "peak", "kept, once read"),
        (
            [what, str(minutes), *(f"{size:.3f}" for size in memory)]
            for (what, minutes), memory in kept.items()
        ),
    )
    _print_table(
        ("what", "gate", "target", "measured", "gate", "target"),
        map(_gate_cells, _gates(rounds, pieces, kept)),
    )


def _print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print(f"| {' | '.join(head)} |")
    print("| --- |" + " --: |" * (len(head) - 1))
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(flush=True)


# --- time ---

_TIMED = (
    "one reply, ours",
    "read once",
    "one reply, whole buffer",
    "turns, ours",
    "turns read once",
    "turns, whole buffer",
    "microphone, ours",
    "microphone, whole buffer",
)


def _round(whole_minutes: int) -> _Round:
    """Measure each once, ours and theirs in turn.

    Args:
        whole_minutes: How long whole buffers that only grow run in full.
    """
    found: _Round = {}
    for minutes in _MINUTES:
        found["one reply, ours", minutes], found["read once", minutes] = (
            in_fresh_process(time_conversation, one_reply, minutes)
        )
        found["turns, ours", minutes], found["turns read once", minutes] = (
            in_fresh_process(time_conversation, turns, minutes)
        )
        found["turns, whole buffer", minutes] = in_fresh_process(
            time_whole, turns, minutes
        )
        found["microphone, ours", minutes] = in_fresh_process(time_microphone, minutes)
        if minutes <= whole_minutes:
            found["one reply, whole buffer", minutes] = in_fresh_process(
                time_whole, one_reply, minutes
            )
            found["microphone, whole buffer", minutes] = in_fresh_process(
                time_microphone_whole, minutes
            )
    for what, sample in (
        ("one reply, whole buffer", sample_reply_whole),
        ("microphone, whole buffer", sample_microphone_whole),
    ):
        appends = in_fresh_process(sample)
        for minutes in _MINUTES:
            found[_computed(what), minutes] = integrate(appends, minutes)
    return found


def _computed(what: str) -> str:
    return f"{what}, computed"


def _median(rounds: list[_Round], what: str, minutes: int) -> float:
    return statistics.median(each[what, minutes] for each in rounds)


def _time_cells(rounds: list[_Round], minutes: int) -> list[str]:
    cells = [str(minutes)]
    for what in _TIMED:
        if (what, minutes) in rounds[0]:
            cells.append(_shown(_median(rounds, what, minutes)))
        else:
            cells.append("~" + _shown(_median(rounds, _computed(what), minutes)))
    return cells


def _shown(seconds: float) -> str:
    if seconds >= 10:
        return f"{seconds:,.0f} s"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _best(rounds: list[dict[str, Piece]]) -> dict[str, Piece]:
    """Return the round in which each kind added least: what it takes undisturbed."""
    return {
        name: min((each[name] for each in rounds), key=lambda piece: piece.added)
        for name in rounds[0]
    }


# --- gates ---


class _Gate(NamedTuple):
    """What is asked of a number: at most, or at least, so much."""

    title: str
    measured: float
    sign: str
    gate: float
    target: float | None
    unit: str = ""


def _gates(rounds: list[_Round], pieces: dict[str, Piece], kept: _Kept) -> list[_Gate]:
    """Return all that is asked of the cache."""
    ours = [memory for (what, _), memory in kept.items() if what in _CACHED]
    audio, words = (pieces[name].added for name in ("audio delta", "transcript delta"))
    mean = (2 * audio + words) / 3
    return [
        _Gate("20 minutes / 5, one reply", _growth(rounds, *_REPLY), "<=", 5, 4.3),
        _Gate("20 minutes / 5, turns", _growth(rounds, *_TURNS), "<=", 5, 4.3),
        _Gate("added by an audio delta", audio, "<=", 1, 0.3, " us"),
        _Gate("added by a delta, mean of a reply", mean, "<=", 1, None, " us"),
        _Gate("kept for a byte of PCM", max(m.kept for m in ours), "<=", 1.15, 1.05),
        _Gate("peak, read as one buffer", max(m.peak for m in ours), "<=", 2.2, None),
        _Gate(
            "20 minutes out and in, whole buffers / ours",
            *(_advantage(rounds), ">=", 1000, 4000),
        ),
    ]


_CACHED = ("one reply, ours", "turns, ours")
_REPLY = ("one reply, ours", "read once")
_TURNS = ("turns, ours", "turns read once")


def _growth(rounds: list[_Round], *parts: str) -> float:
    """Return how many times as long as 5 minutes 20 take, of all parts together."""
    five, twenty = (
        [sum(each[part, minutes] for part in parts) for each in rounds]
        for minutes in (5, 20)
    )
    return statistics.median(t / f for t, f in zip(twenty, five, strict=True))


def _advantage(rounds: list[_Round]) -> float:
    """Return how many times as long whole buffers take, output and input together."""
    ours = (*_REPLY, "microphone, ours")
    theirs = ("one reply, whole buffer", "microphone, whole buffer")
    return statistics.median(
        sum(each[_computed(what), 20] for what in theirs)
        / sum(each[what, 20] for what in ours)
        for each in rounds
    )


def _gate_cells(gate: _Gate) -> list[str]:
    def met(limit: float) -> str:
        at_least = gate.sign == ">="
        good = gate.measured >= limit if at_least else gate.measured <= limit
        return "met" if good else "missed"

    def asked(limit: float) -> str:
        return f"{gate.sign} {limit:,g}{gate.unit}"

    target = ("-", "-")
    if gate.target is not None:
        target = (asked(gate.target), met(gate.target))
    measured = f"{gate.measured:,.{0 if gate.measured >= 100 else 3}f}{gate.unit}"
    return [
        gate.title,
        asked(gate.gate),
        target[0],
        measured,
        met(gate.gate),
        target[1],
    ]


if __name__ == "__main__":
    main()
