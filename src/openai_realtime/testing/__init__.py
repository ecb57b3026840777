"""For the tests of programs that talk to a Realtime server."""

from __future__ import annotations

from .tcp_proxy import Direction, Line, Scope, TcpProxy, Then

__all__ = ["Direction", "Line", "Scope", "TcpProxy", "Then"]
