"""What is asked: words from the command line or a pipe, and images."""

from __future__ import annotations

import base64
import mimetypes
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError

__all__ = ["read_question"]

_STDIN = "-"


def read_question(words: Sequence[str], images: Sequence[Path]) -> list[dict[str, Any]]:
    """Return the parts of the user's message.

    Args:
        words: What was given on the command line; without any, or as ``-``, the text is
            read from standard input.
        images: Files to be looked at.

    Raises:
        ConfigurationError: There is nothing to ask, or a file is no image.
        OSError: A file cannot be read.
    """
    text = {"type": "input_text", "text": _text_of(words)}
    return [text, *map(_image_part, images)]


def _text_of(words: Sequence[str]) -> str:
    if words and list(words) != [_STDIN]:
        text = " ".join(words)
    elif not words and sys.stdin.isatty():
        # Nobody would know what is waited for.
        text = ""
    else:
        text = _read_stdin()
    if not text.strip():
        raise ConfigurationError(
            "there is nothing to ask; give it as an argument, or pipe it in"
        )
    return text


def _read_stdin() -> str:
    try:
        # Decoded here, for Python lets bytes that are no text through in some places.
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as exc:
        raise ConfigurationError(f"standard input is no text: {exc}") from exc


def _image_part(path: Path) -> dict[str, Any]:
    kind, _ = mimetypes.guess_type(path.name)
    if kind is None or not kind.startswith("image/"):
        raise ConfigurationError(
            f"{path} is no image by its name; it ends in .png, .jpg, .webp or .gif"
        )
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    return {"type": "input_image", "image_url": f"data:{kind};base64,{encoded}"}
