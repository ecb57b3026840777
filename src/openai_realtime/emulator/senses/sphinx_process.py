"""A process that makes out English with pocketsphinx: audio comes in, text goes out.

It is run as a program, from this file, and knows nothing of the package. Each question
is a length of four bytes, highest first, and so many bytes of 16 kHz mono PCM16; each
answer is one line of JSON with `text` or `error`. It ends when its input does.
"""

from __future__ import annotations

import json
import signal
import sys
from importlib import import_module
from typing import IO, Any

__all__ = ["main"]

_LEAST_PEAK = 50


def main(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until there are no more questions."""
    # A Ctrl-C is for the server, which then ends this by closing the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    decoder: Any = None
    while len(head := questions.read(4)) == 4:
        pcm = questions.read(int.from_bytes(head, "big"))
        try:
            if decoder is None:
                decoder = _decoder()
            answer = {"text": _text(decoder, pcm)}
        except Exception as exc:
            answer = {"error": f"{type(exc).__name__}: {exc}"}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def _decoder() -> Any:
    # Imported by name: it has no types that a checker could follow.
    pocketsphinx: Any = import_module("pocketsphinx")
    return pocketsphinx.Decoder(samprate=16_000, loglevel="FATAL")


def _text(decoder: Any, pcm: bytes) -> str:
    """Make out one utterance; what holds no words is an empty text."""
    # In digital silence the decoder hears "it" and "in".
    if max(map(abs, memoryview(pcm).cast("h")), default=0) < _LEAST_PEAK:
        return ""
    decoder.start_utt()
    decoder.process_raw(pcm, no_search=False, full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    return hypothesis.hypstr if hypothesis is not None else ""


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
