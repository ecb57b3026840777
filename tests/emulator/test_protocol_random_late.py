"""Anything a client may do, with a conversation there already: the rules hold.

The other half of the runs of `test_protocol_random.py`.
"""

from __future__ import annotations

from hypothesis import given

from .random_session import (
    LIMITS,
    NUMBERS,
    PARTS,
    STEPS,
    TIMEOUT,
    RandomSession,
    begin_talking,
    check_run,
)

pytestmark = TIMEOUT


@PARTS
@LIMITS
@given(server=NUMBERS, steps=STEPS)
def test_the_rules_hold_in_the_middle_of_a_conversation(
    part: int, server: int, steps: list[int]
) -> None:
    """Order, ids and sums are right when what is asked meets a lot that is there."""
    session = RandomSession(server)
    begin_talking(session)
    for step in steps:
        session.step(step)
    check_run(session)
