"""Tools: functions that the model calls.

`Tool` is one of them, from a function's signature or from a definition with a handler,
and `Toolset` holds several. `FunctionSchema` reads a signature; `ToolRunner` runs what
is called.
"""

from __future__ import annotations

from .call_context import CancelSignal, ToolContext
from .runner import ToolRunner
from .takes_tools import TakesTools, Tools, tools_from
from .tool import Approval, FunctionOptions, Tool, ToolHandler
from .toolset import Toolset

__all__ = [
    "Approval",
    "CancelSignal",
    "FunctionOptions",
    "TakesTools",
    "Tool",
    "ToolContext",
    "ToolHandler",
    "ToolRunner",
    "Tools",
    "Toolset",
    "tools_from",
]
