"""A server that says anything: what is right, what is damaged, in any order.

Four things are said. A *story* is what a server in its right mind would say next: the
parts of a reply, a turn of the user, the answer to something that we sent. A *word* is
one event of a small grammar, at no time in particular. A *sample* is a full event of
somebody else's, whose ids were exchanged for ids of this session. And each of these may
be *damaged* on its way. Ids are mostly some that were used before, so that events that
know nothing of each other meet.

All chance is cut out of the bytes given; noughts are the next event of a story.
"""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeAlias

from openai_realtime.events import (
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemTruncate,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    RealtimeEvent,
    ResponseCancel,
    ResponseCreate,
    SessionUpdate,
)

from ..emulator.random_session import Dice
from ..wire.test_mutations import Sample, copied, mutated_json

Json: TypeAlias = dict[str, Any]

KEY = "-".join(("sk", "not" * 8))
"""What looks like a key, in the middle of a message."""

SECRET = "open sesame"
"""What does not, where a credential stands."""

TOOLS = (
    *("quick", "checked", "asks", "behind", "stops", "by_hand", "unheard_of"),
    *("behind", "stops"),
)
"""What is called: four kinds of registered tools, one of the user's, one of nobody."""

ANY_NUMBER = (0, 20, 250, 1_000, 7, -1, -(10**9), 2**63, 10**400)
STATUSES = ("completed", "in_progress", "incomplete", None, "cancelled", "odd", "")
ENDS = ("completed", "cancelled", "failed", "incomplete", "in_progress", None, "odd")
TEXTS = ("Hello there. ", "Yes", "", "é\u0000😀", '{"city":', '"Paris"}', "{}")
ARGUMENTS = (
    *("{}", '{"city": "Paris"}', '{"city": 7}', "", "[", "[]", "null", "7e999"),
    *('{"city": "x", "days": [1.0, true, null]}', '{"days": [-1e400]}'),
    '{"days": ' + "[" * 2_000 + "]" * 2_000 + "}",
)
CODES = (
    *("conversation_already_has_active_response",) * 4,
    "response_cancel_not_active",
    "input_audio_buffer_commit_empty",
    "item_truncate_invalid_item_id",
    "item_not_found",
    "invalid_value",
    "session_expired",
    "cannot_update_voice",
    None,
    42,
)
FORMATS: tuple[Json | None, ...] = (
    {"type": "audio/pcm", "rate": 24_000},
    {"type": "audio/pcmu"},
    {"type": "audio/pcm", "rate": 1},
    {"type": "audio/pcm", "rate": -8_000},
    {"type": "audio/pcm", "rate": 10**400},
    {"type": "audio/new", "rate": 0},
    None,
)
DETECTIONS: tuple[Json | None, ...] = (
    {"type": "server_vad"},
    None,
    {"type": "semantic_vad", "create_response": False, "interrupt_response": False},
    {"type": "server_vad", "prefix_padding_ms": 10**12, "idle_timeout_ms": -1},
    {"type": "new_vad"},
)

_REMEMBERED = 6
_UNANSWERED = 16
_COMING = 64


