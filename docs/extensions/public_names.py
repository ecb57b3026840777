"""The Sphinx directive `public-names`: what a module makes public, from its docstrings.

::

    ```{public-names} openai_realtime
    RealtimeClient
    RealtimeAPI
    ```

shows these names of the module. A block without names shows all the others that the
module makes public, so that a new name is on the site without anybody adding it here.
Each object is shown once, where the first of these applies: a block names it; a block
without names is about the module with the longest name that has it. Its heading is the
shortest path that it can be imported by.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, get_origin

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import stringify_annotation

ROOT = "openai_realtime"

_BLOCK = re.compile(r"^```\{public-names\} (\S+)\n(.*?)^```$", re.M | re.S)


class PublicNames(SphinxDirective):
    """Documents names of a module; without content those that no other block shows."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Let autodoc make the entries."""
        module = self.arguments[0]
        names = list(self.content) or _others(module, _blocks(Path(self.env.srcdir)))
        entries = [line for name in names for line in _entry(module, name)]
        source, _ = self.get_source_info()
        found = nodes.section()
        self.state.nested_parse(
            StringList(["```{eval-rst}", *entries, "```"], source=source),
            self.content_offset,
            found,
        )
        return found.children


def public_names(module: str) -> dict[str, Any]:
    """Return what a module makes public, by name."""
    found = import_module(module)
    names = getattr(found, "__all__", None) or _names_of_package(found)
    return {name: getattr(found, name) for name in names if name != "__version__"}


def _names_of_package(package: ModuleType) -> Iterator[str]:
    """Yield what a package without ``__all__`` has: no modules, nothing foreign."""
    for name, value in vars(package).items():
        origin = getattr(value, "__module__", None) or ROOT
        if not (name.startswith("_") or inspect.ismodule(value)) and ROOT in origin:
            yield name


def _blocks(folder: Path) -> dict[str, list[str]]:
    """Return the modules that blocks are about, with the names that are asked for."""
    found: dict[str, list[str]] = {}
    for page in folder.rglob("*.md"):
        for module, content in _BLOCK.findall(page.read_text(encoding="utf-8")):
            found.setdefault(module, []).extend(content.split())
    return found


def _others(module: str, blocks: dict[str, list[str]]) -> list[str]:
    """Return the public names of a module that are shown nowhere else."""
    elsewhere: set[int] = set()
    for other, names in blocks.items():
        public = public_names(other)
        elsewhere.update(id(public[name]) for name in names)
        if other.startswith(f"{module}."):
            elsewhere.update(map(id, public.values()))
    public = public_names(module)
    return sorted(name for name in public if id(public[name]) not in elsewhere)


def _entry(module: str, name: str) -> list[str]:
    """Return the lines that let autodoc document an object."""
    value = getattr(import_module(module), name)
    of_root = getattr(import_module(ROOT), name, None) is value
    path = f"{ROOT}.{name}" if of_root else f"{module}.{name}"
    if inspect.isclass(value) and value.__name__ == name:
        if issubclass(value, BaseException):
            return [f".. autoexception:: {path}", "   :show-inheritance:", ""]
        more = ["   :undoc-members:"] if issubclass(value, Enum) else []
        return [f".. autoclass:: {path}", "   :members:", *more, ""]
    if inspect.isroutine(value):
        return [f".. autofunction:: {path}", ""]
    return [f".. py:data:: {path}", "", *_about_value(name, value), ""]


def _about_value(name: str, value: Any) -> Iterator[str]:
    """Yield what stands below a value where it is defined, and what it is."""
    if inspect.isclass(value):
        yield f"   Another name of `{value.__name__}`."
        return
    for module in [m for m in sys.modules if m.startswith(f"{ROOT}.")]:
        if vars(sys.modules[module]).get(name) is value:
            written = ModuleAnalyzer.for_module(module).find_attr_docs()
            yield from (f"   {line}" for line in written.get(("", name), ()))
    if isinstance(value, int | str):
        yield f"   Its value is ``{value!r}``."
    elif get_origin(value) is not None:
        alias = value.__origin__ if get_origin(value) is Annotated else value
        shown = re.sub(r"~[\w.]*\.", "", stringify_annotation(alias, "smart"))
        yield f"   It stands for ``{shown}``."


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive."""
    app.add_directive("public-names", PublicNames)
    return {"parallel_read_safe": True}
