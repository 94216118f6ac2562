"""HTTP checks of an application that is started on the clone: each answer a line, and nothing of it left afterwards."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from migrations_app.embedded import session
from migrations_app.engine.errors import Refused
from migrations_app.jobs.process import is_gone
from migrations_app.models import Rehearsal, RehearsalLine
from migrations_app.rehearsals import smoke
from migrations_app.rehearsals.actions import request_rehearsal
from migrations_app.rehearsals.smoke_http import Answer, Check, judge, read_checks
from tests.jobs.support import wait_until, worker
from tests.runs.support import Fleet

from .conftest import Clones
from .test_carrying import rehearsed, verdicts

# A shell's line and a string of Python's at once: a path behind #! may hold no space.
APPLICATION = f"""#!/bin/sh
'''exec' "{sys.executable}" "$0" "$@"
' '''
import http.server, json, os, psycopg, subprocess
helper = subprocess.Popen(["sleep", "300"])
open(__file__ + ".pids", "w").write(f"{{os.getpid()}} {{helper.pid}}")

class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with psycopg.connect(os.environ["DATABASE_URL"]) as conn:
            count = conn.execute("SELECT count(*) FROM a").fetchone()[0]
        self.send_response(200 if self.path == "/rows" else 404)
        self.end_headers()
        self.wfile.write(json.dumps({{"rows": count, "all": [{{"ok": True}}]}}).encode())

