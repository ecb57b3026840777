"""What the command takes: one function for each group of options in its help."""

from __future__ import annotations

import argparse

from ..commands import Commands, add_command

__all__ = ["add_options"]

_DESCRIPTION = """\
Run a local server that speaks the Realtime protocol. The first line on stdout
is its URL; the log goes to stderr. Without --key any key will do, except
ephemeral ones that are unknown or have expired, and so will none."""

_EXAMPLES = """\
openai-realtime serve --port 8080
openai-realtime serve --script dialogue.toml --pace 0
openai-realtime serve --chat-url http://localhost:11434/v1 --chat-model llama3.2
openai-realtime serve --fault "close 1011 at 7" --fault "refuse 503 on connection 2"
openai-realtime serve --key sk-test --max-sessions 10 --idle 60 --stats
"""


def add_options(commands: Commands) -> argparse.ArgumentParser:
    """Add the command with all its options."""
    parser = add_command(
        commands,
        "serve",
        help="run a local server that speaks the protocol, without a key",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    _add_address(parser)
    _add_admission(parser)
    _add_mind(parser)
    _add_senses(parser)
    _add_limits(parser)
    _add_trouble(parser)
    return parser


def _add_address(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where it is")
    group.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at (default: %(default)s)",
    )
    group.add_argument(
        "--port",
        type=int,
        default=0,
        help="port to listen on (default: 0, which is a free one)",
    )
    group.add_argument(
        "--tls-cert",
        metavar="FILE",
        help="speak TLS with this certificate, and those that vouch for it, as PEM",
    )
    group.add_argument(
        "--tls-key",
        metavar="FILE",
        help="the certificate's private key, if it is not in the same file",
    )


def _add_admission(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("who is let in")
    group.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="KEY",
        help="let in who shows this key; may be given several times (default: anybody)",
    )
    group.add_argument(
        "--wrong-key",
        choices=("http", "event"),
        default="http",
        help=(
            "answer a wrong key with HTTP 401, or upgrade, send an error event and "
            "close with 3000 (default: %(default)s)"
        ),
    )
    group.add_argument(
        "--beta",
        choices=("serve", "refuse"),
        default="serve",
        help=(
            "serve clients of the beta dialect, or refuse them as the service does "
            "today (default: %(default)s)"
        ),
    )
    group.add_argument(
        "--model",
        default="gpt-realtime",
        metavar="NAME",
        help="the model of sessions that name none (default: %(default)s)",
    )


def _add_mind(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what it says")
    group.add_argument(
        "--brain",
        choices=("rules", "echo", "script", "chat"),
        help=(
            "greet, count, call tools and repeat; or play back what it heard; or "
            "follow --script; or ask --chat-url (default: rules, or what these need)"
        ),
    )
    group.add_argument(
        "--script", metavar="FILE", help="the scenario that it follows, as TOML"
    )
    group.add_argument(
        "--chat-url",
        metavar="URL",
        help=(
            "an OpenAI-compatible API that has /chat/completions, such as "
            "http://localhost:11434/v1"
        ),
    )
    group.add_argument(
        "--chat-model", metavar="NAME", help="which of its models to ask"
    )
    group.add_argument(
        "--chat-key-env",
        metavar="NAME",
        help=(
            "the environment variable that holds its key (default: OPENAI_API_KEY for "
            "https://api.openai.com, and no key for any other server)"
        ),
    )
    group.add_argument(
        "--pace",
        type=float,
        default=5.0,
        metavar="N",
        help=(
            "generate replies N times faster than real time (default: %(default)g; 0 "
            "is as fast as possible)"
        ),
    )


def _add_senses(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it hears and speaks")
    group.add_argument(
        "--vad",
        choices=("energy", "silero", "off"),
        default="energy",
        help="what detects speech (default: %(default)s; silero needs the extra vad)",
    )
    group.add_argument(
        "--ears",
        choices=("captions", "pocketsphinx"),
        default="captions",
        help=(
            "what makes out words: captions understands the emulator's own voice and "
            "the speech shipped with it, pocketsphinx anybody's English and needs the "
            "extra stt (default: %(default)s)"
        ),
    )
    group.add_argument(
        "--voice",
        choices=("formant", "espeak", "flite"),
        default="formant",
        help=(
            "what speaks; espeak and flite are programs that must be installed "
            "(default: %(default)s)"
        ),
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits")
    group.add_argument(
        "--max-session",
        type=float,
        default=3600.0,
        metavar="SECONDS",
        help="after how long a session expires (default: %(default)g)",
    )
    group.add_argument(
        "--max-sessions",
        type=int,
        default=1000,
        metavar="N",
        help=(
            "how many sessions there may be at a time; more get HTTP 429 (default: "
            "%(default)s)"
        ),
    )
    group.add_argument(
        "--idle",
        type=float,
        metavar="SECONDS",
        help="close sessions whose client sends nothing for so long (default: never)",
    )
    group.add_argument(
        "--max-message",
        type=int,
        default=32 * 1024 * 1024,
        metavar="BYTES",
        help=(
            "close the WebSocket with 1009 behind a message larger than this (default: "
            "%(default)s)"
        ),
    )


def _add_trouble(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("trouble and numbers")
    group.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="FAULT",
        help=(
            "what is to go wrong, such as 'omit response.done', 'stall 2 at 7', 'drop "
            "at response.output_audio.delta#3 on connection 1', 'corrupt utf8', 'slow "
            "3', 'refuse 503'; may be given several times"
        ),
    )
    group.add_argument(
        "--stats",
        action="store_true",
        help=(
            "serve counters as JSON at /stats, and print them as the last line of "
            "stdout"
        ),
    )
