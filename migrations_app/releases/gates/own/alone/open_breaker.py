"""The control database is a port that hangs up on everybody, until the circuit is open; then its calls are counted."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict
from threading import Thread

from migrations_app.releases.gates.own.alone.asking import Told, ask, set_up

CODE = "CIRCUIT_BREAKER_OPEN"
TRIES, ASKED = 1, 10  # requests until it has to be open, and requests then
QUIET_S, PATIENCE_S = 1.5, 15.0  # a pool that has just failed still tries by itself for a second


class Port:
    """It takes every call, counts it and hangs up."""

    def __init__(self) -> None:
        self.calls = 0
        self.last = time.monotonic()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.number = self._socket.getsockname()[1]
        Thread(target=self._answer, daemon=True).start()

    def settle(self) -> None:
        """Until nobody has called for a while."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() - self.last < QUIET_S and time.monotonic() < until:
            time.sleep(0.05)

    def _answer(self) -> None:
        while True:
            call, _ = self._socket.accept()
            self.calls, self.last = self.calls + 1, time.monotonic()
            call.close()


def main() -> None:
    port = Port()
    os.environ["LOCKSTEP_DATABASE_URL"] = f"postgresql://nobody@127.0.0.1:{port.number}/none?sslmode=disable"
    set_up()
    first = _until_open()
    opened = first.code == CODE
    if opened:
        port.settle()
    before = port.calls
    refused = [ask() for _ in range(ASKED)] if opened else []
    seconds = sorted(one.seconds for one in refused)
    told = {"first": asdict(first), "refused": [one.code for one in refused], "seconds": seconds}
    print(json.dumps({**told, "calls_before": before, "calls": port.calls - before}))


def _until_open() -> Told:
    """The first refusal by the breaker, or the last answer."""
    told = ask()
    for _ in range(TRIES):
        if told.code == CODE:
            break
        told = ask()
    return told


if __name__ == "__main__":
    main()
