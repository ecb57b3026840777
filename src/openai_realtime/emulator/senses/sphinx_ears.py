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

from ...audio.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE, sample_count
from ...audio.resample import Downsampler24To16
from ...errors import AudioError, ConfigurationError
from .ears import CaptionEars

__all__ = ["SphinxEars"]

_PROCESS = Path(__file__).with_name("sphinx_process.py")

# Utterances of all sessions that wait; the one decoder is not quicker for more.
_MOST_WAITING = 32


# The decoder takes less time than the speech lasts; where it takes far more, it hangs.
_PATIENCE_S = 60.0
_PATIENCE_PER_S = 5.0

_ENDED = "the process that runs pocketsphinx has ended; if it hung, it was made to"


class _Question(NamedTuple):
    """Audio whose words are wanted: 24 kHz mono PCM16."""

    pcm: bytes
    answer: Future[str]


class SphinxEars:
    """Makes out English with pocketsphinx; what carries a caption is read from it.

    All sessions share one process, which begins with the first audio without a caption
    and makes out one piece after the other; a piece whose future is cancelled before
    its turn comes is left out. It ends with `close`, and with the server. Where it
    hangs or crashes, the piece has failed, and the next one gets a new process.

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
        question = _Question(whole, Future())
        with self._lock:
            if self._closed:
                raise AudioError("these ears are closed; make new ones")
            if self._questions.full():
                self._forget_cancelled()
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

    def _forget_cancelled(self) -> None:
        """Make room: what nobody waits for any more needs none."""
        wanted: list[_Question] = []
        while True:
            try:
                question = self._questions.get_nowait()
            except queue.Empty:
                break
            if question is not None and not question.answer.cancelled():
                wanted.append(question)
        for question in wanted:
            self._questions.put_nowait(question)

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
        # Here, where no session waits: an hour of audio takes a while.
        given = Downsampler24To16().push(pcm)
        patience_s = _PATIENCE_S + _PATIENCE_PER_S * sample_count(pcm) / SAMPLE_RATE
        process = self._running()
        hangs = threading.Timer(patience_s, process.kill)
        hangs.daemon = True
        hangs.start()
        try:
            return self._answer(process, given)
        finally:
            hangs.cancel()

    def _answer(self, process: subprocess.Popen[bytes], pcm: bytes) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(len(pcm).to_bytes(4, "big") + pcm)
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError as exc:
            raise AudioError(_ENDED) from exc
        if not line:
            raise AudioError(_ENDED)
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
