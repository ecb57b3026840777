"""The HTTP endpoints: keys, calls that there are none of, and what a probe asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...dialect import JsonObject, SessionType, key_request_to_ga, key_response_to_beta
from ..refusal import Refusal, invalid_value, missing
from .admission import PATH, no_call
from .body import check_names, media_type, object_at, read_bytes, read_json
from .bound_session import BoundSession, bind_session
from .frames import beta_path
from .http_refusal import HttpRefusal, bad_request, unauthorized
from .reception import visitor_of
from .service import Service

__all__ = ["BetaKey", "Rest"]

_CALLS = f"{PATH}/calls"
_SDP = ("application/sdp", "multipart/form-data")

# PROTOCOL.md section 4.2.
_LIFETIME_S = 600
_SHORTEST_S = 10
_LONGEST_S = 7200

_STATUS_CODES = range(300, 700)


class BetaKey(NamedTuple):
    """A path that hands out keys in the old dialect (PROTOCOL.md section 2.4).

    Attributes:
        path: The path.
        type: The type of the session that is bound to the key.
        lifetime_s: For how long the key is good unless something else is asked for.
    """

    path: str
    type: SessionType
    lifetime_s: int


_BETA_KEYS = (
    BetaKey(f"{PATH}/sessions", "realtime", 60),
    BetaKey(f"{PATH}/transcription_sessions", "transcription", 600),
    BetaKey("/openai/realtimeapi/sessions", "realtime", 60),
)


class Rest:
    """Answers HTTP requests.

    Args:
        service: What the connections of the server share.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[Route]:
        """Return which path is answered by whom."""
        posts: dict[str, Callable[[Request], Awaitable[Response]]] = {
            f"{PATH}/client_secrets": self.make_key,
            "/openai/v1/realtime/client_secrets": self.make_key,
            f"{PATH}/translations/client_secrets": self.make_translation_key,
            # Not by the path of the request, which a mounted server has more in.
            **{key.path: partial(self.make_beta_key, key) for key in _BETA_KEYS},
            _CALLS: self.begin_call,
            "/openai/v1/realtime/calls": self.begin_call,
            f"{PATH}/translations/calls": self.begin_call,
            f"{_CALLS}/{{call_id}}/accept": self.accept_call,
            f"{_CALLS}/{{call_id}}/reject": self.reject_call,
            f"{_CALLS}/{{call_id}}/refer": self.refer_call,
            f"{_CALLS}/{{call_id}}/hangup": self.hang_up,
        }
        routes = [
            Route(path, answer, methods=["POST"]) for path, answer in posts.items()
        ]
        # Where the old dialect began calls; the WebSocket has the same path.
        routes.append(Route(PATH, self.answer_plainly, methods=["GET", "POST"]))
        routes.append(Route("/healthz", self.health))
        if self._service.settings.stats:
            routes.append(Route("/stats", self.stats))
        return routes

    # --- keys ---

    async def make_key(self, request: Request) -> Response:
        """Make an ephemeral key (PROTOCOL.md section 4.2)."""
        self._check_key(request)
        body = await read_json(request)
        return JSONResponse(self._make(body, _LIFETIME_S))

    async def make_translation_key(self, request: Request) -> Response:
        """Make an ephemeral key for sessions of translation."""
        self._check_key(request)
        body = await read_json(request)
        if body.get("session") is None:
            raise bad_request(missing("session"))
        return JSONResponse(self._make(body, _LIFETIME_S, translates=True))

    async def make_beta_key(self, asked: BetaKey, request: Request) -> Response:
        """Make an ephemeral key for who asks in the old dialect."""
        self._check_key(request)
        if not self._service.rules.serves_beta:
            raise bad_request(
                Refusal(
                    "The Realtime Beta API is not spoken here; POST "
                    f"{PATH}/client_secrets makes a key.",
                    code="beta_api_shape_disabled",
                )
            )
        flat = await read_json(request)
        body = key_request_to_ga(flat, type=asked.type)
        try:
            made = self._make(body, asked.lifetime_s)
        except HttpRefusal as refusal:
            raise _in_beta(refusal) from refusal
        return JSONResponse(key_response_to_beta(made))

    def _make(
        self, body: JsonObject, lifetime_s: int, *, translates: bool = False
    ) -> JsonObject:
        """Make a key as it was asked for, or nothing at all."""
        check_names(body, ("expires_after", "session"))
        seconds = _lifetime(object_at(body, "expires_after"), lifetime_s)
        config = object_at(body, "session")
        bound = self._bind(config, translates=translates)
        key = self._service.rules.keys.make(bound.kind, bound.config, seconds=seconds)
        self._service.stats.keys_made += 1
        session = {**bound.resource, "expires_at": 0}
        return {"value": key.value, "expires_at": key.expires_at, "session": session}

    def _bind(self, config: JsonObject, *, translates: bool) -> BoundSession:
        try:
            return bind_session(config, self._service.settings, translates=translates)
        except Refusal as refusal:
            raise bad_request(refusal) from refusal

    # --- calls: this server carries no media (PROTOCOL.md sections 4.3 and 4.4) ---

    async def begin_call(self, request: Request) -> Response:
        """Say that no call can be made here."""
        self._check_call_key(request)
        kind = media_type(request)
        if kind not in _SDP:
            refusal = Refusal(
                f"Unsupported content type: {kind!r}. A call begins with an SDP offer, "
                f"as {' or as '.join(_SDP)}.",
                code="unsupported_content_type",
            )
            raise HttpRefusal(415, refusal)
        if not await read_bytes(request):
            raise bad_request(missing("sdp"))
        raise _no_media()

    async def accept_call(self, request: Request) -> Response:
        """Say that there is no such call, if the session would have been possible."""
        self._check_key(request)
        config = await read_json(request)
        self._bind(config, translates=False)
        raise HttpRefusal(404, no_call())

    async def reject_call(self, request: Request) -> Response:
        """Say that there is no such call."""
        self._check_key(request)
        body = await read_json(request)
        check_names(body, ("status_code",))
        status = body.get("status_code")
        if status is not None and not _is_whole(status, _STATUS_CODES):
            raise bad_request(
                invalid_value("status_code", "status_code must be a SIP status.")
            )
        raise HttpRefusal(404, no_call())

    async def refer_call(self, request: Request) -> Response:
        """Say that there is no such call."""
        self._check_key(request)
        body = await read_json(request)
        check_names(body, ("target_uri",))
        if "target_uri" not in body:
            raise bad_request(missing("target_uri"))
        target = body["target_uri"]
        if not isinstance(target, str) or not target.startswith(("tel:", "sip:")):
            raise bad_request(
                invalid_value(
                    "target_uri", "target_uri must begin with 'tel:' or 'sip:'."
                )
            )
        raise HttpRefusal(404, no_call())

    async def hang_up(self, request: Request) -> Response:
        """Say that there is no such call."""
        self._check_call_key(request)
        raise HttpRefusal(404, no_call())

    async def answer_plainly(self, request: Request) -> Response:
        """Say what to do to who asks for the WebSocket without asking for one."""
        if request.method == "POST":
            return await self.begin_call(request)
        refusal = Refusal(
            "This is where the WebSocket is: connect with ws:// or wss://.", code=None
        )
        raise HttpRefusal(426, refusal, {"Upgrade": "websocket"})

    # --- the server itself ---

    async def health(self, _: Request) -> Response:
        """Say that the server is there; nobody needs a key to know."""
        return JSONResponse({"status": "ok"})

    async def stats(self, request: Request) -> Response:
        """Return the counters, to who has a key where there are keys."""
        if self._service.settings.keys:
            self._check_key(request)
        return JSONResponse(self._service.snapshot())

    def _check_key(self, request: Request) -> None:
        if self._service.rules.keys.check(visitor_of(request).key) is not None:
            raise unauthorized(
                "An ephemeral key opens sessions and begins calls; nothing else."
            )

    def _check_call_key(self, request: Request) -> None:
        """Check the key of who begins or ends a call, which may be ephemeral."""
        self._service.rules.keys.check(visitor_of(request).key)


