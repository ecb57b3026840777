"""The responses of a session: one on the default conversation, others beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

from ...events import ServerEvent
from ...resources.response import ResponseStatusReason
from ..brains.brain import Action, Brain
from ..brains.prompt import McpOffer, Prompt, prompt_items
from ..ids import Ids
from ..mcp.connections import McpConnections
from ..outputs import Aside
from ..pause import POLL
from ..refusal import Refusal
from ..schedule import Schedule, Steps
from ..senses.voice import Voice
from ..session.entry import Entry
from ..session.history import History
from ..session.settings import SessionSettings
from ..text_tokens import text_tokens
from .generation import Generation
from .plan import ResponsePlan
from .tokens import PromptCache, Share, Tokens, share_of

__all__ = ["Responses"]

# Out-of-band responses may overlap; this many and no more at a time.
_MOST_RUNNING = 32


class Responses:
    """Starts responses, and stops them.

    Args:
        conversation_id: The default conversation.
        history: Its items.
        settings: The session, whose voice is locked by the first audio.
        schedule: What runs the responses.
        mcp: The session's MCP servers.
        report: Takes what brain and voice fail with, and what is to go wrong.
    """

    def __init__(
        self,
        *,
        conversation_id: str,
        history: History,
        settings: SessionSettings,
        schedule: Schedule,
        brain: Brain,
        voice: Voice,
        mcp: McpConnections,
        ids: Ids,
        report: Callable[[Aside], None],
    ) -> None:
        self._conversation_id = conversation_id
        self._history = history
        self._settings = settings
        self._schedule = schedule
        self._brain = brain
        self._voice = voice
        self._mcp = mcp
        self._ids = ids
        self._report = report
        self._current: str | None = None
        self._cache = PromptCache()
        self._running: dict[str, Generation] = {}

    def create(
        self, plan: ResponsePlan, context: list[Entry] | None, *, now: float
    ) -> list[ServerEvent]:
        """Start a response.

        Args:
            plan: What it is to be.
            context: The items to respond to; None is the conversation.
            now: The time.

        Raises:
            Refusal: One runs already on the default conversation, or too many run.
        """
        self._check_room(plan)
        entries = list(self._history) if context is None else context
        self._mcp.connect(plan.mcp_servers, now=now, out_of_band=plan.out_of_band)
        offers = self._mcp.offers(plan.mcp_servers)
        total, cached = self._count(entries, plan, offers)
        generation = Generation(
            self._ids("resp"),
            plan,
            self._actions(entries, plan, offers),
            ids=self._ids,
            voice=self._voice,
            mcp=self._mcp,
            conversation_id=None if plan.out_of_band else self._conversation_id,
            history=None if plan.out_of_band else self._history,
            input=total,
            cached=cached,
            report=self._report,
        )
        if not plan.out_of_band:
            self._current = generation.id
        self._running[generation.id] = generation
        self._schedule.start(
            generation.id, self._steps(generation, plan.voice), now=now
        )
        return [generation.created()]

    def cancel(self, response_id: str | None) -> list[ServerEvent]:
        """Cancel the response named, or that of the default conversation.

        Raises:
            Refusal: No such response is running.
        """
        key = response_id or self._current
        if key is None or key not in self._running:
            raise Refusal(
                "Cancellation failed: no active response found.",
                code="response_cancel_not_active",
            )
        return self._stop(key, ResponseStatusReason.CLIENT_CANCELLED)

    def interrupt(self) -> list[ServerEvent]:
        """Cancel the default conversation's response, if one runs: the user speaks."""
        if self._current is None:
            return []
        return self._stop(self._current, ResponseStatusReason.TURN_DETECTED)

    def _check_room(self, plan: ResponsePlan) -> None:
        if not plan.out_of_band and self._current is not None:
            raise Refusal(
                "The conversation already has an active response "
                f"({self._current}); wait for its end, or cancel it.",
                code="conversation_already_has_active_response",
            )
        if len(self._running) >= _MOST_RUNNING:
            raise Refusal(
                f"{_MOST_RUNNING} responses are running already; wait for one to end.",
                code="rate_limit_exceeded",
            )

    def _actions(
        self, entries: list[Entry], plan: ResponsePlan, offers: tuple[McpOffer, ...]
    ) -> Iterator[Action]:
        """Ask the brain, only when its first action is due."""
        # Ears may need time; what they make out is what the brain answers.
        heard = [each for entry in entries for each in entry.heard.values()]
        while not all(each.ready for each in heard):
            yield POLL
        prompt = Prompt(
            items=prompt_items(entries),
            tools=plan.tools,
            tool_choice=plan.tool_choice,
            instructions=plan.instructions,
            mcp_tools=offers,
            modality=plan.modality,
            metadata=plan.metadata or {},
        )
        yield from self._brain.reply(prompt)

    def _steps(self, generation: Generation, voice: str) -> Steps:
        """Run a response, noting what it means to the session before others see it."""
        with closing(generation.steps()) as steps:
            for step in steps:
                if generation.spoken:
                    self._settings.lock_voice(voice)
                if generation.done:
                    self._release(generation.id)
                yield step

    def _stop(self, key: str, reason: ResponseStatusReason) -> list[ServerEvent]:
        self._schedule.stop(key)
        events = self._running[key].cancel(reason)
        self._release(key)
        return events

    def _release(self, key: str) -> None:
        del self._running[key]
        if key == self._current:
            self._current = None

    def _count(
        self, entries: list[Entry], plan: ResponsePlan, offers: tuple[McpOffer, ...]
    ) -> tuple[Tokens, Tokens]:
        """Count the tokens of all that the response is given, and the cached ones."""
        known = (*plan.tools, *(offer.tool for offer in offers))
        tools = " ".join(str(tool.to_dict()) for tool in known)
        fixed = f"{plan.instructions} {tools}"
        shares = [Share(fixed, Tokens(text_tokens(fixed))), *map(share_of, entries)]
        # Out-of-band requests are prompts of their own: they neither use nor fill it.
        cache = PromptCache() if plan.out_of_band else self._cache
        return cache.take(shares)
