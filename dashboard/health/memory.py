"""How much memory the machine has left, as Linux tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
SOME, HIGH = 80.0, 90.0  # percent in use


@dataclass(frozen=True)
class Memory:
    """All None where the system does not tell."""

    total_mb: int | None = None
    available_mb: int | None = None
    used_pct: float | None = None

    @property
    def pressure(self) -> str:
        if self.used_pct is None:
            return "unknown"
        return "high" if self.used_pct >= HIGH else "some" if self.used_pct >= SOME else "none"


def read(path: Path = MEMINFO) -> Memory:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        told = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if rest.split()}
        total, available = told["MemTotal"], told["MemAvailable"]
    except (OSError, ValueError, KeyError):
        return Memory()
    return Memory(total // 1024, available // 1024, round((1 - available / max(total, 1)) * 100, 1))
