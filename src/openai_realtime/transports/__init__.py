"""The ways to carry frames between a client and a server.

`memory` joins two ends in one process, `websocket` goes over the network. Both pass one
suite of tests, so whatever runs over one of them runs over the other.
"""

from __future__ import annotations

from openai_realtime.transports.endpoint import Endpoint
from openai_realtime.transports.transport import Connector, Transport

__all__ = ["Connector", "Endpoint", "Transport"]
