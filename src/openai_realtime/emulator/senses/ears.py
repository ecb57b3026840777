"""The emulator's ears: what was said in a piece of the user's audio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias, runtime_checkable

from ..outputs import Failure, Report
from ..text import sendable
from .captions import read_captions

__all__ = ["CaptionEars", "Heard", "Listener", "Pending", "Transcriber"]


@runtime_checkable
class Pending(Protocol):
    """A transcript that is still being made, elsewhere: a `Future` is one."""

    def done(self) -> bool:
        """Tell whether it is there."""
        ...

    def result(self) -> str | None:
        """Return it, once it is there; raise what the transcriber has failed with."""
        ...


Transcript: TypeAlias = str | Pending | None


class Transcriber(Protocol):
    """What turns speech into text."""

    def transcribe(self, pcm: bytes) -> Transcript:
        """Return what is said in 24 kHz mono PCM16, or None where nothing is told.

        It does not block: where it takes longer than a moment, what is returned is
        `Pending`.
        """
        ...


class CaptionEars:
    """Reads the captions that the emulator's voice and the shipped speech carry."""

    def transcribe(self, pcm: bytes) -> str | None:
        """Return the text that the audio carries, or None for all other audio."""
        # A buffer that a client put together may end in the middle of a sample.
        captions = read_captions(pcm[: len(pcm) // 2 * 2])
        return " ".join(captions) or None


class Heard:
    """What a transcriber makes of some audio, as soon as it has.

    Args:
        transcript: What it says.
        report: Takes what it fails with.
    """

    def __init__(self, transcript: Transcript, report: Report) -> None:
        self._report = report
        self._pending: Pending | None = None
        self._text: str | None = None
        self._failed = False
        if isinstance(transcript, Pending):
            self._pending = transcript
        else:
            self._text = transcript

    @property
    def ready(self) -> bool:
        """Whether it is known what was said."""
        if self._pending is not None and self._pending.done():
            pending, self._pending = self._pending, None
            try:
                text = pending.result()
                self._text = None if text is None else sendable(text)
            except Exception as exc:
                self.fail(exc)
        return self._pending is None

    @property
    def text(self) -> str | None:
        """What is said, or None where nothing is told, or not yet."""
        return self._text if self.ready else None

    @property
    def failed(self) -> bool:
        """Whether the transcriber has failed at it."""
        return self.ready and self._failed

    @property
    def waiting(self) -> bool:
        """Whether the transcriber is still at it."""
        return self._pending is not None and not self._pending.done()

    def drop(self) -> None:
        """Let the transcriber leave it, where it can: nobody wants to know any more."""
        cancel: Callable[[], object] | None = getattr(self._pending, "cancel", None)
        if not self.waiting or cancel is None:
            return
        try:
            cancel()
        except Exception as exc:
            self.fail(exc)

    def fail(self, error: Exception) -> None:
        """Note that the transcriber has failed."""
        self._failed = True
        self._report(Failure("the transcriber failed", error))


class Listener:
    """Listens with a transcriber that may fail, which is then reported."""

    def __init__(self, transcriber: Transcriber, report: Report) -> None:
        self._transcriber = transcriber
        self._report = report
        # What was glanced at last, in case that it is listened to next.
        self._glanced: tuple[bytes, Heard] | None = None
        self._waiting: list[Heard] = []

    def listen(self, pcm: bytes) -> Heard:
        """Make out what is said in 24 kHz mono PCM16."""
        heard = self._again(pcm) or self._ask(pcm)
        self._waiting = [each for each in self._waiting if each.waiting]
        if heard.waiting:
            self._waiting.append(heard)
        return heard

    def glance(self, pcm: bytes) -> str | None:
        """Return what is said, or None where that cannot be told at once.

        Whoever listens to the same audio next gets what was begun here.
        """
        heard = self._again(pcm) or self._ask(pcm)
        self._glanced = pcm, heard
        return heard.text

    def close(self) -> None:
        """Leave all that is still being made out."""
        self._again(b"")
        for heard in self._waiting:
            heard.drop()
        self._waiting.clear()

    def _again(self, pcm: bytes) -> Heard | None:
        """Return what was glanced at, or drop it where it is something else."""
        glanced, self._glanced = self._glanced, None
        if glanced is None:
            return None
        before, heard = glanced
        if before == pcm:
            return heard
        heard.drop()
        return None

    def _ask(self, pcm: bytes) -> Heard:
        try:
            transcript = self._transcriber.transcribe(pcm)
            if transcript is not None and not isinstance(transcript, Pending):
                transcript = sendable(transcript)
            return Heard(transcript, self._report)
        except Exception as exc:
            heard = Heard(None, self._report)
            heard.fail(exc)
            return heard
