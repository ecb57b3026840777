"""The arguments of a call, held against the JSON schema of its tool.

Only what function definitions use of JSON schema is understood, and only what is
certainly wrong is refused: what is not understood, broken or too deep is passed over,
and makes the verdict *unsure*. That matters where a schema is turned round: ``not``
refuses what surely fits, and ``oneOf`` what surely fits twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias, cast

from .json_values import SHOWN_VALUE, TYPES, comparable, is_multiple, is_number, shown

__all__ = ["complaints"]

# A schema may refer to itself, and to one place many times over.
_DEEPEST = 64
_MOST_STEPS = 100_000
# An unlucky pattern takes ever longer with the length of the text.
_LONGEST_SEARCHED = 10_000

_SHOWN_NAMES = 10
_SHOWN_COMPLAINT = 500

_Object: TypeAlias = dict[str, Any]

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)

# The words that ask for nothing, and those of which we know what they ask for. Beside
# them any word may mean something.
_WORDS = (
    "$comment $defs $schema default definitions deprecated description example examples"
    " nullable readOnly strict title writeOnly"
    " $ref additionalProperties allOf anyOf const enum exclusiveMaximum"
    " exclusiveMinimum items maxItems maxLength maximum minItems minLength minimum"
    " multipleOf not oneOf pattern properties required type uniqueItems"
)
_UNDERSTOOD = frozenset(_WORDS.split())


def complaints(schema: object, value: object) -> str | None:
    """Return what is certainly wrong with a value first, or None.

    It never raises: a schema that cannot be used allows everything.

    Args:
        schema: A JSON schema, as Python objects.
        value: The arguments, as read from JSON.
    """
    try:
        complaint = _Checker(schema).check(schema, value, _Place("arguments", 0))
    except Exception:
        # Anything may stand in a schema; a call does not fail because of it.
        return None
    if complaint is not None and len(complaint) > _SHOWN_COMPLAINT:
        return f"{complaint[:_SHOWN_COMPLAINT]}..."
    return complaint


class _Place(NamedTuple):
    """Where in the value we are, and how deep in the schema."""

    path: str
    depth: int

    def again(self) -> _Place:
        """The same place, for a schema within the schema."""
        return self._replace(depth=self.depth + 1)

    def element(self, index: int) -> _Place:
        """The place of an element."""
        return _Place(f"{self.path}[{index}]", self.depth + 1)

    def field(self, name: str) -> _Place:
        """The place of a field."""
        plain = _NAME.fullmatch(name)
        step = f".{name[:SHOWN_VALUE]}" if plain else f"[{shown(name)}]"
        return _Place(f"{self.path}{step}", self.depth + 1)


class _Checker:
    """Checks values against parts of one schema.

    Attributes:
        unsure: Whether something was passed over on the way to the last verdict.
    """

    def __init__(self, root: object) -> None:
        self._root = root
        self._steps = _MOST_STEPS
        self.unsure = False

    def check(self, schema: object, value: object, at: _Place) -> str | None:
        """Return what is wrong with a value, or None."""
        if schema is False:
            return f"{at.path}: nothing may be given here"
        self._steps -= 1
        usable = isinstance(schema, dict) and at.depth <= _DEEPEST and self._steps >= 0
        if not usable:
            self.unsure |= schema is not True
            return None
        level = cast("_Object", schema)
        if value is None and level.get("nullable") is True:
            # The word is not one of JSON schema, where it would mean nothing.
            self.unsure = True
            return None
        self.unsure |= not level.keys() <= _UNDERSTOOD
        for rule in _RULES:
            complaint = rule(self, level, value, at)
            if complaint is not None:
                return complaint
        return None

    # --- what a value is ---

    def _type(self, schema: _Object, value: object, at: _Place) -> str | None:
        if "type" not in schema:
            return None
        wanted = schema["type"]
        names: list[object] = (
            cast("list[object]", wanted) if isinstance(wanted, list) else [wanted]
        )
        known = [name for name in names if isinstance(name, str) and name in TYPES]
        if len(known) < len(names) or not names:
            self.unsure = True
            return None
        if any(TYPES[name][1](value) for name in known):
            return None
        described = " or ".join(TYPES[name][0] for name in known)
        return f"{at.path}: {shown(value)} is not {described}"

    def _choice(self, schema: _Object, value: object, at: _Place) -> str | None:
        listed = self._list(schema, "enum")
        choices = [listed] if listed else []
        if "const" in schema:
            choices.append([schema["const"]])
        for allowed in choices:
            if all(comparable(value) != comparable(each) for each in allowed):
                return f"{at.path}: {shown(value)} is not one of {_names(allowed)}"
        return None

    def _number(self, schema: _Object, value: object, at: _Place) -> str | None:
        if not is_number(value):
            return None
        for keyword, fits, words in _NUMBER_LIMITS:
            limit = self._amount(schema, keyword)
            if limit is not None and not fits(value, limit):
                return f"{at.path}: {shown(value)} is not {words} {shown(limit)}"
        divisor = self._amount(schema, "multipleOf")
        if divisor is not None and divisor <= 0:
            self.unsure = True
        elif divisor is not None and not is_multiple(value, divisor):
            return f"{at.path}: {shown(value)} is not a multiple of {shown(divisor)}"
        return None

    def _string(self, schema: _Object, value: object, at: _Place) -> str | None:
        if not isinstance(value, str):
            return None
        wrong = self._size(schema, len(value), "Length", "characters")
        if wrong is not None:
            return f"{at.path}: {shown(value)} {wrong}"
        if "pattern" not in schema:
            return None
        pattern = schema["pattern"]
        try:
            found = len(value) <= _LONGEST_SEARCHED and re.search(pattern, value)
        except (re.error, TypeError):
            found = False
        if found is None:
            return f"{at.path}: {shown(value)} does not fit {shown(pattern)}"
        self.unsure |= found is False
        return None

    # --- what is in it ---

    def _array(self, schema: _Object, value: object, at: _Place) -> str | None:
        if not isinstance(value, list):
            return None
        elements = cast("list[object]", value)
        wrong = self._size(schema, len(elements), "Items", "elements")
        if wrong is not None:
            return f"{at.path}: the array {wrong}"
        unique = schema.get("uniqueItems", False)
        self.unsure |= not isinstance(unique, bool)
        if unique is True:
            different = {comparable(element) for element in elements}
            if len(different) < len(elements):
                return f"{at.path}: the array has equal elements"
        # Beside `prefixItems`, `items` is about the rest.
        if "items" not in schema or "prefixItems" in schema:
            return None
        return self._first_complaint(
            (schema["items"], element, at.element(index))
            for index, element in enumerate(elements)
        )

    def _object(self, schema: _Object, value: object, at: _Place) -> str | None:
        if not isinstance(value, dict):
            return None
        fields = cast("_Object", value)
        for name in self._list(schema, "required") or []:
            if not isinstance(name, str):
                self.unsure = True
            elif name not in fields:
                return f"{at.field(name).path} is missing"
        properties = self._properties(schema)
        if properties is None:
            return None
        # A property that fits `patternProperties` is no additional one.
        others: object = True
        if "patternProperties" not in schema:
            others = schema.get("additionalProperties", True)
        unknown = [name for name in fields if name not in properties]
        if others is False and unknown:
            there_are = _names(properties)
            return f"{at.field(unknown[0]).path} is not known; there are: {there_are}"
        return self._first_complaint(
            (properties.get(name, others), field, at.field(name))
            for name, field in fields.items()
        )

    # --- schemas in schemas ---

    def _reference(self, schema: _Object, value: object, at: _Place) -> str | None:
        if "$ref" not in schema:
            return None
        return self.check(self._target(schema["$ref"]), value, at.again())

    def _forms(self, schema: _Object, value: object, at: _Place) -> str | None:
        for form in self._list(schema, "allOf") or []:
            complaint = self.check(form, value, at.again())
            if complaint is not None:
                return complaint
        for keyword in ("anyOf", "oneOf"):
            forms = self._list(schema, keyword)
            if forms:
                complaint = self._one_of(forms, value, at, many=keyword == "anyOf")
                if complaint is not None:
                    return complaint
        if "not" in schema:
            complaint, sure = self._tried(schema["not"], value, at)
            if complaint is None and sure:
                return f"{at.path}: {shown(value)} is what it must not be"
            self.unsure |= complaint is None
        return None

    def _one_of(
        self, forms: list[object], value: object, at: _Place, *, many: bool
    ) -> str | None:
        """Return what is wrong when a value fits no form, or more than it may."""
        tried = [self._tried(form, value, at) for form in forms]
        wrong = [complaint for complaint, _ in tried if complaint is not None]
        if len(wrong) == len(forms):
            return "; or ".join(dict.fromkeys(wrong))
        surely = sum(1 for complaint, sure in tried if complaint is None and sure)
        if surely > 1 and not many:
            return f"{at.path}: {shown(value)} fits more than one of its forms"
        fitting = len(forms) - len(wrong)
        self.unsure |= not surely if many else surely < fitting
        return None

    def _tried(
        self, schema: object, value: object, at: _Place
    ) -> tuple[str | None, bool]:
        """Return what is wrong with a value, and whether nothing was passed over."""
        before, self.unsure = self.unsure, False
        complaint = self.check(schema, value, at.again())
        sure, self.unsure = not self.unsure, before
        return complaint, sure

    def _first_complaint(
        self, places: Iterable[tuple[object, object, _Place]]
    ) -> str | None:
        found = (self.check(*place) for place in places)
        return next((each for each in found if each is not None), None)

    # --- reading a keyword: what is of the wrong type is passed over ---

    def _target(self, reference: object) -> object:
        """Return the part of the schema that a reference names, or None."""
        place = self._root
        if reference == "#":
            return place
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return None
        for step in reference[2:].split("/"):
            if not isinstance(place, dict):
                return None
            name = step.replace("~1", "/").replace("~0", "~")
            place = cast("_Object", place).get(name)
        return place

    def _properties(self, schema: _Object) -> _Object | None:
        given = schema.get("properties", {})
        if isinstance(given, dict):
            return cast("_Object", given)
        self.unsure = True
        return None

    def _list(self, schema: _Object, keyword: str) -> list[object] | None:
        given = schema.get(keyword)
        if isinstance(given, list):
            return cast("list[object]", given)
        self.unsure |= keyword in schema
        return None

    def _amount(self, schema: _Object, keyword: str) -> float | None:
        given = schema.get(keyword)
        if is_number(given):
            return cast("float", given)
        self.unsure |= keyword in schema
        return None

    def _size(
        self, schema: _Object, size: int, keyword: str, counted: str
    ) -> str | None:
        """Return what is wrong with how many there are of something."""
        least = self._amount(schema, f"min{keyword}")
        most = self._amount(schema, f"max{keyword}")
        if least is not None and size < least:
            return f"has {size} {counted}; at least {shown(least)} are wanted"
        if most is not None and size > most:
            return f"has {size} {counted}; at most {shown(most)} are allowed"
        return None


def _names(values: Iterable[object]) -> str:
    listed = list(values)
    first = [shown(value) for value in listed[:_SHOWN_NAMES]]
    more = [f"{len(listed)} in all"] if len(listed) > _SHOWN_NAMES else []
    return ", ".join([*first, *more]) or "none"


_NUMBER_LIMITS: tuple[tuple[str, Callable[[Any, float], bool], str], ...] = (
    ("minimum", lambda value, limit: value >= limit, "at least"),
    ("maximum", lambda value, limit: value <= limit, "at most"),
    ("exclusiveMinimum", lambda value, limit: value > limit, "more than"),
    ("exclusiveMaximum", lambda value, limit: value < limit, "less than"),
)

_Rule: TypeAlias = Callable[[_Checker, _Object, object, _Place], str | None]
_C = _Checker

# What is held against each level, in this order.
# pyright: reportPrivateUsage=false
_RULES: tuple[_Rule, ...] = (
    _C._type,
    _C._choice,
    _C._reference,
    _C._forms,
    _C._number,
    _C._string,
    _C._array,
    _C._object,
)
