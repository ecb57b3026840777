"""What the library asks of a connection, whatever carries it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, TypeGuard

from ..errors import ConnectionClosed, LocalProtocolError
from .endpoint import Endpoint

__all__ = [
    "Connector",
    "DeliveringTransport",
    "EndReceiver",
    "FrameReceiver",
    "Transport",
    "check_close_code",
    "delivers",
    "shorten_reason",
]

# What a close frame may say (RFC 6455, 7.4): the codes of the standard, and those that
# libraries and programs may use. 1004 to 1006 and 1015 are never sent.
_CLOSE_CODES = (range(1000, 1004), range(1007, 1015), range(3000, 5000))

# A close frame holds 125 bytes, of which the code takes two (RFC 6455, 5.5).
_MAX_REASON_BYTES = 123


class Transport(Protocol):
    """An open connection that carries whole messages, in order, both ways."""

    async def send(self, frame: bytes | str) -> None:
        """Send one text message.

        The frame is taken over before the first suspension, so frames leave in the
        order of the calls. The call suspends only while the peer reads more slowly than
        we send. Cancelling it gives up that wait; the frame is sent all the same.

        Args:
            frame: The text, either as `str` or as its UTF-8 bytes.

        Raises:
            ConnectionClosed: The connection is over, or ended during the wait.
        """
        ...

    async def recv(self) -> bytes | str:
        """Return the next message.

        Messages that came before the end are returned before its error. One call at a
        time. Cancelling it loses no message: the next call returns what this one would
        have returned. Bytes are not checked to be UTF-8, and a binary message looks
        like a text message; judging the content is the codec's work.

        Raises:
            ConnectionClosed: The connection is over and every message has been read.
            RuntimeError: Another call is waiting already.
        """
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection, and return when it is closed.

        What was sent before goes out first. Calling it again is harmless. A peer that
        does not read or does not answer is given up after a deadline that the transport
        was made with. Cancelling the call gives up only the wait; the closing goes on.

        Args:
            code: The WebSocket close code that the peer is to see.
            reason: A text for the peer, cut to 123 bytes.

        Raises:
            LocalProtocolError: No close frame may have that code; nothing was done.
        """
        ...


FrameReceiver: TypeAlias = Callable[[bytes], None]
"""Takes a message; it neither waits nor raises."""

EndReceiver: TypeAlias = Callable[[ConnectionClosed], None]
"""Takes the end of a connection; it neither waits nor raises."""


class DeliveringTransport(Transport, Protocol):
    """A transport that can also hand messages over, instead of being asked for them.

    It saves a task that reads, and the turn of the event loop that waking it takes.
    """

    def deliver_to(self, receive: FrameReceiver, ended: EndReceiver) -> None:
        """Hand over each message as it comes, in order, and then the end.

        The first is handed over in the next turn of the event loop, also of those that
        have come already. In a burst everybody else has a turn after at most 64. To be
        called once; from then on `recv` is not for use.

        Args:
            receive: Is called with each message.
            ended: Is called once, after the last message.

        Raises:
            RuntimeError: Somebody reads already.
        """
        ...


def delivers(transport: Transport) -> TypeGuard[DeliveringTransport]:
    """Return whether a transport hands messages over.

    Its class must have the method: what wraps another transport, and passes on whatever
    it does not know, means its own `recv`.
    """
    return hasattr(type(transport), "deliver_to")


Connector: TypeAlias = Callable[[Endpoint], Awaitable[Transport]]
"""Opens a transport, or raises `ConnectFailed` or `ConfigurationError`."""


def check_close_code(code: int) -> None:
    """Refuse a code that no close frame may have.

    Raises:
        LocalProtocolError: It is such a code.
    """
    if not any(code in codes for codes in _CLOSE_CODES):
        raise LocalProtocolError(
            f"a connection cannot be closed with code {code!r}; pass 1000, or one of"
            " 3000 to 4999 with a meaning of your own"
        )


def shorten_reason(reason: str) -> str:
    """Cut a close reason to what fits into a close frame, without half a character."""
    return reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
