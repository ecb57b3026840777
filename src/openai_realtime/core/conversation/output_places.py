"""Which item stands where in the output of a response."""

from __future__ import annotations

from ..recent import Recent

__all__ = ["OutputPlaces"]

# A response has few items, and its pieces come while it runs.
_MAX_PLACES = 256


class OutputPlaces:
    """The items of the latest responses by their places, as `output_item.*` tells them.

    Some servers name the item of a delta by its place alone.
    """

    def __init__(self) -> None:
        self._ids = Recent[str](_MAX_PLACES)

    def note(self, response_id: str, output_index: int, item_id: str) -> None:
        """Note which item stands at a place."""
        self._ids.keep(f"{output_index} {response_id}", item_id)

    def item_at(self, response_id: str, output_index: int) -> str:
        """Return the id of the item at a place; empty where none is known."""
        return self._ids.get(f"{output_index} {response_id}", "")
