"""The order of events (PROTOCOL.md sections 1.4 and 6), as a checker of streams."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openai_realtime.events import ServerEvent

_DELTAS = {
    "response.output_text": "text",
    "response.output_audio_transcript": "transcript",
    "response.function_call_arguments": "arguments",
}


class _RunningResponse:
    """What is open in one response."""

    def __init__(self, response: dict[str, Any]) -> None:
        self.default = response["conversation_id"] is not None
        self.metadata = response["metadata"]
        self.item_id: str | None = None
        self.part_open = False
        self.streams: dict[str, list[str]] = {}
        self.ended: set[str] = set()
        self.done_items: list[dict[str, Any]] = []
        self.awaits_added: str | None = None
        self.awaits_done: str | None = None
        self.deleted = False


class OrderChecker:
    """Fed with every event of a session, fails at the first that is out of order."""

    def __init__(self) -> None:
        self._event_ids: set[str] = set()
        self._running: dict[str, _RunningResponse] = {}
        self._finished: set[str] = set()
        self._added: dict[str, str] = {}
        self._done_items: set[str] = set()
        self._committed: set[str] = set()

    def feed(self, event: ServerEvent) -> None:
        """Check one more event."""
        fields = event.to_dict()
        first = not self._event_ids
        assert fields["event_id"], f"{event.type} has no event_id"
        assert fields["event_id"] not in self._event_ids, "an event_id came twice"
        self._event_ids.add(fields["event_id"])
        assert (event.type == "session.created") == first
        name = event.type.replace(".", "_")
        check = getattr(self, f"_{name}", None)
        if check is not None:
            check(fields)
        elif event.type.startswith("response."):
            self._stream_event(event.type, fields)

    def assert_settled(self) -> None:
        """Check that nothing is left open at the end."""
        assert not self._running, f"responses without end: {list(self._running)}"
        assert set(self._added) == self._done_items

    # --- the conversation ---

    def _input_audio_buffer_committed(self, fields: dict[str, Any]) -> None:
        assert fields["item_id"] not in self._added, "committed after its item"
        self._committed.add(fields["item_id"])

    def _conversation_item_added(self, fields: dict[str, Any]) -> None:
        item = fields["item"]
        assert item["id"] not in self._added, "an item was added twice"
        self._added[item["id"]] = item["status"]
        parts = item.get("content", [])
        assert all("audio" not in part for part in parts), "audio in an item event"
        if item["status"] == "in_progress":
            owner = self._owner(item["id"])
            assert owner.awaits_added == item["id"], "added before output_item.added"
            owner.awaits_added = None

    def _conversation_item_done(self, fields: dict[str, Any]) -> None:
        item = fields["item"]
        assert item["id"] in self._added, "done before added"
        assert item["id"] not in self._done_items, "an item was done twice"
        assert item["status"] in ("completed", "incomplete")
        self._done_items.add(item["id"])
        if self._added[item["id"]] == "in_progress":
            owners = [r for r in self._running.values() if r.awaits_done == item["id"]]
            assert owners, "conversation.item.done before response.output_item.done"
            owners[0].awaits_done = None

    def _conversation_item_deleted(self, fields: dict[str, Any]) -> None:
        item_id = fields["item_id"]
        assert item_id in self._added, "deleted before added"
        del self._added[item_id]
        self._done_items.discard(item_id)
        for running in self._running.values():
            if running.item_id == item_id:
                # It stays in the response and is none of the conversation's.
                running.deleted = True

    def _owner(self, item_id: str) -> _RunningResponse:
        owners = [r for r in self._running.values() if r.item_id == item_id]
        assert owners, f"item {item_id} belongs to no running response"
        return owners[0]

    # --- responses ---

    def _response_created(self, fields: dict[str, Any]) -> None:
        response = fields["response"]
        assert response["status"] == "in_progress"
        assert response["output"] == []
        assert response["usage"] is None
        assert response["id"] not in self._running.keys() | self._finished
        started = _RunningResponse(response)
        defaults = sum(running.default for running in self._running.values())
        assert not (started.default and defaults), "two responses on the conversation"
        self._running[response["id"]] = started

    def _response_output_item_added(self, fields: dict[str, Any]) -> None:
        running = self._running[fields["response_id"]]
        assert running.item_id is None, "an item was opened inside another"
        assert fields["output_index"] == len(running.done_items)
        assert fields["item"]["status"] == "in_progress"
        if fields["item"]["type"] == "message":
            assert fields["item"]["content"] == []
        running.item_id = fields["item"]["id"]
        running.awaits_added = running.item_id if running.default else None
        running.streams, running.ended = {}, set()
        running.deleted = False

    def _response_content_part_added(self, fields: dict[str, Any]) -> None:
        running = self._inside(fields)
        assert not running.part_open
        assert fields["part"]["type"] in ("text", "audio")
        running.part_open = True

    def _response_content_part_done(self, fields: dict[str, Any]) -> None:
        running = self._inside(fields)
        assert running.part_open, "a part was closed that was not open"
        assert set(running.streams) <= running.ended, "a part closed over open deltas"
        running.part_open = False

    def _stream_event(self, name: str, fields: dict[str, Any]) -> None:
        running = self._inside(fields)
        stream, _, kind = name.rpartition(".")
        in_part = stream != "response.function_call_arguments"
        assert running.part_open == in_part, f"{name} outside of its part"
        assert stream not in running.ended, f"{name} after its done"
        if kind == "delta":
            running.streams.setdefault(stream, []).append(fields["delta"])
            return
        running.ended.add(stream)
        if stream in _DELTAS:
            joined = "".join(running.streams.get(stream, []))
            assert fields[_DELTAS[stream]] == joined, f"{name} is not its deltas"

    def _response_output_item_done(self, fields: dict[str, Any]) -> None:
        running = self._running[fields["response_id"]]
        item = fields["item"]
        assert item["id"] == running.item_id
        assert not running.part_open
        assert set(running.streams) <= running.ended
        assert running.awaits_added is None, "output item not in the conversation"
        kept = running.default and not running.deleted
        running.awaits_done = running.item_id if kept else None
        running.item_id = None
        running.done_items.append(item)

    def _response_done(self, fields: dict[str, Any]) -> None:
        response = fields["response"]
        running = self._running.pop(response["id"])
        self._finished.add(response["id"])
        assert running.item_id is None, "response.done over an open item"
        assert running.awaits_done is None
        assert response["output"] == running.done_items
        assert response["metadata"] == running.metadata
        assert response["status"] in ("completed", "cancelled", "incomplete", "failed")
        _check_usage(response["usage"])

    def _inside(self, fields: dict[str, Any]) -> _RunningResponse:
        running = self._running[fields["response_id"]]
        assert fields["item_id"] == running.item_id
        assert fields["output_index"] == len(running.done_items)
        return running


def _check_usage(usage: dict[str, Any]) -> None:
    given, made = usage["input_token_details"], usage["output_token_details"]
    cached = given["cached_tokens_details"]
    assert usage["input_tokens"] == given["text_tokens"] + given["audio_tokens"]
    assert usage["output_tokens"] == made["text_tokens"] + made["audio_tokens"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert given["cached_tokens"] == cached["text_tokens"] + cached["audio_tokens"]
    assert cached["text_tokens"] <= given["text_tokens"]
    assert cached["audio_tokens"] <= given["audio_tokens"]


def check_order(events: Iterable[ServerEvent]) -> None:
    """Check a whole session that has come to rest."""
    checker = OrderChecker()
    for event in events:
        checker.feed(event)
    checker.assert_settled()
