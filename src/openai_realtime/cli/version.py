"""Which version of this package is installed."""

from __future__ import annotations

__all__ = ["installed_version"]


def installed_version() -> str:
    """Return the version, or that it is unknown: sources need not be installed."""
    # Only here: it takes longer to load than most commands take to answer.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("openai-realtime")
    except PackageNotFoundError:
        return "(unknown version)"
