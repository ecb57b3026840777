"""Calls by telephone and WebRTC: what is sent to answer them, and how one is announced.

PROTOCOL.md sections 4.3 and 4.4.
"""

from __future__ import annotations

from .._struct import UNSET, Opt, WireObject

__all__ = [
    "CallReferRequest",
    "CallRejectRequest",
    "IncomingCall",
    "IncomingCallData",
    "SipHeader",
]


class CallReferRequest(WireObject):
    """Transfer a call to a ``tel:`` or ``sip:`` address."""

    target_uri: str


class CallRejectRequest(WireObject):
    """Refuse a call, with this SIP status (603 without one)."""

    status_code: Opt[int] = UNSET


class SipHeader(WireObject):
    """One header of the SIP invitation."""

    name: str
    value: str


class IncomingCallData(WireObject):
    """Which call is waiting, and how it came."""

    call_id: str
    sip_headers: list[SipHeader]
    sip_media_security: Opt[str] = UNSET


class IncomingCall(WireObject):
    """The webhook event ``realtime.call.incoming``: a call waits to be accepted.

    Accepting it takes a `SessionConfig` as body.
    """

    id: str
    created_at: int
    data: IncomingCallData
    type: Opt[str] = "realtime.call.incoming"
    object: Opt[str] = UNSET
