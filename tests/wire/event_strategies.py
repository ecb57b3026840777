"""Events of every class, built from the classes themselves.

`any_event` takes whatever the annotations of a class allow. `conforming_event` keeps to
what the service's schema says besides, and the tables here are all of that: which words
an enumeration has, which bounds a number has, what must be there, what may be null. A
field of a table is found for the class named and for those that inherit it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias, cast

import msgspec.inspect as mi
from hypothesis import strategies as st

from openai_realtime._struct import OpenFamily, WireObject
from openai_realtime.events import (
    EVENTS,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    Direction,
    EventRow,
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseFunctionCallArgumentsDone,
    ServerEvent,
)
from openai_realtime.events import translation as t
from openai_realtime.resources import (
    APIError,
    AudioFormat,
    AudioInputConfig,
    AudioOutputConfig,
    AudioPart,
    ContentPart,
    Conversation,
    CustomVoice,
    FunctionCallItem,
    InputAudioPart,
    InputAudioTranscriptionConfig,
    InputImagePart,
    InputTextPart,
    Item,
    ItemReference,
    LogProb,
    McpApprovalRequestItem,
    McpApprovalResponseItem,
    McpCallItem,
    McpError,
    McpListedTool,
    McpListToolsItem,
    McpTool,
    MessageItem,
    NoiseReduction,
    OutputAudioPart,
    OutputTextPart,
    PromptReference,
    RateLimit,
    Reasoning,
    Response,
    ResponseConfig,
    ResponseError,
    ResponseStatusDetails,
    RetentionRatio,
    SemanticVad,
    ServerVad,
    Session,
    SessionConfig,
    TextPart,
    ToolChoiceMcp,
    TranscriptionError,
    TranscriptionLanguage,
    TranslationInputConfig,
    TranslationSession,
)

Strategy: TypeAlias = st.SearchStrategy[Any]
Key: TypeAlias = tuple[type, str]

TEXT = st.text(max_size=6)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
SIZE = st.integers(0, 2**53)
JSON = st.recursive(
    st.none() | st.booleans() | SIZE | NUMBER | TEXT,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2)
    ),
    max_leaves=4,
)

# --- what the schema says besides the types ---

LEVELS = ("minimal", "low", "medium", "high", "xhigh")
MODALITIES = ("text", "audio")
CHOICES = ("none", "auto", "required")
ENDS = ("completed", "cancelled", "failed", "incomplete")

WORDS: dict[Key, tuple[str, ...]] = {
    (SessionConfig, "type"): ("realtime", "transcription"),
    (SessionConfig, "output_modalities"): MODALITIES,
    (SessionConfig, "tool_choice"): CHOICES,
    (SessionConfig, "max_output_tokens"): ("inf",),
    (SessionConfig, "truncation"): ("auto", "disabled"),
    (SessionConfig, "include"): ("item.input_audio_transcription.logprobs",),
    (SessionConfig, "tracing"): ("auto",),
    (Session, "object"): ("realtime.session",),
    (TranslationSession, "type"): ("translation",),
    (Reasoning, "effort"): LEVELS,
    (AudioFormat, "type"): ("audio/pcm", "audio/pcmu", "audio/pcma"),
    (InputAudioTranscriptionConfig, "delay"): LEVELS,
    (NoiseReduction, "type"): ("near_field", "far_field"),
    (SemanticVad, "eagerness"): ("low", "medium", "high", "auto"),
    (McpTool, "connector_id"): ("connector_dropbox", "connector_gmail"),
    (McpTool, "tunnel_id"): ("tunnel_" + "0" * 32,),
    (McpTool, "require_approval"): ("always", "never"),
    (Item, "object"): ("realtime.item",),
    (Item, "status"): ("completed", "incomplete", "in_progress"),
    (InputImagePart, "detail"): ("auto", "low", "high"),
    (Conversation, "object"): ("realtime.conversation",),
    (ResponseConfig, "output_modalities"): MODALITIES,
    (ResponseConfig, "tool_choice"): CHOICES,
    (ResponseConfig, "max_output_tokens"): ("inf",),
    (ResponseConfig, "conversation"): ("auto", "none"),
    (Response, "object"): ("realtime.response",),
    (Response, "status"): (*ENDS, "in_progress"),
    (Response, "output_modalities"): MODALITIES,
    (Response, "max_output_tokens"): ("inf",),
    (ResponseStatusDetails, "type"): ENDS,
    (ResponseStatusDetails, "reason"): (
        "turn_detected",
        "client_cancelled",
        "max_output_tokens",
        "content_filter",
    ),
    (RateLimit, "name"): ("requests", "tokens"),
    (t.SessionOutputAudioDelta, "format"): ("pcm16",),
}
"""The enumerations."""

NUMBERS: dict[Key, Strategy] = {
    (AudioFormat, "rate"): st.just(24_000),
    (AudioOutputConfig, "speed"): st.floats(0.25, 1.5),
    (RetentionRatio, "retention_ratio"): st.floats(0, 1),
    (ServerVad, "idle_timeout_ms"): st.integers(5_000, 30_000),
}
"""The bounds."""

SHAPES: dict[Key, tuple[Any, ...]] = {
    (InputAudioTranscriptionConfig, "languages"): (["en"], ["en", "de"]),
    (PromptReference, "variables"): (
        None,
        {"a": "text", "b": {"type": "input_text", "text": "x"}},
    ),
    (McpTool, "allowed_callers"): (None, ["direct"], ["direct", "programmatic"]),
    (APIError, "code"): (None, "invalid_value"),
    (ResponseError, "code"): ("insufficient_quota",),
    (TranscriptionError, "code"): ("audio_unintelligible",),
    (McpError, "code"): (-32_600, 404),
    (Response, "metadata"): (None, {}, {"k": "v"}),
    (TranslationInputConfig, "transcription"): (
        None,
        InputAudioTranscriptionConfig(model="m"),
    ),
    (TranslationInputConfig, "noise_reduction"): (
        None,
        NoiseReduction(type="near_field", strength=0.5),
    ),
}
"""Values of fields that may hold more here than in the schema."""

NEEDED: dict[type, tuple[str, ...]] = {
    ServerEvent: ("event_id",),
    ConversationItemInputAudioTranscriptionCompleted: ("content_index", "usage"),
    ConversationItemInputAudioTranscriptionFailed: ("content_index",),
    ResponseFunctionCallArgumentsDone: ("name",),
    APIError: ("type", "message"),
    LogProb: ("token", "logprob", "bytes"),
    TranscriptionLanguage: ("code",),
    McpListedTool: ("input_schema",),
    McpError: ("code", "message"),
    SessionConfig: ("type",),
    Session: ("id", "object"),
    TranslationSession: ("type",),
    FunctionCallItem: ("arguments",),
    McpListToolsItem: ("tools",),
    McpCallItem: ("id",),
    McpApprovalRequestItem: ("id",),
    McpApprovalResponseItem: ("id",),
    ItemReference: ("id",),
}
"""What may be left out here, and must not be by the schema."""

NULLABLE: dict[type, tuple[str, ...]] = {
    ServerEvent: ("previous_item_id", "obfuscation"),
    APIError: ("code", "param", "event_id"),
    ConversationItemInputAudioTranscriptionDelta: ("logprobs",),
    ConversationItemInputAudioTranscriptionCompleted: ("logprobs",),
    AudioInputConfig: ("transcription", "noise_reduction", "turn_detection"),
    ServerVad: ("idle_timeout_ms",),
    SessionConfig: ("tracing", "prompt"),
    PromptReference: ("version",),
    McpTool: ("headers", "allowed_tools", "require_approval"),
    ToolChoiceMcp: ("name",),
    McpListedTool: ("description", "annotations"),
    McpCallItem: ("approval_request_id", "output", "error"),
    McpApprovalResponseItem: ("reason",),
    ResponseConfig: ("metadata", "prompt"),
    Response: ("status_details", "conversation_id", "usage"),
    t.SessionInputTranscriptDelta: ("elapsed_ms",),
    t.SessionOutputTranscriptDelta: ("elapsed_ms",),
    t.SessionOutputAudioDelta: ("elapsed_ms",),
}
"""What may be null by the schema; here, all may be null that may be left out."""

PARTS: dict[str, tuple[type[ContentPart], ...]] = {
    "system": (InputTextPart,),
    "user": (InputTextPart, InputAudioPart, InputImagePart),
    "assistant": (OutputTextPart, OutputAudioPart),
}
"""Who may say what in a message."""

VARIANTS: dict[Key, tuple[type, ...]] = {
    (ResponseContentPartAdded, "part"): (TextPart, AudioPart),
    (ResponseContentPartDone, "part"): (TextPart, AudioPart),
    (ResponseConfig, "input"): tuple(Item.variants.values()),
}
"""Where a family has other variants than elsewhere."""

USUAL_VARIANTS: dict[type, tuple[type, ...]] = {
    Item: tuple(cls for cls in Item.variants.values() if cls is not ItemReference),
}

NOT_FROM: dict[Direction, tuple[type, ...]] = {"client": (), "server": (CustomVoice,)}
"""What only the other side may send."""


def named_fields() -> set[Key]:
    """Return every field that one of the tables names."""
    keyed: tuple[dict[Key, Any], ...] = (WORDS, NUMBERS, SHAPES, VARIANTS)
    return {key for table in keyed for key in table} | {
        (cls, field)
        for table in (NEEDED, NULLABLE)
        for cls, fields in table.items()
        for field in fields
    }


def members(kind: mi.Type) -> list[mi.Type]:
    """Return what a value of a type may be: a text or an object are two things."""
    match kind:
        case mi.UnionType(types=types):
            return [member for one in types for member in members(one)]
        case mi.Metadata(extra={"object": cls}):
            return [mi.StrType(), mi.type_info(cls)]
        case _:
            return [kind]


def struct_types(kind: mi.Type) -> list[mi.StructType]:
    """Return the objects that may stand directly in a value of a type."""
    match kind:
        case mi.StructType():
            return [kind]
        case mi.UnionType() | mi.Metadata():
            return [struct for one in members(kind) for struct in struct_types(one)]
        case mi.ListType(item_type=inner) | mi.DictType(value_type=inner):
            return struct_types(inner)
        case mi.CustomType(cls=family) if issubclass(family, OpenFamily):
            known = mi.multi_type_info(family.variants.values())
            return [struct for one in known for struct in struct_types(one)]
        case _:
            return []


def reachable_classes() -> dict[type, mi.StructType]:
    """Return every class that may stand in an event of the table."""
    found: dict[type, mi.StructType] = {}
    waiting = [one for row in EVENTS for one in struct_types(mi.type_info(row.cls))]
    while waiting:
        struct = waiting.pop()
        if struct.cls not in found:
            found[struct.cls] = struct
            waiting += [one for f in struct.fields for one in struct_types(f.type)]
    return found


# --- the strategies ---


def any_event(row: EventRow) -> Strategy:
    """Events of a row with whatever the annotations allow."""
    return _ANYTHING.struct(row.cls)


def conforming_event(row: EventRow) -> Strategy:
    """Events of a row that the schema allows."""
    return _CONFORMING[row.direction].struct(row.cls)


def classes_of_conforming_events() -> set[type]:
    """Return the classes that conforming events of all rows are built of."""
    for row in EVENTS:
        conforming_event(row).validate()
    return set().union(*(builder.built for builder in _CONFORMING.values()))


class _Anything:
    """Builds a strategy from a class, with no rules but its annotations."""

    def __init__(self) -> None:
        self.built: set[type] = set()
        self.struct = cache(self._struct)

    def _struct(self, cls: type[WireObject]) -> Strategy:
        self.built.add(cls)
        return self.fields(cls)

    def fields(self, cls: type[WireObject], **given: Strategy) -> Strategy:
        """Objects of a class, some of whose fields are given."""
        info = cast("mi.StructType", mi.type_info(cls))
        needed, optional = dict(given), {}
        for field in info.fields:
            if field.name in given:
                continue
            group = needed if self.is_needed(cls, field) else optional
            group[field.name] = self.field(cls, field)
        return st.fixed_dictionaries(needed, optional=optional).map(
            lambda values: cls(**values)
        )

    def is_needed(self, cls: type, field: mi.Field) -> bool:
        """Whether a field may not be left out."""
        return field.required

    def field(self, cls: type, field: mi.Field) -> Strategy:
        """Values of a field."""
        return self.value(field.type, TEXT, None)

    def family(self, family: type[OpenFamily]) -> Strategy:
        """The variants of a family, and one that nobody knows."""
        known = [self.struct(cast("Any", cls)) for cls in family.variants.values()]
        data = st.dictionaries(TEXT, JSON, max_size=2)
        new = data.map(lambda more: family.unknown({**more, "type": "new.variant"}))
        return st.one_of(*known, new)

    def value(self, kind: mi.Type, text: Strategy, number: Strategy | None) -> Strategy:
        """Values of a type, with these texts and numbers in it."""
        match kind:
            case mi.UnionType() | mi.Metadata():
                return st.one_of(
                    *(self.value(one, text, number) for one in members(kind))
                )
            case mi.ListType(item_type=inner):
                return st.lists(self.value(inner, text, number), max_size=2)
            case mi.DictType(value_type=inner):
                return st.dictionaries(TEXT, self.value(inner, text, None), max_size=2)
            case mi.StructType(cls=cls):
                return self.struct(cast("Any", cls))
            case mi.CustomType(cls=family):
                return self.family(cast("Any", family))
            case mi.StrType():
                return text
            case mi.IntType():
                return SIZE if number is None else number
            case mi.FloatType():
                return NUMBER if number is None else number
        simple: dict[type[mi.Type], Strategy] = {
            mi.AnyType: JSON,
            mi.BoolType: st.booleans(),
            mi.BytesType: st.binary(max_size=12),
            mi.NoneType: st.none(),
        }
        return simple[type(kind)]


class _Conforming(_Anything):
    """Builds a strategy from a class and the tables."""

    def __init__(self, sender: Direction) -> None:
        super().__init__()
        self.foreign = NOT_FROM[sender]

    def _struct(self, cls: type[WireObject]) -> Strategy:
        self.built.add(cls)
        if cls is not MessageItem:
            return self.fields(cls)
        return st.one_of(
            *(
                self.fields(
                    cls,
                    role=st.just(role),
                    content=st.lists(self.variants(parts), max_size=2),
                )
                for role, parts in PARTS.items()
            )
        )

    def is_needed(self, cls: type, field: mi.Field) -> bool:
        return field.required or _names(NEEDED, cls, field.name)

    def field(self, cls: type, field: mi.Field) -> Strategy:
        shapes = _entry(SHAPES, cls, field.name)
        if shapes is not None:
            return st.sampled_from(shapes)
        words = _entry(WORDS, cls, field.name)
        text = TEXT if words is None else st.sampled_from(words)
        number = _entry(NUMBERS, cls, field.name)
        kind = field.type
        variants = _entry(VARIANTS, cls, field.name)
        if variants is not None:
            inner = self.variants(variants)
            is_list = any(isinstance(one, mi.ListType) for one in members(kind))
            return st.lists(inner, max_size=2) if is_list else inner
        nullable = _names(NULLABLE, cls, field.name)
        return st.one_of(
            *(
                self.value(one, text, number)
                for one in members(kind)
                if getattr(one, "cls", None) not in self.foreign
                and (nullable or not isinstance(one, mi.NoneType))
            )
        )

    def family(self, family: type[OpenFamily]) -> Strategy:
        known = tuple(family.variants.values())
        return self.variants(USUAL_VARIANTS.get(family, known))

    def variants(self, classes: tuple[type, ...]) -> Strategy:
        """Objects of some classes."""
        return st.one_of(*(self.struct(cast("Any", cls)) for cls in classes))


def _entry(table: dict[Key, Any], cls: type, field: str) -> Any:
    """Return what a table says of a field, of a class or of one that it inherits."""
    found = [table[base, field] for base in cls.__mro__ if (base, field) in table]
    return found[0] if found else None


def _names(table: dict[type, tuple[str, ...]], cls: type, field: str) -> bool:
    """Whether a table names a field, of a class or of one that it inherits."""
    return any(field in table.get(base, ()) for base in cls.__mro__)


_ANYTHING = _Anything()
_CONFORMING: dict[Direction, _Conforming] = {
    "client": _Conforming("client"),
    "server": _Conforming("server"),
}
