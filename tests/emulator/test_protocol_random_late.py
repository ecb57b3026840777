"""Anything a client may do, with a conversation there already: the rules hold.

The other half of the runs of `test_protocol_random.py`.
"""

from __future__ import annotations

from .random_session import PARTS, TIMEOUT, begin_talking, run_all

pytestmark = TIMEOUT


@PARTS
def test_the_rules_hold_in_the_middle_of_a_conversation(part: int) -> None:
    """Order, ids and sums are right when what is asked meets a lot that is there."""
    run_all(begin_talking)
