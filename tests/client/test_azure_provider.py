"""Azure as a provider: its addresses and its keys (PROTOCOL.md section 4.6)."""

from __future__ import annotations

from typing import Any

import pytest

from openai_realtime.errors import ConfigurationError
from openai_realtime.providers import Azure
from openai_realtime.transports import Endpoint

PREVIEW = "2025-04-01-preview"


async def resolve(model: str | None = None, **given: Any) -> Endpoint:
    """Resolve with what is given, and what every deployment has."""
    usual: dict[str, Any] = {"deployment": "voice"}
    if not {"api_key", "token"} & given.keys():
        usual["api_key"] = "azure-key"
    azure = Azure(**{**usual, **given})
    return await azure.resolve(model=model, dialect=azure.dialect)


@pytest.mark.parametrize(
    "where",
    [
        {"resource": "acme"},
        {"endpoint": "https://acme.openai.azure.com"},
        {"endpoint": "https://acme.openai.azure.com/"},
        {"endpoint": "https://acme.openai.azure.com/openai/v1/"},
        {"endpoint": "wss://acme.openai.azure.com/openai/v1/realtime?model=x"},
    ],
)
async def test_generally_available_form(where: dict[str, str]) -> None:
    """The deployment is the model, and no version is named: that breaks the key."""
    endpoint = await resolve(**where)
    address = "wss://acme.openai.azure.com/openai/v1/realtime?model=voice"
    assert endpoint.url == address
    assert endpoint.headers == {"api-key": "azure-key"}


async def test_preview_form() -> None:
    """It names its version and the deployment, and speaks the old dialect."""
    endpoint = await resolve(resource="acme", api_version=PREVIEW)
    assert endpoint.url == (
        "wss://acme.openai.azure.com/openai/realtime"
        f"?api-version={PREVIEW}&deployment=voice"
    )
    assert Azure(api_version=PREVIEW).dialect == "beta"
    assert Azure().dialect == "ga"
    # The address says it; the header is OpenAI's.
    assert endpoint.headers == {"api-key": "azure-key"}


async def test_gateway_keeps_its_path() -> None:
    """What stands before the service's own path is somebody's gateway."""
    endpoint = await resolve(endpoint="http://gate.test:8080/team/openai")
    assert endpoint.url == ("ws://gate.test:8080/team/openai/v1/realtime?model=voice")


async def test_token_is_a_bearer() -> None:
    """Microsoft Entra's tokens are shown as such, and not as keys."""
    endpoint = await resolve(resource="acme", token="entra")
    assert endpoint.headers == {"Authorization": "Bearer entra"}


async def test_key_may_stand_in_the_address() -> None:
    """PROTOCOL.md section 4.6: browsers have to, others may; no error shows it."""
    endpoint = await resolve(resource="acme", credentials="query")
    assert endpoint.url.endswith("?model=voice&api-key=azure-key")
    assert endpoint.headers == {}
    assert "azure-key" not in repr(endpoint)


async def test_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key needs consent there, and a token cannot be shown at all."""
    monkeypatch.setattr("sys.platform", "emscripten")
    with pytest.raises(ConfigurationError, match="dangerously_allow"):
        await resolve(resource="acme")
    consent = {"dangerously_allow_api_key_in_browser": True}
    endpoint = await resolve(resource="acme", **consent)
    assert endpoint.url.endswith("&api-key=azure-key")
    assert endpoint.subprotocols == ()
    with pytest.raises(ConfigurationError, match="relay"):
        await resolve(resource="acme", token="entra", **consent)


async def test_model_of_the_connection_is_another_deployment() -> None:
    """`connect(model=)` goes before what was given at the start."""
    endpoint = await resolve("other", resource="acme")
    assert endpoint.url.endswith("?model=other")


async def test_environment_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables are those of Microsoft's own examples."""
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://env.openai.azure.com/")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "env-key")
    endpoint = await Azure(deployment="voice").resolve(model=None, dialect="ga")
    assert endpoint.url.startswith("wss://env.openai.azure.com/openai/v1/")
    assert endpoint.headers == {"api-key": "env-key"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "resource="),
        ({"resource": "a", "endpoint": "https://b"}, "not both"),
        ({"resource": "https://acme.openai.azure.com"}, "endpoint="),
        ({"resource": "acme.openai.azure.com"}, "endpoint="),
        ({"resource": "acme/"}, "endpoint="),
        ({"resource": "a", "api_key": "k", "token": "t"}, "not both"),
        ({"resource": "a", "api_key": None}, "token="),
        ({"resource": "a", "deployment": None}, "deployment="),
        ({"resource": "a", "credentials": "cookie"}, "'cookie'"),
        ({"endpoint": "acme.openai.azure.com"}, "https://RESOURCE"),
        ({"endpoint": "ftp://acme"}, "ftp://acme"),
        ({"endpoint": "https://[::1"}, "endpoint"),
    ],
)
async def test_what_is_missing_or_contradicts_itself(
    given: dict[str, Any], named: str
) -> None:
    """It is told before any network is used, with the argument to pass."""
    with pytest.raises(ConfigurationError) as caught:
        await resolve(**given)
    assert named in str(caught.value)


def test_repr_has_no_key() -> None:
    """Where, which deployment and which version: that is what a log needs."""
    azure = Azure(endpoint="https://me:key-1@acme/", deployment="d", api_key="key-2")
    assert repr(azure) == "Azure('https://acme/', deployment='d', api_version=None)"
