"""What is different in a browser: it sends no headers, and all can read its keys."""

from __future__ import annotations

import sys

from ..errors import ConfigurationError

__all__ = ["in_browser", "require_consent"]

# A key that is made for browsers: it lasts for minutes (PROTOCOL.md section 4.2).
_EPHEMERAL = "ek_"


def in_browser() -> bool:
    """Whether this program runs in a browser."""
    return sys.platform == "emscripten"


def require_consent(key: str | None, consent: bool) -> None:
    """Hold a lasting key back from a browser, unless somebody says so.

    Raises:
        ConfigurationError: A lasting key would be shown to everybody.
    """
    if key is None or consent or not in_browser() or key.startswith(_EPHEMERAL):
        return
    raise ConfigurationError(
        "an API key in a browser can be read by anybody: use a relay or an ephemeral"
        " key, or pass dangerously_allow_api_key_in_browser=True"
    )
