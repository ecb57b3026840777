"""Answers with what it was given: plays back what it heard, says what it read."""

from __future__ import annotations

from collections.abc import Iterator

from .action import Action, Play, Say
from .prompt import Message, Prompt, ToolOutput

__all__ = ["EchoBrain", "echo"]


class EchoBrain:
    """Plays back the user's last message, and says what tools return.

    Speech comes back as the very samples that were sent, with what could be made out
    of it as its transcript. It calls no tools.
    """

    def reply(self, prompt: Prompt) -> Iterator[Action]:
        """Yield the echo."""
        last = prompt.items[-1] if prompt.items else None
        if isinstance(last, ToolOutput):
            yield Say(last.output)
        else:
            yield echo(prompt)


def echo(prompt: Prompt) -> Action:
    """Return what plays back the user's last message."""
    messages = [item for item in prompt.items if isinstance(item, Message)]
    message = next((item for item in reversed(messages) if item.role == "user"), None)
    if message is None:
        return Say("There is nothing to echo yet.")
    pcm = b"".join(message.audio)
    if pcm and prompt.modality == "audio":
        return Play(pcm, message.text)
    if not message.text and message.unheard_s:
        return Say(f"({message.unheard_s:.1f} seconds of audio)")
    return Say(message.text)
