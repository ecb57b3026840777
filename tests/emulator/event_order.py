"""The order of events (PROTOCOL.md sections 1.4 and 6), as a checker of streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from openai_realtime.events import ServerEvent

Fields: TypeAlias = dict[str, Any]

_DELTAS = {
    "response.output_text": "text",
    "response.output_audio_transcript": "transcript",
    "response.function_call_arguments": "arguments",
    "response.mcp_call_arguments": "arguments",
}
# What a part, or an item without parts, has to end, whether a delta came or not
# (PROTOCOL.md sections 1.4 and 6.1 to 6.4).
_ENDS: dict[str, frozenset[str]] = {
    "text": frozenset({"response.output_text"}),
    "audio": frozenset({"response.output_audio", "response.output_audio_transcript"}),
    "message": frozenset(),
    "function_call": frozenset({"response.function_call_arguments"}),
    "mcp_call": frozenset({"response.mcp_call_arguments"}),
    "mcp_approval_request": frozenset(),
}
# What is streamed into an item itself and not into a part of its content.
_WITHOUT_PART = _ENDS["function_call"] | _ENDS["mcp_call"]


class _RunningResponse:
    """What is open in one response."""

    def __init__(self, response: Fields) -> None:
        self.conversation_id = response["conversation_id"]
        self.default = self.conversation_id is not None
        self.metadata = response["metadata"]
        self.item_id: str | None = None
        self.item: Fields = {}
        # The kinds of the parts of the open item; the last one may be open.
        self.parts: list[str] = []
        self.part_open = False
        # What was streamed into each of the parts that are closed.
        self.texts: list[dict[str, str]] = []
        self.streams: dict[str, list[str]] = {}
        self.ended: dict[str, str] = {}
        self.done_items: list[Fields] = []
        self.awaits_added: str | None = None
        self.awaits_done: str | None = None
        self.deleted = False

    @property
    def ends(self) -> frozenset[str]:
        """What has to end before the open part does, or the item that has none."""
        return _ENDS[self.parts[-1] if self.part_open else self.item["type"]]


class _Phases:
    """What begins once for an item and ends once: an import of tools, a call."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._begun: set[str] = set()
        self.running: set[str] = set()

    def begin(self, fields: Fields) -> None:
        assert fields["item_id"] not in self._begun, f"{self._what} began twice"
        self._begun.add(fields["item_id"])
        self.running.add(fields["item_id"])

    def end(self, fields: Fields) -> None:
        assert fields["item_id"] in self.running, f"{self._what} ended unbegun"
        self.running.discard(fields["item_id"])


