"""Client and server, joined by a link, in virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from openai_realtime.core.conversation import AudioRetention
from openai_realtime.errors import ConnectionClosed

from ...emulator.random_session import Dice
from .client_shell import ClientShell, Habits
from .link import WEATHERS, Link, Weather
from .log import Log, What
from .server_shell import ServerShell
from .talkative_brain import TalkativeBrain
from .tool_box import TOOLS
from .user import User, add_tool

_WAITS_S = (0.0, 0.1, 1.0, 0.0, 0.01, 0.03, 0.3, 5.0)
_EXPIRES_S = (1_000_000.0, 1_000_000.0, 1_000_000.0, 20.0)
_PACES = (0.0, 5.0, 1.0)
_HABITS = (Habits(), Habits(send_s=0.2), Habits(unsendable=6))

# Longer than whatever anybody waits for.
_REST_S = 3_600.0
_MOST_TICKS = 20_000
_MOST_ROUNDS = 60


class Retention(NamedTuple):
    """How much audio is kept, in the policy's words and in ours.

    Attributes:
        make: Makes the policy of the conversation.
        items: So many items with audio at most.
        samples: So many samples of theirs at most.
        input_s: So many seconds of the user's audio that is no item yet.
    """

    make: Callable[[], AudioRetention]
    items: int | None = None
    samples: int | None = None
    input_s: float = 120.0


_RETENTIONS = (
    Retention(AudioRetention.all),
    Retention(AudioRetention.none, items=0, samples=0, input_s=0.5),
    Retention(lambda: AudioRetention.last_items(2), items=2),
    Retention(lambda: AudioRetention.seconds(0.5), samples=12_000),
)


class World:
    """Holds all that takes part in one run.

    Attributes:
        log: What happened.
        retention: How much audio the client may keep.
        client: The client's half.
        server: The server's half of the present connection; None where it has ended.
        user: Who wants things of the client.

    Args:
        chance: What kind of world it is.
    """

    def __init__(self, chance: bytes) -> None:
        dice = Dice(chance)
        self._dice = dice
        self._weather: Weather = dice.one_of(WEATHERS)
        self._pace: float = dice.one_of(_PACES)
        self.retention: Retention = dice.one_of(_RETENTIONS)
        self._expires_s: float = dice.one_of(_EXPIRES_S)
        self._chance = random.Random(dice.below(1 << 16))
        self.log = Log()
        self.client = ClientShell(
            retention=self.retention.make(),
            input_retention_s=self.retention.input_s,
            tools_in_order=dice.below(4) == 3,
            habits=dice.one_of(_HABITS),
            chance=self._chance,
            log=self.log,
        )
        self.server: ServerShell | None = None
        self.user = User(self.client, self.log)
        self._link: Link | None = None
        self._noticed_at: float | None = None
        self._end = ConnectionClosed()
        for _ in range(dice.below(4)):
            add_tool(self.user, dice.one_of(TOOLS))
        self.connect()

    @property
    def connected(self) -> bool:
        """Whether the client has a connection, and it is whole."""
        whole = self._link is not None and not self._link.broken
        return self.client.connected and whole

    # --- what happens ---

    def step(self, chance: bytes) -> None:
        """Let some time pass, and then somebody do something."""
        dice = Dice(chance)
        self.run(dice.one_of(_WAITS_S))
        fate = dice.below(40)
        if not self.client.connected:
            if fate % 2:
                self.connect()
            else:
                self.user.prepare(dice)
        elif fate == 39:
            self.cut(dice.one_of((0.0, 0.5)))
        else:
            self.user.act(dice)
        self.client.protocol.check()

    def connect(self) -> None:
        """Begin a new connection, with a server that knows nothing of another."""
        self.log.connection += 1
        self.log.note(What.OPENED, None)
        link = self._link = Link(self._weather, self._chance)
        brain = TalkativeBrain(self._chance)
        self.server = ServerShell(brain, self._pace, self._expires_s, link, self.log)
        self.client.connect(link)

    def cut(self, noticed_after_s: float) -> None:
        """Cut the link; the client learns of it only after some time."""
        if self._link is not None and not self._link.broken:
            self._link.cut()
            self._lose_server()
            self._noticed_at = self.log.now + noticed_after_s

    def _lose_server(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None

    # --- time ---

    def run(self, seconds: float) -> None:
        """Let time pass, and do what becomes due in it."""
        end = self.log.now + seconds
        for _ in range(_MOST_TICKS):
            due, tick = min(self._due(), key=lambda each: each[0], default=(end, None))
            if tick is None or due > end:
                self.log.now = end
                return
            self.log.now = max(self.log.now, due)
            tick()
            self.client.protocol.check()
        raise AssertionError("something is always due")

    def _due(self) -> list[tuple[float, Callable[[], None]]]:
        """Return what comes next of each part."""
        parts: list[tuple[float | None, Callable[[], None]]] = [
            (self.client.next_due, self.client.tick),
            (self.user.next_due, self.user.tick),
            (self._noticed_at, self._notice),
        ]
        if self._link is not None:
            parts.append((self._link.up.next_due, self._arrive_up))
            parts.append((self._link.down.next_due, self._arrive_down))
        if self.server is not None:
            parts.append((self.server.next_due, self._tick_server))
        return [(due, tick) for due, tick in parts if due is not None]

    def _arrive_up(self) -> None:
        assert self._link is not None
        frame = self._link.up.arrive()
        if self.server is not None:
            self.server.receive(frame)

    def _arrive_down(self) -> None:
        assert self._link is not None
        self.client.receive(self._link.down.arrive())
        self._close_when_read()

    def _tick_server(self) -> None:
        assert self.server is not None
        self.server.tick()
        if self.server.end is not None:
            self._end = self.server.end
            self._lose_server()
            self._close_when_read()

    def _close_when_read(self) -> None:
        """End a connection that the server has closed, once all of it was read."""
        link = self._link
        if link is not None and self.server is None and link.down.next_due is None:
            link.cut()
            self._noticed_at = self.log.now

    def _notice(self) -> None:
        """Let the client learn that its connection is over."""
        self._noticed_at = self._link = None
        self.user.microphone.switch_off()
        error, self._end = self._end, ConnectionClosed()
        self.client.end(error)

    # --- rest ---

    def rest(self) -> None:
        """Let everything come to its end; nobody wants anything any more."""
        self.user.fall_silent()
        for _ in range(_MOST_ROUNDS):
            self.run(_REST_S)
            if not self.user.settle_all(self._dice):
                return
        raise AssertionError("somebody always waits for an answer")
