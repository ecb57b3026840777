"""The tree of errors and what its members tell."""

from __future__ import annotations

import pytest

from openai_realtime import errors
from openai_realtime.errors import (
    AudioError,
    ConfigurationError,
    ConnectFailed,
    ConnectionClosed,
    LocalProtocolError,
    ProtocolError,
    RealtimeError,
    RemoteProtocolError,
    ServerError,
    ToolError,
    TransportError,
)

PARENTS: dict[type[Exception], tuple[type[Exception], ...]] = {
    ConfigurationError: (RealtimeError, ValueError),
    AudioError: (RealtimeError, ValueError),
    ToolError: (RealtimeError, ValueError),
    ProtocolError: (RealtimeError,),
    LocalProtocolError: (ProtocolError,),
    RemoteProtocolError: (ProtocolError,),
    TransportError: (RealtimeError,),
    ConnectFailed: (TransportError,),
    ConnectionClosed: (TransportError,),
    ServerError: (RealtimeError,),
}


@pytest.mark.parametrize("cls", PARENTS, ids=lambda cls: cls.__name__)
def test_error_stands_in_its_place_of_the_tree(cls: type[Exception]) -> None:
    """`except` clauses written against the documented tree keep catching."""
    assert cls.__bases__ == PARENTS[cls]


def test_the_tree_has_no_other_member() -> None:
    """Every public error is under the root and in the documented tree."""
    public = {getattr(errors, name) for name in errors.__all__}
    assert public == {RealtimeError, *PARENTS}


def test_our_connection_errors_are_not_the_builtin_ones() -> None:
    """`except OSError` of other code never swallows a closed session."""
    assert not issubclass(ConnectionClosed, OSError)
    assert not issubclass(ConnectFailed, OSError)


@pytest.mark.parametrize(
    ("code", "clean", "retryable"),
    [
        (1000, True, False),
        (1001, False, True),
        (1002, False, False),
        (1003, False, False),
        (1005, False, True),
        (1006, False, True),
        (1007, False, False),
        (1008, False, False),
        (1009, False, False),
        (1011, False, True),
        (1012, False, True),
        (1013, False, True),
        (1015, False, True),
        (3000, False, False),
        (4000, False, False),
    ],
)
def test_close_code_decides_about_clean_and_retryable(
    code: int, clean: bool, retryable: bool
) -> None:
    """The table of PROTOCOL.md section 5: a bad key is not tried again, a drop is."""
    closed = ConnectionClosed(code)
    assert (closed.clean, closed.retryable) == (clean, retryable)


def test_closed_tells_code_and_reason() -> None:
    """The message is enough to understand a close from a log."""
    closed = ConnectionClosed(3000, "invalid_request_error.invalid_api_key")
    assert "3000" in str(closed)
    assert "invalid_api_key" in str(closed)
    assert (closed.code, closed.reason) == (3000, closed.reason)
    assert "(" not in str(ConnectionClosed(1000))


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        (None, True),
        (301, False),
        (400, False),
        (401, False),
        (403, False),
        (404, False),
        (408, True),
        (425, True),
        (429, True),
        (500, True),
        (502, True),
        (503, True),
        (504, True),
    ],
)
def test_handshake_status_decides_about_retryable(
    status: int | None, retryable: bool
) -> None:
    """Limits and outages are tried again; missing credentials are not."""
    assert ConnectFailed("no", url="ws://x", status=status).retryable is retryable


def test_who_raises_may_know_better_whether_a_retry_helps() -> None:
    """A failed TLS check has no HTTP status and is still not worth a retry."""
    assert ConnectFailed("tls", url="wss://x", retryable=False).retryable is False


def test_connect_failed_tells_where_and_what_was_answered() -> None:
    """Address, status and body of a refused handshake are there to look at."""
    failed = ConnectFailed("refused", url="ws://x/", status=429, body="slow down")
    assert (failed.url, failed.status, failed.body) == ("ws://x/", 429, "slow down")
    assert str(failed) == "refused"


def test_server_error_carries_every_field_of_the_event() -> None:
    """Code, param and cause can be acted on without parsing the text."""
    error = ServerError(
        "no", type="invalid_request_error", code="c", param="p", event_id="e"
    )
    found = (str(error), error.type, error.code, error.param, error.event_id)
    assert found == ("no", "invalid_request_error", "c", "p", "e")
    bare = ServerError("no", type="server_error")
    assert (bare.code, bare.param, bare.event_id) == (None, None, None)


@pytest.mark.parametrize("raw", [b"\xff", "text"])
def test_remote_protocol_error_keeps_the_frame(raw: bytes | str) -> None:
    """A bad frame can be logged or decoded by somebody else."""
    assert RemoteProtocolError("bad", raw=raw).raw == raw
