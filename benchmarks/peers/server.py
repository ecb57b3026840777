"""The load server as a process of its own, with a certificate of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

import trustme

from .scenario import Scenario

__all__ = ["Server"]

_PROGRAM = Path(__file__).parent / "load_server.py"
_END_TIMEOUT_S = 10.0


class Server:
    """Runs `load_server.py` while its ``with`` block lasts.

    Attributes:
        ca: A file with the authority that has signed the server's certificate.
        pid: The process.
    """

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        certificate = authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem
        certificate.write_to_path(str(folder / "server.pem"))
        self.ca = str(folder / "ca.pem")
        self._process = subprocess.Popen(
            [sys.executable, str(_PROGRAM), str(folder / "server.pem")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        self._ports: dict[str, int] = json.loads(self._line())
        return self

    def __exit__(self, *exc_info: object) -> None:
        # It ends with its input, and is ended if it does not.
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def prepare(self, scenario: Scenario) -> str:
        """Tell the server what comes, and return where it is to be found."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(scenario.for_server)}\n")
        self._process.stdin.flush()
        self._line()
        scheme = "wss" if scenario.tls else "ws"
        return f"{scheme}://127.0.0.1:{self._ports[scheme]}/v1"

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load server has ended; see above")
        return line
