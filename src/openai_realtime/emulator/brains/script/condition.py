"""When a reply of a scenario is the right one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ..prompt import Message
from .moment import Answering, Moment, Returned
from .pattern import (
    Numbers,
    Pattern,
    read_names,
    read_numbers,
    read_pattern,
)
from .table import Misfit, Table, shown, text_of

__all__ = ["CONDITIONS", "When", "read_when"]

_OF_MESSAGES = ("text", "transcript", "spoken")
_OF_TOOLS = ("tool", "server", "tool_output")
CONDITIONS = (
    *_OF_MESSAGES,
    *_OF_TOOLS,
    *("turn", "nth", "after", "instructions", "metadata", "modality"),
)
"""The keys of a condition."""

_MODALITIES = ("audio", "text")


@dataclass(frozen=True, kw_only=True)
class When:
    """Conditions, all of which must hold; one that is None always does.

    Attributes:
        text: What the user's last message says, written or spoken.
        transcript: What was made out of what the user spoke.
        spoken: Whether there is audio in that message.
        tool: The tools of which one has returned something.
        server: The MCP servers of which one has that tool.
        tool_output: What it returned.
        turn: How many messages of the user there are.
        nth: The how manieth message, or output of a tool, it is that fits.
        after: What the assistant said last.
        instructions: Those of the response.
        metadata: What the client calls the response by.
        modality: What the answer is to be.
    """

    text: Pattern | None = None
    transcript: Pattern | None = None
    spoken: bool | None = None
    tool: tuple[str, ...] | None = None
    server: tuple[str, ...] | None = None
    tool_output: Pattern | None = None
    turn: Numbers | None = None
    nth: Numbers | None = None
    after: Pattern | None = None
    instructions: Pattern | None = None
    metadata: tuple[tuple[str, Pattern], ...] = ()
    modality: str | None = None

    def holds(self, moment: Moment) -> bool:
        """Tell whether it is so now."""
        if not self._holds_around(moment):
            return False
        if self._asks_tools:
            return (
                moment.answering is Answering.TOOLS
                and self._tools_fit(moment)
                and self._last_message_fits(moment)
            )
        # What answers a tool or waits for one must not repeat what led to the call:
        # a client that asks for a response after each output would never come to rest.
        return moment.answering is Answering.MESSAGE and self._messages_fit(moment)

    @property
    def _asks_tools(self) -> bool:
        asked = (self.tool, self.server, self.tool_output)
        return any(each is not None for each in asked)

    @property
    def _asks_message(self) -> bool:
        asked = (self.text, self.transcript, self.spoken)
        return any(each is not None for each in asked)

    def _holds_around(self, moment: Moment) -> bool:
        """Compare what is neither the user's message nor of a tool."""
        prompt = moment.prompt
        return (
            (self.turn is None or len(moment.messages) in self.turn)
            and _fits(self.after, moment.said)
            and _fits(self.instructions, prompt.instructions)
            and all(
                key in prompt.metadata and pattern.fits(prompt.metadata[key])
                for key, pattern in self.metadata
            )
            and self.modality in (None, prompt.modality)
        )

    def _last_message_fits(self, moment: Moment) -> bool:
        if not self._asks_message:
            return True
        return bool(moment.messages) and self._message_fits(moment.messages[-1])

    def _messages_fit(self, moment: Moment) -> bool:
        if not self._last_message_fits(moment):
            return False
        if self.nth is None:
            return True
        return sum(map(self._message_fits, moment.messages)) in self.nth

    def _message_fits(self, message: Message) -> bool:
        return (
            _fits(self.text, message.text)
            and _fits(self.transcript, message.transcript)
            and self.spoken in (None, bool(message.audio))
        )

    def _tools_fit(self, moment: Moment) -> bool:
        fitting = [each for each in moment.returned if self._tool_fits(each)]
        return any(
            each.latest and (self.nth is None or number in self.nth)
            for number, each in enumerate(fitting, 1)
        )

    def _tool_fits(self, returned: Returned) -> bool:
        return (
            (self.tool is None or returned.name in self.tool)
            and (self.server is None or returned.server_label in self.server)
            and _fits(self.tool_output, returned.output)
        )


def _fits(pattern: Pattern | None, text: str) -> bool:
    return pattern is None or pattern.fits(text)


def read_when(value: object, place: str) -> When:
    """Read the table of conditions.

    Raises:
        Misfit: It is something else, or has no condition.
    """
    table = Table(value, place, CONDITIONS)
    if not any(key in table for key in CONDITIONS):
        raise Misfit(
            place,
            "there is no condition; what is to be said to everything else stands "
            f"under [otherwise], and conditions are {', '.join(CONDITIONS)}",
        )
    counted = (*_OF_MESSAGES, *_OF_TOOLS)
    if "nth" in table and not any(key in table for key in counted):
        raise Misfit(
            table.place_of("nth"),
            f"this counts what fits another condition; give {', '.join(counted)}, "
            "or turn in its place",
        )
    return When(
        text=table.read("text", read_pattern),
        transcript=table.read("transcript", read_pattern),
        spoken=table.flag("spoken") if "spoken" in table else None,
        tool=table.read("tool", read_names),
        server=table.read("server", read_names),
        tool_output=table.read("tool_output", read_pattern),
        turn=table.read("turn", partial(read_numbers, least=0)),
        nth=table.read("nth", partial(read_numbers, least=1)),
        after=table.read("after", read_pattern),
        instructions=table.read("instructions", read_pattern),
        metadata=table.read("metadata", _metadata) or (),
        modality=table.read("modality", _modality),
    )


def _metadata(value: object, place: str) -> tuple[tuple[str, Pattern], ...]:
    own = Table(value, place, None)
    pairs = tuple((key, read_pattern(own.value(key), own.place_of(key))) for key in own)
    if not pairs:
        raise Misfit(place, "this cannot be empty")
    return pairs


def _modality(value: object, place: str) -> str:
    if value not in _MODALITIES:
        raise Misfit(place, f"this is {' or '.join(_MODALITIES)}, not {shown(value)}")
    return text_of(value, place)
