"""Drives the client's protocol: carries out what it says, and shows what that was."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from openai_realtime import UNSET
from openai_realtime.core.outputs import (
    Emit,
    FollowUpDropped,
    Output,
    ResponseBegan,
    ResponseEnded,
    RunTool,
    Send,
    Settle,
    StopTool,
)
from openai_realtime.core.protocol import RealtimeProtocol
from openai_realtime.dialect import nested_config, to_config
from openai_realtime.events import RealtimeEvent
from openai_realtime.resources import ResponseConfig

from .server_events import session


class Driver:
    """A protocol with a shell that sends at once and keeps everything.

    Attributes:
        now: The time that the protocol is told.
        sent: Every event that went out.
        emitted: Every utility event, with its name.
        runs: Every tool that was asked to run.
        stopped: The calls whose tools were to be stopped.
        settled: What was settled: ticket with result or error.
        lives: What was told of the beginnings and ends of responses.
    """

    def __init__(self, *, protocol: dict[str, Any] | None = None, **audio: Any) -> None:
        numbers = count(1)
        self.protocol = RealtimeProtocol(
            ids=lambda: f"e{next(numbers)}", **(protocol or {})
        )
        self.now = 0.0
        self.sent: list[Any] = []
        self.emitted: list[tuple[str, Any]] = []
        self.runs: list[RunTool] = []
        self.stopped: list[str] = []
        self.settled: list[tuple[str, Any]] = []
        self.lives: list[Output] = []
        self.receive(session(**audio))

    def receive(self, *events: RealtimeEvent) -> list[str]:
        """Take events of the server in; return the types of what went out for them."""
        before = len(self.sent)
        for event in events:
            self.do(self.protocol.receive(event, now=self.now))
        return self.types[before:]

    def wish(self, method: Callable[..., list[Output]], *args: Any, **kw: Any) -> Any:
        """Do what the user wants; return the types of what went out for it."""
        before = len(self.sent)
        self.do(method(*args, **kw))
        return self.types[before:]

    def create(self, **fields: Any) -> Any:
        """Ask for a response."""
        wish = {name: fields.pop(name) for name in ("when", "event_id") & fields.keys()}
        nested = nested_config(fields, ResponseConfig).fields
        config = to_config(nested, ResponseConfig) if nested else UNSET
        return self.wish(self.protocol.create_response, config, **wish)

    def say(self, *content: Any, **wish: Any) -> Any:
        """Add a message of the user and ask for a response."""
        method = self.protocol.send_user_message_content
        return self.wish(method, content, now=self.now, **wish)

    def append(self, audio: bytes) -> Any:
        """Stream audio of the user."""
        return self.wish(self.protocol.append_input_audio, audio)

    def cancel(self, item_id: str | None = None, samples: int = 0) -> Any:
        """Cancel the running response."""
        return self.wish(self.protocol.cancel_response, item_id, samples, now=self.now)

    def interrupt(self) -> Any:
        """Barge in."""
        return self.wish(self.protocol.interrupt, now=self.now)

    def tool(self, call_id: str, output: str = "done") -> Any:
        """Let a tool finish."""
        return self.wish(self.protocol.tool_finished, call_id, output, now=self.now)

    def pass_time(self, seconds: float) -> Any:
        """Let time pass, and what is due happen."""
        self.now += seconds
        return self.wish(self.protocol.handle_timeout, now=self.now)

    def send(self, event: RealtimeEvent) -> None:
        """Send an event by hand, past the protocol's wishes."""
        self.do([Send(event)])

    def do(self, outputs: list[Output]) -> None:
        """Carry outputs out, in order."""
        for output in outputs:
            match output:
                case Send(event=event):
                    self.sent.append(event)
                    self.do(self.protocol.sent(event, now=self.now))
                case Emit(name=name, event=event):
                    self.emitted.append((name, event))
                case RunTool():
                    self.runs.append(output)
                case StopTool(call_id=call_id):
                    self.stopped.append(call_id)
                case Settle(ticket=ticket, result=result, error=error):
                    self.settled.append((ticket, error or result))
                case ResponseBegan() | ResponseEnded() | FollowUpDropped():
                    self.lives.append(output)
                case _:
                    raise AssertionError(f"unexpected output: {output}")
        self.protocol.check()

    @property
    def types(self) -> list[str]:
        """The types of all that went out."""
        return [event.type for event in self.sent]

    @property
    def errors(self) -> list[Any]:
        """The errors that the user was told of."""
        return [event.error for name, event in self.emitted if name == "error"]

    def emitted_names(self, item_id: str) -> list[str]:
        """The names of the utility events about an item."""
        return [
            name
            for name, event in self.emitted
            if getattr(event, "item", None) is not None and event.item.id == item_id
        ]