class Names:
    """Ids of one kind: those that were used before, and new ones.

    Args:
        prefix: What they begin with.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._made = 0
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)

    def new(self) -> str:
        """Return an id that was never used."""
        self._made += 1
        return self.used(f"{self._prefix}_{self._made}")

    def used(self, name: str) -> str:
        """Note an id that somebody else has made."""
        self._recent.append(name)
        return name

    def any(self, dice: Dice) -> str:
        """Return the last id, or an earlier one, seldom a new one or nonsense."""
        choice = dice.below(2 * _REMEMBERED + 2)
        if choice == 2 * _REMEMBERED + 1:
            return str(dice.one_of(("", "root", "\u0000", "x" * 600)))
        back = choice % (_REMEMBERED + 1)
        recent = list(self._recent)
        return recent[-1 - back] if back < len(recent) else self.new()


class HostileServer:
    """Makes the frames of a server out of chance.

    Args:
        samples: Events of others, to be said as they are and damaged.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples
        self._coming: deque[Json] = deque(maxlen=_COMING)
        self._unanswered: deque[RealtimeEvent] = deque(maxlen=_UNANSWERED)
        self.items = Names("item")
        self.responses = Names("resp")
        self.calls = Names("call")
        self.sent = Names("event")

    def hear(self, event: RealtimeEvent) -> None:
        """Take an event of the client, to be answered some time or never."""
        self._unanswered.append(event)
        if event.event_id:
            self.sent.used(event.event_id)

    def forget(self) -> None:
        """Begin a new connection: what was asked for and begun is gone."""
        self._coming.clear()
        self._unanswered.clear()

    def frame(self, chance: bytes) -> bytes:
        """Return what is said next."""
        dice = Dice(chance)
        event = dice.one_of(_WAYS)(self, dice)
        if dice.below(8) == 7:
            # Damage puts things where they are no secrets.
            public = json.dumps(event).replace(KEY, "none").replace(SECRET, "none")
            return mutated_json(Random(dice.below(2**32)), json.loads(public))
        return json.dumps(event).encode()

    def answer(self, dice: Dice) -> list[Json]:
        """Answer the oldest event that was not answered yet, or refuse it."""
        if not self._unanswered:
            return []
        event = self._unanswered.popleft()
        answers = _ANSWERS.get(type(event))
        if answers is None or dice.below(4) == 3:
            return [_error(dice, event.event_id or None)]
        return answers(self, event, dice)

    def next_of_story(self, dice: Dice) -> Json:
        """Go on with what was begun, or begin something."""
        if not self._coming:
            self._coming += dice.one_of(_STORIES)(self, dice)
        return self._coming.popleft() if self._coming else word(self, dice)

    def sample(self, dice: Dice) -> Json:
        """Say an event of somebody else, mostly with ids of this session."""
        event = copied(dice.one_of(self._samples).event)
        return event if dice.below(4) == 3 else self._with_our_ids(event, dice)

    def _with_our_ids(self, value: Any, dice: Dice) -> Any:
        if isinstance(value, list):
            return [self._with_our_ids(inner, dice) for inner in value]
        if not isinstance(value, dict):
            return value
        kind = str(value.get("object") or value.get("type"))
        return {
            key: self._our_id(key, kind, dice)
            if key.endswith("id") and isinstance(inner, str)
            else self._with_our_ids(inner, dice)
            for key, inner in value.items()
        }

    def _our_id(self, key: str, kind: str, dice: Dice) -> str:
        if key == "response_id" or (key == "id" and kind.endswith("response")):
            return self.responses.any(dice)
        if key == "event_id":
            return self.sent.any(dice)
        names = self.calls if key == "call_id" else self.items
        return names.any(dice)


def word(server: HostileServer, dice: Dice) -> Json:
    """Return an event of the grammar."""
    event: Json = dice.one_of(_WORDS)(server, dice)
    return event


# --- parts of events ---


def pcm(dice: Dice) -> str:
    """Return some audio, in base64; seldom half a sample too much."""
    size = dice.one_of((480, 4_800, 0, 2, 33))
    return base64.b64encode(b"\x01" * size).decode()


def _absent(fields: Json) -> Json:
    """Leave out what is None."""
    return {key: value for key, value in fields.items() if value is not None}


def _content(dice: Dice) -> Json:
    kind = dice.one_of(
        ("output_audio", "output_text", "input_audio", "input_text", "audio", "text")
    )
    text = dice.one_of(TEXTS)
    if not kind.endswith("audio"):
        return {"type": kind, "text": text}
    audio = dice.one_of((None, pcm(dice)))
    return {"type": kind, "transcript": dice.one_of((None, text)), "audio": audio}


def _message(dice: Dice) -> Json:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA"}
    return {
        "type": "message",
        "role": dice.one_of(("assistant", "user", "system", "odd")),
        "content": dice.one_of(
            ([], [_content(dice)], [_content(dice), _content(dice)], [image], None)
        ),
    }


def _call(server: HostileServer, dice: Dice) -> Json:
    return {
        "type": "function_call",
        "name": dice.one_of(TOOLS),
        "call_id": server.calls.any(dice) if dice.below(2) else server.calls.new(),
        "arguments": dice.one_of(ARGUMENTS),
    }


