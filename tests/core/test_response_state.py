"""Every cell of the table of a response's life."""

from __future__ import annotations

from itertools import product

import pytest

from openai_realtime.core.response_run import ResponseRun
from openai_realtime.core.response_state import ENDINGS, ResponseInput, ResponseState

# One column for each input, and in it one letter for the state that follows; a dot is a
# refusal, which leaves the state as it was.
COLUMNS = [input.value for input in ResponseInput]
LETTERS = {
    "W": ResponseState.WAITING,
    "O": ResponseState.OFFERED,
    "S": ResponseState.SENT,
    "A": ResponseState.ACTIVE,
    "X": ResponseState.CANCELLING,
    "c": ResponseState.COMPLETED,
    "i": ResponseState.INCOMPLETE,
    "f": ResponseState.FAILED,
    "x": ResponseState.CANCELLED,
    "r": ResponseState.REFUSED,
    "d": ResponseState.DROPPED,
    "g": ResponseState.GIVEN_UP,
}
#      offer send created cancel lost refuse drop give_up  the four endings
TABLE = {
    ResponseState.WAITING: "O . . . . . d g . . . .",
    ResponseState.OFFERED: ". S . X . . d g . . . .",
    ResponseState.SENT: ". . A X W r . g c i f x",
    ResponseState.ACTIVE: ". . . X W . . g c i f x",
    ResponseState.CANCELLING: ". X X . d r d g c i f x",
    ResponseState.COMPLETED: ". . . . . . . . . . . .",
    ResponseState.INCOMPLETE: ". . . . . . . . . . . .",
    ResponseState.FAILED: ". . . . . . . . . . . .",
    ResponseState.CANCELLED: ". . . . . . . . . . . .",
    ResponseState.REFUSED: ". . . . . . . . . . . .",
    ResponseState.DROPPED: ". . . . . . . . . . . .",
    ResponseState.GIVEN_UP: ". . . . . . . . . . . .",
}


@pytest.mark.parametrize(
    ("state", "input"),
    [*product(ResponseState, ResponseInput)],
    ids=lambda each: each.name.lower(),
)
def test_every_cell(state: ResponseState, input: ResponseInput) -> None:
    """Each input moves a response as the table says, or is refused and changes nothing.

    Seen to fail when a lost race was refused in the state ACTIVE.
    """
    letter = TABLE[state].split()[COLUMNS.index(input.value)]
    run = ResponseRun(state=state)
    assert run.move(input) is (letter != ".")
    assert run.state is LETTERS.get(letter, state)


def test_table_has_every_cell() -> None:
    """A state or an input that is added must be given its row or column here."""
    assert set(TABLE) == set(ResponseState)
    assert all(len(row.split()) == len(COLUMNS) for row in TABLE.values())


def test_endings_are_final() -> None:
    """What the server said to be over is never taken up again."""
    for final in ENDINGS.values():
        run = ResponseRun(state=final)
        assert not any(run.move(input) for input in ResponseInput)
