"""Where to connect and with what, from arguments and from the environment."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from openai_realtime import RealtimeAPI, RealtimeClient
from openai_realtime.errors import ConfigurationError
from openai_realtime.provider import DEFAULT_MODEL, DEFAULT_URL, resolve_endpoint
from openai_realtime.transports import Endpoint, Transport

LOCAL = "ws://127.0.0.1:8080/v1/realtime"


def resolve(**given: Any) -> Endpoint:
    """Resolve with what is given, and nothing else."""
    nothing: dict[str, Any] = {
        "url": None,
        "api_key": None,
        "model": None,
        "headers": {},
        "tls": None,
        "key_in_browser": False,
    }
    return resolve_endpoint(**{**nothing, **given})


def model_of(endpoint: Endpoint) -> list[str]:
    """Return the models that the address names."""
    return parse_qs(urlsplit(endpoint.url).query).get("model", [])


async def never(endpoint: Endpoint) -> Transport:
    """Fail: this must not be reached."""
    raise AssertionError("the network was used")


# --- the key ---


@pytest.mark.parametrize("make", [RealtimeAPI, RealtimeClient])
async def test_no_key_for_the_real_service_says_three_ways_out(make: Any) -> None:
    """A newcomer without a key reads what to do, before any network is used."""
    with pytest.raises(ConfigurationError) as caught:
        await make(transport=never).connect()
    for way_out in ("OPENAI_API_KEY", "api_key=", "openai-realtime serve"):
        assert way_out in str(caught.value)


def test_empty_key_in_the_environment_is_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`OPENAI_API_KEY=` in a shell means no key, not a key that will be refused."""
    monkeypatch.setenv("OPENAI_API_KEY", "")
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        resolve()


async def test_client_without_a_key_can_be_configured() -> None:
    """The key is asked for when connecting, not before."""
    client = RealtimeClient(transport=never)
    await client.update_session(instructions="x")
    assert not client.is_connected


def test_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `OPENAI_API_KEY` set nothing else is needed."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    endpoint = resolve()
    assert endpoint.headers == {"Authorization": "Bearer sk-env"}
    assert endpoint.url.startswith(DEFAULT_URL + "?")


def test_key_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument says more than a variable."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    assert resolve(api_key="sk-arg").headers == {"Authorization": "Bearer sk-arg"}


def test_local_server_needs_no_key() -> None:
    """The emulator runs without a key, and none is made up for it."""
    assert resolve(url=LOCAL).headers == {}


def test_headers_of_the_user_are_sent_and_go_first() -> None:
    """A gateway's own headers are added; one that we would set is the user's."""
    headers = {"X-Team": "voice", "Authorization": "Basic abc"}
    endpoint = resolve(url=LOCAL, api_key="sk", headers=headers)
    assert endpoint.headers == headers
    with_key = resolve(url=LOCAL, api_key="sk", headers={"X-Team": "voice"})
    assert with_key.headers == {"Authorization": "Bearer sk", "X-Team": "voice"}


def test_beta_header_is_not_sent() -> None:
    """The header of the old dialect gets a connection closed with 4000."""
    endpoint = resolve(api_key="sk")
    assert not any("beta" in name.lower() for name in endpoint.headers)
    assert endpoint.subprotocols == ()


# --- the address ---


def test_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One variable points every program at another server."""
    monkeypatch.setenv("OPENAI_REALTIME_URL", LOCAL)
    assert urlsplit(resolve().url).netloc == "127.0.0.1:8080"


def test_address_given_goes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An argument says more than a variable."""
    monkeypatch.setenv("OPENAI_REALTIME_URL", LOCAL)
    assert urlsplit(resolve(url="wss://other.test/x").url).netloc == "other.test"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "https://api.openai.com/v1/realtime",
        "127.0.0.1:8080",
        "localhost",
        "ws://",
        "wss:///v1/realtime",
        "ws:127.0.0.1",
        "ws://[::1",
    ],
)
async def test_address_that_is_no_websocket_s_is_refused(url: str) -> None:
    """A wrong address shows as such before any network is used."""
    with pytest.raises(ConfigurationError, match=r"(?i)url"):
        await RealtimeAPI(url=url, api_key="sk", transport=never).connect()


def test_wrong_address_is_not_repeated_with_its_credentials() -> None:
    """An error about an address does not show what is hidden in it."""
    with pytest.raises(ConfigurationError) as caught:
        resolve(url="https://user:hunter2@host.test/?api_key=hunter2")
    assert "hunter2" not in str(caught.value)
    assert "host.test" in str(caught.value)


# --- the model ---


def test_model_goes_into_the_address() -> None:
    """The model is chosen when connecting and cannot be changed later."""
    assert model_of(resolve(url=LOCAL, model="gpt-x y")) == ["gpt-x y"]
    assert model_of(resolve(url=LOCAL)) == [DEFAULT_MODEL]


@pytest.mark.parametrize(
    "query", ["model=mine", "call_id=rtc_1", "intent=transcription"]
)
def test_address_that_says_what_it_is_for_is_left_alone(query: str) -> None:
    """A model in the address, a call or a transcription session is not overridden."""
    endpoint = resolve(url=f"{LOCAL}?{query}", model="other")
    assert endpoint.url == f"{LOCAL}?{query}"


def test_other_parameters_of_the_address_are_kept() -> None:
    """A gateway's parameters stand beside the model."""
    endpoint = resolve(url=f"{LOCAL}?tenant=a%20b", model="m")
    query = parse_qs(urlsplit(endpoint.url).query)
    assert query == {"tenant": ["a b"], "model": ["m"]}


async def test_model_may_be_chosen_when_connecting() -> None:
    """`connect(model=)` goes before the model given at the start."""
    seen: list[Endpoint] = []

    async def look(endpoint: Endpoint) -> Transport:
        seen.append(endpoint)
        raise ConfigurationError("seen enough")

    api = RealtimeAPI(url=LOCAL, model="first", transport=look)
    for model in (None, "second"):
        with pytest.raises(ConfigurationError, match="seen enough"):
            await api.connect(model=model)
    assert [model_of(endpoint) for endpoint in seen] == [["first"], ["second"]]


# --- browsers ---


def test_key_in_a_browser_needs_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that everybody can read is refused unless somebody says so."""
    monkeypatch.setattr("sys.platform", "emscripten")
    with pytest.raises(ConfigurationError, match="dangerously_allow"):
        resolve(url=LOCAL, api_key="sk-1")
    endpoint = resolve(url=LOCAL, api_key="sk-1", key_in_browser=True)
    assert endpoint.headers == {}
    assert endpoint.subprotocols == ("realtime", "openai-insecure-api-key.sk-1")
    assert "sk-1" not in repr(endpoint)


def test_relay_in_a_browser_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that talks to its own relay connects without any key."""
    monkeypatch.setattr("sys.platform", "emscripten")
    assert resolve(url=LOCAL).subprotocols == ("realtime",)
