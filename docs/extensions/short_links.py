"""Links from docstrings, which use short names: `ServerError`, `response.done`.

Sphinx finds what is in the same module. This finds the rest: any public name that there
is only once, and the class of an event by its wire name.
"""

from __future__ import annotations

import builtins
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

from openai_realtime.events import EVENTS, LOCAL_EVENTS

_CLASSES = {name: cls.__name__ for name, cls in LOCAL_EVENTS.items()} | {
    row.name: row.cls.__name__ for row in EVENTS if row.surface == "realtime"
}


def _resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """Return the link for a name, or None where it has no place, or several."""
    if node.get("refdomain") != "py":
        return None
    target: str = _CLASSES.get(node["reftarget"], node["reftarget"])
    if target.startswith("openai_realtime."):
        # Where it is defined, and not where users import it from.
        target = target.rpartition(".")[2]
    domain = env.domains["py"]
    assert isinstance(domain, PythonDomain)
    places = {
        (entry.docname, entry.node_id)
        for name, entry in domain.objects.items()
        if name.endswith(f".{target}")
    }
    if len(places) != 1:
        return None
    [(docname, node_id)] = places
    return make_refnode(app.builder, node["refdoc"], docname, node_id, content, target)


def _unlink_builtins(app: Sphinx, page: nodes.document) -> None:
    """Let ``type`` in a signature be Python's, and not an attribute of this name."""
    for node in list(page.findall(pending_xref)):
        if hasattr(builtins, node["reftarget"]):
            node.replace_self(node.children)


def setup(app: Sphinx) -> dict[str, Any]:
    """Have it shown the pages, and asked for what Sphinx does not find."""
    app.connect("doctree-read", _unlink_builtins)
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True}
