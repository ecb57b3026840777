"""One parameter of a function that the model calls."""

from __future__ import annotations

import inspect
import json
from typing import Any

from .parameter_type import Misfit, type_of
from .results import json_of

__all__ = ["Parameter"]


class Parameter:
    """What the model may give for one parameter.

    Attributes:
        name: Its name.
        schema: Its JSON schema, with its description and its default.
        definitions: What the schema refers to.
        is_required: Whether it has no default.

    Raises:
        ToolError: Values of its type cannot come from JSON.
    """

    def __init__(
        self, name: str, annotation: Any, default: Any, description: str | None
    ) -> None:
        self.name = name
        self.is_required: bool = default is inspect.Parameter.empty
        self._type = type_of(annotation)
        form = self._type.schema(name)
        if default is None and not self._takes_null():
            # `limit: int = None` means what `int | None` says.
            self._type = type_of(annotation | None)
            form = self._type.schema(name)
        self._null_is_value = self._takes_null()
        self.definitions: dict[str, Any] = form.definitions
        self.schema: dict[str, Any] = {**form.root, **_default_in_schema(default)}
        if description:
            self.schema["description"] = description

    def is_left_out(self, value: Any) -> bool:
        """Whether a value stands for the default: a null that means nothing else."""
        return value is None and not self.is_required and not self._null_is_value

    def read(self, value: Any) -> Any:
        """Turn a value from JSON into what the function expects.

        Raises:
            Misfit: It is of another type.
        """
        return self._type.read(value)

    def _takes_null(self) -> bool:
        try:
            self._type.read(None)
        except Misfit:
            return False
        return True


def _default_in_schema(default: Any) -> dict[str, Any]:
    """Return what the schema says of a default; nothing where that is no JSON."""
    if default is inspect.Parameter.empty:
        return {}
    try:
        value = json.loads(json_of(default))
    except (TypeError, ValueError, RecursionError):
        return {}
    # What JSON has no number for, such as infinity, is written as null.
    return {} if value is None and default is not None else {"default": value}
