"""Names of the package that this one re-creates, for what has another name here.

Whoever comes from there finds them; the names on the right are the ones to use.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from .items import ItemReference
from .session import ClientSecret
from .tools import ToolChoice

__all__ = [
    "ContentPartItemReference",
    "ResponseConfigMaxResponseOutputTokens",
    "ResponseConfigToolChoice",
    "SessionConfigClientSecret",
    "SessionConfigMaxResponseOutputTokens",
    "SessionConfigToolChoice",
    "SessionMaxResponseOutputTokens",
    "SessionToolChoice",
]

ContentPartItemReference: TypeAlias = ItemReference
SessionConfigClientSecret: TypeAlias = ClientSecret

ResponseConfigToolChoice: TypeAlias = ToolChoice
SessionConfigToolChoice: TypeAlias = ToolChoice
SessionToolChoice: TypeAlias = ToolChoice

SessionMaxResponseOutputTokens: TypeAlias = int | Literal["inf"]
SessionConfigMaxResponseOutputTokens: TypeAlias = SessionMaxResponseOutputTokens
ResponseConfigMaxResponseOutputTokens: TypeAlias = SessionMaxResponseOutputTokens
