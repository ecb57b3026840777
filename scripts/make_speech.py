"""Make the speech that is shipped with the command line, with the voice of flite.

Run it from anywhere, with this package importable, after a change of the sentences or
of the caption format:

    python scripts/make_speech.py

It needs the program flite with its voice slt, which on Debian and Ubuntu is the package
of that name. The files are written where the package looks for them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from array import array
from pathlib import Path

from openai_realtime.audio import (
    ms_to_samples,
    read_wav,
    silence,
    to_pcm16,
    to_samples,
    write_wav,
)
from openai_realtime.emulator.senses.captions import caption

PACKAGE = Path(__file__).parents[1] / "src" / "openai_realtime"
TARGET = PACKAGE / "cli" / "demo" / "speech"

SENTENCES = {
    "weather": "What is the weather like in Paris right now?",
    "stop": "Thank you, please stop counting. What comes after that?",
}

VOICE = "slt"
PEAK = 0.5
MARGIN_MS = 100
"""Quiet before the first and after the last sound."""

QUIET = 100
"""Samples up to this are quiet, -50 dB."""


def speak(text: str) -> bytes:
    """Let flite speak `text`, as 24 kHz mono PCM16."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        subprocess.run(["flite", "-voice", VOICE, "-t", text, "-o", path], check=True)
        return read_wav(path)


def trim(samples: array[int]) -> array[int]:
    """Leave `MARGIN_MS` of silence around the sound."""
    loud = [index for index, value in enumerate(samples) if abs(value) > QUIET]
    margin = array("h", silence(ms_to_samples(MARGIN_MS)))
    return margin + samples[loud[0] : loud[-1] + 1] + margin


def normalise(samples: array[int]) -> array[int]:
    """Scale the loudest sample to `PEAK`."""
    gain = PEAK * 32_767 / max(map(abs, samples))
    return array("h", [round(gain * value) for value in samples])


def main() -> None:
    """Make every sentence anew."""
    for name, text in SENTENCES.items():
        try:
            pcm = speak(text)
        except FileNotFoundError:
            sys.exit("flite is missing; install it with: apt install flite")
        samples = normalise(trim(to_samples(pcm)))
        path = TARGET / f"{name}.wav"
        write_wav(path, caption(to_pcm16(samples), text))
        print(f"{path.name}: {path.stat().st_size:,} bytes, {text}")


if __name__ == "__main__":
    main()
