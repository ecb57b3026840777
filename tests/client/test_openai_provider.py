"""OpenAI as a provider: where to connect and with what, from arguments or variables."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from openai_realtime import RealtimeAPI, RealtimeClient
from openai_realtime.dialect import Dialect
from openai_realtime.errors import ConfigurationError
from openai_realtime.providers import DEFAULT_MODEL, DEFAULT_URL, OpenAI
from openai_realtime.transports import Endpoint, Transport

LOCAL = "ws://127.0.0.1:8080/v1/realtime"


async def resolve(
    *, model: str | None = None, dialect: Dialect = "ga", **given: Any
) -> Endpoint:
    """Resolve with what is given, and nothing else."""
    return await OpenAI(**given).resolve(model=model, dialect=dialect)


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


async def test_empty_key_in_the_environment_is_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`OPENAI_API_KEY=` in a shell means no key, not a key that will be refused."""
    monkeypatch.setenv("OPENAI_API_KEY", "")
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        await resolve()


async def test_client_without_a_key_can_be_configured() -> None:
    """The key is asked for when connecting, not before."""
    client = RealtimeClient(transport=never)
    await client.update_session(instructions="x")
    assert not client.is_connected


async def test_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `OPENAI_API_KEY` set nothing else is needed."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    endpoint = await resolve()
    assert endpoint.headers == {"Authorization": "Bearer sk-env"}
    assert endpoint.url.startswith(DEFAULT_URL + "?")


async def test_key_given_goes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An argument says more than a variable."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    assert (await resolve(api_key="sk-arg")).headers == {
        "Authorization": "Bearer sk-arg"
    }


async def test_local_server_needs_no_key() -> None:
    """The emulator runs without a key, and none is made up for it."""
    assert (await resolve(url=LOCAL)).headers == {}


async def test_account_and_end_user_are_named_in_headers() -> None:
    """PROTOCOL.md section 4.1: who pays, for what, and a stand-in for who speaks."""
    endpoint = await resolve(
        api_key="sk", organization="org-1", project="proj-1", safety_identifier="hash"
    )
    assert endpoint.headers == {
        "Authorization": "Bearer sk",
        "OpenAI-Organization": "org-1",
        "OpenAI-Project": "proj-1",
        "OpenAI-Safety-Identifier": "hash",
    }


async def test_beta_header_is_not_sent() -> None:
    """The header of the old dialect gets a connection closed with 4000."""
    endpoint = await resolve(api_key="sk")
    assert not any("beta" in name.lower() for name in endpoint.headers)
    assert endpoint.subprotocols == ()


async def test_old_dialect_is_asked_for() -> None:
    """A server that speaks both is told, by a header or by a subprotocol."""
    by_header = await resolve(api_key="sk", dialect="beta")
    assert by_header.headers["OpenAI-Beta"] == "realtime=v1"
    by_subprotocol = await resolve(
        api_key="sk", dialect="beta", credentials="subprotocol"
    )
    assert by_subprotocol.headers == {}
    assert "openai-beta.realtime-v1" in by_subprotocol.subprotocols


# --- the address ---


async def test_address_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One variable points every program at another server."""
    monkeypatch.setenv("OPENAI_REALTIME_URL", LOCAL)
    assert urlsplit((await resolve()).url).netloc == "127.0.0.1:8080"


async def test_address_given_goes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An argument says more than a variable."""
    monkeypatch.setenv("OPENAI_REALTIME_URL", LOCAL)
    assert (
        urlsplit((await resolve(url="wss://other.test/x")).url).netloc == "other.test"
    )


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


async def test_wrong_address_is_not_repeated_with_its_credentials() -> None:
    """An error about an address does not show what is hidden in it."""
    with pytest.raises(ConfigurationError) as caught:
        await resolve(url="https://user:hunter2@host.test/?api_key=hunter2")
    assert "hunter2" not in str(caught.value)
    assert "host.test" in str(caught.value)


# --- the model ---


async def test_model_goes_into_the_address() -> None:
    """The model is chosen when connecting and cannot be changed later."""
    assert model_of(await resolve(url=LOCAL, model="gpt-x y")) == ["gpt-x y"]
    assert model_of(await resolve(url=LOCAL)) == [DEFAULT_MODEL]


