"""Whatever a server says, in whatever order, the core keeps its head.

A client that wants things at random is joined to a server that says anything
(`hostile_server`). Hypothesis draws all of a session at once, as bytes of which each
step has some, and a step is left out where its first byte is small: so a failure is
shown with few steps, and the log of what was received and wanted. For more events:

    HOSTILE_EVENTS=200000 python -m pytest tests/core/test_hostile_server.py
"""

from __future__ import annotations

import gc
import json
import os
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from openai_realtime import UNSET
from openai_realtime.codec import decode_event, encode_event
from openai_realtime.core.conversation import AudioRetention, RealtimeConversation
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
from openai_realtime.core.playback import PlaybackSource
from openai_realtime.core.protocol import RealtimeProtocol
from openai_realtime.core.response_scheduler import When
from openai_realtime.core.tool_failure import ToolFailure
from openai_realtime.core.tool_options import ToolOptions
from openai_realtime.errors import (
    ConfigurationError,
    ConnectionClosed,
    LocalProtocolError,
    RemoteProtocolError,
    ToolError,
)
from openai_realtime.events import (
    ConversationItemCreate,
    ConversationItemTruncate,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    RealtimeEvent,
    ResponseCancel,
    ResponseCreate,
    SessionUpdate,
    ToolApprovalRequested,
    ToolCalled,
)
from openai_realtime.resources import (
    FunctionCallItem,
    FunctionCallOutputItem,
    MessageItem,
    ResponseConfig,
    SessionConfig,
    ToolDefinition,
)

from ..emulator.random_session import Dice
from ..wire.schema_file import needs_protocol_files
from ..wire.test_mutations import Sample, official_samples, own_samples
from .hostile_server import KEY, SECRET, TOOLS, HostileServer
from .server_events import session

EVENTS = int(os.environ.get("HOSTILE_EVENTS", "20000"))
"""How many events each of the two tests receives at least."""

_STEPS = 150
_EVENTS_A_SESSION = 80
_ACT_BYTES = 8
_EVENT_BYTES = 14
_STEP_BYTES = 1 + _ACT_BYTES + _EVENT_BYTES
# Of 256; a step with less is left out.
_LEFT_OUT = 48

_MOST_SENT_AT_ONCE = 1_000

