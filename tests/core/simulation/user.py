"""A user who wants anything at any time, made from plain bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, TypeAlias

from openai_realtime import UNSET
from openai_realtime.core.outputs import Output, ResponseBegan
from openai_realtime.core.response_scheduler import When
from openai_realtime.dialect import nested_config, to_config
from openai_realtime.errors import (
    ConfigurationError,
    LocalProtocolError,
    ToolError,
)
from openai_realtime.events import (
    ConversationItemCreate,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    ResponseCancel,
    ResponseCreate,
)
from openai_realtime.resources import (
    FunctionCallOutputItem,
    InputTextPart,
    MessageItem,
    ResponseConfig,
)

from ...emulator.random_session import Dice
from .client_shell import ClientShell
from .log import Log, What
from .microphone import SILENCE, Microphone, utterances
from .tool_box import BY_HAND, TOOLS, UNKNOWN_TOOL, definition_of

_REFUSALS = (ConfigurationError, LocalProtocolError, ToolError)
"""What a verb may raise: nothing has happened then."""


class User:
    """Says, wants, changes and breaks off what they like.

    Attributes:
        shell: What carries out the wishes.
        log: Where all is noted.
        microphone: What is being said.
    """

    def __init__(self, shell: ClientShell, log: Log) -> None:
        self.shell = shell
        self.microphone = Microphone()
        self.log = log
        self._numbers = count(1)

    def act(self, dice: Dice) -> None:
        """Do whatever chance wants."""
        act = dice.one_of(_ACTS)
        act(self, dice)

    def prepare(self, dice: Dice) -> None:
        """Change what the next connection is to be, while there is none."""
        prepare = dice.one_of((_add_tool, _remove_tool, _keep_change))
        prepare(self, dice)

    @property
    def next_due(self) -> float | None:
        """When a piece of speech has been recorded."""
        return self.microphone.next_due

    def tick(self) -> None:
        """Send a piece of speech."""
        self.append(self.microphone.piece())

    def append(self, audio: bytes) -> None:
        """Send audio."""
        if self.shell.connected:
            self.shell.do(self.shell.protocol.append_input_audio(audio))

    def settle_all(self, dice: Dice) -> bool:
        """Answer whatever waits for an answer; False where nothing did."""
        waited = bool(self.shell.approvals or self.shell.calls)
        while self.shell.approvals:
            _approve(self, dice)
        while self.shell.calls:
            _answer(self, dice)
        return waited

    def fall_silent(self) -> None:
        """Say no more, so that a turn that runs comes to its end."""
        self.microphone.switch_off()
        self.append(SILENCE)

    # --- wishes ---

    def ask(self, verb: Callable[..., list[Output]], *args: Any, **kw: Any) -> None:
        """Ask for something that is settled some time, unless it is refused at once."""
        ticket = f"user_{next(self._numbers)}"
        try:
            outputs = verb(*args, **kw, event_id=ticket)
        except _REFUSALS:
            return
        self.log.note(What.ASKED, ticket)
        self.shell.wish(outputs)

    def wish(self, verb: Callable[..., list[Output]], *args: Any, **kw: Any) -> None:
        """Do something, unless it is refused at once."""
        try:
            outputs = verb(*args, **kw)
        except _REFUSALS:
            return
        # Without a connection tools are only noted: the next one brings them along.
        if self.shell.connected:
            self.shell.wish(outputs)

    def change(self, fields: Mapping[str, Any]) -> None:
        """Change the configuration, which is settled some time."""
        protocol = self.shell.protocol
        try:
            change = protocol.configuration.change(fields)
            outputs = protocol.update_session(change)
        except _REFUSALS:
            return
        self.log.note(What.ASKED, change.event_id)
        self.shell.wish(outputs)

    def some_item(self, dice: Dice) -> str:
        """Return the id of an item, a late one as a rule."""
        items = self.shell.protocol.conversation.items
        back = dice.below(4)
        return items[-1 - back].id if back < len(items) else "no_item"

    def spoken_item(self, dice: Dice) -> str:
        """Return the id of an item that the assistant speaks, or has spoken."""
        items = self.shell.protocol.conversation.items
        spoken = [item.id for item in items if item.role == "assistant"]
        return spoken[-1 - dice.below(len(spoken))] if spoken else "no_item"


# --- what the user may do ---


def _wait(user: User, dice: Dice) -> None:
    """Do nothing; time passes between any two acts."""


_TEXTS = ("Hello", "Count to five", "What is the weather?", "", "Hi \ud83d")


def _say(user: User, dice: Dice) -> None:
    parts = [{"type": "input_text", "text": dice.one_of(_TEXTS)}]
    interrupt = dice.below(4) == 3
    if interrupt:
        user.log.note(What.BARGED_IN, None)
    user.ask(
        user.shell.protocol.send_user_message_content,
        dice.one_of((parts, parts, [])),
        interrupt=interrupt,
        when=dice.one_of(_WHEN),
        now=user.log.now,
    )


_WHEN = (When.WAIT, When.WAIT, When.MERGE, When.REFUSE)


def _create(user: User, dice: Dice) -> None:
    fields = dice.one_of(_RESPONSES)
    nested = nested_config(fields, ResponseConfig).fields
    config = to_config(nested, ResponseConfig) if nested else UNSET
    when = dice.one_of(_WHEN)
    user.ask(user.shell.protocol.create_response, config, when=when)


_RESPONSES: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"output_modalities": ["text"]},
    {"conversation": "none", "metadata": {"a": "b"}},
    {"max_output_tokens": 3},
    {"tools": [BY_HAND]},
    {"input": [{"type": "item_reference", "id": "no_item"}]},
)


def _speak(user: User, dice: Dice) -> None:
    user.microphone.speak(dice.one_of(utterances()), now=user.log.now)


def _append_at_once(user: User, dice: Dice) -> None:
    user.append(dice.one_of(utterances()))


def _cancel(user: User, dice: Dice) -> None:
    item_id = dice.one_of((user.spoken_item(dice), None, user.some_item(dice)))
    samples = dice.one_of((0, 100, 2_400, 24_000, 10_000_000, -5))
    verb = user.shell.protocol.cancel_response
    user.wish(verb, item_id, samples, now=user.log.now)


def _interrupt(user: User, dice: Dice) -> None:
    user.log.note(What.BARGED_IN, None)
    user.wish(user.shell.protocol.interrupt, now=user.log.now)


def _cancel_reply(user: User, dice: Dice) -> None:
    """Cancel one reply: by the response that began, or by who asked for it."""
    back = -1 - dice.below(3)
    began = [entry.subject for entry in user.log.of(What.LIVED)]
    ids = [each.response_id for each in began if isinstance(each, ResponseBegan)]
    tickets = [entry.subject for entry in user.log.of(What.ASKED)]
    response_id = ids[back] if len(ids) >= -back and dice.below(2) else None
    ticket = tickets[back] if len(tickets) >= -back else None
    user.log.note(What.UNWANTED, response_id)
    verb = user.shell.protocol.cancel_reply
    user.wish(verb, ticket, [response_id] if response_id else [], now=user.log.now)


def _report_played(user: User, dice: Dice) -> None:
    samples = dice.one_of((0, 480, 4_800, 10_000_000))
    user.shell.protocol.playback.played(user.spoken_item(dice), samples)


def _delete(user: User, dice: Dice) -> None:
    item_id = user.some_item(dice)
    user.log.note(What.DELETED, item_id)
    user.wish(user.shell.protocol.delete_item, item_id)


def _add_tool(user: User, dice: Dice) -> None:
    add_tool(user, dice.one_of(TOOLS))


def add_tool(user: User, name: str) -> None:
    """Register one of the user's tools."""
    verb, options = user.shell.protocol.add_tool, TOOLS[name].options
    user.wish(verb, definition_of(name), options)


