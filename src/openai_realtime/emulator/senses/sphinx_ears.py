"""Ears for anybody's English: pocketsphinx, in a process of its own.

A decoder holds Python's lock for as long as it works, which in the server's process
would stop every session.
"""

from __future__ import annotations

import importlib.util
import json
import queue
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from ...audio.pcm import BYTES_PER_SAMPLE
from ...audio.resample import Downsampler24To16
from ...errors import AudioError, ConfigurationError
from .ears import CaptionEars

__all__ = ["SphinxEars"]

_PROCESS = Path(__file__).with_name("sphinx_process.py")

# Utterances of all sessions that wait; the one decoder is not quicker for more.
_MOST_WAITING = 32


class _Question(NamedTuple):
    """Audio whose words are wanted."""

    pcm: bytes
    answer: Future[str]


class SphinxEars:
    """Makes out English with pocketsphinx; what carries a caption is read from it.

    All sessions share one process, which begins with the first audio without a caption
    and makes out one piece after the other. It ends with `close`, and with the server.

    Raises:
        ConfigurationError: The package pocketsphinx is not installed.
    """

    def __init__(self) -> None:
        if importlib.util.find_spec("pocketsphinx") is None:
            raise ConfigurationError(
                "SphinxEars needs the package pocketsphinx; install it with "
                "pip install 'openai-realtime[stt]', or use CaptionEars"
            )
        self._captions = CaptionEars()
        self._questions: queue.Queue[_Question | None] = queue.Queue(_MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def transcribe(self, pcm: bytes) -> str | Future[str]:
        """Return the caption of 24 kHz mono PCM16, or a future of what is said in it.

        Audio without words gives an empty text.

        Raises:
            AudioError: Too many pieces wait already, or the ears are closed.
        """
        caption = self._captions.transcribe(pcm)
        if caption is not None:
            return caption
        # A buffer that a client put together may end in the middle of a sample.
        whole = pcm[: len(pcm) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE]
        question = _Question(Downsampler24To16().push(whole), Future())
        with self._lock:
            if self._closed:
                raise AudioError("these ears are closed; make new ones")
            try:
                self._questions.put_nowait(question)
            except queue.Full:
                raise AudioError(
                    f"{_MOST_WAITING} pieces of audio wait to be transcribed already; "
                    "use fewer sessions, or CaptionEars"
                ) from None
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="openai-realtime ears", daemon=True
                )
                self._thread.start()
        return question.answer

    def close(self) -> None:
        """End the process; what is not made out by then has failed."""
        with self._lock:
            self._closed = True
            thread, process = self._thread, self._process
        while thread is not None and thread.is_alive():
            if process is not None:
                process.kill()
            try:
                self._questions.put_nowait(None)
            except queue.Full:
                self._refuse_all()
                continue
            thread.join()
        self._refuse_all()

    def __enter__(self) -> SphinxEars:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _work(self) -> None:
        """Ask the process one question after the other."""
        try:
            while (question := self._questions.get()) is not None:
                if not question.answer.set_running_or_notify_cancel():
                    continue
                try:
                    text = self._ask(question.pcm)
                except Exception as exc:
                    self._end_process()
                    question.answer.set_exception(exc)
                else:
                    question.answer.set_result(text)
        finally:
            self._end_process()

    def _ask(self, pcm: bytes) -> str:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(len(pcm).to_bytes(4, "big") + pcm)
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError as exc:
            raise AudioError("the process that runs pocketsphinx has ended") from exc
        if not line:
            raise AudioError("the process that runs pocketsphinx has ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise AudioError(f"pocketsphinx failed: {answer['error']}")
        return str(answer["text"])

    def _running(self) -> subprocess.Popen[bytes]:
        """Return the process, a new one where there is none, or it has died."""
        with self._lock:
            if self._closed:
                raise AudioError("these ears are closed; make new ones")
            if self._process is None:
                # -P: nothing that lies beside the file is taken for a library.
                self._process = subprocess.Popen(
                    [sys.executable, "-P", str(_PROCESS)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            return self._process

    def _end_process(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()

    def _refuse_all(self) -> None:
        while True:
            try:
                question = self._questions.get_nowait()
            except queue.Empty:
                return
            if question is None or not question.answer.set_running_or_notify_cancel():
                continue
            question.answer.set_exception(AudioError("the ears were closed"))
