"""What every command is added to, and how it is described."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn, Protocol

__all__ = ["CommandList", "CommandParser", "Commands", "add_command"]


_LONGEST_COMMAND = 14


class Commands(Protocol):
    """What ``ArgumentParser.add_subparsers`` returns; argparse has no name for it."""

    def add_parser(
        self, name: str, *, help: str, description: str, **options: Any
    ) -> argparse.ArgumentParser:
        """Add a command."""
        ...


class CommandParser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage is what ``--help`` is there for."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with status 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


class CommandList(argparse.RawTextHelpFormatter):
    """Lists commands beside what they do, in lines that stay as they are."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        # argparse counts neither the longest command nor that it is indented.
        self._action_max_length = _LONGEST_COMMAND


def add_command(
    commands: Commands, name: str, *, help: str, description: str, examples: str
) -> argparse.ArgumentParser:
    """Add a command whose help shows examples.

    Args:
        commands: Where to add it.
        name: Its name.
        help: What it does, in a line for the list of all commands.
        description: What it does, in a paragraph; its lines stay as they are.
        examples: Command lines; the first one also stands in the list of all commands.
    """
    lines = examples.strip().splitlines()
    return commands.add_parser(
        name,
        help=f"{help}\n  {lines[0].strip()}\n",
        description=description,
        epilog="\n".join(["examples:", *(f"  {line.strip()}" for line in lines)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
