"""Frames of a burst fill packets, and what comes alone or in twos waits for nothing."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator

import pytest

from openai_realtime.testing import VirtualClock
from openai_realtime.transports._cork import Cork
from openai_realtime.transports.websocket import connector_of

from .tiny_servers import (
    CLOSE,
    Reader,
    Writer,
    accept,
    close_frame,
    endpoint,
    listening,
    read_frame,
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux lets a program fill packets"
)


@pytest.fixture
def line() -> Iterator[socket.socket]:
    """One end of a TCP connection."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as line,
    ):
        yield line


def holds(line: socket.socket) -> bool:
    """Whether the kernel keeps back packets that are not full."""
    return bool(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_CORK))


async def test_the_first_few_frames_leave_at_once(line: socket.socket) -> None:
    """What follows from one wish is a frame or a few, and waits for nothing."""
    cork = Cork(line, VirtualClock())
    for _ in range(8):
        cork.writing()
        assert not holds(line)


async def test_a_burst_is_held_until_the_turn_is_over(line: socket.socket) -> None:
    """Packets are filled while many frames are written, and not a moment longer."""
    cork = Cork(line, VirtualClock())
    for _ in range(9):
        cork.writing()
    assert holds(line)
    await asyncio.sleep(0)
    assert not holds(line)


async def test_a_burst_that_pauses_is_released_as_well(line: socket.socket) -> None:
    """A handler that blocks within a burst does not leave packets waiting."""
    clock = VirtualClock()
    cork = Cork(line, clock)
    for number in range(20):
        cork.writing()
        clock.move_to(clock() + (number >= 10))
    assert holds(line)
    await asyncio.sleep(0)
    assert not holds(line)


async def test_each_turn_is_counted_for_itself(line: socket.socket) -> None:
    """A pump that lets others run between frames is no burst, however fast it is."""
    cork = Cork(line, VirtualClock())
    for _ in range(100):
        cork.writing()
        assert not holds(line)
        await asyncio.sleep(0)


async def test_frames_that_come_one_by_one_are_no_burst(line: socket.socket) -> None:
    """Audio of a microphone leaves as it comes, whoever keeps the loop busy."""
    clock = VirtualClock()
    cork = Cork(line, clock)
    for _ in range(100):
        clock.move_to(clock() + 0.02)
        cork.writing()
        assert not holds(line)


async def test_a_socket_that_was_closed_meanwhile_is_let_be(
    line: socket.socket,
) -> None:
    """A connection that is lost within a burst raises nothing in the loop."""
    failures: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: failures.append(context))
    cork = Cork(line, VirtualClock())
    for _ in range(9):
        cork.writing()
    line.close()
    await asyncio.sleep(0)
    assert failures == []


async def test_a_burst_arrives_whole_and_before_the_close() -> None:
    """Nothing of what was sent in one turn is lost when the connection is closed."""
    got: list[bytes] = []

    async def read_all(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        while True:
            opcode, payload = await read_frame(reader)
            if opcode == CLOSE:
                writer.write(close_frame(1000))
                return
            got.append(payload)

    frames = [b"%d" % number for number in range(500)]
    async with listening(read_all) as port:
        transport = await connector_of("picows")(endpoint(f"ws://127.0.0.1:{port}/"))
        for frame in frames:
            await transport.send(frame)
        await transport.close()
    assert got == frames
