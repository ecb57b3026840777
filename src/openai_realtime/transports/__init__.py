"""The ways to carry frames between a client and a server.

`memory` joins two ends in one process, `websocket` goes over the network by one of two
libraries. All pass one suite of tests, `openai_realtime.testing.TransportContract`, so
whatever runs over one of them runs over the others.
"""

from __future__ import annotations

from .choice import TransportChoice, TransportFactory
from .endpoint import Endpoint
from .transport import Connector, DeliveringTransport, Transport

__all__ = [
    "Connector",
    "DeliveringTransport",
    "Endpoint",
    "Transport",
    "TransportChoice",
    "TransportFactory",
]
