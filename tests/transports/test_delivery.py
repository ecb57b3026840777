"""Transports that hand messages over, instead of being asked for them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openai_realtime import RealtimeAPI
from openai_realtime.errors import ConnectionClosed
from openai_realtime.transports import DeliveringTransport, Transport
from openai_realtime.transports._inbox import Inbox
from openai_realtime.transports.transport import delivers
from openai_realtime.transports.websocket import connector_of

from .tiny_servers import TEXT, close_frame, endpoint, frame, listening, sending

CREATED = b'{"type": "session.created", "event_id": "e", "session": {"type": "x"}}'
CLEARED = b'{"type": "input_audio_buffer.cleared", "event_id": "e"}'


class Line(asyncio.ReadTransport):
    """What an inbox reads from: it can be paused."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = False

    def pause_reading(self) -> None:
        """Stop."""
        self.paused = True

    def resume_reading(self) -> None:
        """Go on."""
        self.paused = False


async def connected(port: int) -> DeliveringTransport:
    """Connect by picows, which hands over."""
    transport = await connector_of("picows")(endpoint(f"ws://127.0.0.1:{port}/"))
    assert delivers(transport)
    return transport


async def test_messages_come_in_order_and_the_end_comes_last() -> None:
    """All that a server says is handed over, what came before the asking too."""
    over: asyncio.Future[ConnectionClosed] = asyncio.get_running_loop().create_future()
    got: list[bytes] = []
    frames = [frame(TEXT, b"%d" % number) for number in range(300)]
    async with listening(sending(*frames, close_frame(1001, "max"))) as port:
        transport = await connected(port)
        transport.deliver_to(got.append, over.set_result)
        assert got == []
        end = await over
    assert got == [b"%d" % number for number in range(300)]
    assert (end.code, end.reason) == (1001, "max")


async def test_messages_have_one_reader() -> None:
    """Whom messages are handed over to is the only one who gets them."""
    async with listening(sending(frame(TEXT, b"one"))) as port:
        transport = await connected(port)
        transport.deliver_to(lambda frame: None, lambda end: None)
        with pytest.raises(RuntimeError, match="delivered"):
            await transport.recv()
        with pytest.raises(RuntimeError, match="one reader"):
            transport.deliver_to(lambda frame: None, lambda end: None)
        await transport.close()


@pytest.mark.parametrize("alone", [False, True], ids=["one read", "many reads"])
async def test_a_burst_leaves_turns_to_others(alone: bool) -> None:
    """However much comes at once, everybody else has a turn after 64 messages."""
    got: list[bytes] = []
    line = Line()
    inbox = Inbox(line)
    inbox.deliver_to(got.append, lambda end: None)
    await asyncio.sleep(0)
    for number in range(1000):
        inbox.put(b"%d" % number, alone=alone)
    steps = [len(got)]
    while len(got) < 1000:
        assert line.paused
        await asyncio.sleep(0)
        steps.append(len(got))
    assert max(b - a for a, b in zip([0, *steps], steps, strict=False)) <= 64
    assert got == [b"%d" % number for number in range(1000)]
    assert not line.paused


async def test_the_end_does_not_overtake_what_waits() -> None:
    """A connection that ends in the middle of a burst has it handed over first."""
    got: list[Any] = []
    inbox = Inbox(Line())
    inbox.deliver_to(got.append, got.append)
    for number in range(100):
        inbox.put(b"%d" % number, alone=False)
    end = ConnectionClosed(1006)
    inbox.end(end)
    for _ in range(5):
        await asyncio.sleep(0)
    assert got == [*(b"%d" % number for number in range(100)), end]


async def test_what_waits_unread_pauses_the_line() -> None:
    """Who reads slowly is not sent more than the queue takes."""
    line = Line()
    inbox = Inbox(line)
    for number in range(64):
        assert not line.paused
        inbox.put(b"%d" % number, alone=True)
    assert line.paused
    for _ in range(64):
        await inbox.recv()
    assert not line.paused


async def test_what_wraps_a_transport_means_its_own_recv() -> None:
    """A wrapper that passes on what it does not know is not bypassed."""

    class Wrapper:
        def __init__(self, inner: Any) -> None:
            self._inner = inner
            self.received = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        async def recv(self) -> bytes | str:
            """Count."""
            received: bytes | str = await self._inner.recv()
            self.received += 1
            return received

    async with listening(sending(frame(TEXT, CREATED))) as port:
        wrapper: Any = Wrapper(await connected(port))
        line: Transport = wrapper
        api = RealtimeAPI(transport=line)
        events = api.events("server.*")
        await api.connect()
        await anext(events)
        assert wrapper.received == 1
        await api.close()


async def test_a_handler_made_after_connecting_sees_the_first_event() -> None:
    """Nothing is handed over before `connect` has returned."""
    async with listening(sending(frame(TEXT, CREATED))) as port:
        transport = await connected(port)
        # The event is there before anybody asks for it.
        await asyncio.sleep(0.02)
        api = RealtimeAPI(transport=transport)
        await api.connect()
        events = api.events("server.session.created")
        await anext(events)
        await api.close()


async def test_a_burst_does_not_overrun_who_keeps_up() -> None:
    """One read of the socket brings more than a stream holds, and nothing is lost."""
    everything = [frame(TEXT, b"x" * 200_000), *[frame(TEXT, CLEARED)] * 5000]
    async with listening(sending(*everything)) as port:
        api = RealtimeAPI(transport=await connected(port))
        problems: list[Any] = []
        api.on("error", problems.append)
        events = api.events("server.*", buffer=200)
        await api.connect()
        for _ in range(5000):
            await anext(events)
        await api.close()
    # The long one, after which picows reads much at once, was no event.
    assert len(problems) == 1
