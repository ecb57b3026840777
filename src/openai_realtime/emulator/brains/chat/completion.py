"""A streamed completion on its way to actions: sentences to say, functions to call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ...sentences import SentenceCutter
from ..action import Action, Call, CallMcp, ContentFilter, Say, TokenLimit
from ..prompt import McpOffer
from .chunk import Chunk, Delta, ToolCallDelta
from .failure import failed, quoted, reason_in

__all__ = ["Completion"]

_DONE = "[DONE]"
# No tool wants more; a server that never ends would fill the memory.
_MOST_CHARACTERS = 1 << 20
_MOST_CALLS = 128


@dataclass
class _GrowingCall:
    """A call whose arguments come in fragments."""

    index: int | None
    id: str | None
    name: str = ""
    fragments: list[str] = field(default_factory=list[str])


class Completion:
    """Reads the events of one answer.

    Args:
        offers: The tools of MCP servers, by the names of functions.
        whole_sentences: Whether text is cut into sentences, for a voice; otherwise it
            is passed on as it comes.
    """

    def __init__(
        self, offers: Mapping[str, McpOffer], *, whole_sentences: bool
    ) -> None:
        self.ended: bool = False
        self._offers = offers
        self._cutter = SentenceCutter() if whole_sentences else None
        self._calls: list[_GrowingCall] = []
        self._characters = 0
        self._finish_reason: str | None = None

    def event(self, data: str) -> list[Action]:
        """Read the data of one event and return what is to be done now."""
        if self.ended:
            return []
        if data.strip() == _DONE:
            return self._end()
        try:
            chunk = msgspec.json.decode(data, type=Chunk)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return self._fail(f"sent an event that is no completion: {quoted(data)}")
        if chunk.error is not None:
            return self._fail(f"broke off: {reason_in(data)}")
        # Some servers send a last chunk with the usage, and no choice.
        return self._chunk(chunk)

    def close(self) -> list[Action]:
        """Return what is to be done when the stream is over."""
        if self.ended:
            return []
        if self._finish_reason is None:
            return self._fail("ended its answer in the middle")
        return self._end()

    def _chunk(self, chunk: Chunk) -> list[Action]:
        actions: list[Action] = []
        for choice in chunk.choices[:1]:
            delta = choice.delta or Delta()
            actions += self._say((delta.content or "") + (delta.refusal or ""))
            for fragment in delta.tool_calls or ():
                self._add(fragment)
                if self._characters > _MOST_CHARACTERS:
                    what = "does not end the arguments of its calls"
                    return [*actions, *self._fail(what)]
                if len(self._calls) > _MOST_CALLS:
                    what = f"wants more than {_MOST_CALLS} calls at a time"
                    return [*actions, *self._fail(what)]
            self._finish_reason = choice.finish_reason or self._finish_reason
        return actions

    def _say(self, text: str) -> list[Action]:
        if self._cutter is None:
            parts = [text] if text else []
        else:
            parts = self._cutter.push(text)
        # The message stays open: only its end tells whether it is complete.
        return [Say(part, more=True) for part in parts]

    def _add(self, delta: ToolCallDelta) -> None:
        """Add a fragment to its call."""
        call = self._call_of(delta)
        function = delta.function
        if function is None:
            return
        # Some servers repeat the name with each fragment.
        call.name = call.name or function.name or ""
        text = _text_of(function.arguments)
        if text:
            call.fragments.append(text)
            self._characters += len(text)

    def _call_of(self, delta: ToolCallDelta) -> _GrowingCall:
        """Find the call that a fragment belongs to, or begin a new one.

        Some servers number all calls 0, or none; then a new id begins a call.
        """
        for call in reversed(self._calls):
            if delta.index is not None and call.index != delta.index:
                continue
            if delta.id and call.id and call.id != delta.id:
                break
            return call
        call = _GrowingCall(delta.index, delta.id)
        self._calls.append(call)
        return call

    def _end(self) -> list[Action]:
        self.ended = True
        actions: list[Action] = []
        if self._cutter is not None:
            actions += [Say(part, more=True) for part in self._cutter.flush()]
        match self._finish_reason:
            # A call that was not finished is none: its arguments are torn.
            case "length":
                return [*actions, TokenLimit()]
            case "content_filter":
                return [*actions, ContentFilter()]
            case _:
                return [*actions, *map(self._call, self._calls)]

    def _call(self, call: _GrowingCall) -> Action:
        # Functions without parameters are called with nothing at all by some.
        arguments = "".join(call.fragments) or "{}"
        offer = self._offers.get(call.name)
        if offer is not None:
            return CallMcp(offer.server_label, offer.tool.name, arguments)
        return Call(call.name, arguments)

    def _fail(self, what: str) -> list[Action]:
        self.ended = True
        return [failed(what)]


def _text_of(arguments: str | dict[str, Any] | None) -> str:
    if isinstance(arguments, dict):
        return msgspec.json.encode(arguments).decode()
    return arguments or ""
