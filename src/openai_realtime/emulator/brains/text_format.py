"""Texts of the formats that JSON schemas know: dates, addresses and the like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["TEXT_FORMATS", "TextFormat"]


class TextFormat(NamedTuple):
    """A format.

    Attributes:
        example: The plainest text that has it.
        inside: Finds such a text in what somebody says; None where nobody says it.
    """

    example: str
    inside: re.Pattern[str] | None = None


_DATE = (
    r"\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))"
)
_TIME = (
    r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)"
)
_EMAIL = (
    r"[A-Za-z0-9_+-]{1,64}(?:\.[A-Za-z0-9_+-]{1,64}){0,4}"
    r"@(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,63}"
)
_URI = r"https?://[A-Za-z0-9.-]{1,253}(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]{0,500})?"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def _inside(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.+-]){pattern}(?<!\.)(?![\w+-])", re.ASCII)


TEXT_FORMATS: Mapping[str, TextFormat] = {
    "date": TextFormat("2026-01-01", _inside(_DATE)),
    "date-time": TextFormat("2026-01-01T12:00:00Z", _inside(f"{_DATE}T{_TIME}")),
    "time": TextFormat("12:00:00Z", _inside(_TIME)),
    "duration": TextFormat("PT1H"),
    "email": TextFormat("someone@example.com", _inside(_EMAIL)),
    "idn-email": TextFormat("someone@example.com", _inside(_EMAIL)),
    "hostname": TextFormat("example.com"),
    "idn-hostname": TextFormat("example.com"),
    "ipv4": TextFormat("192.0.2.1"),
    "ipv6": TextFormat("2001:db8::1"),
    "uri": TextFormat("https://example.com/", _inside(_URI)),
    "uri-reference": TextFormat("https://example.com/", _inside(_URI)),
    "uri-template": TextFormat("https://example.com/"),
    "iri": TextFormat("https://example.com/", _inside(_URI)),
    "iri-reference": TextFormat("https://example.com/", _inside(_URI)),
    "url": TextFormat("https://example.com/", _inside(_URI)),
    "uuid": TextFormat("00000000-0000-4000-8000-000000000000", _inside(_UUID)),
    "json-pointer": TextFormat("/a"),
    "relative-json-pointer": TextFormat("0"),
    "regex": TextFormat("a"),
    "byte": TextFormat("AAAA"),
}
"""The formats, by the names that schemas call them."""
