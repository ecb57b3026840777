"""What a scenario answers with: one thing, or several in a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

from ....audio.wav import read_wav
from ....errors import AudioError
from ..action import (
    Action,
    Call,
    CallMcp,
    Chunks,
    ContentFilter,
    Disturb,
    Fail,
    Pause,
    Play,
    Say,
    TokenLimit,
)
from ..echo import EchoBrain
from ..rules import RuleBrain
from .fault import read_reply_fault
from .mcp import read_mcp_result
from .table import Misfit, Table, is_table, json_text, shown, text_of

__all__ = ["ANSWER_KEYS", "STEPS", "Answer", "Setting", "Step", "read_answer"]

Step: TypeAlias = Action | EchoBrain | RuleBrain
"""What is done, or the brain that decides what is done."""

Answer: TypeAlias = tuple[Step, ...]

_ENDS = (Fail, ContentFilter, TokenLimit)


@dataclass(frozen=True)
class Setting:
    """What holds for the whole scenario.

    Attributes:
        folder: Where the files are that it names.
        chunks: How messages are cut that do not say it themselves.
    """

    folder: Path = field(default_factory=Path)
    chunks: Chunks = field(default_factory=Chunks)

    def with_chunks(self, table: Table) -> Setting:
        """Cut messages as the table says under ``chunks``, if it says anything.

        Raises:
            Misfit: It says it wrongly.
        """
        return replace(self, chunks=_chunks(table, self.chunks))


def read_answer(table: Table, setting: Setting) -> Answer:
    """Read what to do from a table, which may have other keys besides.

    Raises:
        Misfit: It is not said, not said rightly, or more than one thing at once.
    """
    faults = tuple(
        Disturb(read_reply_fault(value, place))
        for place, value in table.elements("fault")
    )
    if "do" not in table:
        return (*faults, _step(table, setting))
    return (*faults, *_steps(table, setting))


def _steps(table: Table, setting: Setting) -> Answer:
    """Read several things to do."""
    beside = [key for key in _STEP_KEYS if key in table]
    if beside:
        raise Misfit(
            table.place, f"'do' and {beside[0]!r} exclude each other; put it into 'do'"
        )
    steps: list[Step] = []
    for place, value in table.elements("do"):
        if steps and isinstance(steps[-1], _ENDS):
            raise Misfit(place, "nothing comes of this: the step before it is the end")
        steps.append(_step(Table(value, place, _STEP_KEYS), setting))
    if not steps:
        raise Misfit(table.place_of("do"), "this cannot be empty")
    return tuple(steps)


def _step(table: Table, setting: Setting) -> Step:
    """Read the one thing that a table says to do."""
    words = [word for word in STEPS if word in table]
    if not words:
        raise Misfit(
            table.place, f"there is nothing to do; give one of {', '.join(STEPS)}"
        )
    if len(words) > 1:
        raise Misfit(
            table.place,
            f"{words[0]!r} and {words[1]!r} exclude each other; for one after the "
            "other write do = [{ ... }, { ... }]",
        )
    [word] = words
    options = STEPS[word].options
    for key in _STEP_KEYS:
        if key in table and key != word and key not in options:
            known = ", ".join(options) or "nothing"
            raise Misfit(
                table.place, f"{word!r} takes no {key!r} beside it; it takes {known}"
            )
    return STEPS[word].read(table, setting)


# --- one function for each thing that can be done ---


def _say(table: Table, setting: Setting) -> Step:
    chunks = setting.with_chunks(table).chunks
    return Say(table.text("say"), chunks, more=table.flag("more"))


def _play(table: Table, setting: Setting) -> Step:
    path = setting.folder / table.name("play")
    try:
        pcm = read_wav(path)
    except OSError as exc:
        raise Misfit(
            table.place_of("play"), f"{path} cannot be read: {exc.strerror}"
        ) from exc
    # ValueError for a path with a null character in it.
    except (AudioError, ValueError) as exc:
        raise Misfit(table.place_of("play"), str(exc)) from exc
    transcript = table.read("transcript", text_of) or ""
    chunks = setting.with_chunks(table).chunks
    return Play(pcm, transcript, chunks, more=table.flag("more"))


def _call(table: Table, setting: Setting) -> Step:
    return Call(table.name("call"), _arguments(table))


def _call_mcp(table: Table, setting: Setting) -> Step:
    result = read_mcp_result(table)
    return CallMcp(
        table.name("server"),
        table.name("call_mcp"),
        _arguments(table),
        result.output,
        result.error,
    )


def _pause(table: Table, setting: Setting) -> Step:
    return Pause(table.seconds("pause_s"))


def _fail(table: Table, setting: Setting) -> Step:
    code = table.name("code") if "code" in table else None
    kind = table.name("type") if "type" in table else Fail.type
    return Fail(table.text("fail"), code, kind)


def _plain(word: str, step: Step, table: Table, setting: Setting) -> Step:
    """Read what takes nothing but ``true``."""
    if not table.flag(word):
        raise Misfit(table.place_of(word), "this is true, or left out")
    return step


class _Form(NamedTuple):
    """How something to do is written: what it may have beside it, what reads it."""

    options: tuple[str, ...]
    read: Callable[[Table, Setting], Step]


STEPS: Mapping[str, _Form] = {
    "say": _Form(("more", "chunks"), _say),
    "play": _Form(("transcript", "more", "chunks"), _play),
    "call": _Form(("arguments",), _call),
    "call_mcp": _Form(("server", "arguments", "output", "error"), _call_mcp),
    "pause_s": _Form((), _pause),
    "fail": _Form(("code", "type"), _fail),
    "content_filter": _Form((), partial(_plain, "content_filter", ContentFilter())),
    "token_limit": _Form((), partial(_plain, "token_limit", TokenLimit())),
    "echo": _Form((), partial(_plain, "echo", EchoBrain())),
    "rules": _Form((), partial(_plain, "rules", RuleBrain())),
}
"""What can be done, by the key that says it."""

_STEP_KEYS = tuple(
    dict.fromkeys([*STEPS, *(key for form in STEPS.values() for key in form.options)])
)

ANSWER_KEYS = ("do", "fault", *_STEP_KEYS)
"""The keys that say what to do, and what goes wrong with it."""


# --- their parts ---


def _chunks(table: Table, usual: Chunks) -> Chunks:
    if "chunks" not in table:
        return usual
    keys = ("characters", "audio_ms", "delay_s")
    own = Table(table.value("chunks"), table.place_of("chunks"), keys)
    if not any(key in own for key in keys):
        raise Misfit(own.place, f"this needs one of {', '.join(keys)}")
    chunks = usual
    if "characters" in own:
        chunks = replace(chunks, characters=own.whole("characters", 1))
    if "audio_ms" in own:
        chunks = replace(chunks, audio_ms=own.whole("audio_ms", 1))
    if "delay_s" in own:
        chunks = replace(chunks, delay_s=own.seconds("delay_s"))
    return chunks


def _arguments(table: Table) -> str:
    """Read the arguments of a call as the text that is sent, be it JSON or not."""
    return table.read("arguments", _object_text) or "{}"


def _object_text(value: object, place: str) -> str:
    if not isinstance(value, str) and not is_table(value):
        raise Misfit(
            place, f"this is a table, or a text to be sent as it is, not {shown(value)}"
        )
    return json_text(value, place)