class OrderChecker:
    """Fed with every event of a session, fails at the first that is out of order.

    Attributes:
        history: The ids of the conversation's items in order, rebuilt from events.
        items: Those items as the last event about each has shown it.
        responses: How many responses have ended.
    """

    def __init__(self) -> None:
        self.history: list[str] = []
        self.items: dict[str, Fields] = {}
        self.responses = 0
        self._conversation_id: str | None = None
        self._event_ids: set[str] = set()
        self._running: dict[str, _RunningResponse] = {}
        self._finished: set[str] = set()
        self._added: set[str] = set()
        self._made: set[str] = set()
        self._done_items: set[str] = set()
        self._gone: set[str] = set()
        self._committed: set[str] = set()
        self._must_commit: str | None = None
        self._speech: dict[str, int] = {}
        self._speaking: str | None = None
        self._truncated: set[str] = set()
        self._heard: dict[tuple[str, int], list[str]] = {}
        self._transcribed: set[tuple[str, int]] = set()
        self._imports = _Phases("an import of tools")
        self._calls = _Phases("a call")
        self._responds = True

    def feed(self, event: ServerEvent) -> None:
        """Check one more event."""
        self.feed_fields(event.to_dict())

    def feed_fields(self, fields: Fields) -> None:
        """Check one more event, given as JSON."""
        name: str = fields["type"]
        first = not self._event_ids
        assert fields["event_id"], f"{name} has no event_id"
        assert fields["event_id"] not in self._event_ids, "an event_id came twice"
        self._event_ids.add(fields["event_id"])
        assert (name == "session.created") == first, "session.created is not first"
        if self._must_commit is not None:
            assert name == "input_audio_buffer.committed", "a turn was not committed"
        check = _CHECKS.get(name)
        if name.startswith("response."):
            assert self._responds, f"{name} in a session that never responds"
        if check is not None:
            check(self, fields)
        elif name.startswith("response."):
            self._stream_event(name, fields)

    def assert_settled(self) -> None:
        """Check that nothing is left open at the end."""
        assert not self._running, f"responses without end: {list(self._running)}"
        assert self._added == self._done_items, "items that were added and never done"
        assert not self._imports.running, "an import of tools has no end"
        assert not self._calls.running, "a call has no end"
        assert self._must_commit is None, "a turn was not committed"

    # --- the session ---

    def _session_created(self, fields: Fields) -> None:
        self._responds = fields["session"]["type"] == "realtime"

    # --- the conversation ---

    def _conversation_created(self, fields: Fields) -> None:
        assert self._conversation_id is None, "a second conversation"
        assert len(self._event_ids) == 2, "conversation.created is not second"
        self._conversation_id = fields["conversation"]["id"]

    def _committed_audio(self, fields: Fields) -> None:
        item_id = fields["item_id"]
        assert item_id not in self._added, "committed after its item"
        assert item_id not in self._committed, "committed twice"
        assert self._must_commit in (None, item_id), "another turn was committed"
        # Who commits by hand ends the turn that is running, and gets its item.
        assert self._speaking in (None, item_id), "not the turn that is running"
        assert fields["previous_item_id"] == self._last_id, (
            "committed behind another item"
        )
        self._must_commit = self._speaking = None
        self._committed.add(item_id)

    def _item_added(self, fields: Fields) -> None:
        item, previous_id = fields["item"], fields["previous_item_id"]
        item_id = item["id"]
        assert item_id not in self._added, "an item was added twice"
        assert previous_id is None or previous_id in self._added, "behind no item"
        position = 0 if previous_id is None else self.history.index(previous_id) + 1
        self.history.insert(position, item_id)
        self.items[item_id] = item
        self._added.add(item_id)
        self._gone.discard(item_id)
        assert not _has_audio(item), "audio in an item event"
        owners = [r for r in self._running.values() if r.awaits_added == item_id]
        if owners:
            assert position == len(self.history) - 1, "a reply is not at the end"
            assert item == owners[0].item, "added as another item"
            owners[0].awaits_added = None
            self._made.add(item_id)
        else:
            assert item.get("status") != "in_progress", "added before output_item.added"

    def _item_done(self, fields: Fields) -> None:
        item = fields["item"]
        item_id = item["id"]
        assert item_id in self._added, "done before added"
        assert item_id not in self._done_items, "an item was done twice"
        assert item.get("status", "completed") in ("completed", "incomplete")
        assert not _has_audio(item), "audio in an item event"
        position = self.history.index(item_id)
        before = self.history[position - 1] if position else None
        assert fields["previous_item_id"] == before, "done behind another item"
        self._done_items.add(item_id)
        self.items[item_id] = item
        if item_id in self._made:
            owners = [r for r in self._running.values() if r.awaits_done == item_id]
            assert owners, "conversation.item.done before response.output_item.done"
            owners[0].awaits_done = None
            made = owners[0].done_items[-1]
            # Truncated meanwhile, it is so in the conversation only.
            cut = item_id in self._truncated
            assert item == (_without_transcript(made) if cut else made), (
                "an item is done in two ways"
            )

    def _item_deleted(self, fields: Fields) -> None:
        item_id = fields["item_id"]
        assert item_id in self._added, "deleted before added"
        self.history.remove(item_id)
        del self.items[item_id]
        self._added.discard(item_id)
        self._done_items.discard(item_id)
        self._made.discard(item_id)
        self._committed.discard(item_id)
        self._truncated.discard(item_id)
        self._gone.add(item_id)
        for running in self._running.values():
            if running.item_id == item_id:
                # It stays in the response and is none of the conversation's.
                running.deleted = True

    def _item_retrieved(self, fields: Fields) -> None:
        assert fields["item"]["id"] in self._added, "retrieved, though there is no item"

    def _item_truncated(self, fields: Fields) -> None:
        assert fields["item_id"] in self._added, "truncated, though there is no item"
        assert fields["content_index"] == 0, "truncated in a part that there is not"
        self._truncated.add(fields["item_id"])

    # --- what the user says ---

    def _speech_started(self, fields: Fields) -> None:
        item_id, start_ms = fields["item_id"], fields["audio_start_ms"]
        assert self._speaking is None, "a turn began inside another"
        assert item_id not in self._speech.keys() | self._added, "an old turn began"
        assert start_ms >= max(self._speech.values(), default=0), "back in time"
        self._speech[item_id] = start_ms
        self._speaking = item_id

    def _speech_stopped(self, fields: Fields) -> None:
        assert fields["item_id"] == self._speaking, "speech stopped that never started"
        assert fields["audio_end_ms"] >= self._speech[fields["item_id"]]
        self._must_commit = fields["item_id"]

    def _audio_cleared(self, fields: Fields) -> None:
        # With the audio goes the turn that is running; no event tells its end.
        self._speaking = None

    def _timeout_triggered(self, fields: Fields) -> None:
        assert self._speaking is None, "silence, though the user speaks"
        assert fields["audio_end_ms"] >= fields["audio_start_ms"]
        self._must_commit = fields["item_id"]

    def _transcription_delta(self, fields: Fields) -> None:
        key = self._transcription(fields)
        self._heard.setdefault(key, []).append(fields["delta"])

    def _transcription_segment(self, fields: Fields) -> None:
        self._transcription(fields)
        assert fields["end"] >= fields["start"], "a segment ends before it starts"

    def _transcription_completed(self, fields: Fields) -> None:
        key = self._transcription(fields)
        self._transcribed.add(key)
        if key in self._heard:
            joined = "".join(self._heard.pop(key))
            assert fields["transcript"] == joined, "a transcript is not its deltas"

    def _transcription_failed(self, fields: Fields) -> None:
        self._transcribed.add(self._transcription(fields))

    def _transcription(self, fields: Fields) -> tuple[str, int]:
        key = (fields["item_id"], fields["content_index"])
        known = self._added | self._gone
        assert key[0] in known, "a transcription of no item"
        assert key not in self._transcribed, "a transcription went on after its end"
        return key

    # --- responses ---

    def _response_created(self, fields: Fields) -> None:
        response = fields["response"]
        assert response["status"] == "in_progress"
        assert response["output"] == []
        assert response["usage"] is None
        known = self._running.keys() | self._finished
        assert response["id"] not in known, "a response was created twice"
        started = _RunningResponse(response)
        assert started.conversation_id in (None, self._conversation_id), (
            "a response to another conversation"
        )
        defaults = sum(running.default for running in self._running.values())
        assert not (started.default and defaults), "two responses on the conversation"
        self._running[response["id"]] = started

    def _output_item_added(self, fields: Fields) -> None:
        running = self._running[fields["response_id"]]
        assert running.item_id is None, "an item was opened inside another"
        assert fields["output_index"] == len(running.done_items)
        item = fields["item"]
        assert item["type"] in _ENDS, f"a response made an item '{item['type']}'"
        assert item.get("status", "in_progress") == "in_progress"
        if item["type"] == "message":
            assert item["content"] == []
        running.item, running.item_id, running.parts = item, item["id"], []
        running.awaits_added = running.item_id if running.default else None
        running.streams, running.ended, running.texts = {}, {}, []
        running.deleted = False

    def _content_part_added(self, fields: Fields) -> None:
        running = self._inside(fields)
        assert not running.part_open, "a part was opened inside another"
        assert running.item["type"] == "message", "a part of what has none"
        assert fields["content_index"] == len(running.parts), "another content_index"
        kind = fields["part"]["type"]
        assert kind in ("text", "audio"), f"a part '{kind}'"
        running.parts.append(kind)
        running.streams, running.ended = {}, {}
        running.part_open = True

    def _content_part_done(self, fields: Fields) -> None:
        running = self._inside(fields)
        assert running.part_open, "a part was closed that was not open"
        _check_content_index(fields, running)
        assert fields["part"]["type"] == running.parts[-1], "closed as another part"
        _check_ended(running)
        _check_texts(fields["part"], running.ended)
        running.texts.append(running.ended)
        running.part_open = False

    def _stream_event(self, name: str, fields: Fields) -> None:
        running = self._inside(fields)
        stream, _, kind = name.rpartition(".")
        in_part = stream not in _WITHOUT_PART
        assert running.part_open == in_part, f"{name} outside of its part"
        assert stream in running.ends, f"{name} in what has none"
        if in_part:
            _check_content_index(fields, running)
        elif "call_id" in fields:
            assert fields["call_id"] == running.item["call_id"], "another call"
        assert stream not in running.ended, f"{name} after its done"
        if kind == "delta":
            running.streams.setdefault(stream, []).append(fields["delta"])
            return
        assert kind == "done", f"{name} is not known to these rules"
        joined = "".join(running.streams.get(stream, []))
        running.ended[stream] = joined
        if stream in _DELTAS:
            assert fields[_DELTAS[stream]] == joined, f"{name} is not its deltas"

    def _mcp_call_in_progress(self, fields: Fields) -> None:
        self._calls.begin(fields)
        for running in self._running.values():
            if running.item_id == fields["item_id"]:
                _check_ended(running)

    def _output_item_done(self, fields: Fields) -> None:
        running = self._running[fields["response_id"]]
        item = fields["item"]
        assert item["id"] == running.item_id, "another item was closed"
        assert fields["output_index"] == len(running.done_items)
        assert item.get("status", "completed") in ("completed", "incomplete")
        assert not running.part_open, "an item was closed over an open part"
        assert item["type"] == running.item["type"], "closed as another item"
        if item["type"] == "message":
            kinds = [part["type"] for part in item["content"]]
            assert kinds == [f"output_{kind}" for kind in running.parts], (
                "an item's content is not its parts"
            )
            for part, texts in zip(item["content"], running.texts, strict=True):
                _check_texts(part, texts)
        else:
            _check_ended(running)
            _check_texts(item, running.ended)
        assert running.awaits_added is None, "output item not in the conversation"
        assert not _has_audio(item), "audio in an item event"
        kept = running.default and not running.deleted
        running.awaits_done = running.item_id if kept else None
        running.item_id = None
        running.done_items.append(item)

    def _response_done(self, fields: Fields) -> None:
        response = fields["response"]
        running = self._running.pop(response["id"])
        self._finished.add(response["id"])
        self.responses += 1
        assert running.item_id is None, "response.done over an open item"
        assert running.awaits_done in (None, *self._gone), (
            "response.done before an item"
        )
        assert response["output"] == running.done_items
        assert response["metadata"] == running.metadata
        assert response["conversation_id"] == running.conversation_id
        assert response["status"] in ("completed", "cancelled", "incomplete", "failed")
        if response["status"] == "completed":
            states = {i.get("status", "completed") for i in running.done_items}
            assert states <= {"completed"}, "completed, but for an item"
        _check_usage(response["usage"])

    def _inside(self, fields: Fields) -> _RunningResponse:
        running = self._running[fields["response_id"]]
        assert fields["item_id"] == running.item_id, "an event of an item not open"
        assert fields["output_index"] == len(running.done_items)
        return running

    @property
    def _last_id(self) -> str | None:
        return self.history[-1] if self.history else None


