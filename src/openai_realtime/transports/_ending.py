"""How a WebSocket connection ended, as its close frames tell it."""

from __future__ import annotations

from typing import Protocol

from ..errors import ConnectionClosed

__all__ = ["end_of"]

_NO_CLOSE_FRAME = 1006
_EMPTY_CLOSE_FRAME = 1005


class CloseFrame(Protocol):
    """A close frame."""

    @property
    def code(self) -> int:
        """The code; 0 stands for none in picows."""
        ...

    @property
    def reason(self) -> str | None:
        """The text beside it."""
        ...


class CloseFrames(Protocol):
    """The close frames of both sides, as websockets and picows keep them."""

    @property
    def rcvd(self) -> CloseFrame | None:
        """The other side's."""
        ...

    @property
    def sent(self) -> CloseFrame | None:
        """Ours."""
        ...

    @property
    def rcvd_then_sent(self) -> bool | None:
        """Whether the other side was first; None where there are no two."""
        ...


def end_of(
    frames: CloseFrames, asked: tuple[int, str] | None = None
) -> ConnectionClosed:
    """Return the error that tells of the end.

    Args:
        frames: What was said at the end.
        asked: The code and the reason that we were asked to close with, if at all;
            where None, our close frame has them.
    """
    rcvd, sent = frames.rcvd, frames.sent
    if rcvd is None and sent is None:
        return ConnectionClosed(_NO_CLOSE_FRAME)
    # Whoever closed first says why: the other side's frame is only an echo.
    if rcvd is not None and (frames.rcvd_then_sent or sent is None):
        code, reason = rcvd.code, rcvd.reason
    elif asked is not None:
        code, reason = asked
    else:
        assert sent is not None
        code, reason = sent.code, sent.reason
    return ConnectionClosed(int(code) or _EMPTY_CLOSE_FRAME, reason or "")
