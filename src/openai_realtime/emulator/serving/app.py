"""The ASGI application: who answers at which path, and in what form it says no."""

from __future__ import annotations

import time
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from ..refusal import Refusal
from .access_log import log_http
from .admission import DOORS, Door
from .http_refusal import HttpRefusal
from .reception import address_of, serve_websocket, turn_away
from .rest import Rest
from .service import Service
from .settings import EmulatorSettings

__all__ = ["create_app"]


def create_app(settings: EmulatorSettings | None = None) -> Starlette:
    """Make the ASGI application, to be run or mounted by any server.

    What a fault may do below the level of ASGI, dropping a connection or sending text
    that is not UTF-8, only `EmulatorServer` can do.
    """
    service = Service(settings or EmulatorSettings())
    app = Starlette(
        routes=[
            *(_websocket_route(door, service) for door in DOORS),
            _no_websocket_route(service),
            *Rest(service).routes(),
        ],
        exception_handlers={
            HttpRefusal: _refuse,
            HTTPException: _refuse_plainly,
            Exception: _confess,
        },
    )
    app.add_middleware(_Counted, service=service)
    app.state.service = service
    return app


def _websocket_route(door: Door, service: Service) -> WebSocketRoute:
    async def serve(websocket: WebSocket) -> None:
        await serve_websocket(websocket, door, service)

    return WebSocketRoute(door.path, serve)


def _no_websocket_route(service: Service) -> WebSocketRoute:
    async def refuse(websocket: WebSocket) -> None:
        paths = ", ".join(door.path for door in DOORS)
        refusal = Refusal(f"There is no WebSocket here, only at {paths}.", code=None)
        await turn_away(websocket, HttpRefusal(404, refusal), service)

    return WebSocketRoute("/{path:path}", refuse)


def _refuse(_: HTTPConnection, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HttpRefusal)
    return JSONResponse(exc.body(), status_code=exc.status, headers=exc.headers)


def _refuse_plainly(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HTTPException)
    wrong = {404: "Invalid URL", 405: "Not allowed"}.get(exc.status_code, exc.detail)
    refusal = Refusal(f"{wrong} ({request.method} {request.url.path})", code=None)
    return _refuse(request, HttpRefusal(exc.status_code, refusal, exc.headers))


def _confess(request: Request, _: Exception) -> JSONResponse:
    # The server behind it logs the traceback.
    refusal = Refusal("Internal error.", code=None, type="server_error")
    return _refuse(request, HttpRefusal(500, refusal))


class _Counted:
    """Counts and logs HTTP requests; WebSockets have a record of their own."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            self._service.stats.answered(status)
            log_http(
                method=scope["method"],
                path=_path(scope),
                client=address_of(HTTPConnection(scope)),
                status=status,
                seconds=time.perf_counter() - began,
            )


def _path(scope: Scope) -> str:
    """Return the path without the ids that the client has put into it."""
    path: str = scope["path"]
    values: dict[str, Any] = scope.get("path_params", {})
    for name, value in values.items():
        path = path.replace(f"/{value}/", f"/{{{name}}}/")
    return path
