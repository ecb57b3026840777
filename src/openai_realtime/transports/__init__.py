"""The ways to carry frames between a client and a server.

`memory` joins two ends in one process, `websocket` goes over the network. Both pass one
suite of tests, so whatever runs over one of them runs over the other.
"""

from __future__ import annotations

from .endpoint import Endpoint
from .transport import Connector, Transport

__all__ = ["Connector", "Endpoint", "Transport"]
