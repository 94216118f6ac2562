"""docs/locks.md, written from lock_cases.py: `python -m tests.engine.clone.tracing.lock_table > docs/locks.md`."""

from __future__ import annotations

from collections.abc import Iterator

from tests.engine.clone.tracing.lock_cases import LANES, MAJORS, Case, Found
from tests.engine.clone.tracing.world import ROWS

INTRO = f"""# Locks

What a statement locks, whether it writes tables anew and how much it reads, measured by the tracer that a rehearsal
uses (`engine/clone/trace.py`) on PostgreSQL 15.18, 16.14 and 18.4. The tests measure every line again on all three;
this page is written from what they expect.

The table `t` has {ROWS:,} rows, five indexes and a valid foreign key to `parent` ({ROWS // 20:,} rows); `child`
({ROWS:,} rows) refers to `t`; `v_t` is a view and `mv` a materialized view of it; `pt` is partitioned.

* **Locks** are those on what existed before, each relation in its strongest mode: AS is ACCESS SHARE, RS ROW SHARE, RE
  ROW EXCLUSIVE, SUE SHARE UPDATE EXCLUSIVE, S SHARE, SRE SHARE ROW EXCLUSIVE, E EXCLUSIVE, AE ACCESS EXCLUSIVE. From S
  on writers wait, under AE readers too. An index is named only where it is held more strongly than its table.
* **New files** counts tables and indexes whose rows are in another file afterwards. An index that is made anew under
  another identity, as for a changed type, is not among them.
* **Rows read** are those read one after the other: once for the table, once more for each index that is built. Those of
  all tables are added up. The more of them, the longer on a larger table.

Statements outside transactions (CONCURRENTLY, VACUUM) are seen from a second session while they run. Where one is over
before it was seen, the lock that its text tells is given.
"""


def document() -> str:
    return "\n".join([INTRO, *_versions(), *(line for name in LANES for line in _section(name, LANES[name]))])


def _versions() -> Iterator[str]:
    yield "## What differs between versions\n"
    yield "| statement | " + " | ".join(f"PostgreSQL {major}" for major in MAJORS) + " |"
    yield "| --- |" + " --- |" * len(MAJORS)
    for lane in LANES.values():
        for one in lane:
            if one.but or one.since > MAJORS[0]:
                yield f"| {_sql(one)} | " + " | ".join(_on(one, major) for major in MAJORS) + " |"
    yield "\nEverything else on this page is the same on all three.\n"


def _on(one: Case, major: int) -> str:
    return "not known" if major < one.since else _words(one.on(major))


def _words(found: Found) -> str:
    files = f", {found.files} new files" if found.files else ""
    read = f", {found.read:,} rows read" if found.read else ""
    return f"{found.locks or 'no lock'}{files}{read}"


def _section(name: str, lane: tuple[Case, ...]) -> Iterator[str]:
    yield f"## {name}\n"
    yield "| statement | locks | new files | rows read |"
    yield "| --- | --- | --- | --- |"
    for one in lane:
        found = one.on(one.since)
        read = f"{found.read:,}" if found.read else ""
        yield f"| {_sql(one)} | {found.locks or 'none'} | {found.files or ''} | {read} |"
    yield ""


def _sql(one: Case) -> str:
    statement, _, remark = one.sql.partition(" -- ")
    return f"`{statement}`" + (f" ({remark})" if remark else "")


if __name__ == "__main__":
    print(document(), end="")