_TRANSCRIPTION = "conversation.item.input_audio_transcription"

_CHECKS: dict[str, Callable[[OrderChecker, Fields], None]] = {
    "session.created": OrderChecker._session_created,
    "conversation.created": OrderChecker._conversation_created,
    "input_audio_buffer.cleared": OrderChecker._audio_cleared,
    "input_audio_buffer.committed": OrderChecker._committed_audio,
    "input_audio_buffer.speech_started": OrderChecker._speech_started,
    "input_audio_buffer.speech_stopped": OrderChecker._speech_stopped,
    "input_audio_buffer.timeout_triggered": OrderChecker._timeout_triggered,
    "conversation.item.added": OrderChecker._item_added,
    "conversation.item.done": OrderChecker._item_done,
    "conversation.item.deleted": OrderChecker._item_deleted,
    "conversation.item.retrieved": OrderChecker._item_retrieved,
    "conversation.item.truncated": OrderChecker._item_truncated,
    f"{_TRANSCRIPTION}.delta": OrderChecker._transcription_delta,
    f"{_TRANSCRIPTION}.segment": OrderChecker._transcription_segment,
    f"{_TRANSCRIPTION}.completed": OrderChecker._transcription_completed,
    f"{_TRANSCRIPTION}.failed": OrderChecker._transcription_failed,
    "response.created": OrderChecker._response_created,
    "response.output_item.added": OrderChecker._output_item_added,
    "response.output_item.done": OrderChecker._output_item_done,
    "response.content_part.added": OrderChecker._content_part_added,
    "response.content_part.done": OrderChecker._content_part_done,
    "response.mcp_call.in_progress": OrderChecker._mcp_call_in_progress,
    "response.mcp_call.completed": lambda self, fields: self._calls.end(fields),
    "response.mcp_call.failed": lambda self, fields: self._calls.end(fields),
    "mcp_list_tools.in_progress": lambda self, fields: self._imports.begin(fields),
    "mcp_list_tools.completed": lambda self, fields: self._imports.end(fields),
    "mcp_list_tools.failed": lambda self, fields: self._imports.end(fields),
    "response.done": OrderChecker._response_done,
}


