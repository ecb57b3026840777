"""The options of `openai-realtime serve`: what they make, and which exclude others."""

from __future__ import annotations

import argparse
import logging
import threading
from pathlib import Path

import pytest

from openai_realtime.cli.serve import run
from openai_realtime.cli.serve.build import build_settings, chat_key
from openai_realtime.cli.serve.options import add_options
from openai_realtime.emulator.brains.chat import ChatBrain
from openai_realtime.emulator.brains.echo import EchoBrain
from openai_realtime.emulator.brains.prompt import Prompt
from openai_realtime.emulator.brains.rules import RuleBrain
from openai_realtime.emulator.pause import Pause
from openai_realtime.emulator.senses.ears import CaptionEars
from openai_realtime.emulator.senses.program_voice import EspeakVoice, FliteVoice
from openai_realtime.emulator.senses.sphinx_ears import SphinxEars
from openai_realtime.emulator.senses.voice import FormantVoice
from openai_realtime.emulator.server import EmulatorSettings
from openai_realtime.errors import ConfigurationError

from .chat_server import Exchange, chat_server
from .needs import needs_package

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


@needs_package("pocketsphinx")
def test_the_ears_are_those_that_were_asked_for() -> None:
    """Protects `--ears`."""
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
        (("--chat-key-env", "MY_KEY"), "--chat-url URL"),
        (("--brain", "echo", "--chat-key-env", "MY_KEY"), "not for --brain echo"),
        ((*CHAT, "--chat-key-env", "MY_KEY"), "none of this name, or it is empty"),
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
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    assert "sk-very-secret" not in repr(settings(*CHAT, "--chat-key-env", "MY_KEY"))


def test_a_key_given_for_its_name_is_not_shown() -> None:
    """Protects who takes the option for that of the key itself."""
    with pytest.raises(ConfigurationError) as caught:
        settings(*CHAT, "--chat-key-env", "sk-very-secret")
    assert "sk-very-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ((), None),
        (("--chat-key-env", "MY_KEY"), "Bearer sk-mine"),
        (("--chat-key-env", "OPENAI_API_KEY"), "Bearer sk-of-openai"),
    ],
)
def test_a_chat_server_gets_only_the_key_that_is_meant_for_it(
    options: tuple[str, ...], key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects the key of OpenAI from every other server."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    monkeypatch.setenv("MY_KEY", "sk-mine")
    with chat_server(Exchange.head) as server:
        chat = ("--chat-url", server.url, "--chat-model", "tiny")
        brain = settings(*chat, *options).brain
        assert brain is not None
        for action in brain.reply(Prompt()):
            if isinstance(action, Pause):
                threading.Event().wait(action.seconds)
        assert server.exchanges[0].headers.get("authorization") == key


@pytest.mark.parametrize(
    ("url", "is_sent"),
    [
        ("https://api.openai.com/v1", True),
        ("https://API.openai.com", True),
        ("https://api.openai.com:443/v1/", True),
        ("http://api.openai.com/v1", False),
        ("https://api.openai.com.evil.example/v1", False),
        ("https://example.com/https://api.openai.com/", False),
        ("https://[::1/v1", False),
    ],
)
def test_the_key_of_openai_goes_to_openai(
    url: str, is_sent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects who has it in the environment, and names no other."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    arguments = argparse.Namespace(chat_url=url, chat_key_env=None)
    assert (chat_key(arguments) == "sk-of-openai") is is_sent


def test_addresses_of_chats_are_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the log from the library's lines about each request."""
    logger = logging.getLogger("httpx2")
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    commands = argparse.ArgumentParser().add_subparsers()
    arguments = add_options(commands).parse_args(["--brain", "chat"])
    assert run(arguments) == 1
    assert not logger.isEnabledFor(logging.INFO)
