"""For the tests of programs that talk to a Realtime server.

With pytest there are the fixtures ``realtime_server`` and ``realtime_pair``; without
it, `LiveServer` and `MemoryPair` are the same as context managers. `TcpProxy` is a bad
network before any server, and `speech` is audio that the emulator understands.
`TransportContract` holds a transport of your own to what the client expects of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .captioned_speech import speech
    from .event_log import EventLog, SeenEvent
    from .live_server import LiveServer
    from .memory_pair import MemoryPair
    from .memory_server import MemoryServer
    from .tcp_proxy import Direction, Line, Scope, TcpProxy, Then
    from .transport_contract import TransportContract, TransportPeer
    from .virtual_clock import VirtualClock

__all__ = [
    "Direction",
    "EventLog",
    "Line",
    "LiveServer",
    "MemoryPair",
    "MemoryServer",
    "Scope",
    "SeenEvent",
    "TcpProxy",
    "Then",
    "TransportContract",
    "TransportPeer",
    "VirtualClock",
    "speech",
]

# pytest loads this package, with the plugin that is in it, at each of its starts, also
# where no test needs it. So whatever is not asked for is not loaded.
_MODULES = {
    "Direction": "tcp_proxy",
    "EventLog": "event_log",
    "Line": "tcp_proxy",
    "LiveServer": "live_server",
    "MemoryPair": "memory_pair",
    "MemoryServer": "memory_server",
    "Scope": "tcp_proxy",
    "SeenEvent": "event_log",
    "TcpProxy": "tcp_proxy",
    "Then": "tcp_proxy",
    "TransportContract": "transport_contract",
    "TransportPeer": "transport_contract",
    "VirtualClock": "virtual_clock",
    "speech": "captioned_speech",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