def _remove_tool(user: User, dice: Dice) -> None:
    name = dice.one_of((*user.shell.protocol.configuration.tools, UNKNOWN_TOOL))
    user.wish(user.shell.protocol.remove_tool, name)


_UPDATES: tuple[dict[str, Any], ...] = (
    {"instructions": "Be brief."},
    {"turn_detection": None},
    {"turn_detection": {"type": "server_vad", "silence_duration_ms": 200}},
    {"turn_detection": {"type": "server_vad", "create_response": False}},
    {"turn_detection": {"type": "server_vad", "interrupt_response": False}},
    {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}},
    {"input_audio_transcription": {"model": "whisper-1"}},
    {"input_audio_transcription": None},
    {"output_modalities": ["text"]},
    {"output_modalities": ["audio"]},
    {"tools": [BY_HAND]},
    {"tools": []},
    # Refused once anything was spoken.
    {"voice": "echo"},
    {"voice": "alloy"},
)


def _update(user: User, dice: Dice) -> None:
    user.change(dice.one_of(_UPDATES))


def _keep_change(user: User, dice: Dice) -> None:
    configuration = user.shell.protocol.configuration
    try:
        change = configuration.change(dice.one_of(_UPDATES))
    except _REFUSALS:
        return
    configuration.keep(change)


def _approve(user: User, dice: Dice) -> None:
    approvals, now = user.shell.approvals, user.log.now
    approval_id = approvals.pop(0) if approvals else "no_approval"
    protocol = user.shell.protocol
    if dice.below(2):
        user.wish(protocol.reject_tool_call, approval_id, "Not now.", now=now)
    else:
        user.wish(protocol.approve_tool_call, approval_id, now=now)


def _answer(user: User, dice: Dice) -> None:
    calls = user.shell.calls
    call_id = calls.pop(0) if calls else "no_call"
    if dice.below(3) == 2 and call_id != "no_call":
        item = FunctionCallOutputItem(call_id=call_id, output="by hand")
        user.shell.send_by_hand(ConversationItemCreate(item=item))
    else:
        verb = user.shell.protocol.answer_tool_call
        reply = bool(dice.below(2))
        user.wish(verb, call_id, "{}", reply=reply, now=user.log.now)


def _by_hand(user: User, dice: Dice) -> None:
    """Send an event past the protocol's wishes."""
    text = MessageItem(role="user", content=[InputTextPart(text="Past it")])
    event = dice.one_of(
        (
            ResponseCreate(),
            ResponseCancel(),
            InputAudioBufferCommit(),
            InputAudioBufferClear(),
            ConversationItemCreate(item=text),
            ConversationItemCreate(item=text, previous_item_id="root"),
        )
    )
    user.shell.send_by_hand(event)


_Act: TypeAlias = Callable[[User, Dice], None]

# What is done more often stands here more often; doing nothing is the simplest.
_ACTS: tuple[_Act, ...] = (
    *(_wait,) * 2,
    *(_say,) * 6,
    *(_create,) * 4,
    *(_speak,) * 3,
    *(_update,) * 3,
    *(_cancel,) * 4,
    *(_interrupt,) * 4,
    *(_cancel_reply,) * 2,
    *(_add_tool,) * 3,
    *(_approve,) * 2,
    *(_answer,) * 2,
    _append_at_once,
    _report_played,
    _delete,
    _remove_tool,
    _by_hand,
)
