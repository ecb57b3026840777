"""What a docstring says of a function and of its parameters.

Three styles are read: sections with a colon and an indented block (Google), sections
underlined with dashes (NumPy), and fields such as ``:param name:`` (Sphinx).
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import zip_longest
from typing import NamedTuple

__all__ = ["Documentation", "read_docstring"]

_OF_PARAMETERS = (
    "args arguments params parameters keyword_args keyword_arguments other_parameters"
    " param parameter arg argument key keyword"
)
_OTHERS = (
    "attributes example examples note notes raises references return returns see_also"
    " todo warning warnings warns yield yields"
)
_TITLES_OF_PARAMETERS = frozenset(_OF_PARAMETERS.split())
_TITLES = _TITLES_OF_PARAMETERS | frozenset(_OTHERS.split())

_UNDERLINE = re.compile(r"-{3,}\s*$")
_FIELD = re.compile(r":(?P<title>\w+)\b[^:]*:(\s|$)")

_GOOGLE_ENTRY = re.compile(r"\*{0,2}(?P<names>\w+)\s*(\(.*?\))?\s*:(\s+(?P<text>.*)|$)")
_NUMPY_ENTRY = re.compile(
    r"(?P<names>\*{0,2}\w+(\s*,\s*\*{0,2}\w+)*)\s*(:.*)?$(?P<text>)"
)
_SPHINX_ENTRY = re.compile(r":\w+\s+([^:]*\s)?(?P<names>\w+)\s*:(\s+(?P<text>.*)|$)")


class Documentation(NamedTuple):
    """What a docstring says.

    Attributes:
        text: What stands before the first section, as it stands there.
        parameters: What is said of each parameter, in one line.
    """

    text: str
    parameters: dict[str, str]


class _Style(Enum):
    TEXT = "text"
    GOOGLE = "google"
    NUMPY = "numpy"
    SPHINX = "sphinx"


_ENTRIES = {
    _Style.GOOGLE: _GOOGLE_ENTRY,
    _Style.NUMPY: _NUMPY_ENTRY,
    _Style.SPHINX: _SPHINX_ENTRY,
}


class _Section(NamedTuple):
    style: _Style
    title: str
    lines: list[str]


def read_docstring(docstring: str | None) -> Documentation:
    """Read a docstring of any of the three styles, or none at all."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    text, *sections = _sections(lines)
    parameters: dict[str, str] = {}
    for section in sections:
        if section.title in _TITLES_OF_PARAMETERS:
            parameters |= _entries(section)
    return Documentation("\n".join(text.lines).strip(), parameters)


def _sections(lines: list[str]) -> Iterator[_Section]:
    """Cut a docstring into its text, which comes first, and its sections."""
    current = _Section(_Style.TEXT, "", [])
    for line, following in zip_longest(lines, lines[1:], fillvalue=""):
        begun = _begun(line, following)
        if begun is not None:
            yield current
            current = begun
        elif current.style in (_Style.GOOGLE, _Style.SPHINX) and _stands_out(line):
            # Its block has ended, and ordinary text begins again.
            yield current
            current = _Section(_Style.TEXT, "", [line])
        else:
            current.lines.append(line)
    yield current


def _begun(line: str, following: str) -> _Section | None:
    """Return the section that begins with a line, if one does."""
    title = line.rstrip().removesuffix(":").lower().replace(" ", "_")
    if title in _TITLES:
        if _UNDERLINE.match(following):
            return _Section(_Style.NUMPY, title, [])
        if line.rstrip().endswith(":"):
            return _Section(_Style.GOOGLE, title, [])
    field = _FIELD.match(line)
    return _Section(_Style.SPHINX, field["title"], [line]) if field else None


def _entries(section: _Section) -> dict[str, str]:
    """Return what a section says of each parameter."""
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for line in textwrap.dedent("\n".join(section.lines)).splitlines():
        entry = _ENTRIES[section.style].match(line)
        if entry is not None:
            names = [name.strip(" *") for name in entry["names"].split(",")]
            found |= {name: [entry["text"] or ""] for name in names}
        elif not _stands_out(line):
            for name in names:
                found[name].append(line)
    return {name: _in_one_line(said) for name, said in found.items()}


def _stands_out(line: str) -> bool:
    return bool(line) and not line[0].isspace()


def _in_one_line(lines: Iterable[str]) -> str:
    return " ".join(" ".join(lines).split())
