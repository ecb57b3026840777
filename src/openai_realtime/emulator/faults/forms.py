"""The two ways to write a fault down: one line of text, or a table.

The text form, for a command line::

    FAULT  = ACTION [WHEN] ["on" "connection" N]
    ACTION = "close" CODE ['REASON'] | "drop" | "stall" SECONDS
           | "duplicate" | "reorder" | "omit" | "corrupt" ["json" | "utf8"]
           | "unknown-event" ['TYPE'] | "unknown-fields"
           | "error" ['CODE' ['MESSAGE' ['TYPE']]]
           | "slow" SECONDS | "refuse" STATUS
    WHEN   = "at" N                the N-th event that is sent, from 1
           | ["at"] TYPE ["#" N]   the N-th event of a type, the first without a number
           | "every" [TYPE]        every event, or every one of a type

Without WHEN it is the first event. Events have the names of the current dialect and are
counted as in it, also on a connection that speaks the old one, where an event may
travel under another name, as several, or not at all.

Texts stand in single or double quotes; a backslash takes a quote or a backslash into
them. ``slow`` and ``refuse`` happen at the handshake and have no WHEN.

The dict form, for a table of a scenario file, has the same words as keys::

    {"do": "close", "code": 1011, "reason": "gone", "at": 7}
    {"do": "stall", "seconds": 2.5, "at": "response.output_audio.delta#3"}
    {"do": "unknown-fields", "every": True}
    {"do": "omit", "every": "response.done", "connection": 1}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, NamedTuple, TypeAlias, cast

from ...errors import ConfigurationError
from .action import ACTIONS, EVENT_TYPES, Action, check_text
from .fault import Fault, When, suggestion

__all__ = ["fault_from_dict", "parse_fault"]

_Table: TypeAlias = dict[str, Any]

_TOKEN = re.compile(
    r"""\s*(?: '((?:[^'\\]|\\.)*)' | "((?:[^"\\]|\\.)*)" | ([^\s'"]+) )(?=\s|$)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?")
_MOST_DIGITS = 18

_PLACES = "`at N`, `at TYPE`, `at TYPE#N`, `every`, `every TYPE`, `on connection N`"
_AFTER_ACTION = ("at", "every", "on")
_DEFAULT_EXAMPLE = "omit response.done"


def parse_fault(text: str) -> Fault:
    """Read a fault in the text form.

    Raises:
        ConfigurationError: It cannot be read; the message quotes the word at fault,
            says what is possible in its place and gives an example.
    """
    example = _DEFAULT_EXAMPLE
    try:
        tokens = _tokens(text)
        if not tokens:
            raise ConfigurationError(f"nothing is ordered; {_known_actions()}")
        action = _action_named(tokens[0].text)
        example = action.example
        return _from_table(_table(action, tokens[1:]))
    except ConfigurationError as exc:
        raise _unreadable(text, exc, example) from exc


def fault_from_dict(table: Mapping[str, object]) -> Fault:
    """Read a fault in the dict form.

    Raises:
        ConfigurationError: It cannot be read; the message names the key or the value at
            fault, says what is possible in its place and gives an example.
    """
    example = _DEFAULT_EXAMPLE
    try:
        if "do" not in table:
            raise ConfigurationError(f"the key 'do' is missing; {_known_actions()}")
        action = _action_named(check_text("the key 'do'", table["do"]))
        example = action.example
        return _from_table(dict(table))
    except ConfigurationError as exc:
        # The same example, in the form that was asked for.
        shown = _table(ACTIONS[example.split()[0]], _tokens(example)[1:])
        raise _unreadable(dict(table), exc, repr(shown)) from exc


def _unreadable(
    form: object, problem: ConfigurationError, example: str
) -> ConfigurationError:
    try:
        shown = repr(form)
    except ValueError:
        # Python does not write down numbers of any length.
        shown = "with a number of too many digits"
    return ConfigurationError(f"fault {shown}: {problem}; for example: {example}")


def _action_named(word: str) -> type[Action]:
    if word not in ACTIONS:
        hint = suggestion(word, ACTIONS)
        raise ConfigurationError(
            f"there is no fault {word!r}{hint}; {_known_actions()}"
        )
    return ACTIONS[word]


def _known_actions() -> str:
    return f"faults are {', '.join(ACTIONS)}"


# --- text to table ---


class _Token(NamedTuple):
    """A word, or a text in quotes."""

    text: str
    quoted: bool


