"""The Python of a page of the documentation, in the form in which it can be run."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

# A fence at the beginning of a line; or a comment with what the page leaves out.
_BLOCK = re.compile(
    r"^```python\n(?P<shown>.*?)^```$|^<!-- setup\n(?P<hidden>.*?)^-->$", re.M | re.S
)
# It has a loop of its own, or needs none.
_STANDS_ALONE = re.compile(r"asyncio\.run\(|^from openai_realtime\.sync import", re.M)
_FILE_NAME = re.compile(r"# (\w+\.py)\n")
_FENCE = re.compile(r"(?:```+|~~~+)\s*\{?(?:code-block\}? )?py", re.I)
_ANY_BLOCK = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.M | re.S)


class Kind(Enum):
    """How a block is run."""

    PIECE = "after the pieces above it, as if inside of a coroutine with a client"
    PROGRAM = "as a program"
    TESTS = "by pytest"


class Block(NamedTuple):
    """A block of Python.

    Attributes:
        line: Where it begins.
        text: What it says.
        file_name: The file that it is the content of, as its first line says.
    """

    line: int
    text: str
    file_name: str | None

    @property
    def kind(self) -> Kind:
        """How it is run; what is a file and does nothing is a program too."""
        if self.file_name is not None and self.file_name.startswith("test_"):
            return Kind.TESTS
        if self.file_name is not None or _STANDS_ALONE.search(self.text):
            return Kind.PROGRAM
        return Kind.PIECE


def pages() -> list[str]:
    """Return the names of all pages, as paths below docs/."""
    return sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of a page in order, those in comments included."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [_block(text, found) for found in _BLOCK.finditer(text)]


def fences_of(page: str) -> int:
    """Return how many fences there are around Python, wherever and however written."""
    return len(_FENCE.findall((DOCS / page).read_text(encoding="utf-8")))


def other_blocks_of(page: str) -> list[tuple[str, str]]:
    """Return the blocks that are no Python, each as its language and its text."""
    found = _ANY_BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    return [(language, text) for language, text in found if language != "python"]


def shown_blocks_of(page: str) -> int:
    """Return how many blocks the reader sees."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return sum(found["shown"] is not None for found in _BLOCK.finditer(text))


def _block(text: str, found: re.Match[str]) -> Block:
    body = found["hidden"] if found["shown"] is None else found["shown"]
    name = _FILE_NAME.match(body)
    line = text.count("\n", 0, found.start()) + 2
    return Block(line, body, None if name is None else name[1])
