"""One drill of the demonstration: a revision that a release cannot live with is applied, noticed and rolled back.

The clock, the runs, the queries and what they answer are real; only the person at the stopwatch is not.
"""

from __future__ import annotations

import math
import time
from datetime import timedelta

import psycopg
from django.contrib.auth.models import User
from django.utils import timezone

from migrations_app.admission.door import start_run
from migrations_app.management import demo_targets
from migrations_app.management.demo_fleet import BAD, GOOD, SERVICE, Place, Practice
from migrations_app.management.demo_seed import carry
from migrations_app.models import Drill, Environment
from migrations_app.models.drill import CheckKind, Side
from migrations_app.rehearsals.drills import actions, remarks
from migrations_app.rehearsals.drills.clock import Press, next_step

PLANNED_S = (3, 4, 1, 1, 1)
QUERY = "SELECT shipping_address FROM customers ORDER BY customer_id LIMIT 1"
EXPORT = "COPY (SELECT * FROM customers LIMIT 0) TO STDOUT (FORMAT csv, HEADER)"
RUNBOOK = "https://wiki.example.com/storefront/runbook?diff=41"
DUE = timedelta(days=14)


def hold(place: Place, environment: Environment, practice: Practice, *, by: User) -> Drill:
    """All five steps, from a target that stands at GOOD and back to it."""
    drill = actions.start_drill(environment=environment, plan=_plan(environment, practice, by), by=by)
    with demo_targets.connect(place) as conn:
        conn.autocommit = True
        header = _header(conn)
        _check(drill, Side.BEFORE, CheckKind.SMOKE, "the addresses are read", _asked(conn), by)
        _press(drill, by)
        went = _run(environment, "up", BAD, practice.reason, by)
        _write(drill, 1, f"{went}\n{QUERY}\n{_asked(conn)}", by)
        _press(drill, by)
        back = _run(environment, "down", GOOD, practice.reason, by)
        answers = [_asked(conn, statement) for statement in practice.restore]
        _write(drill, 2, "\n".join((back, *answers)), by)
        if practice.forgotten:
            _step_in(drill, conn, practice, by)
        _press(drill, by)
        _check(drill, Side.AFTER, CheckKind.SMOKE, "the addresses are read", _asked(conn), by)
        _check(drill, Side.AFTER, CheckKind.CSV_HEADER, "export of customers", _header(conn), by, expected=header)
        _press(drill, by)
    _press(drill, by)
    _conclude(drill, practice, by)
    _press(drill, by)
    return actions.finish_drill(drill, by=by)


def put_back(environment: Environment, by: User) -> None:
    """What a drill that was left in the middle has applied."""
    environment.refresh_from_db()
    if environment.head_revision == BAD:
        _run(environment, "down", GOOD, "A drill was left in the middle", by)


def _plan(environment: Environment, practice: Practice, by: User) -> actions.Plan:
    words = f"{SERVICE} {environment.name} --as {by.get_username()}"
    return actions.Plan(
        scenario="schema",
        trigger_reason=practice.reason,
        planned_s=PLANNED_S,
        commands=(
            f"manage.py apply {words} --to {BAD}",
            "\n".join((f"manage.py rollback {words} --to {GOOD}", *practice.restore)),
            f"{QUERY}\n{EXPORT}",
            "",
            "",
        ),
        from_release="4.8.0",
        to_release="4.7.0",
    )


def _press(drill: Drill, by: User) -> None:
    drill.refresh_from_db()
    next_step(drill, given=Press(lap=drill.lap), by=by)


def _run(environment: Environment, direction: str, to: str, reason: str, by: User) -> str:
    environment.refresh_from_db()
    run = carry(start_run(environment=environment, direction=direction, to=to, by=by, reason=reason).run)
    environment.refresh_from_db()
    return f"run {run.pk} {run.get_status_display()}: {environment.name} stands at {environment.head_revision}"


def _asked(conn: psycopg.Connection, statement: str = QUERY) -> str:
    """What the target says, an error included."""
    try:
        found = conn.execute(statement)
    except psycopg.Error as error:
        return f"ERROR: {error.diag.message_primary}"
    return found.statusmessage or ""


def _header(conn: psycopg.Connection) -> str:
    with conn.cursor() as cursor, cursor.copy(EXPORT) as copy:
        return b"".join(bytes(block) for block in copy).decode().strip()


def _check(drill: Drill, side: Side, kind: CheckKind, name: str, got: str, by: User, *, expected: str = "") -> None:
    seen = remarks.Seen(side, kind, name, passed=not got.startswith("ERROR"), expected=expected, got=got)
    remarks.add_check(drill, seen=seen, by=by)


def _write(drill: Drill, number: int, output: str, by: User) -> None:
    step = drill.steps.get(number=number)
    remarks.write_step(drill, number=number, commands=step.commands, output=output, note=step.note, by=by)


def _step_in(drill: Drill, conn: psycopg.Connection, practice: Practice, by: User) -> None:
    began = time.monotonic()
    conn.execute(practice.forgotten)
    took = math.ceil(time.monotonic() - began)
    remarks.note_intervention(drill, seconds=took, what=f"{practice.forgotten}, by hand", note=practice.why, by=by)


def _conclude(drill: Drill, practice: Practice, by: User) -> None:
    """What had to be done by hand goes into the runbook; what else was learned is left to be done."""
    if practice.forgotten:
        remarks.mark_runbook(drill, link=RUNBOOK, by=by)
    if practice.follow_up:
        due = (timezone.now() + DUE).date()
        remarks.add_follow_up(drill, what=practice.follow_up, owner=by.get_username(), due=due, by=by)
