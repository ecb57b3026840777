"""Client and server talk to each other through thousands of random sessions."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from . import calls_answered, invariants, replies_end, responses_in_order
from .log import Log
from .world import World

_RUNS = int(os.environ.get("SIMULATION_RUNS", "500"))
_RUNS_THAT_REACH_ALL = 500
_MOST_STEPS = 40
# A step has one byte for whether it is taken and some for what it is: so Hypothesis,
# which makes each byte small when a run has failed, leaves steps out.
_STEP_BYTES = 8
_LEFT_OUT = 64
_SIZE = (_MOST_STEPS + 1) * _STEP_BYTES


def simulate(chance: bytes) -> World:
    """Make one run, to its rest, and check that nothing is wrong in it."""
    first, *steps = (
        chance[start + 1 : start + _STEP_BYTES]
        for start in range(0, len(chance), _STEP_BYTES)
        if not start or chance[start] >= _LEFT_OUT
    )
    world = World(first)
    try:
        for step in steps:
            world.step(step)
            invariants.memory_is_bounded(world)
        world.rest()
        check(world)
    except Exception:
        note(str(world.log))
        raise
    return world


def check(world: World) -> None:
    """Check all that must hold at rest."""
    log = world.log
    responses_in_order.one_response_at_a_time(log)
    responses_in_order.requests_begin_once(log)
    invariants.truncation_is_within_the_received(log)
    invariants.harmless_races_are_silent(log)
    invariants.a_faithful_server_is_no_surprise(log)
    invariants.requests_settle_once(log)
    responses_in_order.nothing_is_given_up(log)
    whole = [log.connection] if world.connected else []
    calls_answered.calls_are_answered_once(log, whole=whole)
    invariants.nothing_is_pending(world)
    invariants.memory_is_bounded(world)
    if world.connected:
        calls_answered.answered_calls_are_followed_up(log, log.connection)
        replies_end.replies_end(log, log.connection)
        invariants.histories_are_equal(world)


_REACHED_BY_ALL = frozenset(
    {
        "EMITTED tool.approval_requested",
        "EMITTED tool.called",
        "EMITTED conversation.interrupted",
        "ENDED",
        "FAILED response.create",
        "FAILED session.update",
        "RAN",
        "REPORTED",
        "STOPPED",
        "RECEIVED conversation.item.input_audio_transcription.completed",
        "RECEIVED conversation.item.truncated",
        "SAID conversation_already_has_active_response",
        "SAID input_audio_buffer_commit_empty",
        "SAID response_cancel_not_active",
        "SAID session_expired",
        "SENT conversation.item.truncate",
        "SENT conversation.item.delete",
        "SETTLED ResponseCancelled",
        "SETTLED ResponseFailed",
        "SETTLED ServerError",
    }
)
"""What the runs have to have come across, so that they show anything."""


def kinds_of(log: Log) -> set[str]:
    """Return which kinds of things have happened."""
    kinds: set[str] = set()
    for entry in log.entries:
        name = entry.what.name
        subject = entry.subject
        error = getattr(subject, "error", None)
        kinds.add(name)
        kinds.add(f"{name} {getattr(subject, 'type', '')}")
        kinds.add(f"{name} {type(error).__name__}")
        kinds.add(f"{name} {getattr(error, 'code', '')}")
    return kinds


@pytest.mark.timeout(300 * max(1, _RUNS // 500))
def test_client_and_server_agree_whatever_happens() -> None:
    """The invariants hold in every run, and the runs go everywhere.

    Each invariant says which deliberate breaks of the client it has caught.
    """
    reached: set[str] = set()

    @settings(
        max_examples=_RUNS,
        deadline=None,
        print_blob=True,
        # To explain a failure is to trace each line, which takes minutes here.
        phases=(Phase.reuse, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(chance=st.binary(min_size=_SIZE, max_size=_SIZE))
    def runs(chance: bytes) -> None:
        reached.update(kinds_of(simulate(chance).log))

    runs()
    if _RUNS >= _RUNS_THAT_REACH_ALL:
        missing = _REACHED_BY_ALL - reached
        assert not missing, f"no run has reached {sorted(missing)}"
