"""The names that editors offer for configuration are those that are read."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from openai_realtime.dialect.configuration import _MOVED
from openai_realtime.dialect.fields import ResponseFields, SessionFields
from openai_realtime.dialect.settings import GONE
from openai_realtime.resources import ResponseConfig, SessionConfig


@pytest.mark.parametrize(
    ("fields", "config"),
    [(SessionFields, SessionConfig), (ResponseFields, ResponseConfig)],
)
def test_names_are_those_that_are_read(
    fields: type, config: type[SessionConfig] | type[ResponseConfig]
) -> None:
    """Each setting of either dialect is offered, and nothing else."""
    offered = set(get_type_hints(fields))
    assert offered == {*config.__struct_fields__, *_MOVED[config], *GONE}
