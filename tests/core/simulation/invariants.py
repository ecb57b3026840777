"""What must hold of the rest: requests, histories, truncation, errors, memory."""

from __future__ import annotations

from collections import Counter
from typing import Any

from openai_realtime.audio.pcm import SAMPLE_RATE
from openai_realtime.errors import AnswerTimeout, ServerError
from openai_realtime.events import (
    ConversationAnomaly,
    ConversationItemDelete,
    ConversationItemTruncate,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    RealtimeEvent,
    ResponseCancel,
    ResponseCreate,
    ResponseOutputAudioDelta,
)
from openai_realtime.resources import (
    AnomalyKind,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudioPart,
    Item,
    ItemStatus,
    MessageItem,
    OutputAudioPart,
)

from .log import Log, What
from .microphone import LARGEST_PIECE
from .world import World

_SAMPLES_PER_MS = 24
_BYTES_PER_SAMPLE = 2

# The races of PROTOCOL.md section 5: what we sent, and how it may be refused.
_HARMLESS: dict[type[RealtimeEvent], frozenset[str]] = {
    ResponseCancel: frozenset({"response_cancel_not_active"}),
    ResponseCreate: frozenset({"conversation_already_has_active_response"}),
    ConversationItemTruncate: frozenset(
        {"item_not_found", "item_truncate_invalid_item_id"}
    ),
    ConversationItemDelete: frozenset({"item_not_found"}),
    InputAudioBufferCommit: frozenset({"input_audio_buffer_commit_empty"}),
}


# --- every request settles exactly once ---


def requests_settle_once(log: Log) -> None:
    """What was asked for is settled once, with a result or with an error.

    Caught: an interruption drops requests and tells nobody; updates that nobody has
    answered are forgotten when the connection ends; a response is settled when it
    begins, and again at its end.
    """
    asked = {entry.subject for entry in log.of(What.ASKED)}
    settled = Counter(entry.subject.ticket for entry in log.of(What.SETTLED))
    twice = [ticket for ticket, count in settled.items() if count > 1]
    assert not twice, f"{twice} were settled more than once"
    never = asked - settled.keys()
    assert not never, f"{sorted(never)} were never settled"
    for entry in log.of(What.SETTLED):
        settle = entry.subject
        assert settle.result is None or settle.error is None, f"both ways: {settle}"


# --- client and server histories are equal at rest ---


def histories_are_equal(world: World) -> None:
    """The client's cache is the server's conversation: ids, order, roles and texts.

    Caught: items stand in the order in which they came; what was deleted stays; the
    transcript of a truncated item stays; an item at the root goes to the end; items of
    out-of-band responses are let in.
    """
    assert world.server is not None
    conversation = world.client.protocol.conversation
    cached = [
        (item.id, item.type, item.role, *_cached_text(item))
        for item in conversation.items
    ]
    kept = [
        (entry.id, entry.item.type, getattr(entry.item, "role", None), *_text(entry))
        for entry in world.server.protocol._history
    ]
    for ours, theirs in zip(cached, kept, strict=False):
        assert ours == theirs, f"the client has {ours}, the server {theirs}"
    assert len(cached) == len(kept), f"the client has {cached}, the server {kept}"
    growing = [
        item.id for item in conversation.items if item.status == ItemStatus.IN_PROGRESS
    ]
    assert not growing, f"{growing} are still in progress"


def _cached_text(item: Any) -> tuple[str, str]:
    formatted = item.formatted
    if formatted.tool is not None:
        return formatted.tool.name, formatted.tool.arguments
    return formatted.text or formatted.output or "", formatted.transcript


def _text(entry: Any) -> tuple[str, str]:
    item: Item = entry.item
    if isinstance(item, FunctionCallItem):
        return item.name, item.arguments or ""
    if isinstance(item, FunctionCallOutputItem):
        return item.output, ""
    parts = item.content or [] if isinstance(item, MessageItem) else []
    spoken = [p for p in parts if isinstance(p, InputAudioPart | OutputAudioPart)]
    written = [p for p in parts if p not in spoken]
    return (
        "".join(getattr(part, "text", None) or "" for part in written),
        "".join(part.transcript or "" for part in spoken),
    )


# --- a server that keeps the rules has no anomalies ---


def a_faithful_server_is_no_surprise(log: Log) -> None:
    """Nothing that the server says is an anomaly, but of what was deleted as it grew.

    Caught: the final text of an item that was interrupted is shorter than what came of
    it, and that is a surprise.
    """
    for entry in log.of(What.EMITTED):
        if isinstance(entry.subject, ConversationAnomaly):
            assert entry.subject.kind == AnomalyKind.ITEM_DELETED, str(entry)


