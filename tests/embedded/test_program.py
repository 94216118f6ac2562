"""Lockstep's own programs: their lines, their ends."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from migrations_app.embedded import program


def run(code: str, heard: list[str], patience: float = 10.0) -> program.Program:
    return program.run(
        "part",
        [sys.executable, "-c", code],
        env=dict(os.environ),
        cwd=Path("/"),
        patience=patience,
        hear=lambda name, line: heard.append(f"{name}: {line}"),
    )


def test_every_line_comes_under_the_programs_name() -> None:
    heard: list[str] = []
    running = run("import sys; print('one'); sys.stdout.flush(); print('two', file=sys.stderr)", heard)
    assert running.finish() == 0
    assert heard == ["part: one", "part: two"]


def test_the_exit_status_is_kept() -> None:
    assert run("raise SystemExit(3)", []).finish() == 3


def test_it_stops_when_asked() -> None:
    running = run("import time; time.sleep(60)", [])
    running.ask_to_stop()
    running.stop()
    assert running.poll() == -signal.SIGTERM
    running.ask_to_stop()
    running.stop()


def test_it_is_ended_when_its_patience_is_over() -> None:
    heard: list[str] = []
    code = "import signal, time; signal.signal(15, lambda *_: print('asked', flush=True)); print(1, flush=True)"
    running = run(f"{code}\nwhile True: time.sleep(0.1)", heard, patience=0.2)
    running.stop()
    assert running.poll() == -signal.SIGKILL


def test_lines_are_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    program.say("web", "a line")
    assert capsys.readouterr().out == "web        | a line\n"


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "exit status 0"), (3, "exit status 3"), (-9, "signal SIGKILL"), (-250, "signal 250")],
)
def test_an_ending_is_told_in_words(status: int, words: str) -> None:
    assert program.ending(status) == words
