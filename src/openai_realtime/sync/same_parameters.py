"""Constructors that take what others take, for readers, editors and type checkers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

__all__ = ["parameters_of"]

P = ParamSpec("P")
S = TypeVar("S")


def parameters_of(
    model: Callable[P, object],
) -> Callable[[Callable[Concatenate[S, ...], None]], Callable[Concatenate[S, P], None]]:
    """Give a constructor the parameters of another class, their types included.

    Args:
        model: The other class.
    """
    signature = inspect.signature(model)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)

    def decorate(
        init: Callable[Concatenate[S, ...], None],
    ) -> Callable[Concatenate[S, P], None]:
        shown = signature.replace(
            parameters=[own, *signature.parameters.values()], return_annotation=None
        )
        cast("Any", init).__signature__ = shown
        return init

    return decorate
