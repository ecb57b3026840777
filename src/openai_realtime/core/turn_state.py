"""Where the user's turn is, as voice activity detection tells it.

::

    QUIET --started--> SPEAKING --stopped--> ENDING --committed--> QUIET
      |                  |   ^                 |                     |
      |                  |   +-----started-----+                     |
      |                  +---------------committed-------------------+
      +--timed out--> SILENT ------------committed-------------------+

A turn that was committed or cleared while it ran is over, and so is one whose detection
was switched off. Who speaks before silence is committed begins a turn. Who commits by
hand, with detection off, never leaves QUIET.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["TurnInput", "TurnState", "UserTurn"]


class TurnState(Enum):
    """Where the user's turn is; behind the last two the server commits."""

    QUIET = "quiet"
    SPEAKING = "speaking"
    ENDING = "ending"
    SILENT = "silent"


class TurnInput(Enum):
    """What moves the turn on."""

    STARTED = "started"
    STOPPED = "stopped"
    COMMITTED = "committed"
    CLEARED = "cleared"
    TIMED_OUT = "timed_out"
    DETECTION_OFF = "detection_off"


_S, _I = TurnState, TurnInput

# Every (state, input) that is legal; all others change nothing and return False.
TRANSITIONS: dict[tuple[TurnState, TurnInput], TurnState] = {
    (_S.QUIET, _I.STARTED): _S.SPEAKING,
    # Silence becomes an item too: a commit follows (PROTOCOL.md section 6.11).
    (_S.QUIET, _I.TIMED_OUT): _S.SILENT,
    # A second start means that the end of the first turn was never told.
    (_S.SPEAKING, _I.STARTED): _S.SPEAKING,
    (_S.SPEAKING, _I.STOPPED): _S.ENDING,
    (_S.SPEAKING, _I.COMMITTED): _S.QUIET,
    (_S.SPEAKING, _I.CLEARED): _S.QUIET,
    (_S.SPEAKING, _I.DETECTION_OFF): _S.QUIET,
    (_S.ENDING, _I.STARTED): _S.SPEAKING,
    (_S.ENDING, _I.COMMITTED): _S.QUIET,
    (_S.ENDING, _I.CLEARED): _S.QUIET,
    (_S.ENDING, _I.DETECTION_OFF): _S.QUIET,
    (_S.SILENT, _I.STARTED): _S.SPEAKING,
    (_S.SILENT, _I.COMMITTED): _S.QUIET,
    (_S.SILENT, _I.CLEARED): _S.QUIET,
    (_S.SILENT, _I.DETECTION_OFF): _S.QUIET,
}


class UserTurn:
    """Holds the one turn that the user may be taking.

    Attributes:
        state: Where it is.
        item_id: The item that the turn will become, or None while it is quiet.
    """

    def __init__(self) -> None:
        self.state: TurnState = TurnState.QUIET
        self.item_id: str | None = None

    @property
    def is_ending(self) -> bool:
        """Whether the server is about to commit it."""
        return self.state in (TurnState.ENDING, TurnState.SILENT)

    def started(self, item_id: str) -> bool:
        """Note that the user began to speak; never refused."""
        return self._move(TurnInput.STARTED, item_id)

    def stopped(self, item_id: str) -> bool:
        """Note that the user stopped; False when this turn is not running."""
        return item_id == self.item_id and self._move(TurnInput.STOPPED, item_id)

    def timed_out(self, item_id: str) -> bool:
        """Note that silence will become an item; False when somebody speaks."""
        return self._move(TurnInput.TIMED_OUT, item_id)

    def committed(self) -> bool:
        """Note that the turn became an item; False when there was none."""
        return self._move(TurnInput.COMMITTED, None)

    def cleared(self) -> bool:
        """Note that the turn's audio was dropped; False when there was none."""
        return self._move(TurnInput.CLEARED, None)

    def detection_off(self) -> bool:
        """Note that nobody listens for turns now; False when there was none."""
        return self._move(TurnInput.DETECTION_OFF, None)

    def _move(self, input: TurnInput, item_id: str | None) -> bool:
        following = TRANSITIONS.get((self.state, input))
        if following is None:
            return False
        self.state = following
        self.item_id = item_id
        return True
