"""A brain that asks any server with an OpenAI-compatible chat API."""

from __future__ import annotations

from .brain import ChatBrain

__all__ = ["ChatBrain"]
