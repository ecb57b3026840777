"""The reception of WebSockets: from the handshake to the end of the session."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import msgspec
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from ...core.outputs import Close, Send
from ..faults import Arrival
from ..outputs import ServerOutput
from ..refusal import Refusal
from .access_log import log_refusal
from .admission import Admission, Door, SessionRefusal, admit
from .channel import Channel, Disconnected
from .frames import frames_of
from .http_refusal import HttpRefusal, bad_request
from .record import Record
from .service import Service
from .session import Session, SessionProtocol
from .session_ids import random_id
from .visitor import Visitor

__all__ = ["address_of", "serve_websocket", "turn_away", "visitor_of"]


class _Farewell:
    """The protocol of a client that is turned away behind the upgrade."""

    def __init__(self, refusal: SessionRefusal) -> None:
        event = refusal.refusal.event(None)
        named = msgspec.structs.replace(event, event_id=random_id("event"))
        self._outputs: list[ServerOutput] = [
            Send(named),
            Close(refusal.code, refusal.reason),
        ]

    busy = False

    def open(self, now: float) -> list[ServerOutput]:
        return self._outputs

    def receive_frame(self, data: str | bytes, *, now: float) -> list[ServerOutput]:
        return []

    def next_timeout(self) -> float | None:
        return None

    def handle_timeout(self, *, now: float) -> list[ServerOutput]:
        return []

    def close(self) -> list[ServerOutput]:
        return []


async def serve_websocket(websocket: WebSocket, door: Door, service: Service) -> None:
    """Let a client in and serve its session, or turn it away."""
    channel = Channel(websocket)
    arrival = service.faults.arrive()
    visitor = visitor_of(websocket)
    try:
        await channel.wait(arrival.delay_s)
        _check_fault(arrival)
        admission, protocol = _welcome(visitor, door, service)
    except HttpRefusal as refusal:
        await turn_away(websocket, refusal, service)
        return
    except Disconnected:
        return
    session = Session(
        channel,
        protocol,
        frames := frames_of(admission.dialect),
        arrival.injector(encode=frames.write),
        Record(
            service.stats,
            service.settings.observer,
            clock=asyncio.get_running_loop().time,
            client=address_of(websocket),
            kind=admission.kind,
            dialect=admission.dialect,
        ),
        number=arrival.number,
        idle_s=service.settings.idle_s,
        limit_s=service.settings.max_session_s,
    )
    # Before anything is waited for, so that the number of sessions holds.
    service.sessions.add(session)
    try:
        await channel.accept(visitor.selected)
        await session.run()
    except Disconnected:
        pass
    finally:
        service.sessions.discard(session)


async def turn_away(
    websocket: WebSocket, refusal: HttpRefusal, service: Service
) -> None:
    """Answer a handshake with an HTTP status."""
    service.stats.refused(refusal.status)
    log_refusal(
        path=websocket.url.path,
        client=address_of(websocket),
        status=refusal.status,
        code=refusal.refusal.code,
    )
    await Channel(websocket).refuse(refusal)


def visitor_of(connection: HTTPConnection) -> Visitor:
    """Return what a handshake or a request shows."""
    offered = cast("Sequence[str]", connection.scope.get("subprotocols", ()))
    return Visitor(connection.headers, connection.query_params, tuple(offered))


def address_of(connection: HTTPConnection) -> str:
    """Return where a client is, as far as that is known."""
    client = connection.client
    return "" if client is None else f"{client.host}:{client.port}"


def _check_fault(arrival: Arrival) -> None:
    if arrival.status is not None:
        refusal = Refusal(
            "The handshake is refused to order.", code=None, type="server_error"
        )
        raise HttpRefusal(arrival.status, refusal)


def _welcome(
    visitor: Visitor, door: Door, service: Service
) -> tuple[Admission, SessionProtocol]:
    """Return to what a visitor is let in, and the protocol of its session.

    Raises:
        HttpRefusal: There is no upgrade.
    """
    farewell: _Farewell | None = None
    try:
        admission = admit(visitor, door, service.rules)
    except SessionRefusal as refusal:
        admission = Admission("realtime", "ga", None, None)
        farewell = _Farewell(refusal)
    # Behind the key: how full it is here is not for everybody.
    service.check_room()
    return admission, farewell or _protocol(service, admission)


def _protocol(service: Service, admission: Admission) -> SessionProtocol:
    try:
        return service.settings.protocol(
            admission.model, kind=admission.kind, config=admission.config
        )
    except Refusal as refusal:
        # The key's configuration was possible when the key was made.
        raise bad_request(refusal) from refusal
