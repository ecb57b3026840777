"""`openai-realtime ask`: a question, and the model's answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openai_realtime.audio import read_wav
from openai_realtime.testing import LiveServer

from .command import Command, run_program

# One pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944"
    "4154789c6364f80f00010501012718e3660000000049454e44ae426082"
)


def test_the_answer_is_a_line(command: Command, server: LiveServer) -> None:
    """It is text, on stdout, and nothing else is."""
    server.script(["Oslo is the capital of Norway."])
    run = command("ask", "What is the capital of Norway?")
    assert run == (0, "Oslo is the capital of Norway.\n", "")
    server.assert_received("session.update", session__output_modalities=["text"])


def test_words_need_no_quotes(command: Command, server: LiveServer) -> None:
    """What a shell has taken apart is one question again."""
    assert command("ask", "please", "say:", "all", "is", "well").status == 0
    server.assert_received(
        "conversation.item.create",
        item__content=[{"type": "input_text", "text": "please say: all is well"}],
    )


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_the_question_may_be_piped_in(
    command: Command, server: LiveServer, arguments: tuple[str, ...]
) -> None:
    """Without an argument, or with a dash, in any number of lines."""
    run = command("ask", *arguments, stdin=b"Hvor mange\nfjell?\n")
    assert run.status == 0
    server.assert_received(
        "conversation.item.create",
        item__content=[{"type": "input_text", "text": "Hvor mange\nfjell?\n"}],
    )


def test_how_it_is_to_answer(command: Command, server: LiveServer) -> None:
    """Instructions and model reach the server."""
    run = command(
        "ask", "--model", "gpt-realtime-mini", "--instructions", "Rhyme.", "x"
    )
    assert run.status == 0
    server.assert_received("session.update", session__instructions="Rhyme.")
    server.assert_sent("session.created", session__model="gpt-realtime-mini")


def test_another_server_can_be_named(
    command: Command, server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is given goes before what is in the environment."""
    monkeypatch.setenv("OPENAI_REALTIME_URL", "ws://127.0.0.1:9/nobody")
    assert command("ask", "--url", server.url, "Hello!").status == 0


def test_it_may_speak(command: Command, server: LiveServer, tmp_path: Path) -> None:
    """The sound goes into a file, the words to stdout."""
    server.script([{"say": "Good morning."}])
    sound = tmp_path / "answer.wav"
    run = command("ask", "--audio", str(sound), "--voice", "marin", "Hello!")
    assert run == (0, "Good morning.\n", "")
    said = b"".join(
        event.delta for event in server.events.sent("response.output_audio.delta")
    )
    assert read_wav(sound) == said
    server.assert_received("session.update", session__audio__output__voice="marin")


def test_it_may_look_at_images(
    command: Command, server: LiveServer, tmp_path: Path
) -> None:
    """They follow the text, as data URLs of their kind."""
    image = tmp_path / "chart.png"
    image.write_bytes(PNG)
    run = command("ask", "--image", str(image), "What is this?")
    assert (run.status, run.errors) == (0, "")
    event = server.assert_received("conversation.item.create")
    _, part = event.to_dict()["item"]["content"]
    assert part["type"] == "input_image"
    assert part["image_url"].startswith("data:image/png;base64,iVBORw0KGgo")


def test_the_answer_as_json(command: Command, server: LiveServer) -> None:
    """One object, whose names are promised."""
    server.script(["Fine, thank you."])
    run = command("ask", "--json", "How are you?")
    assert (run.status, run.errors) == (0, "")
    answer = json.loads(run.output)
    assert list(answer) == [
        "text",
        "transcript",
        "audio_file",
        "status",
        "model",
        "response_ids",
        "usage",
        "timings",
    ]
    assert answer["text"] == "Fine, thank you."
    assert (answer["transcript"], answer["audio_file"]) == ("", None)
    assert answer["status"] == "completed"
    [response] = answer["response_ids"]
    assert response.startswith("resp_")
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert list(answer["timings"]) == ["first_text_s", "first_audio_s", "total_s"]
    assert answer["timings"]["first_audio_s"] is None
    assert answer["timings"]["total_s"] >= answer["timings"]["first_text_s"] >= 0


def test_a_spoken_answer_as_json(
    command: Command, server: LiveServer, tmp_path: Path
) -> None:
    """What was said is the transcript, and the file is named."""
    server.script([{"say": "Good morning."}])
    sound = tmp_path / "answer.wav"
    run = command("ask", "--json", "--audio", str(sound), "Hello!")
    answer = json.loads(run.output)
    assert (answer["text"], answer["transcript"]) == ("", "Good morning.")
    assert answer["audio_file"] == str(sound)
    assert sound.stat().st_size > 44


def test_it_is_a_program(server: LiveServer) -> None:
    """The whole of it, pipe included, in a process of its own."""
    server.script(["Størst av alt er kjærligheten."])
    run = run_program("ask", stdin=b"What is the greatest?")
    assert run == (0, "Størst av alt er kjærligheten.\n", "")
