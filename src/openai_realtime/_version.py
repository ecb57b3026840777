"""Which version this is: the package, its metadata and the handshake say the same."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
