"""The options of `openai-realtime serve`: what they make, and which exclude others."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from openai_realtime.cli.serve.build import build_settings
from openai_realtime.cli.serve.options import add_options
from openai_realtime.emulator.brains.chat import ChatBrain
from openai_realtime.emulator.brains.echo import EchoBrain
from openai_realtime.emulator.brains.rules import RuleBrain
from openai_realtime.emulator.senses.ears import CaptionEars
from openai_realtime.emulator.senses.program_voice import EspeakVoice, FliteVoice
from openai_realtime.emulator.senses.sphinx_ears import SphinxEars
from openai_realtime.emulator.senses.voice import FormantVoice
from openai_realtime.emulator.server import EmulatorSettings
from openai_realtime.errors import ConfigurationError

CHAT = ("--chat-url", "http://localhost:1/v1", "--chat-model", "tiny")


def settings(*arguments: str) -> EmulatorSettings:
    """Return the settings that these arguments make."""
    commands = argparse.ArgumentParser().add_subparsers()
    return build_settings(add_options(commands).parse_args(arguments))


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs for voices, which are found and not run here."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("espeak-ng", "flite"):
        (tmp_path / name).touch(0o755)


@pytest.mark.parametrize(
    ("arguments", "brain"),
    [
        ((), RuleBrain),
        (("--brain", "rules"), RuleBrain),
        (("--brain", "echo"), EchoBrain),
        (CHAT, ChatBrain),
        (("--brain", "chat", *CHAT), ChatBrain),
    ],
)
def test_the_brain_is_the_one_that_was_asked_for(
    arguments: tuple[str, ...], brain: type[object]
) -> None:
    """Protects `--brain`, and that the options of one imply it."""
    assert type(settings(*arguments).brain) is brain


@pytest.mark.parametrize(
    ("name", "voice"),
    [("formant", FormantVoice), ("espeak", EspeakVoice), ("flite", FliteVoice)],
)
def test_the_voice_is_the_one_that_was_asked_for(
    name: str, voice: type[object]
) -> None:
    """Protects `--voice`."""
    assert type(settings("--voice", name).voice) is voice


def test_the_ears_are_captions_unless_told_otherwise() -> None:
    """Protects the default, which needs no package."""
    assert type(settings().transcriber) is CaptionEars


def test_the_ears_are_those_that_were_asked_for() -> None:
    """Protects `--ears`."""
    pytest.importorskip("pocketsphinx")
    ears = settings("--ears", "pocketsphinx").transcriber
    assert type(ears) is SphinxEars
    ears.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--brain", "chat"), "--chat-url URL"),
        (CHAT[:2], "--chat-model NAME"),
        (CHAT[2:], "--chat-url URL"),
        (("--brain", "echo", *CHAT), "not for --brain echo"),
        (("--brain", "rules", *CHAT[:2]), "not for --brain rules"),
        (("--script", "x.toml", *CHAT), "leave one out"),
        (("--brain", "script", *CHAT), "not for --brain script"),
        (("--chat-url", "nowhere", "--chat-model", "m"), "no URL of a chat server"),
    ],
)
def test_contradictions_are_refused(arguments: tuple[str, ...], words: str) -> None:
    """Protects from options that do nothing; the message names the way out."""
    with pytest.raises(ConfigurationError, match=words):
        settings(*arguments)


@pytest.mark.parametrize("name", ["espeak", "flite"])
def test_a_voice_that_is_not_installed_is_said_at_the_start(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects from finding out in the first session."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError, match="apt-get install"):
        settings("--voice", name)


def test_the_key_of_the_environment_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Protects the key, which goes to the chat server and nowhere else."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    assert "sk-very-secret" not in repr(settings(*CHAT))
