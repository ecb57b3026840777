"""Answers with a chat model behind any OpenAI-compatible API."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from ....errors import ConfigurationError
from ...worker import Outbox, in_background
from ..action import Action
from ..prompt import Prompt
from .completion import Completion
from .endpoint import ChatEndpoint
from .mcp_names import McpNames
from .messages import chat_messages, chat_tools

__all__ = ["ChatBrain"]

# Each has a thread, a connection, and a share of what the server can do.
_MOST_REQUESTS = 64


class ChatBrain:
    """Asks a chat model, and speaks its answer sentence by sentence as it is written.

    The server must offer ``/chat/completions`` with streaming, as OpenAI, Ollama,
    llama.cpp, vLLM and many others do. A reply that is cancelled closes its request.
    Of all sessions together 64 are asked for at a time; more wait their turn.

    Args:
        url: The API, such as ``http://localhost:11434/v1``.
        model: Which of its models to ask.
        api_key: Its key, if it needs one; it is shown nowhere.
        timeout_s: How long the server may be silent before the response fails.

    Raises:
        ConfigurationError: The URL or the timeout is no good, the model has no name,
            or the package httpx2 is not installed.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        if not model.strip():
            raise ConfigurationError("the chat model has no name; give one")
        self._model = model
        self._endpoint = ChatEndpoint(url, api_key, timeout_s)
        self._room = threading.Semaphore(_MOST_REQUESTS)

    def __repr__(self) -> str:
        return f"ChatBrain({self._endpoint.url!r}, {self._model!r})"

    def reply(self, prompt: Prompt) -> Iterator[Action]:
        """Yield what the model wants, and pauses while it has not answered yet."""
        names = McpNames(prompt)
        body = {
            "model": self._model,
            "messages": chat_messages(prompt, names),
            **chat_tools(prompt, names),
        }
        completion = Completion(
            names.offers, whole_sentences=prompt.modality == "audio"
        )

        def ask(outbox: Outbox[Action]) -> None:
            self._endpoint.complete(body, completion, outbox)

        yield from in_background(ask, "openai-realtime chat", room=self._room)
