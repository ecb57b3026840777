"""The examples of docs/testing.md, each run as the test file that it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
EXAMPLES = dict(
    re.findall(
        r"^```python\n# (test_\w+\.py)\n(.*?)^```$", PAGE.read_text(), re.M | re.S
    )
)


def test_all_examples_are_run() -> None:
    """No example of the page is left out, for instance because it has no name."""
    assert len(EXAMPLES) == PAGE.read_text().count("```python\n") == 5


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("plugins", [("-p", "no:asyncio"), ()], ids=["bare", "asyncio"])
def test_an_example_passes(
    pytester: pytest.Pytester, name: str, plugins: tuple[str, ...]
) -> None:
    """What users copy from the page works, with and without pytest-asyncio."""
    pytester.makeini(
        "[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n"
    )
    pytester.path.joinpath(name).write_text(EXAMPLES[name])
    if not plugins:
        plugins = ("-o", "asyncio_default_fixture_loop_scope=function")
    result = pytester.runpytest_subprocess(
        *plugins, "-p", "no:cacheprovider", timeout=60
    )
    tests = EXAMPLES[name].count("\ndef test_")
    cases = 3 if "parametrize" in EXAMPLES[name] else 1
    result.assert_outcomes(passed=tests + cases - 1)
