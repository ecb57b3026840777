"""The tree of errors and what its members tell."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from openai_realtime import errors
from openai_realtime.errors import (
    AnswerTimeout,
    AudioError,
    ConfigurationError,
    ConnectFailed,
    ConnectionClosed,
    DroppedSettingWarning,
    LocalProtocolError,
    ProtocolError,
    RealtimeError,
    RemoteProtocolError,
    ResponseCancelled,
    ResponseFailed,
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
    ResponseFailed: (RealtimeError,),
    ResponseCancelled: (RealtimeError,),
    AnswerTimeout: (RealtimeError, TimeoutError),
}


@pytest.mark.parametrize("cls", PARENTS, ids=lambda cls: cls.__name__)
def test_error_stands_in_its_place_of_the_tree(cls: type[Exception]) -> None:
    """`except` clauses written against the documented tree keep catching."""
    assert cls.__bases__ == PARENTS[cls]


def test_the_tree_has_no_other_member() -> None:
    """Every public error is under the root and in the documented tree."""
    public = {getattr(errors, name) for name in errors.__all__}
    assert public == {RealtimeError, *PARENTS, DroppedSettingWarning}


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


# --- copies ---


def by_pickle(protocol: int) -> Callable[[RealtimeError], RealtimeError]:
    """Return what sends an error through pickle."""
    return lambda error: pickle.loads(pickle.dumps(error, protocol))


class OddlyMade(ConnectionClosed):
    def __init__(self, *, minutes: int) -> None:
        super().__init__(1001, f"cap of {minutes} minutes")
        self.minutes = minutes


EXAMPLES: list[RealtimeError] = [
    RealtimeError("what happened"),
    ConfigurationError("no API key"),
    AudioError("odd"),
    ToolError("no such tool"),
    ProtocolError("broken"),
    LocalProtocolError("broken by us"),
    RemoteProtocolError("broken by them", raw=b"\xff"),
    TransportError("no network"),
    ConnectFailed("no", url="ws://x", status=429, body="slow down", retryable=False),
    ConnectionClosed(1001, "cap"),
    ServerError("no", type="t", code="c", param="p", event_id="e", event="cause"),
    ResponseFailed("no", response="response"),
    ResponseCancelled("dropped"),
    AnswerTimeout("silence", ticket="e"),
]


def test_every_error_has_an_example() -> None:
    """The tests of copies and keys leave no error out."""
    assert {type(error) for error in EXAMPLES} == {RealtimeError, *PARENTS}


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        *(by_pickle(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)),
    ],
)
@pytest.mark.parametrize(
    "error", [*EXAMPLES, OddlyMade(minutes=60)], ids=lambda error: type(error).__name__
)
def test_a_copy_tells_the_same(
    error: RealtimeError, copied: Callable[[RealtimeError], RealtimeError]
) -> None:
    """An error keeps all it says on its way to another process or another waiter."""
    twin = copied(error)
    assert twin is not error
    assert type(twin) is type(error)
    assert (str(twin), repr(twin), twin.args) == (str(error), repr(error), error.args)
    assert vars(twin) == vars(error)


def test_what_a_copy_goes_through_stays_with_it() -> None:
    """Raising a copy changes neither the original nor another copy."""
    original = ConnectionClosed(1001, "cap")
    twin = copy.copy(original)
    with pytest.raises(ConnectionClosed):
        raise twin from ValueError("cause")
    twin.add_note("seen here")
    assert original.__traceback__ is None
    assert original.__cause__ is None
    assert not hasattr(original, "__notes__")


# --- keys ---

KEYS = [
    "sk-proj-Abc123_def456-Ghi789Jkl012Mno345",
    f"sk-{'0123456789abcdef' * 2}",
    "ek_68af296e8e408191a1120ab6383263c2",
]


def connect_failed(text: str) -> ConnectFailed:
    """Return a refusal that quotes a text."""
    return ConnectFailed(text, url="ws://x", status=401, body=text)


def connection_closed(text: str) -> ConnectionClosed:
    """Return a close whose reason is a text."""
    return ConnectionClosed(3000, text)


def server_error(text: str) -> ServerError:
    """Return an answer of the server that says a text."""
    return ServerError(text, type="t")


def response_failed(text: str) -> ResponseFailed:
    """Return the end of a response, as a text says it."""
    return ResponseFailed(text, response=None)


def answer_timeout(text: str) -> AnswerTimeout:
    """Return a silence that a text tells of."""
    return AnswerTimeout(text, ticket="e")


def remote_protocol_error(text: str) -> RemoteProtocolError:
    """Return a complaint of a frame that is a text."""
    return RemoteProtocolError("broken", raw=text)


MADE_OF_TEXT = [
    RealtimeError,
    ConfigurationError,
    AudioError,
    ToolError,
    ProtocolError,
    LocalProtocolError,
    RemoteProtocolError,
    remote_protocol_error,
    TransportError,
    connect_failed,
    connection_closed,
    server_error,
    response_failed,
    ResponseCancelled,
    answer_timeout,
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("make", MADE_OF_TEXT)
def test_no_error_shows_a_key(make: Callable[[str], RealtimeError], key: str) -> None:
    """What others say of our key, and what somebody wraps, is shown without it."""
    error = make(f"Incorrect API key provided: {key}. Find yours at ...")
    attributes = vars(error) | {"raw": b""}
    shown = [str(error), repr(error), repr(error.args), repr(attributes)]
    assert not [text for text in shown if key in text]


@pytest.mark.parametrize(
    "text",
    [
        "a risk-averse-and-very-careful-task-force",
        "session sess_C9G5QPteg4UIbotdKLoYQ is gone",
        "sk-1 is no key",
        "week_68af296e8e408191a1120ab6383263c2",
    ],
)
def test_what_is_no_key_is_shown(text: str) -> None:
    """Messages lose keys and nothing else."""
    assert str(RealtimeError(text)) == text


def test_a_message_is_kept_as_it_is_given() -> None:
    """An error without a message, or with other arguments, stays such an error."""
    assert RealtimeError().args == ()
    assert RealtimeError("a", 1).args == ("a", 1)
