"""The audio frames' own path through the decoder gives what the general path gives.

Text always takes the general path, bytes take the short one where they can: so the two
forms of one frame are compared.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime.codec import decode_event, encode_event
from openai_realtime.errors import RemoteProtocolError
from openai_realtime.events import RealtimeEvent, ResponseOutputAudioDelta

NAME = "response.output_audio.delta"
AUDIO = bytes(range(256))
TEXT = base64.b64encode(AUDIO).decode()
USUAL = (
    f'{{"type":"{NAME}","event_id":"e1","response_id":"r1","item_id":"i1",'
    f'"output_index":0,"content_index":0,"delta":"{TEXT}"}}'
)


def outcome(frame: bytes | str | memoryview) -> RealtimeEvent | str:
    """Return the event of a frame, or that it was refused."""
    try:
        return decode_event(frame, direction="server")
    except RemoteProtocolError:
        return "refused"


def agreed(frame: str) -> Any:
    """Return what all forms of a frame are decoded to."""
    data = frame.encode()
    general = outcome(frame)
    assert outcome(data) == general
    assert outcome(memoryview(data)) == general
    return general


def frame(**changes: str) -> str:
    """Return the usual frame with the raw JSON of some fields replaced."""
    fields = {
        "type": f'"{NAME}"',
        "response_id": '"r1"',
        "item_id": '"i1"',
        "output_index": "0",
        "content_index": "0",
        "delta": '"AAEC"',
        **changes,
    }
    return "{" + ",".join(f'"{key}":{value}' for key, value in fields.items()) + "}"


def test_usual_frame_gives_the_audio_as_bytes() -> None:
    """The frame that a session spends its time on is decoded whole."""
    event = agreed(USUAL)
    assert isinstance(event, ResponseOutputAudioDelta)
    assert event.delta == AUDIO
    assert (event.event_id, event.response_id, event.item_id) == ("e1", "r1", "i1")
    assert (event.output_index, event.content_index) == (0, 0)


def test_audio_of_a_decoded_frame_is_immutable_bytes() -> None:
    """Handlers share the audio and may keep it without copying."""
    assert type(agreed(USUAL).delta) is bytes


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(json.loads(USUAL)),
        json.dumps(json.loads(USUAL), indent=2),
        f" \t\r\n{USUAL} \n",
        USUAL.replace('"delta":"', '"delta": "'),
        USUAL.replace('"delta":"', '"delta" :\n"'),
        json.dumps(dict(reversed(json.loads(USUAL).items())), separators=(",", ":")),
        json.dumps(dict(sorted(json.loads(USUAL).items())), separators=(",", ":")),
        USUAL.replace("/", "\\/"),
        USUAL.replace('"delta"', '"d\\u0065lta"'),
        USUAL.replace(NAME, "response\\u002eoutput_audio.delta"),
        USUAL[:-1] + ',"unheard_of":"delta","more":{"delta":"x","y":[1]}}',
        USUAL[:-1] + ',"note":"an escaped \\"delta\\":\\"AAAA\\" is no key"}',
        USUAL.replace('"item_id"', '"note":"\\"delta\\":\\"","item_id"'),
    ],
    ids=[
        "spaces",
        "indented",
        "white space around",
        "space after the key",
        "newline before the value",
        "type last",
        "sorted keys",
        "escaped slashes",
        "escaped key",
        "escaped type",
        "a nested delta",
        "delta inside a string after",
        "delta inside a string before",
    ],
)
def test_unusual_form_gives_the_same_event(text: str) -> None:
    """How a server writes its JSON does not matter."""
    assert agreed(text) == agreed(USUAL)


def test_empty_delta_is_no_audio() -> None:
    """An empty delta is an event, not an error."""
    assert agreed(frame(delta='""')).delta == b""


@pytest.mark.parametrize(
    "delta",
    [
        '"AAECA"',
        '"AB="',
        '"AAEC="',
        '"AA==AAEC"',
        '"=AAE"',
        '"AA=E"',
        '"AA E"',
        '"AA\\nE"',
        '"AA-_"',
        '"AAéE"',
        '"AA\\u0000E"',
        "null",
        "7",
        '["AAEC"]',
        '{"delta":"AAEC"}',
    ],
)
def test_what_is_no_base64_is_refused(delta: str) -> None:
    """Damaged audio is reported and never played."""
    assert agreed(frame(delta=delta)) == "refused"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (frame()[:-1] + ',"delta":"AwQF"}', b"\x03\x04\x05"),
        (frame()[:-1] + ',"delta":""}', b""),
        (frame()[:-1] + ',"delta" : "AwQF"}', b"\x03\x04\x05"),
        (frame()[:-1] + ',"d\\u0065lta":"AwQF"}', b"\x03\x04\x05"),
        (frame()[:-1] + ',"d\\u0065lta":""}', b""),
        (frame(delta='""')[:-1] + ',"delta":"AwQF"}', b"\x03\x04\x05"),
    ],
)
def test_the_last_of_two_deltas_wins_on_every_path(text: str, expected: bytes) -> None:
    """A key said twice means the same on both paths, whatever way it is spelled."""
    assert agreed(text).delta == expected


def test_nested_delta_is_not_taken_for_the_audio() -> None:
    """Only the event's own `delta` is its audio, wherever else the word stands."""
    fields = dict(json.loads(frame()))
    del fields["delta"]
    nested = {"type": NAME, "more": {"delta": "AAEC"}, **fields}
    text = json.dumps(nested, separators=(",", ":"))
    assert agreed(text) == "refused"
    assert agreed(text[:-1] + ',"d\\u0065lta":""}').delta == b""


