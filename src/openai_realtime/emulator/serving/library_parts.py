"""The parts of other libraries that are no part of their promise.

What ASGI has no words for is done by overriding uvicorn, and another version of it may
be made of other parts. Then it is better not to start than to fail in each session.
"""

from __future__ import annotations

from importlib.metadata import version

__all__ = ["TESTED", "check_parts"]

TESTED = {"uvicorn": "0.54.0", "websockets": "15.0.1"}
"""With which versions the tests have run."""


def check_parts(library: str, cls: type, names: str) -> None:
    """Look for parts of a class of another library.

    Args:
        library: What is installed under this name.
        cls: The class.
        names: What it must have, with blanks between: methods, or attributes that it,
            or a class above it, sets when an object is made.

    Raises:
        ImportError: One of them is missing.
    """
    there = set(dir(cls))
    for each in cls.__mro__:
        code = getattr(vars(each).get("__init__"), "__code__", None)
        there.update(getattr(code, "co_names", ()))
    missing = [name for name in names.split() if name not in there]
    if missing:
        shown = ", ".join(map(repr, missing))
        raise ImportError(
            f"the emulator's server does not work with {library} {version(library)}, "
            f"whose {cls.__name__} has no {shown}; install the version that it was "
            f'tested with: pip install "{library}=={TESTED[library]}"',
            name=library,
        )
