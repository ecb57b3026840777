"""Every cell of the response slot's table."""

from __future__ import annotations

import pytest

from openai_realtime.core.response_state import (
    ResponseInput,
    ResponseSlot,
    ResponseState,
)

IDLE, REQUESTED = ResponseState.IDLE, ResponseState.REQUESTED
ACTIVE, CANCELLING = ResponseState.ACTIVE, ResponseState.CANCELLING

# (state, input) -> the state that follows; every cell, None where it is refused.
TABLE: dict[tuple[ResponseState, str], ResponseState | None] = {
    (IDLE, "request"): REQUESTED,
    (IDLE, "refuse"): None,
    (IDLE, "created"): ACTIVE,
    (IDLE, "cancel"): None,
    (IDLE, "done"): None,
    (REQUESTED, "request"): None,
    (REQUESTED, "refuse"): IDLE,
    (REQUESTED, "created"): ACTIVE,
    (REQUESTED, "cancel"): None,
    (REQUESTED, "done"): None,
    (ACTIVE, "request"): None,
    (ACTIVE, "refuse"): None,
    (ACTIVE, "created"): None,
    (ACTIVE, "cancel"): CANCELLING,
    (ACTIVE, "done"): IDLE,
    (CANCELLING, "request"): None,
    (CANCELLING, "refuse"): None,
    (CANCELLING, "created"): None,
    (CANCELLING, "cancel"): None,
    (CANCELLING, "done"): IDLE,
}


def slot_in(state: ResponseState) -> ResponseSlot:
    """Return a slot that has come to a state by itself."""
    slot = ResponseSlot()
    if state is REQUESTED:
        slot.request()
    if state in (ACTIVE, CANCELLING):
        slot.created("r1")
    if state is CANCELLING:
        slot.cancel()
    assert slot.state is state
    return slot


def put(slot: ResponseSlot, input: str, response_id: str = "r1") -> bool:
    """Give a slot an input."""
    if input in ("created", "done"):
        return bool(getattr(slot, input)(response_id))
    return bool(getattr(slot, input)())


def test_the_table_here_has_every_cell() -> None:
    """No combination of state and input is left untested."""
    assert len(TABLE) == len(ResponseState) * len(ResponseInput)


@pytest.mark.parametrize(
    ("state", "input"), TABLE, ids=[f"{state.value}-{name}" for state, name in TABLE]
)
def test_cell(state: ResponseState, input: str) -> None:
    """An input moves the slot as documented, or is refused and changes nothing."""
    slot = slot_in(state)
    before = slot.response_id
    expected = TABLE[state, input]
    assert put(slot, input) is (expected is not None)
    assert slot.state is (state if expected is None else expected)
    if expected is None:
        assert slot.response_id == before


@pytest.mark.parametrize("state", [ACTIVE, CANCELLING])
def test_end_of_another_response_is_not_the_end_of_ours(state: ResponseState) -> None:
    """The end of an out-of-band response does not free the slot."""
    slot = slot_in(state)
    assert slot.done("other") is False
    assert (slot.state, slot.response_id) == (state, "r1")


@pytest.mark.parametrize("state", [ACTIVE, CANCELLING])
def test_a_second_response_does_not_take_the_slot(state: ResponseState) -> None:
    """The response in the slot keeps it until it is done."""
    slot = slot_in(state)
    assert slot.created("other") is False
    assert (slot.state, slot.response_id) == (state, "r1")


@pytest.mark.parametrize(
    ("state", "idle", "running"),
    [
        (IDLE, True, False),
        (REQUESTED, False, False),
        (ACTIVE, False, True),
        (CANCELLING, False, True),
    ],
)
def test_idle_and_running(state: ResponseState, idle: bool, running: bool) -> None:
    """A request on its way makes the slot busy, but nothing runs yet."""
    slot = slot_in(state)
    assert (slot.idle, slot.running) == (idle, running)


def test_slot_forgets_the_response_that_ended() -> None:
    """A late second end of the same response finds nothing."""
    slot = slot_in(ACTIVE)
    assert slot.done("r1") is True
    assert slot.response_id is None
    assert slot.done("r1") is False
