"""Docstrings in the three styles that people write."""

from __future__ import annotations

import pytest

from openai_realtime.tools.docstrings import read_docstring

GOOGLE = """Book a table.

    By phone.

    Args:
        guests (int): How many
            come.
        *, when (Optional[dict[str, int]], optional): The hour: 18 to 22.
        where:
            Inside or outside.

    Returns:
        reference: A number.

    Raises:
        ValueError: It is full.
    """

NUMPY = """Book a table.

    By phone.

    Parameters
    ----------
    guests : int
        How many
        come.
    when, where : str, optional
        Said together.
    bare

    Returns
    -------
    reference : str
        A number.
    """

SPHINX = """Book a table.

    By phone.

    :param int guests: How many
        come.
    :param when: The hour: 18 to 22.
    :type when: int
    :keyword where: Inside or outside.
    :returns: A number.
    :raises ValueError: It is full.
    """


@pytest.mark.parametrize(
    ("docstring", "parameters"),
    [
        (
            GOOGLE.replace("*, when", "when"),
            {
                "guests": "How many come.",
                "when": "The hour: 18 to 22.",
                "where": "Inside or outside.",
            },
        ),
        (
            NUMPY,
            {
                "guests": "How many come.",
                "when": "Said together.",
                "where": "Said together.",
                "bare": "",
            },
        ),
        (
            SPHINX,
            {
                "guests": "How many come.",
                "when": "The hour: 18 to 22.",
                "where": "Inside or outside.",
            },
        ),
    ],
    ids=["google", "numpy", "sphinx"],
)
def test_styles(docstring: str, parameters: dict[str, str]) -> None:
    """Each style gives the same text, and what it says of the parameters."""
    text, said = read_docstring(docstring)
    assert text == "Book a table.\n\nBy phone."
    assert said == parameters


@pytest.mark.parametrize("docstring", [None, "", "   ", "\n\n"])
def test_no_docstring(docstring: str | None) -> None:
    """A function without one has nothing to say."""
    assert read_docstring(docstring) == ("", {})


@pytest.mark.parametrize(
    "docstring",
    [
        "Plain.",
        "Says what: this.",
        "Lists:\n\n- one: two\n- three",
        "See https://example.test/a:b",
        "Arguments are welcome",
        "Args are welcome: all of them",
        "parameters",
    ],
)
def test_text_that_looks_like_a_section_is_text(docstring: str) -> None:
    """Only a section is cut out of what the model reads."""
    assert read_docstring(docstring) == (docstring, {})


def test_text_behind_a_section_is_not_for_the_model() -> None:
    """The description is what comes first; a note at the end is for the reader."""
    docstring = "Do it.\n\nArgs:\n    a: One.\n\nSee the manual.\n"
    assert read_docstring(docstring) == ("Do it.", {"a": "One."})
