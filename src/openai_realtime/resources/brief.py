"""How an object that is not of the wire is shown: as briefly as one that is."""

from __future__ import annotations

from typing import ClassVar

from .._struct import shown_as, shown_fields

__all__ = ["Brief"]


class Brief:
    """A struct that is not of the wire, shown as briefly as one that is."""

    __slots__ = ()

    __struct_fields__: ClassVar[tuple[str, ...]]

    def __repr__(self) -> str:
        return shown_as(self, shown_fields(self, self.__struct_fields__))
