"""Every cell of the user's turn's table."""

from __future__ import annotations

import pytest

from openai_realtime.core.turn_state import TurnInput, TurnState, UserTurn

QUIET, SPEAKING = TurnState.QUIET, TurnState.SPEAKING
ENDING, SILENT = TurnState.ENDING, TurnState.SILENT

# (state, input) -> the state that follows; every cell, None where it is refused.
TABLE: dict[tuple[TurnState, str], TurnState | None] = {
    (QUIET, "started"): SPEAKING,
    (QUIET, "stopped"): None,
    (QUIET, "committed"): None,
    (QUIET, "cleared"): None,
    (QUIET, "timed_out"): SILENT,
    (QUIET, "detection_off"): None,
    (SPEAKING, "started"): SPEAKING,
    (SPEAKING, "stopped"): ENDING,
    (SPEAKING, "committed"): QUIET,
    (SPEAKING, "cleared"): QUIET,
    (SPEAKING, "timed_out"): None,
    (SPEAKING, "detection_off"): QUIET,
    (ENDING, "started"): SPEAKING,
    (ENDING, "stopped"): None,
    (ENDING, "committed"): QUIET,
    (ENDING, "cleared"): QUIET,
    (ENDING, "timed_out"): None,
    (ENDING, "detection_off"): QUIET,
    (SILENT, "started"): SPEAKING,
    (SILENT, "stopped"): None,
    (SILENT, "committed"): QUIET,
    (SILENT, "cleared"): QUIET,
    (SILENT, "timed_out"): None,
    (SILENT, "detection_off"): QUIET,
}


def turn_in(state: TurnState) -> UserTurn:
    """Return a turn that has come to a state by itself."""
    turn = UserTurn()
    if state is SILENT:
        turn.timed_out("u1")
    elif state is not QUIET:
        turn.started("u1")
    if state is ENDING:
        turn.stopped("u1")
    assert turn.state is state
    return turn


def put(turn: UserTurn, input: str, item_id: str = "u1") -> bool:
    """Give a turn an input."""
    if input in ("started", "stopped", "timed_out"):
        return bool(getattr(turn, input)(item_id))
    return bool(getattr(turn, input)())


def test_the_table_here_has_every_cell() -> None:
    """No combination of state and input is left untested."""
    assert set(TABLE) == {
        (state, name.value) for state in TurnState for name in TurnInput
    }


@pytest.mark.parametrize(
    ("state", "input"), TABLE, ids=[f"{state.value}-{name}" for state, name in TABLE]
)
def test_cell(state: TurnState, input: str) -> None:
    """An input moves the turn as documented, or is refused and changes nothing."""
    turn = turn_in(state)
    before = turn.item_id
    expected = TABLE[state, input]
    assert put(turn, input) is (expected is not None)
    assert turn.state is (state if expected is None else expected)
    if expected is None:
        assert turn.item_id == before


@pytest.mark.parametrize("input", [name.value for name in TurnInput])
@pytest.mark.parametrize("state", list(TurnState), ids=lambda state: state.value)
def test_item_is_known_exactly_while_there_is_a_turn(
    state: TurnState, input: str
) -> None:
    """A quiet turn names no item, and any other one does."""
    turn = turn_in(state)
    put(turn, input)
    assert (turn.item_id is None) is (turn.state is QUIET)


def test_stop_of_another_item_does_not_end_the_turn() -> None:
    """A late word about the turn before leaves the one that runs alone."""
    turn = turn_in(SPEAKING)
    assert not turn.stopped("u0")
    assert (turn.state, turn.item_id) == (SPEAKING, "u1")


@pytest.mark.parametrize("state", list(TurnState), ids=lambda state: state.value)
def test_start_of_another_item_takes_the_turn_over(state: TurnState) -> None:
    """Only one turn runs, and it is the one that was announced last."""
    turn = turn_in(state)
    assert turn.started("u2")
    assert (turn.state, turn.item_id) == (SPEAKING, "u2")
