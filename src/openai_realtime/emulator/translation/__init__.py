"""Translation sessions: speech goes in, the same in another language comes out."""

from __future__ import annotations

from .protocol import TranslationProtocol

__all__ = ["TranslationProtocol"]
