"""What an endpoint shows of itself, and what it hides."""

from __future__ import annotations

import pytest

from openai_realtime.transports import Endpoint

KEY = "sk-proj-0123456789"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("wss://host/v1/realtime?model=m", "wss://host/v1/realtime?model=m"),
        (f"wss://host/v1?api-key={KEY}&model=m", "wss://host/v1?api-key=***&model=m"),
        (f"wss://host/v1?Access%5FToken={KEY}", "wss://host/v1?Access%5FToken=***"),
        (f"ws://user:{KEY}@host:1/v1", "ws://host:1/v1"),
        (f"ws://{KEY}@[::1]:1", "ws://[::1]:1"),
        (f"no url {KEY}@", ""),
        ("", ""),
    ],
)
def test_the_safe_url_has_no_credentials(url: str, safe: str) -> None:
    """User information goes, and so do the values of credentials in the query."""
    assert Endpoint(url).safe_url == safe


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint("ws://h", headers={"Authorization": f"Bearer {KEY}"}),
        Endpoint("ws://h", headers={"api-key": KEY}),
        Endpoint("ws://h", headers={"X-Custom-Token": KEY}),
        Endpoint(f"ws://h/?api-key={KEY}"),
        Endpoint(f"ws://user:{KEY}@h"),
        Endpoint("ws://h", subprotocols=("x", f"openai-insecure-api-key.{KEY}")),
        Endpoint("ws://h", proxy=f"http://user:{KEY}@proxy:1"),
        Endpoint(
            "ws://h",
            headers={"Authorization": f"Bearer {KEY}", "X-Debug": f"key={KEY}"},
        ),
    ],
)
def test_no_credential_is_shown(endpoint: Endpoint) -> None:
    """Neither the repr nor a text that quotes it tells the key."""
    assert KEY not in repr(endpoint)
    assert KEY not in str(endpoint)
    assert endpoint.hide_credentials(f"wrong key {KEY}!") == "wrong key ***!"


@pytest.mark.parametrize(
    ("endpoint", "quoted"),
    [
        (
            Endpoint("ws://h", headers={"Cookie": f"session={KEY}; other=abcd"}),
            f"session={KEY}; other=abcd",
        ),
        (
            # "user:" and the key, as a header has it.
            Endpoint(f"ws://user:{KEY}@h"),
            "Basic dXNlcjpzay1wcm9qLTAxMjM0NTY3ODk=",
        ),
        (
            Endpoint(f"ws://h/?api-key={KEY.upper()}"),
            f"get /?api-key={KEY}",
        ),
    ],
    ids=["cookies", "login", "in lower case"],
)
def test_no_credential_is_quoted_in_another_form(
    endpoint: Endpoint, quoted: str
) -> None:
    """Servers quote the headers that they were sent, and libraries quote servers."""
    secret = quoted.partition(" ")[2] if "Basic" in quoted else KEY
    assert secret in quoted
    assert secret not in endpoint.hide_credentials(quoted)


def test_the_repr_tells_what_is_no_secret() -> None:
    """A repr is for finding faults: the rest of the address is there."""
    shown = repr(Endpoint("ws://h/v1?model=m", headers={"OpenAI-Project": "p1"}))
    assert "ws://h/v1?model=m" in shown
    assert "'OpenAI-Project': 'p1'" in shown


def test_innocent_text_is_left_alone() -> None:
    """Words that only look like parts of a header are not torn out."""
    endpoint = Endpoint("ws://h", headers={"Authorization": f"Bearer {KEY}"})
    assert endpoint.hide_credentials("Bearer of news") == "Bearer of news"
