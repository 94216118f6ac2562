"""`python -m migrations_app.watchdog`: watch in the foreground until told to stop."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from migrations_app.watchdog import contract, policy
from migrations_app.watchdog.files import HISTORY_MAX
from migrations_app.watchdog.loop import Watchdog

PROJECT = Path(__file__).resolve().parents[2]
BAD_CONFIGURATION = 78  # systemd does not start again what ended so


def main() -> int:
    try:
        agreed = contract.read(os.environ, PROJECT)
        rules = policy.rules(os.environ)
        history_max = int(contract.number(os.environ, "WATCHDOG_RESTART_HISTORY_MAX", HISTORY_MAX, least=1))
    except contract.BadSetting as why:
        say(str(why), "error")
        return BAD_CONFIGURATION
    wrong = contract.errors(agreed)
    for sentence in wrong:
        say(sentence, "error")
    if wrong and agreed.validation_enforced:
        return BAD_CONFIGURATION
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    say(f"Watching {agreed.watchdog_restart_flag}, contract {contract.fingerprint(agreed)[:12]}.")
    Watchdog(agreed, rules, say, history_max).run(stopping)
    return 0


def say(told: str, level: str = "info") -> None:
    """As the other programs log."""
    if os.environ.get("LOCKSTEP_LOG_FORMAT", "json") != "json":
        sys.stderr.write(f"{told}\n")
    else:
        line = {"event": told, "level": level, "logger": "watchdog", "timestamp": datetime.now(UTC).isoformat()}
        sys.stderr.write(f"{json.dumps(line, sort_keys=True)}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
