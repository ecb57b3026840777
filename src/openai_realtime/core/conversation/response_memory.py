"""The responses that the conversation remembers."""

from __future__ import annotations

from collections import deque

from ...resources.response import Response, ResponseStatus
from .id_memory import IdMemory

__all__ = ["ResponseMemory", "is_in_conversation"]

_MAX_ENDED = 256
_MAX_RUNNING = 256


class ResponseMemory:
    """Responses by id: those that run, and the last ones that ended.

    Attributes:
        by_id: The responses, in the order in which they were first heard of.
    """

    def __init__(self) -> None:
        self.by_id: dict[str, Response] = {}
        self._running: deque[str] = deque()
        self._ended: deque[str] = deque()
        self._unknown = IdMemory(_MAX_ENDED)

    def created(self, response_id: str, response: Response) -> bool:
        """Remember a response that began; False when it is known already."""
        if response_id in self.by_id:
            return False
        self.by_id[response_id] = response
        self._remember(self._running, response_id, _MAX_RUNNING)
        return True

    def done(self, response_id: str, response: Response) -> bool:
        """Remember how a response ended; False when it had ended before."""
        if response_id in self._ended:
            return False
        if response_id in self._running:
            self._running.remove(response_id)
        self.by_id[response_id] = response
        self._remember(self._ended, response_id, _MAX_ENDED)
        return True

    def has_ended(self, response_id: str) -> bool:
        """Whether this response is known to have ended."""
        return response_id in self._ended

    @property
    def any_running(self) -> bool:
        """Whether a response is known to run."""
        return any(
            self.by_id[response_id].status == ResponseStatus.IN_PROGRESS
            for response_id in self._running
        )

    def is_out_of_band(self, response_id: str) -> bool:
        """Whether a response says that it belongs to no conversation."""
        response = self.by_id.get(response_id)
        return response is not None and not is_in_conversation(response)

    def is_news(self, response_id: str) -> bool:
        """Whether an id is unknown, and was not asked about before."""
        if response_id in self.by_id or response_id in self._unknown:
            return False
        self._unknown.add(response_id)
        return True

    def check(self) -> None:
        """Raise AssertionError where the memory contradicts itself."""
        known = [*self._running, *self._ended]
        assert len(known) == len(set(known)), "a response runs and has ended"
        assert set(known) == self.by_id.keys(), "a response is neither"
        assert len(self._running) <= _MAX_RUNNING, "too many responses run"
        assert len(self._ended) <= _MAX_ENDED, "too many responses have ended"

    def _remember(self, ids: deque[str], response_id: str, limit: int) -> None:
        ids.append(response_id)
        if len(ids) > limit:
            del self.by_id[ids.popleft()]


def is_in_conversation(response: Response) -> bool:
    """Whether a response is of the default conversation.

    An out-of-band response says with a null that it is not (PROTOCOL.md section 6.5);
    servers that leave the field out mean the default one.
    """
    return response.conversation_id is not None
