"""Anything a client may do, in any order and at any time: the rules hold.

Half of the runs; the other half is in `test_protocol_random_late.py`, so that two
processes share the work.
"""

from __future__ import annotations

from .random_session import PARTS, TIMEOUT, run_all

pytestmark = TIMEOUT


@PARTS
def test_the_rules_hold_whatever_the_client_does(part: int) -> None:
    """Order, ids and sums are right, every request is answered, all is closed."""
    run_all(lambda session: None)
