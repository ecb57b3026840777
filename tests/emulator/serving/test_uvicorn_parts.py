"""What the connections build on in uvicorn and websockets is looked for at import."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from openai_realtime.emulator.serving import connection as connection_module
from openai_realtime.emulator.serving.library_parts import TESTED, check_parts


class Changed:
    """A class of a library, in another version."""

    def __init__(self) -> None:
        self.kept = 1

    def also_kept(self) -> None:
        """Do nothing."""


def test_what_is_there_is_found() -> None:
    """Methods, and what is set when an object is made."""
    check_parts("uvicorn", Changed, "kept also_kept")


def test_what_is_missing_is_named() -> None:
    """With the version there is, and the one that this was tested with."""
    with pytest.raises(ImportError, match=r"Changed.*'lost'") as caught:
        check_parts("uvicorn", Changed, "kept lost also_kept")
    assert f'pip install "uvicorn=={TESTED["uvicorn"]}"' in str(caught.value)
    assert caught.value.name == "uvicorn"


def test_the_check_is_made_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the first session, where it would be a traceback."""
    monkeypatch.delattr(WebSocketsSansIOProtocol, "handle_cont")
    with pytest.raises(ImportError, match="'handle_cont'"):
        importlib.reload(connection_module)


def test_everything_that_is_overridden_is_looked_for() -> None:
    """A method that uvicorn calls no more would be dead, and nobody would notice."""
    own = vars(connection_module.WebSocketConnection)
    inherited = {name for name in own if hasattr(WebSocketsSansIOProtocol, name)}
    looked_for = set(connection_module._WEBSOCKET_PARTS.split())
    assert {name for name in inherited if not name.startswith("__")} <= looked_for


def test_the_versions_are_those_of_the_tests() -> None:
    """They are those that are pinned."""
    pinned = (Path(__file__).parents[3] / "constraints.txt").read_text()
    for library, version in TESTED.items():
        assert re.search(rf"^{library}=={re.escape(version)}$", pinned, re.M)
