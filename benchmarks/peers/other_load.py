"""How much of the machine others have used meanwhile (Linux)."""

from __future__ import annotations

import os
import resource
import time

__all__ = ["OtherLoad"]


class OtherLoad:
    """Counts from its creation on.

    Args:
        pid: A running process of ours; those that have ended are known.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began = time.perf_counter()
        self._others_s = self._used_by_others_s()

    def cores(self) -> float:
        """Return how many cores others have kept busy, on average."""
        spent = self._used_by_others_s() - self._others_s
        return max(0.0, spent / (time.perf_counter() - self._began))

    def _used_by_others_s(self) -> float:
        tick = os.sysconf("SC_CLK_TCK")
        with open("/proc/stat") as stat:
            user, nice, system, _, _, irq, softirq, *_ = map(
                int, stat.readline().split()[1:]
            )
        busy = (user + nice + system + irq + softirq) / tick
        with open(f"/proc/{self._pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        server = (int(fields[11]) + int(fields[12])) / tick
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        ours = children.ru_utime + children.ru_stime + time.process_time()
        return busy - server - ours
