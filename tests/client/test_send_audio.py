"""`send_audio`: from wherever audio is, to the session."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

from openai_realtime import RealtimeClient
from openai_realtime.audio import MU_LAW, Conversion, resample, write_wav
from openai_realtime.audio_sending import Pace, send_pieces
from openai_realtime.errors import (
    AudioError,
    ConfigurationError,
    ConnectionClosed,
    LocalProtocolError,
)

from .conftest import URL, Clock
from .scripted_server import PATIENCE_S, ScriptedServer, let_tasks_run

# 350 ms, so that the last piece is shorter than the others.
SAMPLES = array("h", [(n * 7919) % 20_000 - 10_000 for n in range(8400)])
PCM = SAMPLES.tobytes()
G711_SESSION = {
    "type": "realtime",
    "audio": {"input": {"format": {"type": "audio/pcmu"}, "turn_detection": None}},
}


async def sent(client: RealtimeClient, server: ScriptedServer) -> list[bytes]:
    """Return the pieces of audio that have arrived."""
    await client.realtime.send("test.marker")
    pieces: list[bytes] = []
    while (event := await server.next()).type != "test.marker":
        assert event.type == "input_audio_buffer.append"
        pieces.append(event.audio)
    return pieces


async def arrives(client: RealtimeClient, server: ScriptedServer, **how: Any) -> bytes:
    """Send audio and return what has arrived."""
    async with asyncio.timeout(PATIENCE_S):
        await client.send_audio(how.pop("source"), **how)
    return b"".join(await sent(client, server))


async def happened(event: threading.Event) -> bool:
    """Wait for an event of another thread."""
    return await asyncio.to_thread(event.wait, PATIENCE_S)


async def in_pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    """Give data in pieces of some size."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def wav_file(folder: Path, **shape: int) -> Path:
    """Write the samples to a WAV file."""
    path = folder / "question.wav"
    write_wav(path, PCM, **shape)
    return path


# --- what may be sent ---


@pytest.mark.parametrize(
    "make",
    [
        lambda: PCM,
        lambda: bytearray(PCM),
        lambda: memoryview(PCM),
        lambda: SAMPLES,
        lambda: numpy.array(SAMPLES),
        lambda: numpy.array(SAMPLES).reshape(-1, 1),
        lambda: numpy.array(SAMPLES, dtype=numpy.float32) / 32_767,
        lambda: [PCM[:4000], PCM[4000:]],
        lambda: (numpy.array(SAMPLES)[n : n + 100] for n in range(0, 8400, 100)),
        lambda: in_pieces(PCM, 960),
        lambda: [PCM[:1], PCM[1:4802], b"", PCM[4802:]],
        lambda: in_pieces(PCM, 333),
    ],
    ids=[
        *("bytes", "bytearray", "memoryview", "array", "numpy", "column", "floats"),
        *("list", "generator", "async", "halves", "async halves"),
    ],
)
async def test_every_source_of_raw_audio(
    server: ScriptedServer, client: RealtimeClient, make: Callable[[], Any]
) -> None:
    """Whatever has the samples, the session gets these samples."""
    await client.connect()
    assert await arrives(client, server, source=make()) == PCM


@pytest.mark.parametrize("as_path", [Path, str, open, lambda path: os.fspath(path)])
async def test_sound_files_are_sent(
    server: ScriptedServer, client: RealtimeClient, tmp_path: Path, as_path: Any
) -> None:
    """A file at another rate arrives at the session's, by path or opened."""
    path = wav_file(tmp_path, rate=48_000)
    source = path.open("rb") if as_path is open else as_path(path)
    await client.connect()
    got = await arrives(client, server, source=source)
    assert got == resample(PCM, 48_000, 24_000)
    if as_path is open:
        assert not source.closed
        source.close()


@pytest.mark.parametrize("rate", [16_000, 44_100, 44_100.0])
async def test_raw_audio_of_another_shape(
    server: ScriptedServer, client: RealtimeClient, rate: float
) -> None:
    """Stereo at another rate is mixed and resampled, however it comes."""
    conversion = Conversion(int(rate), 2)
    want = conversion.push(PCM) + conversion.finish()
    stereo = numpy.array(SAMPLES).reshape(-1, 2)
    await client.connect()
    sources: list[Any] = [PCM, stereo, [stereo[:99], stereo[99:]], in_pieces(PCM, 333)]
    for source in [*sources, io.BytesIO(PCM)]:
        shape = {"rate": rate, "channels": 2}
        assert await arrives(client, server, source=source, **shape) == want


