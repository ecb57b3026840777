"""Anything a client may do, in any order and at any time: the rules hold.

Half of the runs; the other half is in `test_protocol_random_late.py`, so that two
processes share the work.
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
    check_run,
)

pytestmark = TIMEOUT


@PARTS
@LIMITS
@given(server=NUMBERS, steps=STEPS)
def test_the_rules_hold_whatever_the_client_does(
    part: int, server: int, steps: list[int]
) -> None:
    """Order, ids and sums are right, every request is answered, all is closed."""
    session = RandomSession(server)
    for step in steps:
        session.step(step)
    check_run(session)
