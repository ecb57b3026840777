"""A chat server of our own: it answers what a test tells it, byte by byte."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

EVENT_STREAM = "text/event-stream"


class Exchange:
    """One request, and the means to answer it.

    Attributes:
        body: What was asked.
        headers: Those of the request, their names in lower case.
        path: What was asked for.
    """

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        size = int(handler.headers["Content-Length"])
        self.body: dict[str, Any] = json.loads(handler.rfile.read(size))
        self.headers = {key.lower(): value for key, value in handler.headers.items()}
        self.path = handler.path
        self.closed_by_client = threading.Event()
        self._handler = handler

    def head(self, status: int = 200, content_type: str = EVENT_STREAM) -> None:
        """Begin the answer; it ends with the connection."""
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", content_type)
        self._handler.send_header("Connection", "close")
        self._handler.end_headers()

    def write(self, data: str | bytes) -> None:
        """Send some of the body."""
        self._handler.wfile.write(data.encode() if isinstance(data, str) else data)
        self._handler.wfile.flush()

    def chunk(self, finish_reason: str | None = None, **delta: Any) -> None:
        """Send an event with a chunk of a completion."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        self.write(f"data: {json.dumps({'choices': [choice]})}\n\n")

    def done(self) -> None:
        """Send the last event."""
        self.write("data: [DONE]\n\n")

    def wait_for_close(self) -> None:
        """Wait until the client has closed the connection."""
        if self._handler.rfile.read(1) == b"":
            self.closed_by_client.set()


Answer = Callable[[Exchange], None]


class ChatServer:
    """What is known of the server: its address, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.exchanges: list[Exchange] = []


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Many may come at once.
    request_queue_size = 128


@contextmanager
def chat_server(
    answer: Answer, tls: ssl.SSLContext | None = None
) -> Iterator[ChatServer]:
    """Serve chats with `answer`, which is called in a thread for each."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            exchange = Exchange(self)
            chats.exchanges.append(exchange)
            answer(exchange)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        chats = ChatServer(f"{scheme}://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield chats
        finally:
            server.shutdown()
            thread.join()
