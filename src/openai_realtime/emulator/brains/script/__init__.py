"""Answers by a scenario, a file that says what to answer to what."""

from __future__ import annotations

from .brain import ScriptBrain
from .scenario import Scenario

__all__ = ["Scenario", "ScriptBrain"]
