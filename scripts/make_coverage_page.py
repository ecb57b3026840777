"""Write docs/emulator-coverage.md: which test shows what of the emulator.

The tests themselves note what they have shown, in a folder that they are given:

    EMULATOR_COVERAGE=FOLDER python -m pytest tests/emulator
    python scripts/make_coverage_page.py FOLDER

`make coverage-page` does both. A refusal that an event can have and no test has shown
is an error here, and so is one that was seen and is not in the tables below.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from openai_realtime.events import EVENTS, EventRow

PAGE = Path(__file__).parents[1] / "docs" / "emulator-coverage.md"

Seen: TypeAlias = Mapping[str, Iterable[str]]
Outcomes: TypeAlias = Mapping[tuple[str, str], Iterable[str]]
Breadth: TypeAlias = Mapping[str, int]

INTRODUCTION = """\
# What the tests show of the emulator

Each event that a client can send, with each way in which it can be answered, and each
event that the server can send, with tests that show it. `make coverage-page` makes this
page from a run of the tests; do not edit it by hand.

Every event that a session of the emulator makes in any of the tests is held to the
service's schema and to the rules of order (PROTOCOL.md sections 1.4 and 6), and the
first that deviates fails its test. A refusal has to name its request. The old dialect,
as it is written, and the one event of who is turned away behind the upgrade are held to
the schema. What happens behind a session is not seen so: ordered
faults, the way to the socket, answers over HTTP, closes, and servers in processes of
their own; these have other tests. The schema file is not part of the repository;
where it is missing, the order alone is looked at.

Here are examples: for each cell three tests at most, those that show little else, and
none that throws dice.
"""

ACCEPTED = "accepted"
NO_EVENT = "(no event)"
UNKNOWN_TYPE = "(unknown type)"

# What any event can meet: nested too deep, an event_id that is too long.
_ALWAYS = ("invalid_event", "invalid_value")
_WITH_FIELDS = (*_ALWAYS, "missing_required_parameter")
_CONFIGURED = (*_WITH_FIELDS, "unknown_parameter")

REFUSALS: Mapping[str, Sequence[str]] = {
    "session.update": (*_CONFIGURED, "invalid_parameter", "cannot_update_voice"),
    "input_audio_buffer.append": _WITH_FIELDS,
    "input_audio_buffer.commit": (*_ALWAYS, "input_audio_buffer_commit_empty"),
    "input_audio_buffer.clear": _ALWAYS,
    "output_audio_buffer.clear": _ALWAYS,
    "conversation.item.create": (*_WITH_FIELDS, "item_not_found"),
    "conversation.item.retrieve": (*_WITH_FIELDS, "item_retrieve_invalid_item_id"),
    "conversation.item.truncate": (
        *_WITH_FIELDS,
        "item_truncate_invalid_item_id",
        "None",
    ),
    "conversation.item.delete": (*_WITH_FIELDS, "item_not_found"),
    "response.create": (
        *_CONFIGURED,
        "item_not_found",
        "cannot_update_voice",
        "conversation_already_has_active_response",
        "rate_limit_exceeded",
    ),
    "response.cancel": (*_ALWAYS, "response_cancel_not_active"),
    NO_EVENT: _WITH_FIELDS,
    # A frame that is too large is no event, whatever its type.
    UNKNOWN_TYPE: ("invalid_event", "invalid_value"),
    "translation: session.update": (*_CONFIGURED, "invalid_parameter"),
    "translation: session.input_audio_buffer.append": _WITH_FIELDS,
    "translation: session.close": _ALWAYS,
    f"translation: {NO_EVENT}": _WITH_FIELDS,
    f"translation: {UNKNOWN_TYPE}": ("invalid_value",),
}
"""With which codes an event can be refused; ``None`` is the code null."""

# The rows that can never be accepted.
NEVER_ACCEPTED = (
    "output_audio_buffer.clear",
    *(name for name in REFUSALS if name.endswith(")")),
)

_MEDIA = (
    "WebRTC and SIP only, where the server plays the audio (PROTOCOL.md section 1.2)"
)
NEVER_SENT: Mapping[str, str] = {
    "conversation.item.created": "of the old dialect only, where "
    "`conversation.item.added` is written so (PROTOCOL.md section 2.1); "
    "`tests/emulator/serving/test_dialects.py` shows it",
    "input_audio_buffer.dtmf_event_received": "telephone calls (SIP) only, which no "
    "WebSocket is (PROTOCOL.md section 1.2)",
    "output_audio_buffer.started": _MEDIA,
    "output_audio_buffer.stopped": _MEDIA,
    "output_audio_buffer.cleared": _MEDIA,
}
"""Events that the emulator's protocol never sends, and why."""

_MOST_SHOWN = 3
_LEGEND = """\
A number counts the tests that show the cell; `-` is a refusal that the event can never
have. {no_event} stands for frames in which there is no event, {unknown} for events of a
type that is none; neither is ever accepted. `output_audio_buffer.clear` is for WebRTC
and SIP, and on a WebSocket a type that there is not (PROTOCOL.md section 1.1). The code
`null` is that of a truncation of what was not spoken.
"""
_NO_REQUEST = """\
`session_expired`, `invalid_api_key`, `beta_api_shape_disabled`, `server_error` and the
failures of a model (`generation_failed`) answer no event of the client's. They are
shown by `tests/emulator/test_refusal_table.py`, with the HTTP statuses and the closes
of PROTOCOL.md section 5. Over HTTP alone there are `call_not_found`, `not_implemented`,
`request_too_large` and `unsupported_content_type`, and in transcriptions that have
failed `no_transcriber` and `transcriber_failed`.
"""
_NO_FAULT = """\
None of these needs an ordered fault to appear. What the emulator never sends says why.
"""


