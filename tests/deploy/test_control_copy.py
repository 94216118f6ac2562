"""The control database restored to an older point: the gap is told exactly, and nothing is applied anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import conninfo

from migrations_app.admission.door import preview
from migrations_app.models import AuditEntry, Environment
from tests.conftest import MakeDatabase
from tests.runs.support import Fleet, make_fleet

pytestmark = pytest.mark.django_db(transaction=True)


def said(*argv: str) -> str:
    out = StringIO()
    call_command(*argv, stdout=out)
    return out.getvalue()


@contextmanager
def installed_in(url: str) -> Iterator[None]:
    """This process's control database is another one meanwhile."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = conninfo.conninfo_to_dict(url)["dbname"]
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@pytest.fixture
def fleet(target_database: MakeDatabase) -> Fleet:
    made = make_fleet(target_database())
    made.put("0001_t", "CREATE TABLE t1 ()", down="DROP TABLE t1")
    made.put("0002_t", "CREATE TABLE t2 ()", down="DROP TABLE t2")
    made.apply(to="0001_t")
    return made


def test_a_restore_tells_the_gap_and_applies_nothing_anew(
    fleet: Fleet, target_database: MakeDatabase, tmp_path: Path
) -> None:
    file = tmp_path / "control.dump"
    said("control_backup", str(file))
    assert AuditEntry.objects.get(data__action="control.backup").data["object"] == file.name
    fleet.apply()
    fleet.put("0003_t", "CREATE TABLE t3 ()", down="DROP TABLE t3")
    fleet.apply()
    receipts = fleet.receipts()
    assert len(receipts) == 3

    with installed_in(target_database()):
        told = said("control_restore", str(file))
        assert "shop/dev-eu: 2 receipts that this database did not know" in told
        lines = [line.strip() for line in told.splitlines() if line.startswith("  receipt ")]
        assert [line.split(",")[0] for line in lines] == ["receipt 2: 0002_t up", "receipt 3: 0003_t up"]
        assert ["put it in again" in line for line in lines] == [False, True]
        environment = Environment.objects.get()
        assert (environment.head_seq, environment.head_revision) == (3, "0003_t")
        fleet.put("0003_t", "CREATE TABLE t3 ()", down="DROP TABLE t3")
        fleet.put("0004_t", "CREATE TABLE t4 ()", down="DROP TABLE t4")
        plan = preview(environment=environment, direction="up", to=None)
        assert [one.revision_id for one in plan.revisions] == ["0004_t"]
        noted = AuditEntry.objects.get(data__action="control.restore").data["after"]
        assert [(gap["first"], gap["last"], gap["receipts"]) for gap in noted["gaps"]] == [(2, 3, 2)]
        assert "entries verified" in said("verify_audit")

        with pytest.raises(CommandError, match=r"is not empty\. Nothing was restored\."):
            said("control_restore", str(file))
        told = said("control_restore", str(file), "--move-aside")
        assert "is kept in the schema before_restore_" in told
        assert "2 receipts that this database did not know" in told

        broken = _broken(file)
        with pytest.raises(CommandError, match="pg_restore ended with exit status"):
            said("control_restore", str(broken), "--move-aside")
        assert Environment.objects.get().head_revision == "0003_t"
    assert fleet.receipts() == receipts


def _broken(file: Path) -> Path:
    """Cut off, with a hash that fits."""
    cut = file.with_name("cut.dump")
    cut.write_bytes(file.read_bytes()[:-2000])
    words = json.loads(file.with_name(file.name + ".json").read_text())
    words["sha256"] = hashlib.sha256(cut.read_bytes()).hexdigest()
    cut.with_name(cut.name + ".json").write_text(json.dumps(words))
    return cut


def test_a_file_that_is_not_the_one_that_was_written_is_refused(
    fleet: Fleet, target_database: MakeDatabase, tmp_path: Path
) -> None:
    file, manifest = tmp_path / "control.dump", tmp_path / "control.dump.json"
    said("control_backup", str(file))
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        file.name: 0o600,
        manifest.name: 0o600,
    }
    with pytest.raises(CommandError, match="is there already"):
        said("control_backup", str(file))
    whole, words = file.read_bytes(), json.loads(manifest.read_text())
    empty = target_database()
    with psycopg.connect(empty), installed_in(empty), pytest.raises(CommandError, match="Others are connected"):
        said("control_restore", str(file))
    with installed_in(empty):
        for content, changed, sentence in (
            (whole[:-1] + bytes([whole[-1] ^ 1]), {}, "is not the file that was written"),
            (whole, {"migration": "9999_of_tomorrow"}, "by a newer Lockstep"),
            (whole, {"surprise": 1}, "is not what a backup has beside it"),
        ):
            file.write_bytes(content)
            manifest.write_text(json.dumps({**words, **changed}))
            with pytest.raises(CommandError, match=sentence):
                said("control_restore", str(file))
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('django_migrations')")
            assert cursor.fetchone() == (None,)
