"""One thing wrong with a client's event: one error, nothing changed, the session lives.

What is wrong comes from the service's schema: each required field is left out, each
field gets a value of every other type, each choice one that there is not, each number
one beyond its range.

Whether anything has changed is asked on the wire: two sessions go the same way, one of
them meets the mistake, and from then on both must say the same at the same time, about
their settings, their items, the audio that waits, and in the next reply. One mistake of
each field is made in the midst of a reply, of a sentence of the user, and of a silence
after which the session speaks by itself.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from openai_realtime.codec import encode_event
from openai_realtime.core.outputs import Send
from openai_realtime.emulator.ids import CountedIds
from openai_realtime.emulator.outputs import ServerOutput
from openai_realtime.emulator.protocol import EmulatorProtocol
from openai_realtime.emulator.translation import TranslationProtocol

from ..wire.schema_file import events_of, name_of, needs_protocol_files
from .bad_events import (
    ALL_WHOLE,
    NOT_SHOWN,
    OPEN,
    WHOLE,
    WHOLE_TRANSLATION,
    Mistake,
    Place,
    client_events,
    mistakes,
    places,
)
from .random_session import QuickVoice
from .recorder import HAS_SCHEMA
from .session_driver import speech

pytestmark = needs_protocol_files

EXCEPTED: dict[tuple[str, str], str] = {
    ("session.model", "is unknown"): OPEN["model"],
    ("item.id", "is missing"): "the official SDK for agents gives an approval no id",
    **{
        (f"session.{path}", "is far too large"): "no limit of it is known"
        for path in (
            "truncation.token_limits.post_instructions",
            "audio.input.noise_reduction.strength",
        )
    },
}
"""What may be taken though it is wrong, by the field and the mistake, and why."""

_ID = re.compile(r"\b(item|resp|call|event|conv|sess|mcp\w*)_\d+\b")


class Session:
    """A session that has been going on for a while, and can be asked all it knows.

    There are items of every kind in it, a spoken answer, a call, a request for
    approval, and audio that waits to be committed.

    Args:
        state: What is going on, one of `STATES`.
    """

    def __init__(self, state: str = "") -> None:
        self.protocol: Any = self._protocol()
        self.now = 0.0
        self.closed = False
        self.names: dict[str, str] = {}
        self._shown: list[Any] = []
        self._ids: dict[str, str] = {}
        self.take(self.protocol.open(0.0))
        self._live()
        self._begin(state)

    def _protocol(self) -> Any:
        return EmulatorProtocol(
            ids=CountedIds(), voice=QuickVoice(), model="gpt-realtime-2"
        )

    def _begin(self, state: str) -> None:
        """Begin what is going on when the mistake is made."""
        if state in ("speaking", "silent"):
            detection = {"type": "server_vad", "idle_timeout_ms": 6_000}
            self.update(audio={"input": {"turn_detection": detection}})
        if state == "speaking":
            append = {"type": "input_audio_buffer.append", "audio": _audio()}
            names = [event["type"] for event in self.send(append)]
            assert names == ["input_audio_buffer.speech_started"]
        elif state == "silent":
            self.send({"type": "response.create"})
            while (due := self.protocol.next_timeout()) is not None:
                self.now = max(self.now, due)
                events = self.take(self.protocol.handle_timeout(now=self.now))
                if any(event["type"] == "response.done" for event in events):
                    break
        elif state == "running":
            events = self.send({"type": "response.create"})
            self.names["$running"] = events[0]["response"]["id"]

    def _live(self) -> None:
        voice_off = {"input": {"turn_detection": None}}
        self.update(audio=voice_off)
        user = [{"type": "input_text", "text": "Hello"}]
        self.item("own_user", {"type": "message", "role": "user", "content": user})
        spoken = self.reply()
        self.names["$spoken"] = next(
            event["item"]["id"]
            for event in spoken
            if event["type"] == "response.output_item.done"
        )
        call = {"type": "function_call", "name": "get_weather", "arguments": "{}"}
        self.item("own_call", {**call, "call_id": "call_own"})
        said = [{"type": "input_audio", "audio": _audio()}]
        self.item("own_speech", {"type": "message", "role": "user", "content": said})
        self._ask_for_approval()
        self.send({"type": "input_audio_buffer.append", "audio": _audio()})

    def _ask_for_approval(self) -> None:
        """Have the model ask whether it may call, where the emulator plays MCP."""
        server = {
            "type": "mcp",
            "server_label": "docs",
            "server_url": "https://docs.example.com/mcp",
            "require_approval": "always",
        }
        if self.update(tools=[server])[0]["type"] == "error":
            return
        self.run()
        events = self.reply(
            output_modalities=["text"],
            tool_choice={"type": "mcp", "server_label": "docs", "name": "search"},
        )
        for event in events:
            if event["type"] == "response.output_item.done":
                self.names["$approval"] = event["item"]["id"]
        self.update(tools=[])

    def update(self, **session: Any) -> list[Any]:
        """Update the session."""
        changes = {"type": "realtime", **session}
        return self.send({"type": "session.update", "session": changes})

    def item(self, item_id: str, item: Any) -> None:
        """Put an item in."""
        item = {"id": item_id, **item}
        self.send({"type": "conversation.item.create", "item": item})

    def reply(self, **response: Any) -> list[Any]:
        """Have an answer, to its end."""
        events = self.send({"type": "response.create", "response": response})
        return events + self.run()

    def send(self, event: Any) -> list[Any]:
        """Send an event, with the ids that stand in it."""
        text = json.dumps(event)
        for name, own in self.names.items():
            text = text.replace(json.dumps(name), json.dumps(own))
        return self.take(self.protocol.receive_frame(text, now=self.now))

    def run(self) -> list[Any]:
        """Let a minute pass."""
        events: list[Any] = []
        end = self.now + 60.0
        while (due := self.protocol.next_timeout()) is not None and due <= end:
            self.now = max(self.now, due)
            events += self.take(self.protocol.handle_timeout(now=self.now))
        self.now = end
        return events

    def take(self, outputs: list[ServerOutput]) -> list[Any]:
        """Return the events among outputs, as JSON."""
        events = []
        for output in outputs:
            assert isinstance(output, Send), output
            event = json.loads(encode_event(output.event))
            events.append({**event, "at": self.now})
        return events

    def everything(self) -> str:
        """Ask for all that there is, and change nothing before it is seen.

        Ids are told by when they came, since a request that is refused may use one up.
        """
        events = self._questions()
        for event in events:
            del event["event_id"]
        return self._by_order(json.dumps(events))

    def _questions(self) -> list[Any]:
        events = self.update()
        for item_id in self.items():
            events += self.send(_about("retrieve", item_id))
        # It ends the sentence that the user may be in.
        silence = base64.b64encode(bytes(48 * 1_000)).decode()
        events += self.send({"type": "input_audio_buffer.append", "audio": silence})
        events += self.run()
        events += self.send({"type": "input_audio_buffer.commit"})
        committed = [e for e in events if e["type"] == "conversation.item.added"]
        for event in committed:
            events += self.send(_about("retrieve", event["item"]["id"]))
        # Where each item stands, from the end: what is added comes behind the last one.
        for _ in range(20):
            probe = {"type": "message", "role": "user", "content": []}
            added = self.send(
                {"type": "conversation.item.create", "item": {**probe, "id": "probe"}}
            )
            events += added + self.send(_about("delete", "probe"))
            last = added[0]["previous_item_id"]
            if last is None:
                break
            events += self.send(_about("delete", last))
        events += self.reply(output_modalities=["text"])
        assert "response.done" in [event["type"] for event in events]
        return events

    def items(self) -> list[str]:
        """Return the ids of items that there may be."""
        own = ["own_user", "own_call", "own_speech", "new", "answer"]
        return [*own, *(f"item_{number}" for number in range(1, 12))]

    def _by_order(self, text: str) -> str:
        def renamed(found: re.Match[str]) -> str:
            name = f"<{found[1]} {len(self._ids)}>"
            return self._ids.setdefault(found[0], name)

        # What was asked for and does not exist is named in an error's message.
        return _ID.sub(renamed, re.sub(r'"message": "[^"]*"', "", text))


class TranscriptionSession(Session):
    """A session that only transcribes: an item, and audio that waits."""

    def _protocol(self) -> Any:
        return EmulatorProtocol(ids=CountedIds(), kind="transcription")

    def _live(self) -> None:
        self.update(type="transcription", audio={"input": {"turn_detection": None}})
        user = [{"type": "input_text", "text": "Hello"}]
        self.item("own_user", {"type": "message", "role": "user", "content": user})
        self.send({"type": "input_audio_buffer.append", "audio": _audio()})

    def _questions(self) -> list[Any]:
        events = self.update(type="transcription")
        assert events[0]["type"] == "session.updated"
        events += self.send(_about("retrieve", "own_user"))
        events += self.send({"type": "input_audio_buffer.commit"})
        return events + self.run()


class TranslationSession(Session):
    """A session that translates, in the midst of a sentence."""

    def _protocol(self) -> Any:
        return TranslationProtocol(ids=CountedIds(), voice=QuickVoice())

    def _live(self) -> None:
        append = {"type": "session.input_audio_buffer.append", "audio": _audio()}
        self.send(append)

    def _questions(self) -> list[Any]:
        events = self.send({"type": "session.update", "session": {}})
        silence = base64.b64encode(bytes(48 * 2_000)).decode()
        append = {"type": "session.input_audio_buffer.append", "audio": silence}
        return events + self.send(append) + self.run()


STATES = ("running", "speaking", "silent")


def session_for(name: str, state: str = "") -> Session:
    """Begin the session in which a whole event can be taken."""
    event = ALL_WHOLE[name]
    if name in WHOLE_TRANSLATION:
        return TranslationSession()
    if event.get("session", {}).get("type") == "transcription":
        return TranscriptionSession()
    return Session("running" if event["type"] == "response.cancel" else state)


def _about(verb: str, item_id: str) -> Any:
    return {"type": f"conversation.item.{verb}", "item_id": item_id}


@cache
def _audio() -> str:
    return base64.b64encode(speech("Stop")).decode()


@cache
def undisturbed(kind: type[Session], state: str) -> str:
    """Return what a session says in which nothing went wrong."""
    return kind(state).everything()


PLACES = list(places()) if HAS_SCHEMA else []
ALL_TYPES = [
    (direction, name_of(event))
    for direction in (("ga", "translation") if HAS_SCHEMA else ())
    for event in events_of(f"{direction}.client")
]


@pytest.mark.parametrize("name", ALL_WHOLE)
def test_the_whole_events_are_taken(name: str) -> None:
    """Without a mistake there is none to find: else the rest would show nothing."""
    session = session_for(name)
    events = session.send({"event_id": "mine", **ALL_WHOLE[name]})
    assert [event for event in events if event["type"] == "error"] == []


def test_every_event_and_field_of_the_schema_is_tried() -> None:
    """Nothing that a client may say is left out, but for what has a reason."""
    for surface, whole in (("ga", WHOLE), ("translation", WHOLE_TRANSLATION)):
        shown = {
            (whole[place.name]["type"], re.sub(r"\[\d+\]", "[]", place.param))
            for place in PLACES
            if place.name in whole
        }
        assert _not_tried(client_events(surface), shown) == []


def _not_tried(events: dict[str, Any], shown: set[tuple[str, str]]) -> list[str]:
    missing = [
        f"{name}: {path}"
        for name, event in events.items()
        for path in sorted(set(_paths(event, "", ())))
        if (name, path) not in shown
        and name not in NOT_SHOWN
        and not path.startswith("session.audio.input.turn_detection.type")
    ]
    return sorted({line for line in missing if not _is_of_the_server(line)})


# The fields that only items which the server makes have, as paths end.
_SERVERS = re.compile(
    r"(item|input\[\])\.(server_label|tools.*|error.*|approval_request_id|output|name"
    r"|arguments|approve|reason)$|content\[\]\.(transcript|audio)$|\.approval_request_id$"
)


def _is_of_the_server(line: str) -> bool:
    return bool(_SERVERS.search(line))


def _paths(node: Any, path: str, above: tuple[int, ...]) -> Iterator[str]:
    from .bad_events import _branches

    if len(above) > 12:
        return
    for branch in _branches(node):
        for name, inner in branch.get("properties", {}).items():
            at = f"{path}.{name}".removeprefix(".")
            yield at
            yield from _paths(inner, at, (*above, id(inner)))
        if isinstance(branch.get("items"), dict):
            yield f"{path}[]"
            yield from _paths(branch["items"], f"{path}[]", (*above, 0))


@pytest.mark.parametrize(
    "place", PLACES, ids=[f"{place.name}-{place.param}" for place in PLACES]
)
def test_a_mistake_is_refused_and_changes_nothing(place: Place) -> None:
    """One error with code, param and event_id; and no trace of it afterwards."""
    found = [
        mistake
        for mistake in mistakes(place)
        if (place.param, mistake.what.partition(":")[0]) not in EXCEPTED
    ]
    tried = [("", mistake) for mistake in found]
    if type(session_for(place.name)) is Session:
        tried += [(state, mistake) for mistake in found[-1:] for state in STATES]
    problems = [
        f"{place.param} {mistake.what} {state}: {problem}"
        for state, mistake in tried
        for problem in [problem_with(place, mistake, state)]
        if problem
    ]
    assert problems == []


@pytest.mark.parametrize(("surface", "name"), ALL_TYPES)
def test_what_is_nested_too_deep_is_no_event(surface: str, name: str) -> None:
    """Whatever the event; the session does not get lost in it."""
    make = EmulatorProtocol if surface == "ga" else TranslationProtocol
    protocol: Any = make(ids=CountedIds())
    protocol.open(0.0)
    deep: Any = None
    for _ in range(200):
        deep = [deep]
    frame = json.dumps({"type": name, "event_id": "mine", "deep": deep})
    [answer] = protocol.receive_frame(frame, now=0.0)
    error = answer.event.error
    assert (error.code, error.param, error.event_id) == ("invalid_event", None, "mine")
    session = {"type": "realtime"} if surface == "ga" else {}
    again = {"type": "session.update", "session": session}
    answers = protocol.receive_frame(json.dumps(again), now=0.0)
    assert answers[0].event.type == "session.updated"


def problem_with(place: Place, mistake: Mistake, state: str) -> str | None:
    """Make the mistake, and say what is wrong with how it was met, if anything is."""
    if ALL_WHOLE[place.name]["type"] == "response.cancel":
        state = "running"
    session = session_for(place.name, state)
    events = session.send(mistake.event)
    if [event["type"] for event in events] != ["error"]:
        return f"answered with {[event['type'] for event in events]}"
    error = events[0]["error"]
    met = (error["type"], error["code"], error["param"], error["event_id"])
    event_id = mistake.event.get("event_id")
    owner = event_id[:512] if isinstance(event_id, str) else None
    right = ("invalid_request_error", mistake.code, mistake.param, owner)
    if met != right:
        return f"the error is {met}, not {right}"
    if session.everything() != undisturbed(type(session), state):
        return "something has changed"
    return None
