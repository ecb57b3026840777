"""Pages of the site that stand at the root of the repository, such as the README.

On the site a page of `ROOT_PAGES` has the text of its file, and links to that file,
which are right in the repository's view, lead to the page.
"""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

ROOT_PAGES = {
    "README.md": "readme.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}

_LINK = re.compile(r"(?<=\]\()([\w./-]+)(?=[#)])")


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Take the text of the right file, and turn its links."""
    docs = Path(app.srcdir).resolve()
    page = docs / f"{docname}.md"
    written = page
    for file_name, page_name in ROOT_PAGES.items():
        if page == docs / page_name:
            written = docs.parent / file_name
            source[0] = written.read_text(encoding="utf-8")
    source[0] = _LINK.sub(
        partial(_turned, docs=docs, written=written, page=page), source[0]
    )


def _turned(link: re.Match[str], *, docs: Path, written: Path, page: Path) -> str:
    """Return where a link of a file leads to from its page."""
    target = (written.parent / link[0]).resolve()
    if not target.exists():
        return link[0]
    if target.parent == docs.parent and target.name in ROOT_PAGES:
        target = docs / ROOT_PAGES[target.name]
    return os.path.relpath(target, page.parent)


def setup(app: Sphinx) -> dict[str, Any]:
    """Have it shown each page as it is read."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True}
