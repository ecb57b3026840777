"""Replies as objects: what the model answers, from the wish for it to its end.

`reply` is what users hold, `state` its life as a table, `content` what it consists of,
and `registry` tells whose the events of a response are.
"""

from __future__ import annotations

from .reply import Reply, ReplyItems
from .state import ReplyState
from .timings import ReplyTimings

__all__ = ["Reply", "ReplyItems", "ReplyState", "ReplyTimings"]
