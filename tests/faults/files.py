"""How the harness and its workers talk: small files, each made whole by a rename.

orders/RUN/FAULT   what a worker of this run shall do to itself at a named point
fired/FAULT        the worker writes it just before it does that
go/FAULT           the harness has done its part; a held worker goes on
trace/RUN          one line for every event of the run, appended by whoever works on it

All times are CLOCK_MONOTONIC, which is one clock for every process of the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDERS = ("orders", "fired", "go", "trace")


@dataclass(frozen=True)
class Order:
    """At `point` (of `revision`, when one is named) a worker does `action` to itself."""

    fault: int
    point: str
    action: str  # job | parent | both | stop | stop both | hold
    revision: str = ""


@dataclass(frozen=True)
class Fired:
    fault: int
    at: float
    point: str
    revision: str
    token: int
    pid: int
    parent: int
    backend: int


@dataclass(frozen=True)
class Line:
    """One line of a trace; `token` 0 means before the claim."""

    at: float
    token: int
    pid: int
    kind: str
    revision: str


class Exchange:
    """Both sides use it; neither waits for the other inside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True)

    def give_orders(self, run: int, orders: Iterable[Order]) -> None:
        folder = self.folder / "orders" / str(run)
        folder.mkdir()
        for order in orders:
            self._write(folder / str(order.fault), json.dumps(asdict(order)))

    def orders(self, run: int) -> list[Order]:
        found = []
        with contextlib.suppress(FileNotFoundError):
            for path in sorted((self.folder / "orders" / str(run)).iterdir()):
                with contextlib.suppress(FileNotFoundError):
                    if path.suffix != ".new":
                        found.append(Order(**json.loads(path.read_text())))
        return found

    def take(self, run: int, order: Order) -> bool:
        """Of several processes at the point only one gets the order."""
        try:
            (self.folder / "orders" / str(run) / str(order.fault)).unlink()
        except FileNotFoundError:
            return False
        return True

    def withdraw(self, run: int) -> set[int]:
        """Take back what never fired."""
        return {order.fault for order in self.orders(run) if self.take(run, order)}

    def tell_fired(self, fired: Fired) -> None:
        self._write(self.folder / "fired" / str(fired.fault), json.dumps(asdict(fired)))

    def fired(self, fault: int) -> Fired | None:
        try:
            return Fired(**json.loads((self.folder / "fired" / str(fault)).read_text()))
        except FileNotFoundError:
            return None

    def forget(self, fault: int) -> None:
        """It did not happen after all, and may be placed again."""
        for name in ("fired", "go"):
            (self.folder / name / str(fault)).unlink(missing_ok=True)

    def let_go(self, fault: int) -> None:
        (self.folder / "go" / str(fault)).touch()

    def may_go(self, fault: int) -> bool:
        return (self.folder / "go" / str(fault)).exists()

    def append(self, run: int, line: Line) -> None:
        text = json.dumps(asdict(line)) + "\n"
        handle = os.open(self.folder / "trace" / str(run), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, text.encode())
        finally:
            os.close(handle)

    def trace(self, run: int) -> list[Line]:
        try:
            text = (self.folder / "trace" / str(run)).read_text()
        except FileNotFoundError:
            return []
        return [Line(**json.loads(row)) for row in text.splitlines()]

    @staticmethod
    def _write(path: Path, text: str) -> None:
        new = path.with_suffix(".new")
        new.write_text(text)
        new.rename(path)