CHANCE = st.binary(
    min_size=(_STEPS + 1) * _STEP_BYTES, max_size=(_STEPS + 1) * _STEP_BYTES
)
LIMITS = settings(
    max_examples=-(-EVENTS // _EVENTS_A_SESSION),
    deadline=None,
    print_blob=True,
    # To explain a failure is to trace each line, which takes minutes here.
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)

_REFUSALS = (LocalProtocolError, ConfigurationError, ToolError)
"""What the user may be told for wanting the impossible."""

_RETENTIONS = (
    AudioRetention.all(),
    AudioRetention.none(),
    AudioRetention.last_items(1),
    AudioRetention.seconds(0.25),
)
_WEATHER = {
    "type": "object",
    "properties": {
        "city": {"anyOf": [{"type": "string", "pattern": "^[A-Z]"}, {"enum": [7]}]},
        "days": {"type": "array", "items": {"$ref": "#/$defs/day"}},
    },
    "$defs": {
        "day": {
            "anyOf": [
                {"type": "integer", "minimum": 0, "multipleOf": 0.5},
                {"type": "array", "items": {"$ref": "#/$defs/day"}},
            ]
        }
    },
}
_OPTIONS = {
    "quick": ToolOptions(),
    "checked": ToolOptions(timeout_s=5.0, max_output_bytes=80),
    "asks": ToolOptions(needs_approval=True),
    "behind": ToolOptions(background=True, timeout_s=30.0),
    "stops": ToolOptions(cancel_on_interrupt=True, timeout_s=None, wants_reply=False),
}
_TOOLS = {name: ToolDefinition(name=name, parameters=_WEATHER) for name in _OPTIONS}

Act: TypeAlias = Callable[["HostileSession", Dice], object]


class HostileSession:
    """A client of a hostile server, and the shell that carries out what it says.

    Args:
        chance: What kind of client it is.
        samples: What the server says besides its own.

    Attributes:
        received: How many events came from the server.
        log: What was received and wanted, in order.
    """

    def __init__(self, chance: bytes, samples: Sequence[Sample]) -> None:
        dice = Dice(chance)
        self._numbers = 0
        self.log: list[object] = []
        self.received = 0
        self.now = 0.0
        self.server = HostileServer(samples)
        self.protocol = RealtimeProtocol(
            ids=self.new_id,
            audio_retention=dice.one_of(_RETENTIONS),
            input_retention_s=dice.one_of((120.0, 0.5, None)),
            answer_timeout_s=dice.one_of((15.0, 1.0)),
            tools_in_order=bool(dice.below(2)),
        )
        self._outbox: deque[RealtimeEvent] = deque()
        self._asked: set[str] = set()
        self._settled: Counter[str] = Counter()
        self._under_way: set[str] = set()
        self.calls: deque[str] = deque(maxlen=8)
        self.running: set[str] = set()
        self._ran: set[str] = set()
        self._told: dict[int, tuple[Any, set[str]]] = {}
        self._answered: set[str] = set()
        self.holds = False
        self.connect()

    def new_id(self) -> str:
        """Return an id for an event of ours."""
        self._numbers += 1
        return f"event_{self._numbers}"

    # --- the shell ---

    def connect(self) -> None:
        """Begin a connection, as a shell does."""
        self.server.forget()
        self.running.clear()
        self._ran.clear()
        self._answered.clear()
        self._told.clear()
        self._under_way.clear()
        self.protocol.begin_connection()
        configured = self.protocol.configure()
        for output in configured:
            assert isinstance(output, Send)
            self._asked.add(output.event.event_id or "")
        self.do(configured)
        self.do(self.protocol.receive(session(), now=self.now))
        self.flush()

    def step(self, chance: bytes) -> None:
        """Let the user want something or time pass, and the server say something.

        Caught by what raises: a reducer that looks an item up without asking whether it
        is there; an output of a tool whose half surrogate pairs go on. Caught by
        `check`: a deleted item that keeps its place in the order; an item that is cut
        off or final, and grows; an ended response that stays alive; positions counted
        by a rate below nought.
        """
        act, event = chance[:_ACT_BYTES], chance[_ACT_BYTES:]
        self.want(Dice(act))
        if not self.holds:
            self.flush()
        self.receive(self.server.frame(event))
        self.protocol.check()

    def want(self, dice: Dice) -> None:
        """Let the user want something; what cannot be is refused in a documented way.

        Args:
            dice: What it is.
        """
        act = dice.one_of(_ACTS)
        self.log.append(act.__name__)
        with suppress(*_REFUSALS):
            act(self, dice)
        self.protocol.check()

    def receive(self, frame: bytes) -> None:
        """Hand an event of the server to the core, if the frame is one."""
        try:
            event = decode_event(frame, direction="server")
        except RemoteProtocolError:
            return
        self.received += 1
        self.log.append(frame)
        self.do(self.protocol.receive(event, now=self.now))

    def do(self, outputs: list[Output]) -> None:
        """Carry out what the core says, and check that it can be.

        Caught: a tool is stopped whose call was answered long ago; who asked for a
        response is told twice; a follow-up, which nobody has asked for, is settled; a
        utility event under another name; an exception with a key in its message; a
        session whose `repr` shows the headers of an MCP server.
        """
        for output in outputs:
            self.log.append(output)
            match output:
                case Send(event=event):
                    self._check_send(event)
                    self._outbox.append(event)
                case RunTool(call_id=call_id):
                    assert call_id not in self._ran, "a tool runs twice for a call"
                    self._ran.add(call_id)
                    self.running.add(call_id)
                    self.calls.append(call_id)
                case StopTool(call_id=call_id):
                    assert call_id in self.running, "a tool is stopped that runs not"
                    self.running.discard(call_id)
                case Settle(ticket=ticket, result=result, error=error):
                    assert ticket in self._asked, "nobody has asked for this"
                    assert not self._settled[ticket], "settled twice"
                    self._settled[ticket] += 1
                    assert SECRET not in repr(result)
                    assert KEY not in f"{error!r} {error}"
                case Emit(name=name, event=local):
                    assert local.type == name
                    self._check_shown(local)
                case ResponseBegan(response_id=response_id):
                    assert response_id not in self._under_way, "it begins twice"
                    self._under_way.add(response_id)
                case ResponseEnded(response_id=response_id):
                    assert response_id in self._under_way, "it never began"
                    self._under_way.remove(response_id)
                case FollowUpDropped(response_ids=response_ids):
                    assert response_ids, "it says of nothing that it is dropped"
                case _:
                    raise AssertionError(f"unexpected output: {output!r}")

    def _check_send(self, event: RealtimeEvent) -> None:
        """Check that an event can be sent, and does not answer a call again.

        Caught: what was not heard at all is cut at 0 ms; a call runs again when it is
        told again after its output; one that the user has answered by hand is answered
        by us as well, also where the answer went out before we saw the call.
        """
        assert decode_event(encode_event(event), direction="client") == event
        if isinstance(event, ConversationItemTruncate):
            assert event.audio_end_ms > 0, "cut to nothing: that is a deletion"
        item = event.item if isinstance(event, ConversationItemCreate) else None
        if isinstance(item, FunctionCallOutputItem):
            assert item.call_id not in self._answered, "a call is answered twice"
            self._answered.add(item.call_id)

    def _check_shown(self, local: Any) -> None:
        """Check that a utility event can be shown, and gives no key away.

        Caught: the message of a server's error is described as it came.
        """
        assert KEY not in json.dumps(local.to_dict()), "a key is shown"
        repr(local)
        if local.type.startswith(("conversation.item.", "conversation.updated")):
            self._check_told(local.item, local.type)
        if isinstance(local, ToolCalled):
            self.calls.append(local.call_id)
        elif isinstance(local, ToolApprovalRequested):
            self.calls.append(local.approval_id)

    def _check_told(self, item: Any, name: str) -> None:
        """Check that an item is told of in order: it enters and is complete once.

        Caught: an item is complete with each event that says so; it changes, and nobody
        was told that it had entered.
        """
        _, names = self._told.setdefault(id(item), (item, set()))
        new = name not in names
        names.add(name)
        assert new or name == "conversation.updated", f"{name} twice"
        assert "conversation.item.appended" in names, f"{name} before it entered"

    def flush(self, error: Exception | None = None) -> None:
        """Let out what waits; with an error nothing can be sent.

        Caught: a request that could not be sent is offered again at once, for ever.
        """
        for _ in range(_MOST_SENT_AT_ONCE):
            if not self._outbox:
                return
            event = self._outbox.popleft()
            if error is None:
                self.server.hear(event)
                self.do(self.protocol.sent(event, now=self.now))
            else:
                self.do(self.protocol.not_sent(event, error, now=self.now))
        raise AssertionError("what is sent makes more to be sent, for ever")

    def send(self, event: RealtimeEvent) -> None:
        """Send an event by hand, past what the core offers."""
        self._outbox.append(event)
        item = event.item if isinstance(event, ConversationItemCreate) else None
        if isinstance(item, FunctionCallOutputItem):
            self.flush()
            self._answered.add(item.call_id)

    def ask(self, wish: Callable[..., list[Output]], *args: Any, **kw: Any) -> None:
        """Want something whose answer somebody waits for, under a ticket of theirs."""
        ticket = self.new_id()
        outputs = wish(*args, event_id=ticket, **kw)
        self._asked.add(ticket)
        self.do(outputs)

    def update(self, fields: dict[str, Any]) -> None:
        """Change the configuration, and wait for the answer."""
        change = self.protocol.configuration.change(fields)
        outputs = self.protocol.update_session(change)
        assert change.event_id is not None
        self._asked.add(change.event_id)
        self.do(outputs)

    def wait(self, seconds: float) -> None:
        """Let time pass; the core does at once all that is due.

        Caught: an update that is given up stays due.
        """
        self.now += seconds
        self.do(self.protocol.handle_timeout(now=self.now))
        due = self.protocol.next_timeout()
        assert due is None or due > self.now, "what was due is due again"

    # --- the end ---

    def end(self) -> None:
        """End the connection, and check that nobody is left waiting.

        Caught: requests that wait are not told, nor updates that were not sent yet; the
        tools are not stopped; their calls are not forgotten, so that a late result is
        sent; a follow-up is asked for; a lost race still blocks, a result still waits
        for quiet, a cut still waits for the player.
        """
        error = ConnectionClosed(1006, "gone")
        ended = self.protocol.connection_ended(error)
        assert not any(isinstance(output, Send) for output in ended)
        self.do(ended)
        self.flush(error)
        self.protocol.check()
        waiting = self._asked - self._settled.keys()
        assert not waiting, f"never told: {waiting}"
        assert not self.running, f"never stopped: {self.running}"
        assert self.protocol.next_timeout() is None, "something is still due"
        for call_id in self.calls:
            late = self.protocol.tool_finished(call_id, "late", now=self.now)
            assert not late, f"answered after the end: {late}"

    def read_everything(self) -> None:
        """Read the cache in all ways there are, and write it down and back.

        Caught: images, segments of a transcript or empty parts are lost on the way.
        """
        conversation = self.protocol.conversation
        conversation.check()
        assert conversation.get_items() == conversation.items
        for item in conversation.items:
            assert conversation.get_item(item.id) is item
            json.dumps(item.to_dict())
            repr(item)
            for samples in (0, 240, 10**9):
                conversation.heard_transcript(item.id, samples)
            for name in dir(item.formatted):
                if not name.startswith("_"):
                    getattr(item.formatted, name)
        for audio in (False, True):
            snapshot = conversation.to_dict(audio=audio)
            again = RealtimeConversation.from_dict(json.loads(json.dumps(snapshot)))
            again.check()
            assert again.to_dict(audio=audio) == snapshot
            check_history(conversation.history(audio=audio))


def check_history(history: list[Any]) -> None:
    """Check that a history can be sent again: known roles, calls with their outputs.

    Caught: a call goes without its output; a message of a role that nobody knows.

    Args:
        history: The items of it.
    """
    open_call: str | None = None
    for item in history:
        event = ConversationItemCreate(item=item)
        assert decode_event(encode_event(event), direction="client") == event
        match item:
            case MessageItem(role=role):
                assert role in ("user", "assistant", "system"), role
                assert open_call is None, "a call without its output"
            case FunctionCallItem(call_id=str(call_id)):
                assert open_call is None, "a call without its output"
                open_call = call_id
            case FunctionCallOutputItem(call_id=call_id):
                assert call_id == open_call, "an output without its call"
                open_call = None
            case _:
                raise AssertionError(f"unexpected in a history: {item!r}")
    assert open_call is None, "a call without its output"


# --- what the user wants ---


def _nothing(_: HostileSession, dice: Dice) -> None:
    pass


def _wait(client: HostileSession, dice: Dice) -> None:
    client.wait(dice.one_of((0.02, 0.0, 1.0, 6.0, 20.0, 200.0)))


def _create_response(client: HostileSession, dice: Dice) -> None:
    by_hand = [ToolDefinition(name="by_hand")]
    config = dice.one_of(
        (
            UNSET,
            ResponseConfig(conversation="none", metadata={"topic": "odd"}),
            ResponseConfig(tools=by_hand, metadata={}),
            ResponseConfig(instructions="Be brief."),
        )
    )
    client.ask(client.protocol.create_response, config, when=dice.one_of(When))


def _say(client: HostileSession, dice: Dice) -> None:
    content: list[dict[str, Any]] = dice.one_of(
        (
            [{"type": "input_text", "text": "Hi."}],
            [],
            [{"type": "input_audio", "audio": "AAEC"}],
            [{"type": "input_odd"}],
        )
    )
    client.ask(
        client.protocol.send_user_message_content,
        content,
        now=client.now,
        interrupt=bool(dice.below(2)),
        when=dice.one_of(When),
    )


def _append(client: HostileSession, dice: Dice) -> None:
    size = dice.one_of((9_600, 960, 0, 1, 48_001))
    client.do(client.protocol.append_input_audio(b"\x02" * size))


def _interrupt(client: HostileSession, dice: Dice) -> None:
    client.do(client.protocol.interrupt(now=client.now))


def _cancel(client: HostileSession, dice: Dice) -> None:
    item_id = dice.one_of((client.server.items.any(dice), None))
    samples = dice.one_of((0, 100, 10**9, -1))
    client.do(client.protocol.cancel_response(item_id, samples, now=client.now))


def _delete(client: HostileSession, dice: Dice) -> None:
    client.do(client.protocol.delete_item(client.server.items.any(dice)))


def _update(client: HostileSession, dice: Dice) -> None:
    detection = {"audio": {"input": {"turn_detection": None}}}
    client.update(
        dice.one_of(
            (
                {"instructions": "Be brief."},
                detection,
                {"instructions": ""},
                {"turn_detection": {"type": "server_vad"}},
                {"tools": [{"type": "function", "name": "by_hand"}]},
                {"voice": "echo"},
                {"max_output_tokens": 0},
                {},
            )
        )
    )


def _add_tool(client: HostileSession, dice: Dice) -> None:
    name = dice.one_of(_TOOLS)
    client.do(client.protocol.add_tool(_TOOLS[name], _OPTIONS[name]))


def _add_tools(client: HostileSession, dice: Dice) -> None:
    for name, tool in _TOOLS.items():
        if name not in client.protocol.configuration.tools:
            client.do(client.protocol.add_tool(tool, _OPTIONS[name]))


def _remove_tool(client: HostileSession, dice: Dice) -> None:
    client.do(client.protocol.remove_tool(dice.one_of(TOOLS)))


def _call_id(client: HostileSession, dice: Dice) -> str:
    """Return a call that was seen, or one that the server knows at best."""
    calls = [*client.calls, client.server.calls.any(dice)]
    return calls[dice.below(len(calls))]


def _finish(client: HostileSession, dice: Dice) -> None:
    call_id = _call_id(client, dice)
    output = dice.one_of(('{"degrees": 20}', "", "\ude00", "x" * 100))
    outputs = client.protocol.tool_finished(call_id, output, now=client.now)
    _reported(client, call_id, outputs)


def _fail(client: HostileSession, dice: Dice) -> None:
    call_id = _call_id(client, dice)
    failure = dice.one_of(ToolFailure)
    outputs = client.protocol.tool_failed(call_id, failure, "It broke.", now=client.now)
    _reported(client, call_id, outputs)


def _reported(client: HostileSession, call_id: str, outputs: list[Output]) -> None:
    client.running.discard(call_id)
    client.do(outputs)


def _answer(client: HostileSession, dice: Dice) -> None:
    call_id, reply = _call_id(client, dice), bool(dice.below(2))
    client.do(
        client.protocol.answer_tool_call(call_id, "{}", reply=reply, now=client.now)
    )


def _approve(client: HostileSession, dice: Dice) -> None:
    client.do(client.protocol.approve_tool_call(_call_id(client, dice), now=client.now))


def _reject(client: HostileSession, dice: Dice) -> None:
    approval_id, reason = _call_id(client, dice), dice.one_of(("", "Not now."))
    client.do(client.protocol.reject_tool_call(approval_id, reason, now=client.now))


def _by_hand(client: HostileSession, dice: Dice) -> None:
    """Send an event that the core did not make."""
    event_id = dice.one_of((client.new_id(), UNSET))
    output = FunctionCallOutputItem(call_id=_call_id(client, dice), output="{}")
    message = MessageItem(role="user", content=[], id=dice.one_of((UNSET, "ours")))
    item_id = client.server.items.any(dice)
    event = dice.one_of(
        (
            InputAudioBufferCommit(event_id=event_id),
            InputAudioBufferClear(event_id=event_id),
            ConversationItemCreate(event_id=event_id, item=output),
            ConversationItemCreate(item=message, previous_item_id="root"),
            ResponseCreate(event_id=event_id),
            ResponseCancel(event_id=event_id, response_id="resp_1"),
            ConversationItemTruncate(
                event_id=event_id, item_id=item_id, content_index=0, audio_end_ms=20
            ),
            SessionUpdate(event_id=event_id, session=SessionConfig(instructions="No.")),
        )
    )
    client.send(event)


def _play(client: HostileSession, dice: Dice) -> None:
    """Report what a player has taken and played, which need not be true."""
    playback = client.protocol.playback
    item_id = client.server.items.any(dice)
    samples = dice.one_of((120, 2_400, 0, -1, 10**12))
    playback.handed(item_id, samples)
    playback.played(item_id, samples, source=dice.one_of(PlaybackSource))
    client.protocol.conversation.mark_heard(item_id, samples, source="device")


def _retain(client: HostileSession, dice: Dice) -> None:
    client.protocol.conversation.retention = dice.one_of(_RETENTIONS)


def _hold(client: HostileSession, dice: Dice) -> None:
    """Be slow to send from now on, or quick again."""
    client.holds = not client.holds


def _cannot_send(client: HostileSession, dice: Dice) -> None:
    client.flush(LocalProtocolError("this cannot be sent"))


def _reconnect(client: HostileSession, dice: Dice) -> None:
    client.end()
    client.connect()


# What is wanted more often stands here more often.
_ACTS: tuple[Act, ...] = (
    *(_nothing,) * 12,
    *(_wait,) * 3,
    *(_create_response,) * 3,
    *(_say,) * 2,
    *(_append,) * 3,
    *(_finish,) * 4,
    *(_interrupt, _interrupt, _cancel, _cancel, _delete),
    *(_update, _update, _add_tool, _add_tools, _remove_tool),
    *(_fail, _answer, _answer, _approve, _approve, _reject),
    *(_by_hand, _by_hand, _by_hand, _play, _play),
    *(_retain, _hold, _cannot_send, _reconnect),
)


# --- the tests ---


def meet(samples: Sequence[Sample]) -> None:
    """Let many clients meet the server.

    Args:
        samples: What it says besides its own.
    """
    received = 0

    @LIMITS
    @given(chance=CHANCE)
    def sessions(chance: bytes) -> None:
        nonlocal received
        kind, *steps = (
            chance[start + 1 : start + _STEP_BYTES]
            for start in range(0, len(chance), _STEP_BYTES)
            if not start or chance[start] >= _LEFT_OUT
        )
        client = HostileSession(kind, samples)
        try:
            for step in steps:
                client.step(step)
            client.read_everything()
            client.end()
            client.read_everything()
        finally:
            received += client.received
            note("\n".join(f"  {line!r}" for line in client.log))

    sessions()
    assert received >= EVENTS


def _of_server(samples: list[Sample]) -> list[Sample]:
    return [
        sample
        for sample in samples
        if (sample.direction, sample.surface) == ("server", "realtime")
    ]


SOURCES = [
    pytest.param(own_samples, id="own"),
    pytest.param(
        partial(official_samples, "ga"), id="official", marks=needs_protocol_files
    ),
]


@pytest.mark.timeout(120 * max(1, EVENTS // 20_000))
@pytest.mark.parametrize("samples", SOURCES)
def test_nothing_that_a_server_says_breaks_the_core(
    samples: Callable[[], list[Sample]],
) -> None:
    """No event raises, the state holds together, and who waits is told once.

    What each check caught stands with it. Caught by the time limit: an item named like
    the root is deleted, and the next place is looked for in a circle.
    """
    meet(_of_server(samples()))


_SHORT = "conversation.item.input_audio_transcription"
_USELESS: dict[str, tuple[str, ...]] = {
    "a piece of a transcript": (f"{_SHORT}.delta",),
    "a transcript": (f"{_SHORT}.completed",),
    "a transcript that failed": (f"{_SHORT}.failed",),
    "a cut": ("conversation.item.truncated",),
    "a deletion": ("conversation.item.deleted",),
    "an item that comes and goes": (
        "conversation.item.added",
        "conversation.item.deleted",
    ),
    "an item that is spoken and goes": (
        "response.output_audio.delta",
        "input_audio_buffer.speech_started",
        "conversation.item.deleted",
    ),
    "a commit": ("input_audio_buffer.committed",),
    "a beginning of speech": ("input_audio_buffer.speech_started",),
    "an end of speech": ("input_audio_buffer.speech_stopped",),
    "an idle timeout": ("input_audio_buffer.timeout_triggered",),
    "a response without an end": ("response.created",),
    "a response without a beginning": ("response.done",),
    "a response that is interrupted": (
        "response.created",
        "input_audio_buffer.speech_started",
    ),
    "a call in a response without an end": (
        "response.created",
        "response.output_item.done",
        "conversation.item.deleted",
    ),
    "an approval that is never given": (
        "conversation.item.done",
        "conversation.item.deleted",
    ),
    "an end of audio": ("response.output_audio.done",),
    "a final transcript": ("response.output_audio_transcript.done",),
    "final arguments": ("response.function_call_arguments.done",),
    "an error": ("error",),
    "a session": ("session.updated",),
}
"""What a server may say of what there is not, or not for long."""

# More than anything is remembered of.
_MANY = 6_000


@pytest.mark.parametrize("useless", _USELESS.values(), ids=_USELESS)
def test_nothing_grows_for_what_there_is_not(useless: tuple[str, ...]) -> None:
    """Names of what never comes are remembered in small numbers only.

    Caught: spans of speech, early transcripts, deletions and responses without an end
    are kept without a bound, and the ids of responses that were interrupted.
    """
    protocol = RealtimeProtocol(ids=lambda: "event")
    protocol.begin_connection()
    sizes: list[int] = []
    for number in range(2 * _MANY):
        for name in useless:
            protocol.receive(_about_nothing(name, number), now=0.0)
        if number % _MANY == _MANY - 1:
            sizes.append(_objects_within(protocol))
    protocol.check()
    assert sizes[1] <= sizes[0] + 16, sizes


def _about_nothing(name: str, number: int) -> RealtimeEvent:
    """Return an event of this name, whose ids are those of this number."""
    item: dict[str, Any] = {"type": "message", "role": "user"}
    if name == "response.output_item.done":
        item = {"type": "function_call", "name": "odd", "call_id": f"call_{number}"}
    if name == "conversation.item.done":
        about = {"server_label": "docs", "name": "search", "arguments": "{}"}
        item = {"type": "mcp_approval_request", **about}
    response = {"id": f"resp_{number}", "conversation_id": "conv_1"}
    event = {
        "type": name,
        "response": {**response, "status": "in_progress"},
        "session": {"id": f"sess_{number}"},
        "error": {"event_id": f"event_{number}"},
        "item": {**item, "id": f"item_{number}", "status": "completed"},
        "item_id": f"item_{number}",
        "response_id": f"resp_{number}",
        **{"output_index": 0, "content_index": 0, "call_id": f"call_{number}"},
        **{"audio_start_ms": 0, "audio_end_ms": 20, "arguments": "{}"},
        **{"transcript": "a", "delta": "AAAA"},
    }
    return decode_event(json.dumps(event), direction="server")


def _objects_within(root: object) -> int:
    """Count the objects that can be reached from one, but for code."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        each = waiting.pop()
        code = isinstance(each, type | ModuleType | FunctionType | MethodType)
        if not code and id(each) not in seen:
            seen.add(id(each))
            waiting += gc.get_referents(each)
    return len(seen)
