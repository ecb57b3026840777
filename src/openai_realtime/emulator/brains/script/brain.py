"""Answers as a scenario says."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from ...faults import Fault
from ...mcp.server import McpServers
from ..action import Action
from ..echo import EchoBrain
from ..prompt import Prompt
from ..rules import RuleBrain
from .answer import Answer
from .moment import Moment
from .scenario import Scenario

__all__ = ["ScriptBrain"]


class ScriptBrain:
    """Gives the first reply of a scenario whose conditions all hold.

    Args:
        scenario: What to answer to what.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> ScriptBrain:
        """Follow a TOML file.

        Raises:
            ConfigurationError: It is no scenario; the message says where.
            OSError: It cannot be read.
        """
        return cls(Scenario.load(path))

    @classmethod
    def from_text(cls, text: str) -> ScriptBrain:
        """Follow TOML text.

        Raises:
            ConfigurationError: It is no scenario; the message says where.
        """
        return cls(Scenario.from_toml(text))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ScriptBrain:
        """Follow a dict of the shape of the file.

        Raises:
            ConfigurationError: It is no scenario; the message says where.
        """
        return cls(Scenario.from_dict(data))

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What the scenario wants to go wrong."""
        return self.scenario.faults

    @property
    def mcp_servers(self) -> McpServers:
        """The MCP servers of the scenario, for all sessions."""
        return self.scenario.mcp_servers

    def reply(self, prompt: Prompt) -> Iterator[Action]:
        """Yield what the scenario says."""
        for step in self._answer(prompt):
            if isinstance(step, RuleBrain | EchoBrain):
                yield from step.reply(prompt)
            else:
                yield step

    def _answer(self, prompt: Prompt) -> Answer:
        moment = Moment.of(prompt)
        for reply in self.scenario.replies:
            if reply.when.holds(moment):
                return reply.answer
        return self.scenario.otherwise
