"""What of a connection is told to the log.

There are two loggers. ``openai_realtime.session`` has a line at INFO for each step in
the life of a connection. ``openai_realtime.events`` has one at DEBUG for each event,
with its name and its size; what it says is told after an explicit switch only. Keys
never are.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable
from typing import Any, TypeAlias, cast

from ._struct import UNSET
from .errors import ConfigurationError, ConnectionClosed, hide_keys
from .events import (
    Error,
    RealtimeEvent,
    ResponseDone,
    SessionCreated,
    SessionUpdated,
    UnknownEvent,
)
from .transports import Endpoint

__all__ = ["Journal"]

_session = logging.getLogger("openai_realtime.session")
_events = logging.getLogger("openai_realtime.events")

_SWITCH = "OPENAI_REALTIME_LOG"

_ARROWS = {"server": "<-", "client": "->"}

# A name that nobody knows may be anything, line breaks included.
_SHOWN_NAME = 80
_SHOWN_TEXT = 2_000

# Fields that hold a credential, whatever it looks like.
_SECRETS = frozenset(
    {
        "api-key",
        "api_key",
        "authorization",
        "client_secret",
        "headers",
        "password",
        "secret",
        "token",
    }
)

# Audio and images are text like this, and far longer than what anybody writes so.
_BASE64 = re.compile(
    r"(?:data:[\w/+.-]*;base64,)?[A-Za-z0-9+/_-]{200,}={0,2}", re.ASCII
)
_AUDIO_FIELDS = frozenset({"audio"})
_AUDIO_DELTAS = frozenset({"response.output_audio.delta", "response.audio.delta"})

_Step: TypeAlias = Callable[[Any], tuple[object, ...]]


def _session_began(event: SessionCreated) -> tuple[object, ...]:
    session = event.session
    return "session %s began, model %s", _or_none(session.id), _or_none(session.model)


def _session_changed(event: SessionUpdated) -> tuple[object, ...]:
    return "session %s: the configuration was accepted", _or_none(event.session.id)


def _response_ended(event: ResponseDone) -> tuple[object, ...]:
    response = event.response
    tokens_in = tokens_out = None
    if response.usage:
        tokens_in = _or_none(response.usage.input_tokens)
        tokens_out = _or_none(response.usage.output_tokens)
    return (
        "response %s: %s, %s tokens in, %s out",
        _or_none(response.id),
        _or_none(response.status),
        tokens_in,
        tokens_out,
    )


def _server_complained(event: Error) -> tuple[object, ...]:
    # Its message may quote what we have sent.
    error = event.error
    return (
        "the server reports an error: type %s, code %s, param %s, about %s",
        *map(_or_none, (error.type, error.code, error.param, error.event_id)),
    )


# The events that are steps in the life of a connection, with what is told of them.
_STEPS: dict[type[RealtimeEvent], _Step] = {
    SessionCreated: _session_began,
    SessionUpdated: _session_changed,
    ResponseDone: _response_ended,
    Error: _server_complained,
}


class Journal:
    """Tells the log what happens on a connection, without its credentials."""

    def __init__(self, content: bool | None = None) -> None:
        """Begin without a connection.

        Args:
            content: Whether to tell what is said in events; without it, whether
                ``OPENAI_REALTIME_LOG`` is ``content``.

        Raises:
            ConfigurationError: That variable says something else.
        """
        self._content = _switched_on() if content is None else content
        self._endpoint: Endpoint | None = None

    def connecting(self, endpoint: Endpoint | None) -> None:
        """Tell of an attempt to connect; None stands for a transport that is open."""
        self._endpoint = endpoint
        if endpoint is None:
            _session.info("taking over an open transport")
        else:
            self._tell("connecting to %s", endpoint.safe_url)

    def connected(self) -> None:
        """Tell that the connection is open."""
        if self._endpoint is not None:
            self._tell("connected to %s", self._endpoint.safe_url)

    def not_connected(self, error: BaseException) -> None:
        """Tell that it did not come about."""
        self._tell("not connected: %s", error)

    def closed(self, end: ConnectionClosed) -> None:
        """Tell how it ended."""
        self._tell("%s", end)

    def event(self, source: str, event: RealtimeEvent, frame: bytes | str) -> None:
        """Tell of an event that was sent or received.

        Args:
            source: ``server`` or ``client``.
            event: The event.
            frame: How it travelled, for its size.
        """
        if _events.isEnabledFor(logging.DEBUG):
            self._event(source, event, frame)
        if source == "server":
            step = _STEPS.get(type(event))
            if step is not None:
                self._tell(*step(event))

    def _event(self, source: str, event: RealtimeEvent, frame: bytes | str) -> None:
        size = len(
            frame if isinstance(frame, bytes) else frame.encode(errors="replace")
        )
        arrow = _ARROWS.get(source, source)
        if self._content:
            content = self._hidden(_shown(event))
            _events.debug("%s %s, %d bytes: %s", arrow, _name(event), size, content)
        else:
            _events.debug("%s %s, %d bytes", arrow, _name(event), size)

    def _tell(self, message: object, *values: object) -> None:
        """Write a line, with nothing in it that a server or an error has let out."""
        if _session.isEnabledFor(logging.INFO):
            _session.info(message, *(self._hidden(str(value)) for value in values))

    def _hidden(self, text: str) -> str:
        if self._endpoint is not None:
            text = self._endpoint.hide_credentials(text)
        return _one_line(hide_keys(text))


def _switched_on() -> bool:
    value = os.environ.get(_SWITCH, "")
    if value not in ("", "content"):
        raise ConfigurationError(
            f"{_SWITCH}={value!r} says nothing; it may be 'content', by which the log"
            " has what is said in events"
        )
    return value == "content"


def _or_none(value: object) -> object:
    return None if value is UNSET else value


def _name(event: RealtimeEvent) -> str:
    if not isinstance(event, UnknownEvent):
        return event.type
    return _one_line(hide_keys(event.type)[:_SHOWN_NAME])


def _one_line(text: str) -> str:
    """Return the text with what would break a line or a terminal written out."""
    return text if text.isprintable() else repr(text)[1:-1]


def _shown(event: RealtimeEvent) -> str:
    """Return what an event says, without audio, images and what names a credential."""
    try:
        fields = event.to_dict()
        if event.type in _AUDIO_DELTAS and isinstance(fields.get("delta"), str):
            fields["delta"] = _bytes_in(fields["delta"])
        return json.dumps(_shortened("", fields), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as exc:
        # A log must not cost the event: servers nest as deeply as they like.
        return f"(cannot be shown: {type(exc).__name__})"


def _shortened(name: str, value: Any) -> Any:
    if name in _SECRETS and value is not None:
        return "***"
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {key: _shortened(key.lower(), inner) for key, inner in fields.items()}
    if isinstance(value, list):
        elements = cast("list[object]", value)
        return [_shortened(name, inner) for inner in elements]
    if not isinstance(value, str):
        return value
    if name in _AUDIO_FIELDS or _BASE64.fullmatch(value):
        return _bytes_in(value)
    value = hide_keys(value)
    if len(value) > _SHOWN_TEXT:
        return f"{value[:_SHOWN_TEXT]}... ({len(value)} characters)"
    return value


def _bytes_in(base64: str) -> str:
    return f"<{len(base64.rpartition(',')[2].rstrip('=')) * 3 // 4} bytes>"
