"""The most memory a process had in use, as Linux keeps it (VmHWM); a family is a process and its descendants."""

from __future__ import annotations

import threading
from pathlib import Path

_EVERY_S = 0.25  # VmHWM keeps the peak itself; only a child that came and went could be missed


def peak_kib(pid: int | str = "self") -> int:
    """0 for a process that is gone, or on another system than Linux."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def mib(kib: float) -> str:
    return f"{kib / 1024:.0f} MiB" if kib else "not known here"


class FamilyPeak:
    """Looks at a process and its descendants until left; `worst` is the largest single process among the children."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peaks: dict[int, int] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="family-peak", daemon=True)

    def __enter__(self) -> FamilyPeak:
        self._thread.start()
        return self

    def __exit__(self, *about: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def parent_kib(self) -> int:
        return self._peaks.get(self._pid, 0)

    @property
    def worst_child_kib(self) -> int:
        return max((kib for pid, kib in self._peaks.items() if pid != self._pid), default=0)

    def _watch(self) -> None:
        while not self._done.wait(_EVERY_S):
            for pid in _family(self._pid):
                self._peaks[pid] = max(self._peaks.get(pid, 0), peak_kib(pid))


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(member for child in children for member in _family(int(child)))]
