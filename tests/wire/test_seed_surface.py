"""Every name of the package that this one re-creates is here, and is what it was."""

from __future__ import annotations

import enum
import inspect
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import openai_realtime
from openai_realtime import (
    UNSET,
    APIError,
    AudioFormat,
    InputAudioTranscriptionConfig,
    ResponseStatusDetails,
    SessionConfig,
    TurnDetection,
    Usage,
)
from openai_realtime._struct import OpenFamily

SURFACE = Path(__file__).parents[3] / "shared" / "seed_surface.tsv"

needs_surface = pytest.mark.skipif(
    not SURFACE.exists(), reason="seed_surface.tsv is not beside the repository"
)


class Row(NamedTuple):
    """One row: what kind of thing it was, its old name, its name here."""

    kind: str
    old: str
    name: str


def rows() -> list[Row]:
    """Return the rows that have a Python name."""
    if not SURFACE.exists():
        return []
    lines = SURFACE.read_text().splitlines()[1:]
    parsed = [Row(*line.split("\t")[:3]) for line in lines]
    return [row for row in parsed if row.name != "-"]


@needs_surface
@pytest.mark.parametrize("row", rows(), ids=lambda row: row.old)
def test_name_is_here(row: Row) -> None:
    """It can be imported from the package, is listed, and has a kind that fits."""
    thing: Any = getattr(openai_realtime, row.name)
    assert row.name in openai_realtime.__all__
    if row.kind == "enum" and row.name != "AudioFormat":
        assert issubclass(thing, enum.StrEnum)
        assert len(thing) > 1
    elif row.kind == "class" and inspect.isclass(thing):
        assert thing.__doc__


@pytest.mark.parametrize("name", ["ClientSecret", "ContentPartItemReference"])
def test_second_names_are_here(name: str) -> None:
    """Two things can be imported under two names."""
    assert hasattr(openai_realtime, name)


def test_error_details_have_what_the_row_says() -> None:
    """type, code, message, param, event_id."""
    error = APIError(type="t", code="c", message="m", param="p", event_id="e")
    assert error.to_dict() == {
        "type": "t",
        "code": "c",
        "message": "m",
        "param": "p",
        "event_id": "e",
    }


def test_formats_have_names_of_both_dialects() -> None:
    """The old names stand for the objects of today."""
    assert AudioFormat.named("pcm16").to_dict() == {"type": "audio/pcm", "rate": 24000}
    assert AudioFormat.named("g711_ulaw").to_dict() == {"type": "audio/pcmu"}
    assert AudioFormat.named("audio/pcma").to_dict() == {"type": "audio/pcma"}


def test_open_families_are_open() -> None:
    """Items, parts and turn detection keep variants that nobody knows yet."""
    for name in ("Item", "ContentPart", "TurnDetection"):
        assert issubclass(getattr(openai_realtime, name), OpenFamily)
    assert TurnDetection.unknown({"type": "new"}).type == "new"


def test_absent_null_and_value_are_three_things() -> None:
    """Turning transcription off is not the same as leaving it alone."""
    config = InputAudioTranscriptionConfig(model="whisper-1")
    assert config.language is UNSET
    assert config.to_dict() == {"model": "whisper-1"}
    off = SessionConfig.from_dict({"audio": {"input": {"transcription": None}}})
    assert off.to_dict()["audio"]["input"] == {"transcription": None}


@pytest.mark.parametrize("name", ["Voice", "ItemStatus", "ResponseStatus"])
def test_enumerations_compare_with_plain_strings(name: str) -> None:
    """Fields are strings, so values that are not known yet are kept as they come."""
    member = next(iter(getattr(openai_realtime, name)))
    assert member == str(member.value)
    details = ResponseStatusDetails.from_dict({"type": "brand_new", "reason": "x"})
    assert (details.type, details.reason) == ("brand_new", "x")


def test_usage_knows_cached_and_modalities() -> None:
    """Token totals with their parts."""
    usage = Usage.from_dict(
        {
            "total_tokens": 30,
            "input_tokens": 20,
            "output_tokens": 10,
            "input_token_details": {"cached_tokens": 5, "image_tokens": 1},
            "output_token_details": {"text_tokens": 4, "audio_tokens": 6},
        }
    )
    assert usage.input_token_details
    assert usage.input_token_details.cached_tokens == 5
    assert usage.output_token_details
    assert usage.output_token_details.audio_tokens == 6