class Incomplete(Exception):
    """A cell of the page would be empty, or what was seen has no cell."""


def main(folder: Path) -> None:
    """Write the page."""
    PAGE.write_text(page(*read(folder)), encoding="utf-8")


def read(folder: Path) -> tuple[Seen, Outcomes]:
    """Read what the tests have noted."""
    seen: dict[str, set[str]] = defaultdict(set)
    outcomes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path in sorted(folder.glob("*.json")):
        noted = json.loads(path.read_text(encoding="utf-8"))
        for name, tests in noted["server"].items():
            seen[name] |= _functions(tests)
        for name, outcome, tests in noted["client"]:
            outcomes[_row_of(name), outcome] |= _functions(tests)
    return seen, outcomes


def _functions(tests: Iterable[str]) -> set[str]:
    """Return the tests without their parameters, and none that throws dice."""
    names = {test.partition("[")[0] for test in tests}
    return {name for name in names if "::" in name and "_random" not in name}


def _row_of(name: str) -> str:
    surface, joint, _ = name.rpartition(": ")
    return name if name in REFUSALS else f"{surface}{joint}{UNKNOWN_TYPE}"


def page(seen: Seen, outcomes: Outcomes) -> str:
    """Write the whole page.

    Raises:
        Incomplete: No test has shown something that can be, or it has no place here.
    """
    _check(seen, outcomes)
    # In how many cells a test is.
    breadth = Counter(
        test for cells in (seen, outcomes) for tests in cells.values() for test in tests
    )
    parts = [
        INTRODUCTION,
        "## What the client sends\n",
        _LEGEND.format(no_event=NO_EVENT, unknown=UNKNOWN_TYPE),
        *_matrix(outcomes),
        _NO_REQUEST,
        *_client_tests(outcomes, breadth),
        "## What the server sends\n",
        _NO_FAULT,
        *_server_tests(seen, breadth),
    ]
    return "\n".join(parts)


def _check(seen: Seen, outcomes: Outcomes) -> None:
    expected = {(name, code) for name, codes in REFUSALS.items() for code in codes} | {
        (name, ACCEPTED) for name in REFUSALS if name not in NEVER_ACCEPTED
    }
    found = {cell for cell, tests in outcomes.items() if tests}
    sent = {_key(row) for row in EVENTS if row.direction == "server"}
    shown = {name for name, tests in seen.items() if tests}
    problems = [
        *(f"no test shows {cell}" for cell in sorted(expected - found)),
        *(f"not in the tables: {cell}" for cell in sorted(found - expected)),
        *(f"no test shows {name}" for name in sorted(sent - shown - {*NEVER_SENT})),
        *(f"never sent, and seen: {name}" for name in sorted(shown & {*NEVER_SENT})),
    ]
    if problems:
        raise Incomplete("\n".join(problems))


def _codes() -> list[str]:
    return list(dict.fromkeys(code for codes in REFUSALS.values() for code in codes))


def _matrix(outcomes: Outcomes) -> Iterator[str]:
    """Write how many tests show each cell."""
    codes = [ACCEPTED, *_codes()]
    yield _line(["Event", *map(_code, codes)])
    yield _line(["---", *["---:"] * len(codes)])
    for name in REFUSALS:
        counts = [len([*outcomes.get((name, code), ())]) for code in codes]
        yield _line([_event(name), *(str(count or "-") for count in counts)])
    yield ""


def _client_tests(outcomes: Outcomes, breadth: Breadth) -> Iterator[str]:
    """Name tests for each cell that is none of the dashes."""
    for name, codes in REFUSALS.items():
        yield f"### {_event(name)}\n"
        yield _line(["Answer", "Tests"])
        yield _line(["---", "---"])
        for code in (ACCEPTED, *codes):
            if tests := outcomes.get((name, code)):
                yield _line([_code(code), _examples(tests, breadth)])
        yield ""


def _server_tests(seen: Seen, breadth: Breadth) -> Iterator[str]:
    yield _line(["Event", "Tests"])
    yield _line(["---", "---"])
    for row in EVENTS:
        if row.direction == "server":
            name = _key(row)
            never = NEVER_SENT.get(name)
            tests = f"never sent: {never}" if never else _examples(seen[name], breadth)
            yield _line([_event(name), tests])
    yield ""


def _examples(tests: Iterable[str], breadth: Breadth) -> str:
    """Name some tests, those first that show little else."""
    chosen = sorted(tests, key=lambda test: (breadth[test], test))
    names = [f"`{test.removeprefix('tests/')}`" for test in chosen[:_MOST_SHOWN]]
    more = len(chosen) - len(names)
    return "<br>".join([*names, *([f"and {more} more"] if more else [])])


def _key(row: EventRow) -> str:
    return row.name if row.surface == "realtime" else f"{row.surface}: {row.name}"


def _event(name: str) -> str:
    surface, _, own = name.rpartition(": ")
    shown = own if own.startswith("(") else f"`{own}`"
    return f"{shown} ({surface})" if surface else shown


def _code(code: str) -> str:
    return "accepted" if code == ACCEPTED else f"`{code.replace('None', 'null')}`"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make_coverage_page.py FOLDER; or: make coverage-page")
    main(Path(sys.argv[1]))