@pytest.mark.parametrize(
    ("query", "model"),
    [
        ("model=mine", None),
        ("model=mine", "mine"),
        ("call_id=rtc_1", "other"),
        ("intent=transcription", "other"),
    ],
)
async def test_address_that_says_what_it_is_for_is_left_alone(
    query: str, model: str | None
) -> None:
    """A model in the address, a call or a transcription session is not overridden."""
    endpoint = await resolve(url=f"{LOCAL}?{query}", model=model)
    assert endpoint.url == f"{LOCAL}?{query}"


async def test_two_models_are_refused() -> None:
    """Of two different models, nobody can tell which one is meant."""
    with pytest.raises(ConfigurationError, match=r"'mine'.*'other'"):
        await resolve(url=f"{LOCAL}?model=mine", model="other")


async def test_other_parameters_of_the_address_are_kept() -> None:
    """A gateway's parameters stand beside the model."""
    endpoint = await resolve(url=f"{LOCAL}?tenant=a%20b", model="m")
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


# --- subprotocols and browsers ---


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as if in a browser."""
    monkeypatch.setattr("sys.platform", "emscripten")


async def test_key_may_travel_as_a_subprotocol_anywhere() -> None:
    """PROTOCOL.md section 4.1: what browsers have to do, others may."""
    endpoint = await resolve(
        url=LOCAL,
        api_key="sk-1",
        credentials="subprotocol",
        organization="org-1",
        project="proj-1",
    )
    assert endpoint.headers == {}
    assert endpoint.subprotocols == (
        "realtime",
        "openai-insecure-api-key.sk-1",
        "openai-organization.org-1",
        "openai-project.proj-1",
    )


@pytest.mark.usefixtures("browser")
async def test_key_in_a_browser_needs_consent() -> None:
    """A key that everybody can read is refused unless somebody says so."""
    with pytest.raises(ConfigurationError, match="dangerously_allow"):
        await resolve(url=LOCAL, api_key="sk-1")
    endpoint = await resolve(
        url=LOCAL, api_key="sk-1", dangerously_allow_api_key_in_browser=True
    )
    assert endpoint.headers == {}
    assert endpoint.subprotocols == ("realtime", "openai-insecure-api-key.sk-1")
    assert "sk-1" not in repr(endpoint)


@pytest.mark.usefixtures("browser")
async def test_ephemeral_key_in_a_browser_needs_none() -> None:
    """It is made for that, and the error about lasting keys names it as the way out."""
    endpoint = await resolve(url=LOCAL, api_key="ek_1")
    assert endpoint.subprotocols == ("realtime", "openai-insecure-api-key.ek_1")


@pytest.mark.usefixtures("browser")
async def test_relay_in_a_browser_needs_no_key() -> None:
    """A page that talks to its own relay connects without any key."""
    assert (await resolve(url=LOCAL)).subprotocols == ("realtime",)


@pytest.mark.usefixtures("browser")
@pytest.mark.parametrize(
    "given", [{"credentials": "header"}, {"safety_identifier": "hash"}]
)
async def test_what_needs_a_header_is_refused_in_a_browser(given: Any) -> None:
    """It could not be sent, and leaving it out would go unnoticed."""
    with pytest.raises(ConfigurationError, match="browser"):
        await resolve(url=LOCAL, **given)


@pytest.mark.usefixtures("browser")
async def test_headers_of_the_user_are_refused_in_a_browser() -> None:
    """The same holds for headers of one's own."""
    api = RealtimeAPI(url=LOCAL, headers={"X-Team": "voice"}, transport=never)
    with pytest.raises(ConfigurationError, match="X-Team"):
        await api.connect()


async def test_unknown_form_of_credentials_is_refused() -> None:
    """A slip of the pen does not send a key somewhere else."""
    with pytest.raises(ConfigurationError, match="'subprotocol'"):
        await resolve(url=LOCAL, credentials="subprotocols")


def test_repr_has_no_key() -> None:
    """Neither that of the argument nor one that stands in the address."""
    provider = OpenAI(api_key="sk-1", url="ws://me:sk-2@host/?api-key=sk-3")
    assert "sk-" not in repr(provider)
    assert "ws://host/" in repr(provider)
