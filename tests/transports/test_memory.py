"""The memory pair, where it says more than every transport does."""

from __future__ import annotations

import asyncio

import pytest

from openai_realtime.errors import ConnectionClosed
from openai_realtime.transports.memory import memory_pair


async def test_frames_are_handed_over_untouched() -> None:
    """The very object that was sent arrives, of whichever type."""
    here, there = memory_pair()
    for frame in ("text", b"bytes", b"\xff"):
        await here.send(frame)
        assert await there.recv() is frame


async def test_the_limit_counts_unread_frames() -> None:
    """As many frames as the limit go at once; the next call waits for a read."""
    here, there = memory_pair(limit=2)
    await here.send("1")
    await here.send("2")
    third = asyncio.create_task(here.send("3"))
    await asyncio.sleep(0)
    assert not third.done()
    assert await there.recv() == "1"
    await third


async def test_an_abort_is_seen_on_both_sides() -> None:
    """A broken line has no close frame: 1006 here and there, after what arrived."""
    here, there = memory_pair()
    await here.send("arrived")
    here.abort()
    assert await there.recv() == "arrived"
    for end in (here, there):
        with pytest.raises(ConnectionClosed) as caught:
            await end.recv()
        assert caught.value.code == 1006


async def test_the_first_end_counts() -> None:
    """What happens to a line that is over changes nothing."""
    here, there = memory_pair()
    await here.close(4000, "first")
    await there.close(4001, "second")
    there.abort()
    with pytest.raises(ConnectionClosed, match=r"4000 \(first\)"):
        await there.recv()


def test_a_limit_must_let_something_through() -> None:
    """A pair that could hold no frame is refused."""
    with pytest.raises(ValueError, match="at least 1"):
        memory_pair(limit=0)
