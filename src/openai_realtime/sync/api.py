"""`RealtimeAPI`: a thin typed wrapper over the connection, without ``await``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Self

from ..api import ConnectionState
from ..api import RealtimeAPI as AsyncAPI
from ..events import Closed, RealtimeEvent
from .background import Background
from .same_parameters import parameters_of
from .subscriptions import Subscriptions

__all__ = ["RealtimeAPI"]


class RealtimeAPI(Subscriptions):
    """Sends and receives events over one connection at a time, for any thread.

    Events: ``server.*`` and ``client.*`` by wire name, ``realtime.event`` (all of
    them, with time, source and raw frame), ``error`` and ``close``.
    """

    @parameters_of(AsyncAPI)
    def __init__(self, **options: Any) -> None:
        """Prepare a connection; nothing is opened yet.

        Args:
            options: Those of `openai_realtime.RealtimeAPI`.
        """
        api = AsyncAPI(**options)
        self._adopt(api, Background(api.close), owns_background=True)

    @classmethod
    def of_client(cls, api: AsyncAPI, background: Background) -> Self:
        """Return the connection of a client, which keeps the threads."""
        realtime = cls.__new__(cls)
        realtime._adopt(api, background, owns_background=False)
        return realtime

    def _adopt(
        self, api: AsyncAPI, background: Background, *, owns_background: bool
    ) -> None:
        super().__init__(api, background)
        self._api = api
        self._owns_background = owns_background

    @property
    def state(self) -> ConnectionState:
        """Where the connection is."""
        return self._api.state

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open."""
        return self._api.is_connected

    @property
    def was_lost(self) -> bool:
        """Whether the last connection was ended by the other side or the network."""
        return self._api.was_lost

    def new_event_id(self) -> str:
        """Return an id for a client event that no other has."""
        return self._loop.run(self._api.new_event_id)

    # --- lifetime ---

    def connect(self, *, model: str | None = None) -> None:
        """Open the connection; no event of the server is waited for.

        Raises:
            ConfigurationError: No key for the real service, or no usable address.
            ConnectFailed: The server cannot be reached or refuses.
            LocalProtocolError: It is open already.
        """
        self._background.connect(partial(self._api.connect, model=model))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection and wait for its end; without one, do nothing."""
        if self._owns_background:
            self._background.end(partial(self._api.close, code, reason))
        else:
            self._background.say(self._api.close, code, reason)

    def wait_closed(self) -> Closed:
        """Wait until the connection has ended, whoever ends it.

        Returns:
            How it ended; at once where there is no connection any more.

        Raises:
            LocalProtocolError: There was none yet.
        """
        return self._loop.call(self._api.wait_closed)

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # --- sending ---

    def send(
        self,
        event: RealtimeEvent | str,
        data: Mapping[str, Any] | None = None,
        /,
        **fields: Any,
    ) -> str | None:
        """Send an event: an object, or its name with its fields.

        What is given by name is sent as it is, also where we do not know it; ``bytes``
        in it become base64. An ``event_id`` is added where there is none, except to
        audio.

        Returns:
            The event's id, as the server will name it in an `error`.

        Raises:
            LocalProtocolError: Not connected, or the event is not JSON.
            ConnectionClosed: The connection has ended.
        """
        return self._background.say(self._api.send, event, data, **fields)

    def flush(self) -> None:
        """Return when all that was sent has been handed to the network."""
        self._background.say(self._api.flush)