class TranslationChecker:
    """The order of the events of a translation session (PROTOCOL.md section 8.2)."""

    def __init__(self) -> None:
        self._event_ids: set[str] = set()
        self._closed = False
        self._elapsed_ms = 0

    def feed_fields(self, fields: Fields) -> None:
        """Check one more event, given as JSON."""
        name: str = fields["type"]
        first = not self._event_ids
        assert not self._closed, f"{name} after session.closed"
        assert fields["event_id"] not in self._event_ids, "an event_id came twice"
        self._event_ids.add(fields["event_id"])
        assert (name == "session.created") == first, "session.created is not first"
        self._closed = name == "session.closed"
        elapsed_ms = fields.get("elapsed_ms")
        if elapsed_ms is not None and name == "session.output_audio.delta":
            assert elapsed_ms >= self._elapsed_ms, "elapsed_ms went back"
            self._elapsed_ms = elapsed_ms


def _has_audio(item: Fields) -> bool:
    return any("audio" in part for part in item.get("content", []))


def _without_transcript(item: Fields) -> Fields:
    content = [
        {key: part[key] for key in part if key != "transcript"}
        for part in item["content"]
    ]
    return {**item, "content": content}


def _check_content_index(fields: Fields, running: _RunningResponse) -> None:
    assert fields["content_index"] == len(running.parts) - 1, "another content_index"


def _check_ended(running: _RunningResponse) -> None:
    """Check that whatever belongs here has ended, also where no delta came."""
    missing = running.ends - running.ended.keys()
    assert not missing, f"closed without {sorted(missing)} done"


def _check_texts(part: Fields, ended: dict[str, str]) -> None:
    """Check that what an object says in full is what its deltas said."""
    for stream, field in _DELTAS.items():
        if stream in ended and isinstance(part.get(field), str):
            assert part[field] == ended[stream], f"{field} is not what was streamed"


def _check_usage(usage: Fields) -> None:
    given, made = usage["input_token_details"], usage["output_token_details"]
    cached = given["cached_tokens_details"]
    kinds = ("text_tokens", "audio_tokens", "image_tokens")
    assert usage["input_tokens"] == sum(given[kind] for kind in kinds)
    assert usage["output_tokens"] == made["text_tokens"] + made["audio_tokens"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert given["cached_tokens"] == sum(cached[kind] for kind in kinds)
    assert all(0 <= cached[kind] <= given[kind] for kind in kinds)


def check_order(events: Iterable[ServerEvent]) -> None:
    """Check a whole session that has come to rest."""
    checker = OrderChecker()
    for event in events:
        checker.feed(event)
    checker.assert_settled()
