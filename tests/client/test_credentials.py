"""Keys that are fetched, and what an API takes of its provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from openai_realtime import RealtimeAPI, RealtimeClient
from openai_realtime.dialect import Dialect
from openai_realtime.errors import ConfigurationError, ConnectFailed
from openai_realtime.providers import Azure, OpenAI
from openai_realtime.transports import Endpoint

from .conftest import URL
from .scripted_server import ScriptedServer

CONSENT = "dangerously_allow_api_key_in_browser"


class Vault:
    """Hands out another key each time."""

    def __init__(self) -> None:
        self.count = 0

    def fetch(self) -> str:
        """Return the next key."""
        self.count += 1
        return f"sk-{self.count}"

    async def fetch_slowly(self) -> str:
        """Return the next key, as if over a network."""
        return self.fetch()


@pytest.mark.parametrize(
    "way",
    [
        lambda vault: vault.fetch,
        lambda vault: vault.fetch_slowly,
        # What looks like a plain function and returns a coroutine.
        lambda vault: partial(vault.fetch_slowly),
        lambda vault: lambda: vault.fetch_slowly(),
    ],
    ids=["plain", "coroutine", "partial", "lambda"],
)
@pytest.mark.parametrize("shown", ["OpenAI", "Azure key", "Azure token"])
async def test_function_is_asked_at_each_connection(
    server: ScriptedServer, way: Callable[[Vault], Any], shown: str
) -> None:
    """A token that has run out since is no reason to fail."""
    fetch = way(Vault())
    provider = {
        "OpenAI": OpenAI(url=URL, api_key=fetch),
        "Azure key": Azure(resource="r", deployment="d", api_key=fetch),
        "Azure token": Azure(resource="r", deployment="d", token=fetch),
    }[shown]
    api = RealtimeAPI(provider=provider, transport=server.connect)
    for _ in range(2):
        async with api:
            pass
    header = "api-key" if shown == "Azure key" else "Authorization"
    keys = [endpoint.headers[header] for endpoint in server.endpoints]
    assert [key.removeprefix("Bearer ") for key in keys] == ["sk-1", "sk-2"]


async def test_function_may_be_given_without_a_provider(
    server: ScriptedServer,
) -> None:
    """`api_key=` takes one, on both faces."""
    for face in (RealtimeAPI, RealtimeClient):
        made = face(url=URL, api_key=Vault().fetch, transport=server.connect)
        await made.connect()
        await (made.close() if isinstance(made, RealtimeAPI) else made.disconnect())
        assert server.endpoints[-1].headers == {"Authorization": "Bearer sk-1"}


async def test_function_that_fails_is_a_failed_connect(server: ScriptedServer) -> None:
    """Fetching a token may work at the next try; what it says may hold a secret."""

    async def fetch() -> str:
        raise RuntimeError("hunter2 was refused")

    api = RealtimeAPI(url=URL, api_key=fetch, transport=server.connect)
    with pytest.raises(ConnectFailed, match="api_key= failed: RuntimeError") as caught:
        await api.connect()
    assert caught.value.retryable
    assert caught.value.url == URL
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert "hunter2" not in str(caught.value)
    assert server.endpoints == []


@pytest.mark.parametrize(
    ("returned", "named"), [(None, "NoneType"), ("", "empty"), (b"sk", "bytes")]
)
async def test_function_that_returns_no_key(
    server: ScriptedServer, returned: Any, named: str
) -> None:
    """It is told at once, and not by a server that refuses `Bearer None`."""
    api = RealtimeAPI(url=URL, api_key=lambda: returned, transport=server.connect)
    with pytest.raises(ConfigurationError, match=named):
        await api.connect()


async def test_headers_of_the_user_are_sent_and_go_first(
    server: ScriptedServer,
) -> None:
    """A gateway's own headers are added; one that we would set is the user's."""
    for name in ("Authorization", "authorization"):
        headers = {"X-Team": "voice", name: "Basic abc"}
        api = RealtimeAPI(
            url=URL, api_key="sk", headers=headers, transport=server.connect
        )
        async with api:
            pass
        assert server.endpoints[-1].headers == headers
    api = RealtimeAPI(
        provider=Azure(resource="r", deployment="d", api_key="k"),
        headers={"X-Team": "voice"},
        transport=server.connect,
    )
    async with api:
        pass
    assert server.endpoints[-1].headers == {"api-key": "k", "X-Team": "voice"}


@pytest.mark.parametrize("face", [RealtimeAPI, RealtimeClient])
@pytest.mark.parametrize("given", [{"url": URL}, {"api_key": "sk"}, {CONSENT: True}])
def test_provider_is_told_everything_itself(face: Any, given: Any) -> None:
    """What would have no effect is refused, and not passed over."""
    with pytest.raises(ConfigurationError, match="provider="):
        face(provider=OpenAI(), **given)


@pytest.mark.parametrize("face", [RealtimeAPI, RealtimeClient])
def test_unknown_dialect_is_refused(face: Any) -> None:
    """There are two."""
    with pytest.raises(ConfigurationError, match="'alpha'"):
        face(dialect="alpha")


async def test_anybody_may_be_a_provider(server: ScriptedServer) -> None:
    """An object with a dialect and `resolve` is one."""
    asked: list[tuple[str | None, Dialect]] = []

    class Gateway:
        dialect: Dialect = "ga"

        async def resolve(self, *, model: str | None, dialect: Dialect) -> Endpoint:
            asked.append((model, dialect))
            return Endpoint("ws://gate.test/x", headers={"X-Ticket": "1"})

    api = RealtimeAPI(provider=Gateway(), model="m", transport=server.connect)
    async with api:
        pass
    await api.connect(model="n")
    await api.close()
    assert asked == [("m", "ga"), ("n", "ga")]
    assert server.endpoints[0].url == "ws://gate.test/x"


async def test_function_that_never_returns_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who asks for a key and gets no answer does not wait for ever to connect."""
    monkeypatch.setattr("openai_realtime.providers.credential._PATIENCE_S", 0)

    async def fetch() -> str:
        await asyncio.Event().wait()
        return "never"

    api = RealtimeAPI(url=URL, api_key=fetch)
    with pytest.raises(ConnectFailed, match="did not return within") as caught:
        await api.connect()
    assert caught.value.retryable
