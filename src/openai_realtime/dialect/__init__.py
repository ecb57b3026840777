"""The old (beta) dialect, translated; it is spoken nowhere else (PROTOCOL.md 2).

Everything here is pure and works on JSON objects, both ways: configuration as people
write it (`nested_config`), sessions and responses (`Shape`), items, single events, the
events of a whole connection (`BetaDialect`), and the REST calls that hand out keys.
"""

from __future__ import annotations

from ..events import Dialect
from .beta_dialect import BetaDialect
from .configuration import Translated, nested_config, to_config
from .events import event_to_beta, event_to_ga, missing_in_beta
from .fields import ResponseFields, SessionFields
from .items import item_to_beta, item_to_ga
from .response import RESPONSE, RESPONSE_CREATE
from .rest import (
    SessionType,
    key_request_to_beta,
    key_request_to_ga,
    key_response_to_beta,
    key_response_to_ga,
)
from .session import SESSION, SESSION_UPDATE, TRANSCRIPTION_SESSION
from .shape import JsonObject, Notes, Setting, Shape

__all__ = [
    "RESPONSE",
    "RESPONSE_CREATE",
    "SESSION",
    "SESSION_UPDATE",
    "TRANSCRIPTION_SESSION",
    "BetaDialect",
    "Dialect",
    "JsonObject",
    "Notes",
    "ResponseFields",
    "SessionFields",
    "SessionType",
    "Setting",
    "Shape",
    "Translated",
    "event_to_beta",
    "event_to_ga",
    "item_to_beta",
    "item_to_ga",
    "key_request_to_beta",
    "key_request_to_ga",
    "key_response_to_beta",
    "key_response_to_ga",
    "missing_in_beta",
    "nested_config",
    "to_config",
]