print("the shop is open", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
"""


@pytest.fixture
def shop(settings, tmp_path: Path, fleet: Fleet) -> Path:
    """The application; its checks are written by the test."""
    settings.LOCKSTEP_SMOKE_DIR = str(tmp_path)
    fleet.put("0001_a", "CREATE TABLE a (id int); INSERT INTO a VALUES (7)", down="DROP TABLE a")
    program = tmp_path / "shop.app"
    program.write_text(APPLICATION)
    program.chmod(0o755)
    return program


def checks(program: Path, text: str) -> None:
    program.with_name("shop.http.toml").write_text(text)


def gone(program: Path) -> bool:
    return all(is_gone(int(pid)) for pid in program.with_name("shop.app.pids").read_text().split())


def lines() -> list[tuple[str, str]]:
    found = RehearsalLine.objects.filter(message__startswith="smoke GET").order_by("seq")
    return [(line.level, line.message) for line in found]


@pytest.mark.django_db(transaction=True)
def test_an_application_that_answers_as_expected_lets_the_rehearsal_go_on(fleet: Fleet, shop: Path) -> None:
    checks(shop, '[[check]]\npath = "/rows"\ntext = "rows"\njson = { rows = 1, "all.0.ok" = true }\n')
    assert verdicts(rehearsed(fleet)) == {"0001_a": "reversible"}
    ((level, told),) = lines()
    assert level == "info"
    assert told.startswith("smoke GET /rows: 200 in ")
    assert told.endswith(' ms, expected 200 and "rows" and rows = 1 and all.0.ok = true.')
    assert gone(shop)


@pytest.mark.django_db(transaction=True)
def test_one_that_does_not_ends_it_and_each_answer_is_told(fleet: Fleet, shop: Path, clones: Clones) -> None:
    checks(shop, '[[check]]\npath = "/rows"\njson = { rows = 2 }\n[[check]]\npath = "/no"\n')
    rehearsal = rehearsed(fleet)
    assert verdicts(rehearsal) == {"0001_a": "failed"}
    assert [level for level, _ in lines()] == ["error", "error"]
    assert rehearsal.error is not None
    assert "2 of 2 smoke checks failed. GET /rows: 200 in " in rehearsal.error["message"]
    assert "expected 200 and rows = 2; rows is 1." in rehearsal.error["message"]
    assert "The application said: the shop is open" in rehearsal.error["message"]
    assert (gone(shop), clones()) == (True, ())


@pytest.mark.django_db(transaction=True)
def test_checks_that_cannot_be_used_are_told_before_anything_is_tried(fleet: Fleet, shop: Path) -> None:
    checks(shop, '[[check]]\npath = "http://elsewhere/"\n')
    rehearsal = rehearsed(fleet)
    assert rehearsal.error is not None
    assert (rehearsal.error["code"], verdicts(rehearsal)) == ("smoke_unreadable", {})
    shop.unlink()
    checks(shop, '[[check]]\npath = "/"\n')
    assert "no program shop.app" in str(rehearsed(fleet).error)


@pytest.mark.django_db(transaction=True)
def test_nothing_of_the_application_outlives_a_rehearsal_that_is_killed(
    fleet: Fleet, shop: Path, servers: dict[str, str]
) -> None:
    """The application by the kernel, at once; what it started by the guard."""
    checks(shop, '[[check]]\npath = "/rows"\ntimeout_s = 60\n')
    shop.write_text(APPLICATION.replace("count = conn", 'conn.execute("SELECT pg_sleep(60)"); count = conn'))
    pids = shop.with_name("shop.app.pids")
    with worker(**servers, LOCKSTEP_SMOKE_DIR=str(shop.parent), LOCKSTEP_GUARD_SECONDS="0.2"):
        rehearsal = request_rehearsal(environment=fleet.environment, by=fleet.olga)
        wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        mine = [int(pid) for pid in pids.read_text().split()]
        rehearsal.refresh_from_db()
        os.kill(int(rehearsal.worker.rpartition(":")[2]), signal.SIGKILL)
        wait_until(lambda: all(map(is_gone, mine)))
        Rehearsal.objects.filter(pk=rehearsal.pk).update(cancel_asked=True)
        wait_until(lambda: Rehearsal.objects.get(pk=rehearsal.pk).status == "cancelled")
    assert not session.members(set(mine))


@pytest.mark.django_db(transaction=True)
def test_one_that_ends_or_says_nothing_is_given_up(fleet: Fleet, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checks(shop, 'start_s = 0.3\n[[check]]\npath = "/"\n')
    shop.write_text("#!/bin/sh\necho no such settings file; exit 4\n")
    assert "ended with 4 before it answered" in str(rehearsed(fleet).error)
    shop.write_text("#!/bin/sh\nyes flood & sleep 60\n")
    assert "did not answer on port" in str(rehearsed(fleet).error)
    monkeypatch.setattr(smoke, "PATIENCE_S", 0.3)
    shop.with_name("shop.http.toml").unlink()
    program = shop.with_name("shop")
    program.write_text("#!/bin/sh\nsleep 60 & wait\n")
    program.chmod(0o755)
    assert "The smoke check shop did not end within 0 s" in str(rehearsed(fleet).error)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it has to hold 1 to 50 tables"),
        ("[[check]]\npath = 3", "of check 1, path has to begin with /"),
        ("[[check]]\npath = '/'\nmethod = 'POST'", "of check 1, method is no setting"),
        ("[[check]]\npath = '/'\nstatus = 42", "of check 1, status is no status of HTTP"),
        ("[[check]]\npath = '/'\njson = { a = [1] }", "of check 1, json is no table of places and plain values"),
        ("[[check]]\npath = '/'\ntimeout_s = 0", "of check 1, timeout_s is no number of seconds"),
        ("start_s = 900\n[[check]]\npath = '/'", "start_s is 900"),
        ("speed = 1\n[[check]]\npath = '/'", "speed is no setting"),
        ("[[check", "Expected"),
    ],
)
def test_a_file_of_checks_is_refused_by_its_mistake(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "shop.http.toml"
    file.write_text(text)
    with pytest.raises(Refused) as refused:
        read_checks(file)
    assert why in refused.value.message


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(None, b"Connection refused", 1), "no answer in 1 ms, expected 200 and ok.0 = 1; it said 'Connection"),
        (Answer(200, b"<html>", 1), "no JSON came but '<html>'"),
        (Answer(200, b'{"ok": []}', 1), "there is no ok.0"),
        (Answer(200, b'{"ok": [true]}', 1), "ok.0 is true"),
    ],
)
def test_an_answer_is_told_with_what_was_expected(answer: Answer, told: str) -> None:
    result = judge(Check("/x", json=(("ok.0", 1),)), answer)
    assert not result.good and told in result.sentence
    assert judge(Check("/x", json=(("ok.0", 1),)), Answer(200, b'{"ok": [1]}', 1)).good
