"""What must hold of replies: what began ends, and what goes on is gone on with."""

from __future__ import annotations

from openai_realtime.core.outputs import FollowUpDropped, ResponseBegan, ResponseEnded

from .log import Log, What


def replies_end(log: Log, connection: int) -> None:
    """Each response that began ends once, and is followed up where that was said.

    Caught: a response whose calls nobody answers is said to go on; a follow-up that an
    interruption drops is told to nobody; one that the user's own request serves names
    nothing that it follows.
    """
    running: set[str] = set()
    ended: set[str] = set()
    awaited: set[str] = set()
    for entry in log.of(What.LIVED, connection=connection):
        output = entry.subject
        if isinstance(output, ResponseBegan):
            assert output.response_id not in running | ended, f"{output} again"
            running.add(output.response_id)
            awaited.difference_update(output.follows)
        elif isinstance(output, ResponseEnded):
            assert output.response_id in running, f"{output} of what does not run"
            running.remove(output.response_id)
            ended.add(output.response_id)
            if output.goes_on:
                awaited.add(output.response_id)
        elif isinstance(output, FollowUpDropped):
            awaited.difference_update(output.response_ids)
    assert not running, f"{running} never ended"
    assert not awaited, f"{awaited} were to be followed up, and nobody was told"