def _other_item(server: HostileServer, dice: Dice) -> Json:
    about = {"server_label": "docs", "name": "search", "arguments": "{}"}
    output = {"call_id": server.calls.any(dice), "output": dice.one_of(TEXTS)}
    answer = {"approval_request_id": server.items.any(dice), "approve": True}
    failure = {"type": "protocol_error", "code": -1, "message": KEY}
    listed = [{"name": "search", "input_schema": {}}]
    return dict(
        dice.one_of(
            (
                {"type": "mcp_approval_request", **about},
                {"type": "function_call_output", **output},
                {"type": "mcp_call", **about, "output": "[]"},
                {"type": "mcp_call", **about, "error": failure},
                {"type": "mcp_list_tools", "server_label": "docs", "tools": listed},
                {"type": "mcp_approval_response", **answer},
                {"type": "item_reference"},
                {"type": "new_item", "content": [7], "name": {}},
            )
        )
    )


def _item(server: HostileServer, dice: Dice, item_id: str | None = None) -> Json:
    kind = dice.below(4)
    if kind < 2:
        item = _message(dice)
    else:
        item = _call(server, dice) if kind == 2 else _other_item(server, dice)
    about = {
        "id": item_id or server.items.any(dice),
        "status": dice.one_of(STATUSES),
    }
    return {**item, **_absent(about)}


def _response(server: HostileServer, dice: Dice, status: Any) -> Json:
    output = dice.one_of((None, [], [_item(server, dice)]))
    details = {"type": status, "reason": "turn_detected", "error": {"message": KEY}}
    response: Json = {
        "id": server.responses.any(dice),
        "status": status,
        "conversation_id": dice.one_of(("conv_1", "conv_1", "conv_1", None)),
        "output": output,
        "status_details": dice.one_of((None, details)),
        "metadata": dice.one_of((None, {}, {"topic": "odd"})),
        "usage": dice.one_of((None, {"total_tokens": -1})),
    }
    if dice.below(8) == 7:
        del response[dice.one_of(("id", "conversation_id", "status"))]
    return response


def _session(dice: Dice) -> Json:
    secrets = {"authorization": SECRET, "headers": {"X-Key": SECRET}}
    mcp = {"type": "mcp", "server_label": "docs", **secrets}
    by_hand = {"type": "function", "name": "by_hand"}
    audio: Json = {
        "input": {
            "format": dice.one_of(FORMATS),
            "turn_detection": dice.one_of(DETECTIONS),
        },
        "output": {"format": dice.one_of(FORMATS), "voice": {"id": "mine"}},
    }
    return {
        "type": dice.one_of(("realtime", "transcription", None)),
        "id": "sess_1",
        "audio": dice.one_of((audio, audio, audio, None, {})),
        "tools": dice.one_of(([by_hand], [by_hand, mcp], [], None)),
        "client_secret": {"value": SECRET, "expires_at": 0},
        "expires_at": dice.one_of((0, -1, 2**40, 10**400)),
    }


def _error(dice: Dice, event_id: str | None) -> Json:
    error = {
        "type": dice.one_of(("invalid_request_error", "server_error", None)),
        "code": dice.one_of(CODES),
        "message": dice.one_of(("no", "", None, f"Incorrect key: {KEY}.")),
        "param": dice.one_of((None, "session.voice", "item.id", "")),
        "event_id": event_id,
    }
    return {"type": "error", "error": error}


# --- the grammar: one event at no time in particular ---

_Word: TypeAlias = Callable[[HostileServer, Dice], Json]


def _placed(server: HostileServer, dice: Dice) -> Json:
    moment = dice.one_of(("added", "done", "created"))
    previous = dice.one_of((server.items.any(dice), None, "root", ""))
    event = {"type": f"conversation.item.{moment}", "item": _item(server, dice)}
    return event if dice.below(4) == 3 else {**event, "previous_item_id": previous}