@pytest.mark.parametrize(
    "text",
    [
        USUAL[:-1],
        USUAL[:-2],
        USUAL[: USUAL.index(TEXT) + 8],
        USUAL + "}",
        USUAL + USUAL,
        USUAL[:-1] + ',"type":"response.done"}',
        frame(output_index='"zero"'),
        frame(response_id="null"),
        '{"type":"response.output_audio.delta","delta":"AAEC"}',
    ],
)
def test_broken_frame_is_refused_on_every_path(text: str) -> None:
    """A frame cut short or of a wrong form never becomes half an event."""
    assert agreed(text) == "refused"


def test_null_for_the_item_is_read_alike_on_every_path() -> None:
    """Some servers name no item; the audio is known by its place."""
    assert agreed(frame(item_id="null")).item_id == ""


def test_invalid_utf8_beside_good_audio_is_refused() -> None:
    """Damage in the small fields is seen although the audio is cut out first."""
    data = USUAL.encode().replace(b'"r1"', b'"r\xff"')
    assert outcome(data) == outcome(memoryview(data)) == "refused"


@pytest.mark.parametrize(
    ("text", "audio"), [("AAE", b"\x00\x01"), ("AA", b"\x00"), ("AB", b"\x00")]
)
def test_audio_without_its_padding_is_kept_as_it_came(text: str, audio: bytes) -> None:
    """Some encoders leave the padding off: it is heard, and written back the same."""
    event = agreed(frame(delta=f'"{text}"'))
    assert event.delta == audio
    assert json.loads(encode_event(event))["delta"] == text
    append = json.dumps({"type": "input_audio_buffer.append", "audio": text})
    sent = decode_event(append, direction="client")
    assert json.loads(encode_event(sent)) == json.loads(append)


def test_refused_audio_frame_is_handed_back_whole() -> None:
    """The error's raw frame is what came, not what the short path made of it."""
    data = frame(delta='"AA E"').encode()
    with pytest.raises(RemoteProtocolError) as caught:
        decode_event(data, direction="server")
    assert caught.value.raw == data
    assert "`$.delta`" in str(caught.value)


SPACE = st.sampled_from(["", " ", "\n", "\t "])
KEYS = st.sampled_from(
    [
        '"type"',
        '"event_id"',
        '"response_id"',
        '"item_id"',
        '"output_index"',
        '"content_index"',
        '"delta"',
        '"d\\u0065lta"',
        '"\\"delta\\":"',
        '"more"',
    ]
)
VALUES = st.sampled_from(
    [
        f'"{NAME}"',
        '"delta"',
        '"\\"delta\\":\\""',
        '"\\\\"',
        '{"delta":"AAEC"}',
        '{"delta":""}',
        '[{"delta":"AAEC"}]',
        "0",
        "null",
        '""',
        '"AAEC"',
        '"AAE="',
        '"AA\\/E"',
        '"AAE"',
    ]
)


@st.composite
def near_frames(draw: st.DrawFn) -> str:
    """Frames near the usual form: any order, spaces, extra, missing, double keys."""
    fields = [
        (json.dumps(key), json.dumps(value))
        for key, value in json.loads(frame()).items()
    ]
    if draw(st.booleans()):
        fields = list(draw(st.permutations(fields)))
    for _ in range(draw(st.integers(0, 2))):
        extra = (draw(KEYS), draw(VALUES))
        fields.insert(draw(st.integers(0, len(fields))), extra)
    if draw(st.integers(0, 3)) == 0:
        fields.pop(draw(st.integers(0, len(fields) - 1)))
    spaced = draw(st.booleans())
    written = [
        f"{key}:{draw(SPACE)}{value}" if spaced else f"{key}:{value}"
        for key, value in fields
    ]
    return "{" + ",".join(written) + "}"


@settings(deadline=None, max_examples=400)
@given(text=near_frames())
def test_both_paths_agree_near_the_usual_form(text: str) -> None:
    """No arrangement of keys makes the short path see another event."""
    agreed(text)


@settings(deadline=None, max_examples=400)
@given(data=st.data())
def test_both_paths_agree_on_damaged_frames(data: st.DataObject) -> None:
    """No damage makes the short path accept what the general one does not."""
    usual = frame().encode()
    start = data.draw(st.integers(0, len(usual)))
    end = data.draw(st.integers(start, min(len(usual), start + 4)))
    alphabet = st.sampled_from([bytes([byte]) for byte in b'"\\{}:,=/A \xff\x00'])
    patch = b"".join(data.draw(st.lists(alphabet, max_size=4)))
    damaged = usual[:start] + patch + usual[end:]
    assert outcome(damaged) == outcome(memoryview(damaged))
