"""The emulator as users run it: a process of its own, and a TLS front before it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn
from urllib.parse import urlsplit

import pytest
import trustme

from openai_realtime.emulator.senses.voice import FormantVoice

_SERVE = (sys.executable, "-m", "openai_realtime", "serve")
_STOP_S = 10
_BLOCK_BYTES = 65_536


class Emulator(NamedTuple):
    """A running emulator.

    Attributes:
        url: Where its WebSocket is.
        log: The file that it logs to.
    """

    url: str
    log: Path

    @property
    def websocket_base(self) -> str:
        """The address that clients add ``/realtime`` to."""
        return self.url.removesuffix("/realtime")

    @property
    def http_base(self) -> str:
        """The same for plain HTTP."""
        return self.websocket_base.replace("ws://", "http://", 1)

    @property
    def port(self) -> int:
        """The port it listens on."""
        port = urlsplit(self.url).port
        assert port is not None
        return port


@contextmanager
def serve(log: Path, *arguments: str) -> Iterator[Emulator]:
    """Run ``openai-realtime serve`` with these arguments."""
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*_SERVE, "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("ws://127.0.0.1:"), log.read_text()
        yield Emulator(url, log)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def without_failures(emulator: Emulator) -> Iterator[Emulator]:
    """Fail when the emulator has logged a failure meanwhile."""
    before = emulator.log.stat().st_size
    yield emulator
    with emulator.log.open("rb") as log:
        log.seek(before)
        told = log.read().decode()
    assert " ERROR " not in told, told


class TlsFront(NamedTuple):
    """A TLS listener, with the certificate of who vouches for it."""

    port: int
    authority: Path


@asynccontextmanager
async def tls_front(port: int, folder: Path) -> AsyncIterator[TlsFront]:
    """Accept TLS on a free port and pass the bytes on to another port."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    certificate = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(certificate))
    running: set[asyncio.Task[None]] = set()

    async def accept(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            inner_reader, inner_writer = await asyncio.open_connection(
                "127.0.0.1", port
            )
            await asyncio.gather(
                _pump(reader, inner_writer), _pump(inner_reader, writer)
            )
        finally:
            running.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    try:
        yield TlsFront(server.sockets[0].getsockname()[1], certificate)
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until the end, and the end too."""
    with contextlib.suppress(OSError):
        while block := await reader.read(_BLOCK_BYTES):
            writer.write(block)
            await writer.drain()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def speech(text: str, *, silence_ms: int = 1000) -> bytes:
    """Speak a text with the emulator's own voice, which it also understands."""
    pcm = b"".join(word.pcm for word in FormantVoice().speak(text))
    return pcm + bytes(48 * silence_ms)


def unavailable(what: str) -> NoReturn:
    """Skip the test for want of something; in CI nothing may be wanting."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and in CI nothing may be skipped", pytrace=False)
    pytest.skip(what)
