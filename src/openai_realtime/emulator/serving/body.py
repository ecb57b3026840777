"""The bodies of HTTP requests: read with a limit, and as the JSON they should be."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, cast

import msgspec
from starlette.requests import ClientDisconnect, Request

from ...dialect import JsonObject
from ..nesting import MOST_LEVELS, is_deep
from ..refusal import Refusal, invalid_value, unknown
from .http_refusal import HttpRefusal, bad_request

__all__ = ["check_names", "media_type", "object_at", "read_bytes", "read_json"]

_MOST_BYTES = 1024 * 1024
_PATIENCE_S = 10.0

_NO_JSON = (
    "We could not parse the JSON body of your request. The API expects a JSON payload"
)


async def read_json(request: Request) -> JsonObject:
    """Return the JSON object that a request brings; nothing at all is an empty one.

    Raises:
        HttpRefusal: It brings something else, or too much.
    """
    body = await read_bytes(request)
    if not body.strip():
        return {}
    kind = media_type(request)
    if kind != "application/json":
        refusal = Refusal(
            f"Unsupported content type: {kind!r}. This API method only accepts "
            "'application/json' requests.",
            code="unsupported_content_type",
        )
        raise HttpRefusal(415, refusal)
    try:
        content: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        refusal = Refusal(f"{_NO_JSON}: {exc}.", code=None)
        raise bad_request(refusal) from exc
    if not isinstance(content, dict):
        raise bad_request(Refusal(f"{_NO_JSON} that is an object.", code=None))
    fields = cast("JsonObject", content)
    if is_deep(fields):
        raise bad_request(
            Refusal(
                f"The body is nested more than {MOST_LEVELS} levels deep.", code=None
            )
        )
    return fields


async def read_bytes(request: Request) -> bytes:
    """Return what a request brings.

    Raises:
        HttpRefusal: It is too much, or does not come.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_BYTES:
                    refusal = Refusal(
                        f"The body has more than {_MOST_BYTES} bytes.",
                        code="request_too_large",
                    )
                    raise HttpRefusal(413, refusal, {"Connection": "close"})
    except (TimeoutError, ClientDisconnect) as exc:
        refusal = Refusal("The body has not come in time.", code=None)
        raise HttpRefusal(408, refusal, {"Connection": "close"}) from exc
    return bytes(body)


def media_type(request: Request) -> str:
    """Return what a request says that it brings, without parameters."""
    given = request.headers.get("content-type", "")
    return given.partition(";")[0].strip().lower()


def check_names(content: JsonObject, known: Collection[str], root: str = "") -> None:
    """Refuse the first field of an object that there is not.

    Raises:
        HttpRefusal: There is no such field.
    """
    for name in content:
        if name not in known:
            path = f"{root}.{name}" if root else name
            raise bad_request(unknown(path, sorted(known)))


def object_at(content: JsonObject, name: str) -> JsonObject:
    """Return the object in a field, or an empty one where it is absent or null.

    Raises:
        HttpRefusal: Something else stands there.
    """
    value = content.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        problem = f"Invalid type for '{name}': expected an object."
        raise bad_request(invalid_value(name, problem))
    return cast("JsonObject", value)
