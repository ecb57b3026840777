"""What some tests need beyond PyPI: it must be there on CI, else they are skipped."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import pytest

_ON_CI = os.environ.get("CI") == "true"


def needs_program(name: str) -> pytest.MarkDecorator:
    """Skip a test, by name, where a program is not installed."""
    missing = shutil.which(name) is None and not _ON_CI
    return pytest.mark.skipif(missing, reason=f"{name} is not installed")


def needs_package(name: str) -> pytest.MarkDecorator:
    """Skip a test, by name, where a package is not installed."""
    missing = find_spec(name) is None and not _ON_CI
    return pytest.mark.skipif(missing, reason=f"{name} is not installed")
