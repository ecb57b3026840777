"""The libraries that carry WebSockets, and certificates for their tests."""

from __future__ import annotations

import ssl

import pytest
import trustme

from openai_realtime.transports import Connector
from openai_realtime.transports.websocket import connector_of


@pytest.fixture(params=["picows", "websockets"])
def connect(request: pytest.FixtureRequest) -> Connector:
    """What opens a WebSocket: each library in turn, as all promise the same."""
    return connector_of(request.param)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that nobody knows."""
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """TLS for a server, with a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """TLS for a client that trusts that authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
