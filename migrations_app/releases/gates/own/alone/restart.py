"""gunicorn with the configuration of this installation on a port of its own, restarted as the watchdog does it.

Somebody asks all the while, each time by a connection of its own, and every question that got no answer is counted.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from migrations_app.embedded.places import LOOPBACK, free_port

CONFIGURATION = Path("deploy") / "gunicorn.conf.py"
PATIENCE_S, BETWEEN_S = 30.0, 0.02
LAST = 12  # answers in a row by new processes alone


class Asker:
    def __init__(self, port: int) -> None:
        self.port = port
        self.asked = 0
        self.lost: list[str] = []

    def ask(self) -> str:
        """The process that answered, or nothing."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)
        self.asked += 1
        try:
            connection.request("GET", "/", headers={"Connection": "close"})
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException) as failure:
            self.lost.append(str(failure) or type(failure).__name__)
            return ""
        finally:
            connection.close()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="lockstep-restart-") as folder:
        port, pid_file = free_port(), Path(folder) / "gunicorn.pid"
        argv = [sys.executable, "-m", "gunicorn", "-c", str(CONFIGURATION), f"{__package__}.answer:application"]
        where = {
            "GUNICORN_BIND": f"{LOOPBACK}:{port}",
            "WATCHDOG_RUNTIME_DIR": folder,
            "WATCHDOG_PID_FILE": str(pid_file),
            "WATCHDOG_RESTART_FLAG": str(Path(folder) / "restart.flag"),
            "WATCHDOG_STATE_FILE": str(Path(folder) / "restart_state.json"),
        }
        server = subprocess.Popen(
            argv,
            env={**os.environ, **where},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            print(json.dumps(_watched(Asker(port), pid_file)))
        finally:
            server.terminate()
            server.wait(PATIENCE_S)


def _watched(asker: Asker, pid_file: Path) -> dict[str, object]:
    old = _before(asker)
    if not old:
        return {"started": False}
    told_by_file = pid_file.read_text().strip()
    os.kill(int(told_by_file), signal.SIGHUP)
    asker.asked, asker.lost = 0, []
    new = _after(asker, old)
    return {"started": True, "asked": asker.asked, "lost": asker.lost[:5], "old": sorted(old), "new": sorted(new)}


def _before(asker: Asker) -> set[str]:
    until = time.monotonic() + PATIENCE_S
    seen: list[str] = []
    while len(seen) < LAST and time.monotonic() < until:
        answer = asker.ask()
        seen += [answer] if answer else []
        time.sleep(BETWEEN_S)
    return set(seen)


def _after(asker: Asker, old: set[str]) -> set[str]:
    """Who answers once none of the old ones does any more; nobody where that does not come."""
    until = time.monotonic() + PATIENCE_S
    seen: list[str] = []
    while time.monotonic() < until:
        seen.append(asker.ask())
        if len(seen) >= LAST and not (set(seen[-LAST:]) & (old | {""})):
            return set(seen[-LAST:])
        time.sleep(BETWEEN_S)
    return set()


if __name__ == "__main__":
    main()