async def test_a_raw_file_is_one_whose_shape_is_given(
    server: ScriptedServer, client: RealtimeClient, tmp_path: Path
) -> None:
    """Headerless files are read with `rate`; a header then is a mistake, and told."""
    path = tmp_path / "question.pcm"
    path.write_bytes(PCM)
    await client.connect()
    assert await arrives(client, server, source=path, rate=24_000) == PCM
    with pytest.raises(AudioError, match="header of a WAV file"):
        await client.send_audio(wav_file(tmp_path), rate=24_000)
    await server.expect_nothing(client)


async def test_a_reader_of_asyncio_is_raw_audio(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """What another program writes into a pipe of asyncio goes to the session."""
    reader = asyncio.StreamReader()
    reader.feed_data(PCM[:1001])
    await client.connect()
    sending = asyncio.create_task(client.send_audio(reader))
    await let_tasks_run()
    assert b"".join(await sent(client, server)) == PCM[:1000]
    reader.feed_data(PCM[1001:])
    reader.feed_eof()
    async with asyncio.timeout(PATIENCE_S):
        assert await sending == 0.35
    assert b"".join(await sent(client, server)) == PCM[1000:]


async def test_a_pipe_is_not_waited_for(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """What has come through a pipe is sent before the next of it comes."""
    receiver, sender = os.pipe()
    await client.connect()
    with os.fdopen(receiver, "rb") as pipe, os.fdopen(sender, "wb", 0) as microphone:
        sending = asyncio.create_task(client.send_audio(pipe, rate=24_000))
        microphone.write(PCM[:200])
        assert (await server.expect("input_audio_buffer.append")).audio == PCM[:200]
        microphone.close()
        async with asyncio.timeout(PATIENCE_S):
            await sending


# --- pieces, and what is returned ---


async def test_files_are_cut_into_equal_pieces(
    server: ScriptedServer, client: RealtimeClient, tmp_path: Path
) -> None:
    """Audio that is there goes out 100 ms at a time, and its length is returned."""
    await client.connect()
    for source in (PCM, wav_file(tmp_path), io.BytesIO(PCM)):
        rate = 24_000 if isinstance(source, io.BytesIO) else None
        assert await client.send_audio(source, rate=rate) == 0.35
        sizes = [len(piece) for piece in await sent(client, server)]
        assert sizes == [4800, 4800, 4800, 2400]
    await client.send_audio(PCM, chunk_ms=20)
    assert {len(piece) for piece in await sent(client, server)} == {960, 480}


async def test_what_comes_is_sent_as_it_comes(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Small pieces of a microphone are not held back, and large ones are cut."""
    await client.connect()
    await client.send_audio([PCM[:960], PCM[960:1920], PCM[1920:7680]])
    assert [len(piece) for piece in await sent(client, server)] == [960, 960, 4800, 960]


@pytest.mark.parametrize("source", [b"", [], [b""], io.BytesIO()])
async def test_no_audio_is_nothing(
    server: ScriptedServer, client: RealtimeClient, source: Any
) -> None:
    """An empty source sends no event."""
    await client.connect()
    assert await client.send_audio(source, rate=24_000) == 0.0
    await server.expect_nothing(client)


# --- telephone sessions ---


async def test_telephone_sessions_get_g711(
    server: ScriptedServer, client: RealtimeClient, tmp_path: Path
) -> None:
    """Files, and raw audio whose rate is given, are converted to the session's law."""
    server.greeting = G711_SESSION
    await client.connect()
    want = MU_LAW.encode(resample(PCM, 24_000, 8000))
    assert await arrives(client, server, source=wav_file(tmp_path)) == want
    for source in (PCM, SAMPLES, [SAMPLES], in_pieces(PCM, 333)):
        assert await arrives(client, server, source=source, rate=24_000) == want
    assert await client.send_audio(PCM, rate=24_000) == 0.35


async def test_telephone_audio_is_sent_as_it_is(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Bytes without a rate are what the session takes already, odd counts too."""
    server.greeting = G711_SESSION
    await client.connect()
    data = bytes(range(255)) * 7
    assert await arrives(client, server, source=data) == data
    assert (
        await arrives(client, server, source=[data[:99], bytearray(data[99:])]) == data
    )
    assert await client.send_audio(data) == len(data) / 8000
    await sent(client, server)
    await client.append_input_audio(memoryview(data))
    assert await sent(client, server) == [data]


async def test_samples_without_a_rate_are_no_g711(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Samples are not taken for G.711, which would be noise; the way out is named."""
    server.greeting = G711_SESSION
    await client.connect()
    for sending in (client.append_input_audio(SAMPLES), client.send_audio(SAMPLES)):
        with pytest.raises(AudioError, match="rate=24000"):
            await sending
    await server.expect_nothing(client)


# --- pace ---


class Sleeper:
    """Sleeps by putting the clock forward, and takes some time for each waking.

    Attributes:
        woken_at: When each sleep was over.
        late_s: How much too late sleeps end.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.woken_at: list[float] = []
        self.late_s = 0.0

    async def __call__(self, seconds: float) -> None:
        """Sleep."""
        if seconds:
            self._clock.now += seconds + self.late_s
        self.woken_at.append(self._clock.now)
        await asyncio.sleep(0)


@pytest.fixture
def sleeper(clock: Clock) -> Sleeper:
    """What the client sleeps with."""
    return Sleeper(clock)


@pytest.fixture
async def paced_client(
    server: ScriptedServer, clock: Clock, sleeper: Sleeper
) -> AsyncIterator[RealtimeClient]:
    """A connected client whose time is virtual."""
    client = RealtimeClient(
        url=URL, transport=server.connect, clock=clock, sleep=sleeper
    )
    await client.connect()
    yield client
    await client.disconnect()


@pytest.mark.parametrize(
    ("paced", "times"),
    [
        (True, [0, 0.1, 0.2, 0.3]),
        (2.0, [0, 0.05, 0.1, 0.15]),
        (0.5, [0, 0.2, 0.4, 0.6]),
    ],
)
async def test_each_piece_has_its_time(
    paced_client: RealtimeClient, sleeper: Sleeper, paced: float, times: list[float]
) -> None:
    """Audio goes out as fast as it plays, or at the speed that was asked for."""
    await paced_client.send_audio(PCM, paced=paced)
    assert sleeper.woken_at == pytest.approx([100 + time for time in times])


async def test_delays_do_not_add_up(
    paced_client: RealtimeClient, sleeper: Sleeper
) -> None:
    """Sleeps that end late make no piece later than its own sleep: no drift."""
    sleeper.late_s = 0.03
    await paced_client.send_audio(PCM, paced=True)
    assert sleeper.woken_at == pytest.approx([100, 100.13, 100.23, 100.33])


async def test_what_was_late_catches_up(
    paced_client: RealtimeClient, sleeper: Sleeper, clock: Clock
) -> None:
    """After a hiccup of the source the rest is sent at once, until it is in time."""

    async def hiccup() -> AsyncIterator[bytes]:
        yield PCM[:4800]
        clock.now += 0.25
        yield PCM[4800:]

    await paced_client.send_audio(hiccup(), paced=True)
    assert sleeper.woken_at == pytest.approx([100, 100.25, 100.25, 100.3])


async def test_others_have_their_turn_while_much_is_sent() -> None:
    """An hour of audio that is there already does not stop the program meanwhile."""
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def send(piece: bytes) -> None:
        assert len(piece) == 2

    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(1_000):
            yield bytes(2)

    counting = asyncio.create_task(count_turns())
    pace = Pace(False, clock=lambda: 0.0, sleep=asyncio.sleep)
    assert await send_pieces(pieces(), send, bytes_per_s=2_000, pace=pace) == 1.0
    counting.cancel()
    assert 10 <= turns <= 100


# --- what goes wrong ---


@pytest.mark.parametrize(
    ("source", "how", "message"),
    [
        (7, {}, "int cannot be sent"),
        (None, {}, "NoneType cannot be sent"),
        ([1, 2], {}, "of type int"),
        (["text"], {}, "of type str"),
        (b"abc", {}, "1 bytes too many"),
        ([b"a", b"bc"], {}, "1 bytes too many"),
        (bytes(6), {"channels": 2}, "2 bytes too many"),
        (b"", {"rate": 0}, "0 Hz"),
        (b"", {"rate": -8000}, "-8000 Hz"),
        (b"", {"rate": 44_100.5}, "whole number"),
        (b"", {"channels": 0}, "0 channels"),
        (io.BytesIO(b""), {}, "empty"),
        (io.BytesIO(b"what is this?"), {}, "cannot be decoded"),
        (numpy.zeros((9, 2), dtype=numpy.int16), {}, r"shape \(9, 2\)"),
    ],
)
async def test_what_cannot_be_sent_is_told(
    server: ScriptedServer,
    client: RealtimeClient,
    source: Any,
    how: dict[str, Any],
    message: str,
) -> None:
    """What is no audio, or not of that shape, raises and says why."""
    await client.connect()
    with pytest.raises(AudioError, match=message):
        async with asyncio.timeout(PATIENCE_S):
            await client.send_audio(source, **how)


@pytest.mark.parametrize(
    "how",
    [{"paced": 0}, {"paced": -1.0}, {"paced": float("nan")}, {"chunk_ms": 0}],
    ids=repr,
)
async def test_impossible_wishes_are_refused(
    server: ScriptedServer, client: RealtimeClient, how: dict[str, Any]
) -> None:
    """Speeds and lengths that cannot be are refused before anything is sent."""
    await client.connect()
    with pytest.raises(ConfigurationError, match=next(iter(how))):
        await client.send_audio(PCM, **how)
    await server.expect_nothing(client)


async def test_a_missing_file_stays_what_it_is(
    server: ScriptedServer, client: RealtimeClient, tmp_path: Path
) -> None:
    """A missing file raises what missing files raise."""
    await client.connect()
    with pytest.raises(FileNotFoundError):
        await client.send_audio(tmp_path / "none.wav")


async def test_without_a_connection_nothing_is_touched(client: RealtimeClient) -> None:
    """A source is not begun where nothing can be sent."""
    begun: list[bool] = []

    def source() -> Iterator[bytes]:
        begun.append(True)
        yield PCM

    with pytest.raises(LocalProtocolError):
        await client.send_audio(source())
    assert begun == []


async def test_a_lost_connection_ends_the_source(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """Sending raises when the connection ends, and the source is closed."""
    closed = asyncio.Event()

    async def microphone() -> AsyncIterator[bytes]:
        try:
            while True:
                yield PCM[:960]
        finally:
            closed.set()

    await client.connect()
    sending = asyncio.create_task(client.send_audio(microphone()))
    await server.expect("input_audio_buffer.append")
    await server.line.close(1001, "going away")
    with pytest.raises(ConnectionClosed):
        async with asyncio.timeout(PATIENCE_S):
            await sending
    assert closed.is_set()


async def test_a_failing_source_raises_its_own_error(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """A microphone that is unplugged says so itself; what it gave is sent."""

    def microphone() -> Iterator[bytes]:
        yield PCM[:960]
        raise OSError("unplugged")

    await client.connect()
    with pytest.raises(OSError, match="unplugged"):
        await client.send_audio(microphone())
    assert await sent(client, server) == [PCM[:960]]


# --- cancelling ---


async def test_cancelling_closes_an_asynchronous_source(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """What was sent stays sent, and the generator is closed when the task ends."""
    closed = asyncio.Event()

    async def microphone() -> AsyncIterator[bytes]:
        try:
            yield PCM[:960]
            await asyncio.Event().wait()
        finally:
            closed.set()

    await client.connect()
    sending = asyncio.create_task(client.send_audio(microphone()))
    assert (await server.expect("input_audio_buffer.append")).audio == PCM[:960]
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert closed.is_set()
    await server.expect_nothing(client)


async def test_cancelling_does_not_wait_for_a_blocking_source(
    server: ScriptedServer, client: RealtimeClient
) -> None:
    """The task ends at once; the source is closed when it has given its next piece."""
    gate, closed = threading.Event(), threading.Event()

    def microphone() -> Iterator[bytes]:
        try:
            yield PCM[:960]
            gate.wait()
            yield PCM[960:1920]
        finally:
            closed.set()

    await client.connect()
    sending = asyncio.create_task(client.send_audio(microphone()))
    await server.expect("input_audio_buffer.append")
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert not closed.is_set()
    gate.set()
    assert await happened(closed)
    await server.expect_nothing(client)
