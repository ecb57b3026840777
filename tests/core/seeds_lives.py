"""What the server says of one item from its beginning to its end, and what we tell.

The events of a life may come in any order, and what is told must not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from openai_realtime.core.outputs import Emit
from openai_realtime.core.protocol import RealtimeProtocol
from openai_realtime.events import InputAudioBufferAppend, RealtimeEvent

from .seeds_conversation import Told
from .server_events import (
    added,
    arguments_delta,
    arguments_done,
    audio_delta,
    created,
    done,
    finished,
    function_call,
    heard_piece,
    heard_whole,
    message,
    output_item,
    pcm,
    server,
    session,
    transcript_delta,
)

REPLY = message("a", "assistant", status="in_progress")
_SAID = {"type": "output_audio", "transcript": "Hi."}
REPLY_DONE = message("a", "assistant", content=[_SAID])
CALL = function_call("c", status="in_progress", arguments="")
CALL_DONE = function_call("c", arguments='{"x":1}')
_HEARD = message("u", content=[{"type": "input_audio", "transcript": None}])
_OUTPUT = {
    "id": "o",
    "type": "function_call_output",
    "status": "completed",
    "call_id": "c",
    "output": "1",
}
_COMMITTED = server("input_audio_buffer.committed", item_id="u", previous_item_id=None)

# What the server says of an item from its beginning to its end.
LIVES: dict[str, list[RealtimeEvent]] = {
    "a spoken reply": [
        output_item("added", REPLY),
        added(REPLY),
        transcript_delta("a", "Hi."),
        audio_delta("a", pcm(240)),
        output_item("done", REPLY_DONE),
        done(REPLY_DONE),
    ],
    "a function call": [
        output_item("added", CALL),
        added(CALL),
        arguments_delta("c", '{"x":1}'),
        arguments_done("c", '{"x":1}'),
        output_item("done", CALL_DONE),
        done(CALL_DONE),
    ],
    "a turn that was detected": [
        server("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0),
        server("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=500),
        _COMMITTED,
        added(_HEARD),
        done(_HEARD),
        heard_whole("u", "Hello."),
    ],
    "a turn that was ended by hand": [
        _COMMITTED,
        added(_HEARD),
        done(_HEARD),
        heard_piece("u", "Hel"),
        heard_whole("u", "Hello."),
    ],
    "an output": [added(_OUTPUT), done(_OUTPUT)],
}


def summaries(protocol: RealtimeProtocol) -> list[dict[str, Any]]:
    """Describe all items as they are now."""
    return [item.to_dict() for item in protocol.conversation.get_items()]


def told_of(
    protocol: RealtimeProtocol, events: Iterable[RealtimeEvent]
) -> list[list[Told]]:
    """Let a client take events in; return what it tells of items, event by event."""
    told: list[list[Told]] = []
    for event in events:
        told.append([])
        for output in protocol.receive(event, now=0.0):
            about = getattr(getattr(output, "event", None), "item", None)
            if isinstance(output, Emit) and about is not None:
                items = summaries(protocol)
                told[-1].append(Told(output.name, output.event, about.to_dict(), items))
        protocol.check()
    return told


def after_a_second() -> RealtimeProtocol:
    """Make a client in the first second of whose session the user was heard."""
    numbers = count(1)
    protocol = RealtimeProtocol(ids=lambda: f"e{next(numbers)}")
    protocol.receive(session(), now=0.0)
    protocol.sent(InputAudioBufferAppend(audio=pcm(24_000)), now=0.0)
    protocol.receive(created(), now=0.0)
    return protocol


def told_of_a_life(events: Iterable[RealtimeEvent]) -> list[Told]:
    """Let a new client take events in, within a response; return what it tells."""
    told = told_of(after_a_second(), (*events, finished()))
    return [each for of_one_event in told for each in of_one_event]