def _tokens(text: str) -> list[_Token]:
    text = text.rstrip()
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            rest = text[position:].lstrip()
            raise ConfigurationError(
                f"{rest!r} cannot be read; a text begins and ends with the same quote, "
                "with blanks around it"
            )
        single, double, word = match.groups()
        if word is None:
            quoted = _ESCAPE.sub(r"\1", double if single is None else single)
            tokens.append(_Token(quoted, True))
        else:
            tokens.append(_Token(word, False))
        position = match.end()
    return tokens


def _table(action: type[Action], tokens: list[_Token]) -> _Table:
    """Write the words behind an action as the table that says the same."""
    table: _Table = {"do": action.word}
    names = [each.name for each in fields(action)]
    texts = [name for name in names if name in action.quoted]
    words = [name for name in names if name not in action.quoted]
    rest = list(tokens)
    while rest and not _begins_place(rest[0]):
        token = rest[0]
        free = texts if token.quoted else words
        if not free:
            break
        table[free.pop(0)] = token.text if token.quoted else _value(token.text)
        del rest[0]
    _read_places(action, rest, table)
    return table


def _begins_place(token: _Token) -> bool:
    word = token.text
    return not token.quoted and (word in _AFTER_ACTION or _is_event(word))


def _is_event(word: str) -> bool:
    # Whatever has a dot was meant for one, unless it is a number.
    name = word.partition("#")[0]
    return name in EVENT_TYPES or ("." in name and isinstance(_value(name), str))


def _value(word: str) -> int | float | str:
    """Read a number as a number; whatever else it is, its field will judge."""
    if _WHOLE.fullmatch(word):
        if len(word.lstrip("+-")) > _MOST_DIGITS:
            raise ConfigurationError(
                f"{word[:_MOST_DIGITS]}... is too large; a number has {_MOST_DIGITS} "
                "digits at most"
            )
        return int(word)
    return float(word) if _DECIMAL.fullmatch(word) else word


def _read_places(action: type[Action], tokens: list[_Token], table: _Table) -> None:
    """Read `at`, `every` and `on connection`, each of which may stand there once."""
    rest = list(tokens)
    while rest:
        token = rest.pop(0)
        following = rest[0] if rest else _Token("", True)
        if token.quoted:
            raise _out_of_place(action, token)
        if token.text == "at":
            if following.quoted:
                raise ConfigurationError(
                    "behind `at` stands the number or the type of an event"
                )
            _put(table, "at", _value(rest.pop(0).text))
        elif token.text == "every":
            named = not following.quoted and following.text not in _AFTER_ACTION
            _put(table, "every", rest.pop(0).text if named else True)
        elif token.text == "on":
            if following != ("connection", False) or len(rest) < 2:
                raise ConfigurationError("behind `on` stands `connection N`")
            _put(table, "connection", _value(rest[1].text))
            del rest[:2]
        elif _is_event(token.text):
            _put(table, "at", token.text)
        else:
            raise _out_of_place(action, token)


def _put(table: _Table, key: str, value: object) -> None:
    if key in table:
        raise ConfigurationError(f"`{key}` stands there twice")
    table[key] = value


def _out_of_place(action: type[Action], token: _Token) -> ConfigurationError:
    hint = "" if token.quoted else suggestion(token.text, _AFTER_ACTION)
    return ConfigurationError(
        f"{token.text!r} is out of place{hint}; it is written `{action.usage}`, and "
        f"behind that may stand {_PLACES}"
    )


# --- table to fault ---


def _from_table(table: _Table) -> Fault:
    """Make the fault; all checks of values are those of its classes."""
    action = ACTIONS[table["do"]]
    names = {each.name for each in fields(action)}
    places = ("connection",) if action.at_handshake else ("at", "every", "connection")
    known = (*names, *places)
    for key in table:
        if key not in ("do", *known):
            raise ConfigurationError(
                f"`{action.word}` takes no {key!r}{suggestion(str(key), known)}; it "
                f"takes {', '.join(sorted(known))}"
            )
    for each in fields(action):
        if each.default is MISSING and each.name not in table:
            raise ConfigurationError(
                f"the {each.name} is missing; it is written `{action.usage}`"
            )
    values: dict[str, Any] = {key: table[key] for key in table if key in names}
    return Fault(action(**values), _when(table), table.get("connection"))


def _when(table: _Table) -> When:
    if "at" in table and "every" in table:
        raise ConfigurationError("`at` and `every` exclude each other")
    if "every" in table:
        every = table["every"]
        if every is True:
            return When(None, None)
        return When(check_text("`every`", every), None)
    place: object = table.get("at", 1)
    if isinstance(place, int):
        return When(None, place)
    if not isinstance(place, str):
        raise ConfigurationError(
            f"`at` cannot be {place!r}; it is the number or the type of an event"
        )
    name, mark, number = place.partition("#")
    return When(name, cast("int", _value(number)) if mark else 1)
