"""A scenario: what to answer to what, and what is to go wrong."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ....errors import ConfigurationError
from ...faults import Fault
from ...mcp.server import McpServers
from ..echo import EchoBrain
from ..rules import RuleBrain
from .answer import ANSWER_KEYS, Answer, Setting, Step, read_answer
from .condition import CONDITIONS, When, read_when
from .fault import read_fault
from .mcp import read_mcp_servers
from .table import Misfit, Table, is_table, shown

__all__ = ["SCENARIO_KEYS", "Reply", "Scenario"]

SCENARIO_KEYS = ("reply", "otherwise", "chunks", "fault", "mcp_server")
"""The keys of a scenario."""

_BRAINS: Mapping[str, Step] = {"rules": RuleBrain(), "echo": EchoBrain()}

_ELEMENT = re.compile(r"(\w+)\[(\d+)\]")


class Reply(NamedTuple):
    """An answer, and when it is the right one."""

    when: When
    answer: Answer


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What a server says, and what goes wrong with it.

    Attributes:
        replies: What to answer to what; the first that fits is given.
        otherwise: What to answer when none does.
        faults: What is to go wrong.
        mcp_servers: The MCP servers there are.
    """

    replies: tuple[Reply, ...] = ()
    otherwise: Answer = (RuleBrain(),)
    faults: tuple[Fault, ...] = ()
    mcp_servers: McpServers = field(default_factory=McpServers)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Scenario:
        """Read a TOML file; the files that it names are relative to it.

        Raises:
            ConfigurationError: It is no scenario; the message says where.
            OSError: It cannot be read.
        """
        file = Path(path)
        source = f"scenario {file}"
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            raise ConfigurationError(
                f"{source} is not in UTF-8: there is {exc.object[exc.start]:#04x} at "
                f"byte {exc.start}; a scenario is TOML text"
            ) from exc
        return _from_toml(text, source, file.parent)

    @classmethod
    def from_toml(cls, text: str, *, folder: str | os.PathLike[str] = ".") -> Scenario:
        """Read TOML text.

        Args:
            text: The scenario.
            folder: What the files that it names are relative to.

        Raises:
            ConfigurationError: It is no scenario; the message says where.
        """
        return _from_toml(text, "scenario", Path(folder))

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], *, folder: str | os.PathLike[str] = "."
    ) -> Scenario:
        """Read a dict of the same shape.

        Args:
            data: The scenario, of which nothing is kept.
            folder: What the files that it names are relative to.

        Raises:
            ConfigurationError: It is no scenario; the message says where.
        """
        try:
            return _read(data, Path(folder))
        except Misfit as exc:
            raise ConfigurationError(f"scenario: {exc}") from exc


def _from_toml(text: str, source: str, folder: Path) -> Scenario:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        end = f"at the end, line {text.count(chr(10)) + 1}"
        problem = str(exc).replace("at end of document", end)
        raise ConfigurationError(f"{source} is not valid TOML: {problem}") from exc
    except RecursionError as exc:
        raise ConfigurationError(f"{source} is nested too deeply") from exc
    # An integer of thousands of digits, which Python does not turn into a number.
    except ValueError as exc:
        raise ConfigurationError(f"{source} has a number too long: {exc}") from exc
    try:
        return _read(data, folder)
    except Misfit as exc:
        line = _line_of(exc.place, text)
        where = f"{source}, in the table of line {line}" if line else source
        raise ConfigurationError(f"{where}: {exc}") from exc


def _line_of(place: str, text: str) -> int | None:
    """Find the line where a ``[[table]]`` begins; the parser does not tell it."""
    element = _ELEMENT.match(place)
    if element is None:
        return None
    key, index = element[1], int(element[2])
    header = re.compile(rf"^[ \t]*\[\[[ \t]*{key}[ \t]*\]\]", re.MULTILINE)
    for found in header.finditer(text):
        try:
            before = tomllib.loads(text[: found.start()])
        except tomllib.TOMLDecodeError:
            # It is no header but part of a text, which ends here before its quotes.
            continue
        if len(before.get(key, ())) == index:
            return text.count("\n", 0, found.start()) + 1
    return None


def _read(data: object, folder: Path) -> Scenario:
    table = Table(data, "", SCENARIO_KEYS)
    setting = Setting(folder).with_chunks(table)
    return Scenario(
        replies=tuple(
            _reply(value, place, setting) for place, value in table.elements("reply")
        ),
        otherwise=_otherwise(table, setting),
        faults=tuple(
            read_fault(value, place) for place, value in table.elements("fault")
        ),
        mcp_servers=McpServers(read_mcp_servers(table)),
    )


def _reply(value: object, place: str, setting: Setting) -> Reply:
    if is_table(value):
        _check_keys(value, place)
    table = Table(value, place, ("when", *ANSWER_KEYS))
    when = read_when(table.value("when"), table.place_of("when"))
    return Reply(when, read_answer(table, setting))


def _check_keys(reply: Mapping[str, object], place: str) -> None:
    """Say where a key belongs that was written one level too deep or too high."""
    for key in reply:
        if key in SCENARIO_KEYS and key not in ANSWER_KEYS:
            raise Misfit(
                f"{place}.{key}",
                "this is a key of the scenario; write it before the first table, or as "
                "a table of its own",
            )
        if key in CONDITIONS and key not in ANSWER_KEYS:
            raise Misfit(f"{place}.{key}", f"this is a condition; write when.{key}")


def _otherwise(table: Table, setting: Setting) -> Answer:
    if "otherwise" not in table:
        return (_BRAINS["rules"],)
    value, place = table.value("otherwise"), table.place_of("otherwise")
    if isinstance(value, str):
        if value not in _BRAINS:
            raise Misfit(
                place,
                f"this is {' or '.join(map(repr, _BRAINS))}, or a table such as "
                f"{{ say = 'Pardon?' }}, not {shown(value)}",
            )
        return (_BRAINS[value],)
    return read_answer(Table(value, place, ANSWER_KEYS), setting)
