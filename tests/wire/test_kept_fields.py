"""What a frame says beyond our classes survives in the event, and is sent again."""

from __future__ import annotations

import base64
import json
from itertools import chain, combinations
from typing import Any

import msgspec
import pytest

from openai_realtime.codec import decode_event, encode_event
from openai_realtime.events import ConversationItemCreate, ResponseOutputAudioDelta

_AUDIO = base64.b64encode(b"\x01\x00" * 30).decode()
_DELTA = {
    "type": "response.output_audio.delta",
    "response_id": "resp_1",
    "item_id": "item_1",
    "output_index": 0,
    "content_index": 0,
    "delta": _AUDIO,
}
_MAY_COME = {
    "event_id": "event_1",
    "obfuscation": "xyz",
    "new": "a",
    "also_new": {"inside": [1]},
}
_SUBSETS = list(
    chain.from_iterable(
        combinations(_MAY_COME, size) for size in range(len(_MAY_COME) + 1)
    )
)


def _json(frame: bytes) -> Any:
    return json.loads(frame)


@pytest.mark.parametrize("names", _SUBSETS, ids=lambda names: "+".join(names) or "none")
def test_quick_path_keeps_what_the_general_path_keeps(names: tuple[str, ...]) -> None:
    """An audio delta with any optional and unknown fields is the same on both paths."""
    fields = {**_DELTA, **{name: _MAY_COME[name] for name in names}}
    compact = json.dumps(fields, separators=(",", ":")).encode()
    spaced = json.dumps(fields).encode()
    quick, general = (
        decode_event(frame, direction="server") for frame in (compact, spaced)
    )
    assert isinstance(quick, ResponseOutputAudioDelta)
    assert quick.to_dict() == general.to_dict() == fields
    assert _json(encode_event(quick)) == _json(encode_event(general)) == fields


def test_append_with_an_unknown_field_is_passed_on_whole() -> None:
    """The quick way of writing an append is not taken where it would lose a field."""
    fields = {"type": "input_audio_buffer.append", "audio": _AUDIO, "new": 1}
    event = decode_event(json.dumps(fields), direction="client")
    assert _json(encode_event(event)) == fields


def test_unpadded_audio_of_a_delta_is_shown_as_it_came() -> None:
    """The JSON form of a delta without padding is what the server wrote."""
    fields = {**_DELTA, "delta": base64.b64encode(b"\x01\x00").decode().rstrip("=")}
    event: Any = decode_event(json.dumps(fields), direction="server")
    assert event.delta == b"\x01\x00"
    assert event.to_dict() == fields


def test_null_status_of_an_added_item_is_kept() -> None:
    """A server that sends null where we expect a name gets it back."""
    item = {"type": "message", "id": "i", "role": "user", "status": None, "content": []}
    fields = {
        "type": "response.output_item.added",
        "response_id": "resp_1",
        "output_index": 0,
        "item": item,
    }
    event = decode_event(json.dumps(fields), direction="server")
    assert event.to_dict() == fields
    assert _json(encode_event(event)) == fields


def test_number_beyond_floats_in_an_unknown_field_costs_only_that_field() -> None:
    """A number that no float can hold does not cost the event that it came in."""
    frame = b'{"type":"input_audio_buffer.cleared","event_id":"e","new":1e400}'
    event = decode_event(frame, direction="server")
    assert _json(encode_event(event)) == {
        "type": "input_audio_buffer.cleared",
        "event_id": "e",
    }


def test_what_was_taken_out_of_a_list_does_not_come_back() -> None:
    """A copy with fewer parts is sent with fewer, although the event came with more."""
    parts = [{"type": "input_text", "text": text, "new": 1} for text in ("a", "b")]
    fields = {
        "type": "conversation.item.create",
        "item": {"type": "message", "role": "user", "content": parts},
    }
    event = decode_event(json.dumps(fields), direction="client")
    assert isinstance(event, ConversationItemCreate)
    item: Any = event.item
    event.item.content.pop()  # type: ignore[union-attr]
    sent = _json(encode_event(event))
    assert [part["text"] for part in sent["item"]["content"]] == ["a"]
    shorter = msgspec.structs.replace(event, item=msgspec.structs.replace(item))
    assert len(_json(encode_event(shorter))["item"]["content"]) == 1
