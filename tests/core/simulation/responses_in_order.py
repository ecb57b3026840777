"""What must hold of responses: one comes after the other, and all come to an end."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from openai_realtime.errors import AnswerTimeout
from openai_realtime.events import (
    Error,
    RealtimeEvent,
    ResponseCancel,
    ResponseCreate,
    ResponseCreated,
    ResponseDone,
)

from .log import Entry, Log, What

# How long the client waits for an answer, and for a sign of life; then it gives up.
_ANSWER_S = 15.0
_STALL_S = 120.0


def one_response_at_a_time(log: Log) -> None:
    """Nothing is asked of the default conversation while something is under way.

    Caught: a response that the server began by itself does not count; requests do not
    wait for each other.
    """
    for connection in log.connections:
        under_way = _UnderWay(_answers(log, connection))
        kinds = (What.WANTED, What.SENT, What.FAILED, What.RECEIVED)
        for entry in log.of(*kinds, connection=connection):
            if _expires(entry):
                # Whatever is asked of it from here on, nothing will be answered.
                break
            if entry.what is What.RECEIVED:
                under_way.received(entry)
            elif isinstance(entry.subject, ResponseCancel):
                under_way.cancelled(entry)
            elif not isinstance(entry.subject, ResponseCreate):
                continue
            elif entry.what is What.WANTED:
                others = under_way.at(entry.time)
                assert not others or not _is_default(entry), (
                    f"{entry.subject.event_id} was asked for while {others} were under "
                    "way"
                )
                under_way.wanted(entry)
            elif entry.what is What.SENT:
                under_way.sent(entry)
            else:
                under_way.failed(entry)


def _expires(entry: Entry) -> bool:
    event = entry.subject
    return isinstance(event, Error) and event.error.code == "session_expired"


def requests_begin_once(log: Log) -> None:
    """No request begins two responses.

    Caught: an error that names no event, because a turn could not be answered, is taken
    for the refusal of a request that is under way, which is sent again.
    """
    for connection in log.connections:
        sent = [
            entry.subject.event_id
            for entry in log.of(What.SENT, connection=connection)
            if isinstance(entry.subject, ResponseCreate)
        ]
        answers = _answers(log, connection)
        begun = Counter(
            sent[answers[entry.subject.event_id]]
            for entry in log.of(What.SAID, connection=connection)
            if isinstance(entry.subject, ResponseCreated)
            and entry.subject.event_id in answers
        )
        twice = [event_id for event_id, count in begun.items() if count > 1]
        assert not twice, f"{twice} began more than one response each"


def _answers(log: Log, connection: int) -> dict[str, int]:
    """Return which request an event of the server answers, by its id.

    Requests are counted from 0, in the order in which they are sent and taken.
    """
    answers: dict[str, int] = {}
    exchanges: list[tuple[RealtimeEvent, list[Any]]] = []
    for entry in log.of(What.TAKEN, What.SAID, connection=connection):
        if entry.what is What.TAKEN:
            exchanges.append((entry.subject, []))
        elif exchanges:
            exchanges[-1][1].append(entry.subject)
    requests = [each for each in exchanges if isinstance(each[0], ResponseCreate)]
    for number, (request, said) in enumerate(requests):
        answer = _answer(request, said)
        if answer is not None:
            answers[answer.event_id] = number
    return answers


def _answer(request: RealtimeEvent, said: list[Any]) -> Any:
    """Return the answer to a request among what was said until the next event came.

    Turns of the user may be answered before it and after it; where the client has put
    the id of the request into the metadata, it comes back.
    """
    for event in said:
        if isinstance(event, Error) and event.error.event_id == request.event_id:
            return event
    for event in said:
        if isinstance(event, ResponseCreated):
            tag = (event.response.metadata or {}).get("client_event_id")
            if tag in (request.event_id, None):
                return event
    return None


class _UnderWay:
    """What the client can know of the default conversation's responses.

    Args:
        answers: Which request an event of the server answers.
    """

    def __init__(self, answers: dict[str, int]) -> None:
        self._answers = answers
        self._sent: list[str] = []
        # What is asked for or live, and until when the client waits for it.
        self._asked: dict[str, float] = {}
        self._live: dict[str, float] = {}
        self._cancelled: set[str] = set()

    def at(self, now: float) -> list[str]:
        """Return what is asked for or live, and not given up."""
        both = {**self._asked, **self._live}
        return [name for name, until in both.items() if now < until]

    def wanted(self, entry: Entry) -> None:
        """Take in that something is to be sent."""
        if _is_default(entry):
            self._asked[entry.subject.event_id] = math.inf

    def sent(self, entry: Entry) -> None:
        """Take in that something was sent, be it past the protocol's wishes."""
        if _is_default(entry):
            self._asked[entry.subject.event_id] = entry.time + _ANSWER_S
        self._sent.append(entry.subject.event_id)

    def failed(self, entry: Entry) -> None:
        """Take in that something could not be sent."""
        self._asked.pop(entry.subject.event_id, None)

    def cancelled(self, entry: Entry) -> None:
        """Take in that all was cancelled: its end comes soon, or never."""
        self._cancelled |= self._asked.keys() | self._live.keys()
        for name, until in self._live.items():
            self._live[name] = min(until, entry.time + _ANSWER_S)

    def received(self, entry: Entry) -> None:
        """Take in an event of the server's."""
        event = entry.subject
        number = self._answers.get(event.event_id)
        asked = None if number is None else self._sent[number]
        if asked is not None:
            self._asked.pop(asked, None)
        if isinstance(event, ResponseCreated):
            if event.response.conversation_id is not None:
                soon = asked in self._cancelled
                patience = _ANSWER_S if soon else _STALL_S
                self._live[str(event.response.id)] = entry.time + patience
                if soon:
                    self._cancelled.add(str(event.response.id))
        elif isinstance(event, ResponseDone):
            self._live.pop(str(event.response.id), None)
        else:
            self._heard_of(getattr(event, "response_id", ""), entry.time)

    def _heard_of(self, response_id: str, now: float) -> None:
        """Wait longer for a response that has shown a sign of life in time."""
        if response_id not in self._cancelled and now < self._live.get(response_id, 0):
            self._live[response_id] = now + _STALL_S


def _is_default(entry: Entry) -> bool:
    config = entry.subject.response
    return not config or config.conversation != "none"


def nothing_is_given_up(log: Log) -> None:
    """The server answers, so that nobody gives up but after a long silence.

    Caught: a cancel overtakes the request that it is for, whose response goes on.
    """
    since: dict[str, float] = {}
    for entry in log.entries:
        subject = entry.subject
        error = getattr(subject, "error", None)
        if entry.what is What.SENT and subject.event_id:
            since[subject.event_id] = entry.time
        elif isinstance(error, AnswerTimeout) and error.ticket in since:
            waited = entry.time - since[error.ticket]
            assert waited > _STALL_S - 1, f"gave up after {waited:.0f} s: {error}"