def _about_item(server: HostileServer, dice: Dice) -> Json:
    item_id = server.items.any(dice)
    name = dice.one_of(("truncated", "deleted", "retrieved"))
    fields: dict[str, Json] = {
        "truncated": {"content_index": 0, "audio_end_ms": dice.one_of(ANY_NUMBER)},
        "deleted": {},
        "retrieved": {"item": _item(server, dice, item_id)},
    }
    return {"type": f"conversation.item.{name}", "item_id": item_id, **fields[name]}


def _transcribed(server: HostileServer, dice: Dice) -> Json:
    name = dice.one_of(("delta", "completed", "failed", "segment"))
    text = dice.one_of(TEXTS)
    segment = {"text": text, "id": "1", "speaker": "A", "start": 1.5, "end": -1e308}
    fields: dict[str, Json] = {
        "delta": {"delta": text},
        "completed": {"transcript": text},
        "failed": {"error": {"message": KEY}},
        "segment": segment,
    }
    return {
        "type": f"conversation.item.input_audio_transcription.{name}",
        "item_id": server.items.any(dice),
        "content_index": dice.one_of((0, 0, 1, -1)),
        **fields[name],
    }


def _input_buffer(server: HostileServer, dice: Dice) -> Json:
    name = dice.one_of(
        (
            *("speech_started", "speech_stopped", "committed", "cleared"),
            *("timeout_triggered", "dtmf_event_received"),
        )
    )
    return {
        "type": f"input_audio_buffer.{name}",
        "item_id": server.items.any(dice),
        "previous_item_id": server.items.any(dice),
        "audio_start_ms": dice.one_of(ANY_NUMBER),
        "audio_end_ms": dice.one_of(ANY_NUMBER),
        **{"event": "7", "received_at": -1},
    }


def _output_buffer(server: HostileServer, dice: Dice) -> Json:
    name = dice.one_of(("started", "stopped", "cleared"))
    response_id = server.responses.any(dice)
    return {"type": f"output_audio_buffer.{name}", "response_id": response_id}


def _response_moment(server: HostileServer, dice: Dice) -> Json:
    if dice.below(2):
        response = _response(server, dice, dice.one_of(ENDS))
        return {"type": "response.done", "response": response}
    return {
        "type": "response.created",
        "response": _response(server, dice, dice.one_of(("in_progress", *ENDS))),
    }


def _output_item(server: HostileServer, dice: Dice) -> Json:
    return {
        "type": f"response.output_item.{dice.one_of(('added', 'done'))}",
        "response_id": server.responses.any(dice),
        "output_index": dice.one_of((0, 1, -1)),
        "item": _item(server, dice),
    }


def _part(server: HostileServer, dice: Dice) -> Json:
    name = dice.one_of(
        (
            *("content_part.added", "content_part.done", "output_text.delta"),
            *("output_text.done", "output_audio.delta", "output_audio.delta"),
            *("output_audio.done", "output_audio_transcript.delta"),
            *("output_audio_transcript.done", "function_call_arguments.delta"),
            *("function_call_arguments.done", "mcp_call_arguments.delta"),
            *("mcp_call_arguments.done", "mcp_call.in_progress"),
            *("mcp_call.completed", "mcp_call.failed"),
        )
    )
    text = dice.one_of(TEXTS)
    return {
        "type": f"response.{name}",
        "response_id": server.responses.any(dice),
        "item_id": server.items.any(dice),
        "output_index": 0,
        "content_index": dice.one_of((0, 0, 0, 1, 10**400, -1)),
        "delta": pcm(dice) if name == "output_audio.delta" else text,
        **{"text": text, "transcript": text, "arguments": text, "name": "quick"},
        "call_id": server.calls.any(dice),
        "part": _content(dice),
    }


def _trouble(server: HostileServer, dice: Dice) -> Json:
    return _error(dice, dice.one_of((server.sent.any(dice), None, "not_ours")))


def _about_session(server: HostileServer, dice: Dice) -> Json:
    name = dice.one_of(("updated", "updated", "created"))
    return {"type": f"session.{name}", "session": _session(dice)}


