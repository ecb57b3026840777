"""How Sphinx builds the documentation; `make docs` does it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "extensions"))

from openai_realtime import __version__  # noqa: E402

project = "openai-realtime"
author = "the openai-realtime developers"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "public_names",
    "root_pages",
    "short_links",
]
exclude_patterns = ["extensions"]

html_theme = "furo"
html_title = f"openai-realtime {version}"
html_copy_source = False

# Links to headings, as in the repository's view.
myst_heading_anchors = 3

# `Name` in a docstring is a link where there is such a name, and code elsewhere.
default_role = "py:obj"
autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
maximum_signature_line_length = 80
napoleon_custom_sections = [("Attributes", "params_style")]

nitpicky = True
# What a docstring or a signature names may be private, or of another project.
nitpick_ignore_regex = [("py:.*", ".*")]
# `openai_realtime.sync` has the names of the client, and the first one found is meant.
suppress_warnings = ["ref.python"]


def keep_whole_sentences(
    app: Sphinx, what: str, name: str, found: Any, options: Any, lines: list[str]
) -> None:
    """Put an empty comment before what describes a value.

    Google's style takes what stands before a colon in the first line for a type.
    """
    if what in ("attribute", "data", "property"):
        lines[:0] = [".. ", ""]


def setup(app: Sphinx) -> None:
    """Come before napoleon, which is connected with 500."""
    app.connect("autodoc-process-docstring", keep_whole_sentences, priority=400)
