"""What a scenario wants to go wrong: with a connection, or with one reply."""

from __future__ import annotations

from ....errors import ConfigurationError
from ...faults import Fault, fault_from_dict, parse_fault
from .table import Misfit, Table

__all__ = ["read_fault", "read_reply_fault"]

# It has been sent when the brain is asked, for ears may need time to understand.
_TOO_EARLY = "response.created"


def read_fault(value: object, place: str) -> Fault:
    """Read a fault, be it a text or a table.

    Raises:
        Misfit: It is none.
    """
    try:
        if isinstance(value, str):
            return parse_fault(value)
        table = Table(value, place, None)
        return fault_from_dict({key: table.value(key) for key in table})
    except Misfit:
        raise
    except ConfigurationError as exc:
        raise Misfit(place, str(exc)) from exc


def read_reply_fault(value: object, place: str) -> Fault:
    """Read a fault of one reply, which happens wherever the reply is given.

    Raises:
        Misfit: It is none, or no reply can be in time for it.
    """
    fault = read_fault(value, place)
    if fault.action.at_handshake:
        raise Misfit(
            place,
            f"`{fault.action.word}` happens at the handshake, before any reply; write "
            "it into the fault of the scenario",
        )
    if fault.connection is not None:
        raise Misfit(
            place,
            "a fault of a reply happens where the reply is given; leave the connection "
            "out, or write it into the fault of the scenario",
        )
    if fault.when.type == _TOO_EARLY:
        raise Misfit(
            place,
            f"{_TOO_EARLY} is sent before the reply is chosen; name a later event, or "
            "write it into the fault of the scenario",
        )
    return fault
