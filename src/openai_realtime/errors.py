"""Everything this library raises, as one tree.

    RealtimeError
      ConfigurationError     something needed is missing or contradicts itself
      AudioError             audio that cannot be used as it is
      ToolError              a tool cannot be registered, or a call of it failed
      ProtocolError
        LocalProtocolError   you broke a rule; nothing was sent, nothing changed
        RemoteProtocolError  the other side sent what is no event (.raw)
      TransportError
        ConnectFailed        no connection came about (.url .status .body .retryable)
        ConnectionClosed     the connection ended (.code .reason .clean .retryable)
      ServerError            an `error` event (.type .code .param .event_id .event)
      ResponseFailed         a response ended as failed (.response)
      ResponseCancelled      a request was dropped before the model began
      AnswerTimeout          the server never answered (.ticket)

Beside it stands one warning, `DroppedSettingWarning`.

Foreign exceptions are translated where they enter, with ``raise ... from``. No message
and no attribute ever holds an API key, but for `RemoteProtocolError.raw`, which is the
frame as it came and part of no message. All of them can be copied and pickled.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = [
    "AnswerTimeout",
    "AudioError",
    "ConfigurationError",
    "ConnectFailed",
    "ConnectionClosed",
    "DroppedSettingWarning",
    "LocalProtocolError",
    "ProtocolError",
    "RealtimeError",
    "RemoteProtocolError",
    "ResponseCancelled",
    "ResponseFailed",
    "ServerError",
    "ToolError",
    "TransportError",
]

# Close codes after which a new connection can help: network and server trouble, and
# the session cap, which closes with 1001 (PROTOCOL.md section 5).
_RETRYABLE_CLOSE_CODES = frozenset({1001, 1005, 1006, 1011, 1012, 1013, 1015})

# HTTP answers to the handshake after which trying again can help: admission limits
# and outages (PROTOCOL.md section 5).
_RETRYABLE_STATUSES = frozenset({408, 425, 429})


# Keys of the service, lasting and ephemeral ones. Servers quote them when they complain
# of a wrong key, and an exception that we wrap may quote anything.
_KEY = re.compile(r"\b(sk-|ek_)[\w-]{16,}", re.ASCII)


def hide_keys(text: str) -> str:
    """Return the text with stars in place of what looks like a key of the service."""
    return _KEY.sub(r"\1***", text)


class RealtimeError(Exception):
    """The root of the tree: ``except RealtimeError`` catches all that we raise."""

    def __init__(self, *args: object) -> None:
        shown = (hide_keys(arg) if isinstance(arg, str) else arg for arg in args)
        super().__init__(*shown)

    def __reduce__(self) -> tuple[Any, ...]:
        # Without calling __init__, whose arguments are not always those of the message.
        return _restored, (type(self), self.args), vars(self)


def _restored(cls: type[RealtimeError], args: tuple[object, ...]) -> RealtimeError:
    """Return an error as it was before its attributes are set."""
    error = cls.__new__(cls, *args)
    # Errors that are builtin ones too would take them in __init__ only.
    error.args = args
    return error


class ConfigurationError(RealtimeError, ValueError):
    """Something needed is missing, unknown or contradictory; nothing was sent."""


class AudioError(RealtimeError, ValueError):
    """Audio that cannot be used: odd byte count, wrong type, range or file format."""


class ToolError(RealtimeError, ValueError):
    """A tool cannot be registered, or a call of it failed."""


class ProtocolError(RealtimeError):
    """One of the two sides broke the protocol."""


class LocalProtocolError(ProtocolError):
    """We were asked to break a rule; nothing was sent and no state has changed."""


class RemoteProtocolError(ProtocolError):
    """The other side sent a frame that is not an event we can read.

    Attributes:
        raw: The frame as it came, for logging or for a decoder of your own.
    """

    def __init__(self, message: str, *, raw: bytes | str = b"") -> None:
        super().__init__(message)
        self.raw = raw


class TransportError(RealtimeError):
    """The connection could not be made, or ended."""


class ConnectFailed(TransportError):
    """No connection came about.

    Attributes:
        url: Where we tried to connect, without credentials.
        status: The HTTP status of a refused handshake, else None.
        body: The text of that HTTP answer, shortened; empty when there was none.
        retryable: Whether trying again, unchanged, can help.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str,
        status: int | None = None,
        body: str = "",
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.url = url
        self.status = status
        self.body: str = hide_keys(body)
        if retryable is None:
            retryable = status is None or status >= 500 or status in _RETRYABLE_STATUSES
        self.retryable = retryable


class ConnectionClosed(TransportError):
    """The connection ended, by either side or by the network.

    Attributes:
        code: The WebSocket close code; 1006 when there was none.
        reason: The close reason the peer gave, possibly empty.
        clean: Whether this was an ordinary end (1000).
        retryable: Whether a new connection can help.
    """

    def __init__(self, code: int = 1006, reason: str = "") -> None:
        detail = f" ({reason})" if reason else ""
        super().__init__(f"connection closed with code {code}{detail}")
        self.code = code
        self.reason: str = hide_keys(reason)

    @property
    def clean(self) -> bool:
        """Whether this was an ordinary end of the session."""
        return self.code == 1000

    @property
    def retryable(self) -> bool:
        """Whether a new connection can help (PROTOCOL.md section 5)."""
        return self.code in _RETRYABLE_CLOSE_CODES


class ServerError(RealtimeError):
    """The server answered with an `error` event.

    Attributes:
        type: The kind of error, for instance ``invalid_request_error``.
        code: The machine-readable code, or None.
        param: The field at fault, or None.
        event_id: The id of our event that caused it, or None.
        event: That event, where it is still remembered; audio and images are left out.
    """

    def __init__(
        self,
        message: str,
        *,
        type: str,
        code: str | None = None,
        param: str | None = None,
        event_id: str | None = None,
        event: Any = None,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.code = code
        self.param = param
        self.event_id = event_id
        self.event = event


class ResponseFailed(RealtimeError):
    """A response that was asked for ended as failed.

    Attributes:
        response: The response, whose ``status_details`` say why.
    """

    def __init__(self, message: str, *, response: Any) -> None:
        super().__init__(message)
        self.response = response


class ResponseCancelled(RealtimeError):
    """A request for a response was dropped before the model began to answer it."""


class AnswerTimeout(RealtimeError, TimeoutError):
    """The server did not answer what we sent, or fell silent in the middle of it.

    Attributes:
        ticket: The id of the event that was not answered.
    """

    def __init__(self, message: str, *, ticket: str) -> None:
        super().__init__(message)
        self.ticket = ticket


class DroppedSettingWarning(UserWarning):
    """A setting was given that the service no longer has; the rest was taken.

    It is shown by default, once for each setting of a client.
    """