def _other(server: HostileServer, dice: Dice) -> Json:
    phase = dice.one_of(("in_progress", "completed", "failed"))
    limit = {"name": "tokens", "remaining": -1, "reset_seconds": 1e308}
    return dict(
        dice.one_of(
            (
                {"type": f"mcp_list_tools.{phase}", "item_id": server.items.any(dice)},
                {"type": "conversation.created", "conversation": {}},
                {"type": "rate_limits.updated", "rate_limits": [limit]},
                {"type": "response.cancelled", "response_id": "resp_1"},
                {"type": "new.event", "item_id": server.items.any(dice)},
            )
        )
    )


# What does most stands here more often.
_WORDS: tuple[_Word, ...] = (
    *(_part,) * 6,
    *(_placed,) * 3,
    *(_output_item,) * 3,
    *(_response_moment,) * 3,
    *(_input_buffer,) * 3,
    *(_about_item,) * 2,
    *(_transcribed,) * 2,
    *(_trouble,) * 2,
    _about_session,
    _output_buffer,
    _other,
)


# --- stories: what comes of what, in a right order ---

_Story: TypeAlias = Callable[[HostileServer, Dice], list[Json]]


def _entered(item: Json) -> list[Json]:
    """Return the two events with which an item of a client enters."""
    return [
        {"type": "conversation.item.added", "item": item},
        {"type": "conversation.item.done", "item": item},
    ]


def _framed(
    server: HostileServer, dice: Dice, items: list[Json], **about: Any
) -> list[Json]:
    """Return the events of a response that makes these items."""
    response_id = server.responses.new()
    begun = {"id": response_id, "conversation_id": "conv_1", **about}
    events: list[Json] = [
        {"type": "response.created", "response": {**begun, "status": "in_progress"}}
    ]
    for index, item in enumerate(items):
        place = {"response_id": response_id, "output_index": index}
        opened = {**item, "status": "in_progress", "arguments": "", "content": []}
        final = {"item": {**item, "status": "completed"}}
        events += [
            {"type": "response.output_item.added", **place, "item": opened},
            {"type": "conversation.item.added", "item": opened},
            *_body(dice, item, {**place, "item_id": item["id"], "content_index": 0}),
            {"type": "response.output_item.done", **place, **final},
            {"type": "conversation.item.done", **final},
        ]
    status = dice.one_of(("completed", "completed", "completed", *ENDS[1:4]))
    ended = {**begun, "status": status, "output": items}
    return [*events, {"type": "response.done", "response": ended}]


def _body(dice: Dice, item: Json, place: Json) -> list[Json]:
    """Return the events with which an item grows."""
    if item["type"] == "function_call":
        about = {**place, "call_id": item["call_id"], "name": item["name"]}
        whole = item["arguments"]
        name = "response.function_call_arguments"
        return [
            {"type": f"{name}.delta", **about, "delta": whole[:3]},
            {"type": f"{name}.done", **about, "arguments": whole},
        ]
    if item["type"] != "message":
        return []
    part: Json = {"part": {"type": "audio", "transcript": ""}}
    pieces: list[Json] = []
    for text in ("So ", "it ", "is."):
        spoken = {"type": "response.output_audio.delta", **place, "delta": pcm(dice)}
        words = {"type": "response.output_audio_transcript.delta", "delta": text}
        pieces += [{**words, **place}, spoken]
    whole = "So it is."
    return [
        {"type": "response.content_part.added", **place, **part},
        *pieces,
        {"type": "response.output_audio.done", **place},
        {"type": "response.output_audio_transcript.done", **place, "transcript": whole},
        {"type": "response.content_part.done", **place, **part},
    ]


def _reply(server: HostileServer, dice: Dice, **about: Any) -> list[Json]:
    """Return a reply: words, or calls of tools, or both."""
    spoken: Json = {"type": "message", "role": "assistant", "content": []}
    kinds = dice.one_of((["say"], ["call"], ["call", "call"], ["say", "call"], []))
    items = [
        {
            **(dict(spoken) if kind == "say" else _call(server, dice)),
            "id": server.items.new(),
        }
        for kind in kinds
    ]
    return _framed(server, dice, items, **about)


def _asks_for_approval(server: HostileServer, dice: Dice) -> list[Json]:
    request = {"type": "mcp_approval_request", "id": server.items.new()}
    about = {"server_label": "docs", "name": "search", "arguments": "{}"}
    return _framed(server, dice, [{**request, **about}])


