"""Whose service it is: where to connect, with what, and in which dialect.

`OpenAI` is the default: the service itself, and any server that is addressed like it.
`Azure` is the same service at Microsoft. Anything that fulfils `Provider` will do.
"""

from __future__ import annotations

from .azure import Azure
from .credential import Credential
from .openai import DEFAULT_MODEL, DEFAULT_URL, OpenAI
from .provider import Provider

__all__ = [
    "DEFAULT_MODEL",
    "DEFAULT_URL",
    "Azure",
    "Credential",
    "OpenAI",
    "Provider",
]
