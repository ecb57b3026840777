"""What must hold of calls: each is answered once, and the model may go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from openai_realtime.core.tool_options import ToolOptions
from openai_realtime.events import (
    RealtimeEvent,
    ResponseCreate,
    ResponseCreated,
    ResponseDone,
    ResponseOutputItemDone,
)
from openai_realtime.resources import (
    FunctionCallItem,
    FunctionCallOutputItem,
    ItemStatus,
    ResponseStatus,
)

from .log import Log, What
from .tool_box import BY_HAND, TOOLS


def calls_are_answered_once(log: Log, *, whole: Iterable[int]) -> None:
    """Each call has one output; where the connection ended it may have none.

    Caught: a call that is told in two events is acted on in both; a tool that is
    stopped for its deadline is not answered for.

    Args:
        log: What happened.
        whole: The connections that did not end.
    """
    for connection in log.connections:
        called = list(_calls(log, connection))
        outputs = Counter(_outputs(log, connection))
        unknown = outputs.keys() - called
        assert not unknown, f"an output for {unknown}, which nobody has called"
        twice = [call_id for call_id, count in outputs.items() if count > 1]
        assert not twice, f"{twice} were answered more than once"
        if connection in whole:
            never = set(called) - outputs.keys()
            assert not never, f"{sorted(never)} were never answered"
        ran = Counter(
            entry.subject.call_id for entry in log.of(What.RAN, connection=connection)
        )
        again = [call_id for call_id, count in ran.items() if count > 1]
        assert not again, f"{again} ran more than once"


def _calls(log: Log, connection: int) -> Iterator[str]:
    """Yield the calls of the default conversation that reached the client whole."""
    outside: set[str] = set()
    for entry in log.of(What.RECEIVED, connection=connection):
        event = entry.subject
        if isinstance(event, ResponseCreated):
            if event.response.conversation_id is None:
                outside.add(str(event.response.id))
        elif isinstance(event, ResponseOutputItemDone):
            item = event.item
            if event.response_id in outside or not isinstance(item, FunctionCallItem):
                continue
            if item.status == ItemStatus.COMPLETED:
                yield str(item.call_id)


def _outputs(log: Log, connection: int) -> Iterator[str]:
    for entry in log.of(What.SENT, connection=connection):
        call_id = _answered(entry.subject)
        if call_id:
            yield call_id


def answered_calls_are_followed_up(log: Log, connection: int) -> None:
    """The model may go on when its calls are answered, unless somebody barged in.

    Caught: nobody asks the model; only the last tool of a batch is asked whether it
    wants a reply; a batch counts as complete before the end of its response.
    """
    calls: dict[str, str] = {}
    open_calls: dict[str, set[str]] = {}
    done: set[str] = set()
    due: set[str] = set()
    unwanted: set[str] = set()
    for entry in log.of(*_FOLLOWED, connection=connection):
        event = entry.subject
        if isinstance(event, ResponseCreate) or entry.what is What.BARGED_IN:
            due.clear()
            continue
        if entry.what is What.UNWANTED:
            due.discard(event)
            open_calls.pop(event, None)
            unwanted.add(event)
            continue
        if isinstance(event, ResponseOutputItemDone):
            if isinstance(event.item, FunctionCallItem) and _wants_reply(event.item):
                if event.response_id in unwanted:
                    continue
                call_id = str(event.item.call_id)
                calls[call_id] = event.response_id
                open_calls.setdefault(event.response_id, set()).add(call_id)
        elif isinstance(event, ResponseDone):
            if event.response.status == ResponseStatus.COMPLETED:
                done.add(str(event.response.id))
        elif entry.what is What.SENT and (answered := _answered(event)) in calls:
            open_calls.get(calls[answered], set()).discard(answered)
        complete = {name for name in done & open_calls.keys() if not open_calls[name]}
        due |= complete
        done -= complete
    assert not due, f"the calls of {due} are answered, and the model was not asked"


_FOLLOWED = (What.SENT, What.FAILED, What.RECEIVED, What.BARGED_IN, What.UNWANTED)


def _wants_reply(call: FunctionCallItem) -> bool:
    """Whether the output of a call is followed up in any case."""
    tool = TOOLS.get(call.name)
    if call.name == BY_HAND["name"] or call.status != ItemStatus.COMPLETED:
        return False
    options = tool.options if tool else ToolOptions()
    return options.wants_reply and not options.cancel_on_interrupt


def _answered(event: RealtimeEvent) -> str:
    """Return which call an event answers, if it does."""
    item = getattr(event, "item", None)
    return item.call_id if isinstance(item, FunctionCallOutputItem) else ""