def _spoken_turn(server: HostileServer, dice: Dice) -> list[Json]:
    """Return a turn that the server's voice detection has found, and the reply."""
    item_id = server.items.new()
    start = dice.below(4) * 100
    content = [{"type": "input_audio", "transcript": None}]
    item = {"id": item_id, "type": "message", "role": "user", "content": content}
    about = {"item_id": item_id, "audio_start_ms": start, "audio_end_ms": start + 200}
    heard = "conversation.item.input_audio_transcription.completed"
    began = dice.one_of((["speech_started", "speech_stopped"], ["timeout_triggered"]))
    return [
        *({"type": f"input_audio_buffer.{name}", **about} for name in began),
        {"type": "input_audio_buffer.committed", "item_id": item_id},
        *_entered({**item, "status": "completed"}),
        {"type": heard, "item_id": item_id, "content_index": 0, "transcript": "Hi."},
        *_reply(server, dice),
    ]


_STORIES: tuple[_Story, ...] = (
    *(HostileServer.answer,) * 5,
    _reply,
    _spoken_turn,
    _asks_for_approval,
)


# --- answers: what a server in its right mind says to what we sent ---

_Answer: TypeAlias = Callable[[HostileServer, Any, Dice], list[Json]]


def _updated(server: HostileServer, event: SessionUpdate, dice: Dice) -> list[Json]:
    session = {"id": "sess_1", **event.session.to_dict()}
    return [{"type": "session.updated", "session": session}]


def _committed(
    server: HostileServer, event: InputAudioBufferCommit, dice: Dice
) -> list[Json]:
    item_id = server.items.new()
    content = [{"type": "input_audio", "transcript": None}]
    item = {"id": item_id, "type": "message", "role": "user", "content": content}
    return [
        {"type": "input_audio_buffer.committed", "item_id": item_id},
        *_entered({**item, "status": "completed"}),
    ]


def _cleared(
    server: HostileServer, event: InputAudioBufferClear, dice: Dice
) -> list[Json]:
    return [{"type": "input_audio_buffer.cleared"}]


def _created(
    server: HostileServer, event: ConversationItemCreate, dice: Dice
) -> list[Json]:
    item = event.item.to_dict()  # type: ignore[attr-defined]
    item_id = event.item.id or server.items.new()
    return _entered({**item, "id": server.items.used(item_id), "status": "completed"})


def _replied(server: HostileServer, event: ResponseCreate, dice: Dice) -> list[Json]:
    config = event.response.to_dict() if event.response else {}
    alone = config.get("conversation") == "none"
    return _reply(
        server,
        dice,
        metadata=config.get("metadata"),
        conversation_id=None if alone else "conv_1",
    )


def _cancelled(server: HostileServer, event: ResponseCancel, dice: Dice) -> list[Json]:
    details = {"type": "cancelled", "reason": "client_cancelled"}
    response = _response(server, dice, "cancelled")
    done = {**response, "conversation_id": "conv_1", "status_details": details}
    return [{"type": "response.done", "response": done}]


def _truncated(
    server: HostileServer, event: ConversationItemTruncate, dice: Dice
) -> list[Json]:
    cut = {"item_id": event.item_id, "content_index": event.content_index}
    end = {"audio_end_ms": event.audio_end_ms}
    return [{"type": "conversation.item.truncated", **cut, **end}]


def _deleted(
    server: HostileServer, event: ConversationItemDelete, dice: Dice
) -> list[Json]:
    return [{"type": "conversation.item.deleted", "item_id": event.item_id}]


_ANSWERS: dict[type[RealtimeEvent], _Answer] = {
    SessionUpdate: _updated,
    InputAudioBufferCommit: _committed,
    InputAudioBufferClear: _cleared,
    ConversationItemCreate: _created,
    ResponseCreate: _replied,
    ResponseCancel: _cancelled,
    ConversationItemTruncate: _truncated,
    ConversationItemDelete: _deleted,
}

_WAYS: tuple[_Word, ...] = (
    *(HostileServer.next_of_story,) * 4,
    *(word,) * 3,
    HostileServer.sample,
)
