"""Protocol faults, to order: what a server may do wrong, at the event where it should.

A `Fault` says what goes wrong, when, and on which connection. `parse_fault` reads it
from a line of text, `fault_from_dict` from a table. A `FaultPlan` holds the faults of a
server, and tells each new connection how its handshake goes. A `FaultInjector` stands
between the protocol of one session and its shell, and says what the shell is to do.

Everything here is pure. What goes wrong below the protocol, on the network, is the
business of `openai_realtime.testing.TcpProxy`.
"""

from __future__ import annotations

from .action import (
    Action,
    AddUnknownFields,
    CloseSession,
    Corrupt,
    DropConnection,
    Duplicate,
    InjectError,
    InjectUnknownEvent,
    Omit,
    RefuseHandshake,
    Reorder,
    SlowHandshake,
    Stall,
)
from .fault import Fault, When
from .forms import fault_from_dict, parse_fault
from .injector import FaultCount, FaultInjector
from .plan import Arrival, FaultPlan
from .steps import Abort, Pause, SendFrame, Step

__all__ = [
    "Abort",
    "Action",
    "AddUnknownFields",
    "Arrival",
    "CloseSession",
    "Corrupt",
    "DropConnection",
    "Duplicate",
    "Fault",
    "FaultCount",
    "FaultInjector",
    "FaultPlan",
    "InjectError",
    "InjectUnknownEvent",
    "Omit",
    "Pause",
    "RefuseHandshake",
    "Reorder",
    "SendFrame",
    "SlowHandshake",
    "Stall",
    "Step",
    "When",
    "fault_from_dict",
    "parse_fault",
]
