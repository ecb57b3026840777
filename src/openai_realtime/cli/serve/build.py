"""From the options to a server; whatever is wrong with them is said here."""

from __future__ import annotations

import argparse
import os

from ...emulator.brains.brain import Brain
from ...emulator.brains.echo import EchoBrain
from ...emulator.brains.rules import RuleBrain
from ...emulator.senses.ears import CaptionEars, Transcriber
from ...emulator.senses.program_voice import EspeakVoice, FliteVoice
from ...emulator.senses.sphinx_ears import SphinxEars
from ...emulator.senses.voice import FormantVoice, Voice
from ...emulator.server import Certificate, EmulatorServer, EmulatorSettings
from ...errors import ConfigurationError

__all__ = ["build_server", "build_settings", "chat_key"]

# With the end of the host, for it might be the beginning of another.
_OPENAI = ("https://api.openai.com/", "https://api.openai.com:443/")


def build_server(args: argparse.Namespace) -> EmulatorServer:
    """Make the server that the options ask for.

    Raises:
        ConfigurationError: An option is out of range, or they contradict each other.
        OSError: A file cannot be read.
    """
    return EmulatorServer(
        build_settings(args),
        host=args.host,
        port=args.port,
        certificate=_certificate(args),
    )


def build_settings(args: argparse.Namespace) -> EmulatorSettings:
    """Say how the emulator is to behave, by the options.

    Raises:
        ConfigurationError: An option is out of range, or they contradict each other.
        OSError: A file cannot be read.
    """
    return EmulatorSettings(
        model=args.model,
        vad=args.vad,
        pace=args.pace,
        brain=_brain(args),
        voice=_voice(args),
        transcriber=_ears(args),
        max_session_s=args.max_session,
        max_sessions=args.max_sessions,
        idle_s=args.idle,
        max_message_bytes=args.max_message,
        keys=args.key,
        wrong_key=args.wrong_key,
        beta=args.beta,
        faults=args.fault,
        stats=args.stats,
    )


def _certificate(args: argparse.Namespace) -> Certificate | None:
    if args.tls_cert is None:
        if args.tls_key is not None:
            raise ConfigurationError("--tls-key needs --tls-cert FILE beside it")
        return None
    return Certificate(args.tls_cert, args.tls_key)


def _brain(args: argparse.Namespace) -> Brain:
    of_chat = (args.chat_url, args.chat_model, args.chat_key_env)
    if args.brain == "chat" or any(option is not None for option in of_chat):
        return _chat_brain(args)
    if args.script is not None and args.brain in (None, "script"):
        from ...emulator.brains.script import ScriptBrain

        return ScriptBrain.from_file(args.script)
    if args.brain == "script":
        raise ConfigurationError("--brain script needs --script FILE beside it")
    if args.script is not None:
        raise ConfigurationError(
            f"--script and --brain {args.brain} exclude each other; leave one out"
        )
    return EchoBrain() if args.brain == "echo" else RuleBrain()


def _chat_brain(args: argparse.Namespace) -> Brain:
    if args.brain not in (None, "chat"):
        raise ConfigurationError(
            "--chat-url, --chat-model and --chat-key-env are not for --brain "
            f"{args.brain}; leave them out, or the brain"
        )
    if args.script is not None:
        raise ConfigurationError(
            "--script and a chat server exclude each other; leave one out"
        )
    for option, value in (
        ("--chat-url URL", args.chat_url),
        ("--chat-model NAME", args.chat_model),
    ):
        if value is None:
            raise ConfigurationError(f"a chat server is asked with {option} as well")
    from ...emulator.brains.chat import ChatBrain

    return ChatBrain(args.chat_url, args.chat_model, api_key=chat_key(args))


def chat_key(args: argparse.Namespace) -> str | None:
    """Return the key that is meant for this chat server; no other may see it.

    Raises:
        ConfigurationError: The environment does not have the one that is named.
    """
    if args.chat_key_env is not None:
        key = os.environ.get(args.chat_key_env)
        if not key:
            # The name is not shown: it may be the key itself, given by mistake.
            raise ConfigurationError(
                "--chat-key-env takes the name of an environment variable that holds "
                "the key; there is none of this name, or it is empty"
            )
        return key
    if f"{args.chat_url}/".lower().startswith(_OPENAI):
        return os.environ.get("OPENAI_API_KEY")
    return None


def _voice(args: argparse.Namespace) -> Voice:
    match args.voice:
        case "espeak":
            return EspeakVoice()
        case "flite":
            return FliteVoice()
        case _:
            return FormantVoice()


def _ears(args: argparse.Namespace) -> Transcriber:
    return SphinxEars() if args.ears == "pocketsphinx" else CaptionEars()
