"""The server's half: the emulator's protocol, and a shell that sends what it says."""

from __future__ import annotations

from openai_realtime.codec import decode_event, encode_event
from openai_realtime.core.outputs import Close, Send
from openai_realtime.emulator.brains.brain import Brain
from openai_realtime.emulator.ids import CountedIds
from openai_realtime.emulator.outputs import ServerOutput
from openai_realtime.emulator.protocol import EmulatorProtocol
from openai_realtime.errors import ConnectionClosed

from ...emulator.random_session import QuickVoice
from ...emulator.recorder import RECORDER
from .link import Link
from .log import Log, What


class ServerShell:
    """Serves one connection.

    Attributes:
        protocol: What is said.
        end: How the server has ended the session, or None while it has not.

    Args:
        brain: Decides what is answered.
        pace: How many times faster than real time replies are generated.
        max_session_s: After how long the session expires.
        link: The connection.
        log: Where all is noted.
    """

    def __init__(
        self, brain: Brain, pace: float, max_session_s: float, link: Link, log: Log
    ) -> None:
        self._link = link
        self._log = log
        self.end: ConnectionClosed | None = None
        self.protocol = EmulatorProtocol(
            # Ids of two connections differ, as they do at the service.
            ids=_Ids(log.connection),
            voice=QuickVoice(),
            brain=brain,
            pace=pace,
            max_session_s=max_session_s,
        )
        self._carry_out(self.protocol.open(log.now))

    @property
    def next_due(self) -> float | None:
        """When there is something to do."""
        return self.protocol.next_timeout()

    def tick(self) -> None:
        """Do what is due."""
        self._carry_out(self.protocol.handle_timeout(now=self._log.now))

    def receive(self, frame: bytes) -> None:
        """Take in a frame of the client's."""
        self._log.note(What.TAKEN, decode_event(frame, direction="client"))
        self._carry_out(self.protocol.receive_frame(frame, now=self._log.now))

    def close(self) -> None:
        """Stop: the connection is over."""
        self._carry_out(self.protocol.close())

    def _carry_out(self, outputs: list[ServerOutput]) -> None:
        for output in outputs:
            match output:
                case Send(event=event):
                    self._log.note(What.SAID, event)
                    self._link.send_down(encode_event(event), now=self._log.now)
                case Close(code=code, reason=reason):
                    self.end = ConnectionClosed(code, reason)
                case _:
                    raise AssertionError(f"the server failed: {output}")
        # Here and now, so that Hypothesis makes the example small.
        RECORDER.check()


class _Ids:
    """Counts, with the number of the connection in each id."""

    def __init__(self, connection: int) -> None:
        self._connection = connection
        self._count = CountedIds()

    def __call__(self, prefix: str) -> str:
        return self._count(f"{prefix}_{self._connection}")