# --- truncation is never beyond what was received ---


def truncation_is_within_the_received(log: Log) -> None:
    """No item is cut behind the audio that had arrived of it.

    Caught: what a user says to have heard is sent as it is.
    """
    for connection in log.connections:
        received: Counter[str] = Counter()
        for entry in log.of(What.SENT, What.RECEIVED, connection=connection):
            event = entry.subject
            if isinstance(event, ResponseOutputAudioDelta):
                received[event.item_id] += len(event.delta) // _BYTES_PER_SAMPLE
            elif isinstance(event, ConversationItemTruncate):
                end = event.audio_end_ms * _SAMPLES_PER_MS
                assert 0 < end <= received[event.item_id], (
                    f"{event.item_id} was cut at sample {end}, and "
                    f"{received[event.item_id]} had arrived"
                )


# --- no harmless race surfaces ---


def harmless_races_are_silent(log: Log) -> None:
    """What came too late without harm is told to nobody.

    Caught: a cancel that comes after the end of its response is an error; a request
    that lost a race to a turn is refused and does not wait.
    """
    sent = {
        entry.subject.event_id: entry
        for entry in log.of(What.SENT)
        if entry.subject.event_id
    }
    given_up = {
        entry.connection
        for entry in log.of(What.EMITTED, What.SETTLED)
        if isinstance(getattr(entry.subject, "error", None), AnswerTimeout)
    }
    deleted = {entry.subject for entry in log.of(What.DELETED)}
    emptied = _commits_behind_a_clear(log)
    for entry in log.of(What.EMITTED, What.SETTLED):
        error = getattr(entry.subject, "error", None)
        if not isinstance(error, ServerError) or error.event_id not in sent:
            continue
        cause = sent[error.event_id]
        if error.event_id in emptied:
            continue
        if cause.by_hand or getattr(cause.subject, "item_id", None) in deleted:
            continue
        if isinstance(cause.subject, ResponseCreate) and cause.connection in given_up:
            # What runs there was silent for too long; it is still in the way.
            continue
        codes = _HARMLESS.get(type(cause.subject), frozenset())
        assert error.code not in codes, (
            f"{cause.subject.type} {error.event_id} came too late, and the user was "
            f"told: {error}"
        )


def _commits_behind_a_clear(log: Log) -> set[str]:
    """Return the commits whose audio the user took away past us, on their way out."""
    left = _SHORTEST_COMMIT
    commits: set[str] = set()
    for entry in log.of(What.SENT):
        event = entry.subject
        if entry.by_hand and isinstance(event, _EMPTYING):
            left = 0
        elif isinstance(event, InputAudioBufferAppend):
            left += len(event.audio)
        elif isinstance(event, InputAudioBufferCommit) and left < _SHORTEST_COMMIT:
            commits.add(str(event.event_id))
    return commits


_EMPTYING = (InputAudioBufferClear, InputAudioBufferCommit)
_SHORTEST_COMMIT = 100 * _SAMPLES_PER_MS * _BYTES_PER_SAMPLE


# --- silence ends with nothing pending ---


def nothing_is_pending(world: World) -> None:
    """When nobody has wanted anything for long, nothing is under way.

    Caught: the deadlines of tools are not among those of the protocol; nobody looks
    for the quiet moment in which a background tool may bring its result.
    """
    protocol = world.client.protocol
    assert world.client.next_due is None, f"due at {world.client.next_due}"
    assert not protocol.responses.pending, "a response is pending"
    assert not protocol.tools.pending, "a call is pending"
    assert protocol.next_timeout() is None, protocol.next_timeout()


# --- memory is within the retention policy ---


def memory_is_bounded(world: World) -> None:
    """No more audio is kept than the policy says.

    Caught: one item more keeps its audio; what is older than the seconds stays; of the
    user's audio nothing is dropped.
    """
    policy = world.retention
    sizes = [
        len(item.formatted.audio)
        for item in world.client.protocol.conversation.items
        if item.formatted.audio_size
    ]
    assert sum(sizes) == world.client.protocol.conversation.audio_bytes
    if policy.items is not None:
        assert len(sizes) <= policy.items, f"the audio of {len(sizes)} items is kept"
    if policy.samples is not None:
        kept = sum(sizes) // _BYTES_PER_SAMPLE
        assert kept <= policy.samples, f"{kept} samples are kept"
    ledger = world.client.protocol.turns.ledger
    spoken = len(ledger.between(0, ledger.appended_samples))
    # Whole pieces are kept, so it may be one more.
    most = policy.input_s * SAMPLE_RATE * _BYTES_PER_SAMPLE + LARGEST_PIECE
    assert spoken <= most, f"{spoken} bytes of the user's audio are kept"
