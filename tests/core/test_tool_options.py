"""How a tool is run is checked when it is said."""

from __future__ import annotations

import json
import math

import pytest

from openai_realtime.codec import encode_event
from openai_realtime.core.tool_options import ToolOptions
from openai_realtime.emulator.request import is_too_large
from openai_realtime.errors import ConfigurationError
from openai_realtime.events import ConversationItemCreate
from openai_realtime.resources import FunctionCallOutputItem


def test_without_a_word_a_tool_runs_in_the_foreground() -> None:
    """Nobody gets approvals, the background or a stop without asking for them."""
    options = ToolOptions()
    assert options.timeout_s == 60.0
    assert options.wants_reply
    assert not options.needs_approval
    assert not options.background
    assert not options.cancel_on_interrupt


def test_the_interim_output_is_json() -> None:
    """The model reads at once that the result follows."""
    assert json.loads(ToolOptions().interim_output)["status"] == "started"


def test_the_largest_output_is_not_too_large_for_a_frame() -> None:
    """An output within the limit is taken, however much of it is escaped."""
    output = "\0" * ToolOptions().max_output_bytes
    item = FunctionCallOutputItem(call_id="c" * 64, output=output)
    frame = encode_event(ConversationItemCreate(event_id="e" * 64, item=item))
    assert not is_too_large(frame)


@pytest.mark.parametrize("timeout_s", [0, -1.0, math.nan, math.inf])
def test_a_timeout_is_a_time(timeout_s: float) -> None:
    """A limit that is none is refused, and the way to have none is told."""
    with pytest.raises(ConfigurationError, match=r"timeout_s is .*None for no limit"):
        ToolOptions(timeout_s=timeout_s)


def test_a_tool_may_have_no_timeout() -> None:
    """None is the way to let a tool run as long as it likes."""
    assert ToolOptions(timeout_s=None).timeout_s is None


def test_an_output_may_have_a_byte() -> None:
    """A limit that allows no output is refused."""
    with pytest.raises(ConfigurationError, match="max_output_bytes is 0"):
        ToolOptions(max_output_bytes=0)


def test_the_interim_output_keeps_the_limit() -> None:
    """An interim output that could not be sent is refused beforehand."""
    with pytest.raises(ConfigurationError, match="interim_output has 6 bytes"):
        ToolOptions(interim_output="\udc00", max_output_bytes=5)
