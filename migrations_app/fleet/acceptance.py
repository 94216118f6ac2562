"""A target that was restored or made anew is the truth all the same: the ledger begins anew with its receipts.

Nothing is changed in the target and nothing of the ledger is deleted: rows without a receipt are superseded, and the
audit log keeps what stood before and why a person accepted it.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from django.contrib.auth.models import User

from migrations_app.engine.contract.receipts import read_every
from migrations_app.engine.contract.step_rows import HalfDone, read_half_done
from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.script import script_from_json
from migrations_app.fleet.comparison import compare_receipts
from migrations_app.fleet.ledger import begin_anew, standing_rows
from migrations_app.fleet.proof import prove_anew
from migrations_app.fleet.stored import Entry
from migrations_app.models import Environment, LedgerEntry, Revision
from migrations_app.reasons import require_reason


def accept_target(*, environment: Environment, by: User, reason: str, adopt: bool = False) -> Environment:
    """
    1. The target proves itself: it is this environment's, or is adopted as such.
    2. Its receipts are compared with the ledger; where they agree there is nothing to accept.
    3. From the first receipt that differs on, the ledger's rows are superseded by the target's receipts.

    All of it or nothing, and never while a run is open.
    """
    _check_reason(reason)
    return prove_anew(
        environment,
        None,
        by,
        adopt=adopt,
        action="environment.prove",
        also=lambda stored, conn: _accept(stored, conn, reason.strip()),
    )


def _accept(stored: Environment, conn: psycopg.Connection, reason: str) -> Entry:
    rows, receipts = standing_rows(stored), read_every(conn)
    found = compare_receipts(stored, receipts, rows)
    if found.broken:
        raise _broken(found.broken)
    if found.differs_from is None:
        raise _nothing(stored)
    _refuse_cut_receipts(stored, conn, [row for seq, row in rows.items() if seq >= found.differs_from])
    before = {"head": stored.head_revision, "rows": len(rows), "differs_from": found.differs_from}
    superseded = begin_anew(stored, receipts, differs_from=found.differs_from)
    head = receipts[-1].head_after if receipts else ""
    after = {"head": head, "rows": len(receipts), "superseded": superseded, "reason": reason}
    return Entry("environment.accept_target", before, after)


def _refuse_cut_receipts(stored: Environment, conn: psycopg.Connection, superseded: Sequence[LedgerEntry]) -> None:
    """The row of a revision's last step is committed with its receipt, so no moment has one without the other.

    A target of which a receipt alone was taken away would be given it back without its SQL being run.
    """
    half_done = read_half_done(conn)
    for row in superseded:
        half = half_done.get((row.revision_id, row.cycle, row.direction))
        if half is not None and _has_every_step(stored, row, half):
            raise _cut(row)


def _has_every_step(stored: Environment, row: LedgerEntry, half: HalfDone) -> bool:
    up = row.direction == "up"
    names = ("checksum", "up_script") if up else ("down_checksum", "down_script")
    revision = Revision.objects.filter(service=stored.service_id, revision_id=row.revision_id).values_list(*names)
    checksum, script = revision.first() or ("", None)
    if checksum != row.checksum or script is None:
        return False
    return all(half.done(step.n) for step in script_from_json(script).steps)


def _check_reason(reason: str) -> None:
    require_reason(
        reason,
        "Accepting a target",
        not_done="The ledger was left as it is.",
        next_step="Write what happened to the target, such as who restored it and to which point.",
    )


def _nothing(environment: Environment) -> Refused:
    return Refused(
        "nothing_to_accept",
        f"The ledger of {environment.name} follows from its target's receipts; there is nothing to accept.",
        not_done="The ledger was left as it is.",
        next_step="Compare the environment with its target if its page says otherwise.",
    )


def _cut(row: LedgerEntry) -> Refused:
    return Refused(
        "receipt_cut",
        f"The target says that every step of {row.revision_id} was done but has no receipt of it; "
        "no backup holds such a moment.",
        not_done="The ledger was left as it is.",
        next_step="Restore the target as a whole. If the change is really gone from it, delete that revision's rows "
        "from lockstep.step there, then try again.",
    )


def _broken(why: str) -> Refused:
    return Refused(
        "receipts_broken",
        f"The target's receipts do not follow from one another: {why}",
        not_done="The ledger was left as it is.",
        next_step="Restore the table lockstep.migration_history in the target from a backup, then try again.",
    )