def _lifetime(expires_after: JsonObject, default_s: int) -> int:
    """Read for how long a key is to be good."""
    check_names(expires_after, ("anchor", "seconds"), "expires_after")
    anchor = expires_after.get("anchor")
    if anchor not in (None, "created_at"):
        raise bad_request(
            invalid_value(
                "expires_after.anchor",
                f"Invalid value: {anchor!r}. Supported values: 'created_at'.",
            )
        )
    seconds = expires_after.get("seconds")
    if seconds is None:
        return default_s
    if not _is_whole(seconds, range(_SHORTEST_S, _LONGEST_S + 1)):
        raise bad_request(
            invalid_value(
                "expires_after.seconds",
                f"Invalid value: {seconds!r}. It must be an integer from {_SHORTEST_S} "
                f"to {_LONGEST_S}.",
            )
        )
    return int(seconds)


def _is_whole(value: object, among: range) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in among


def _in_beta(refusal: HttpRefusal) -> HttpRefusal:
    """Name the field at fault as it was given: flat, and without a session around."""
    told = refusal.refusal
    if told.param is None:
        return refusal
    named = beta_path(told.param).removeprefix("session.")
    message = told.message.replace(told.param, named)
    flat = Refusal(message, code=told.code, param=named, type=told.type)
    return HttpRefusal(refusal.status, flat, refusal.headers)


def _no_media() -> HttpRefusal:
    refusal = Refusal(
        "This server carries no media, neither WebRTC nor SIP, and so makes no calls; "
        "connect by WebSocket instead.",
        code="not_implemented",
    )
    return HttpRefusal(501, refusal)
