"""The end of a revision: verify, then the receipt, both in the transaction that ends its last step."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg

from migrations_app import __version__
from migrations_app.engine.contract import receipts
from migrations_app.engine.contract.receipts import Receipt, as_written
from migrations_app.engine.contract.step_rows import INSERT_DONE, done_values
from migrations_app.engine.contract.stopping import stop_if_asked
from migrations_app.engine.contract.wire import Prepared, prepare_all, send, send_all
from migrations_app.engine.contract.work import Progress, Work
from migrations_app.engine.errors import StatementFailed
from migrations_app.engine.sql.script import Statement, Step
from migrations_app.engine.target import fingerprint

# A fingerprint costs a catalogue scan, so it is taken at the two ends of a run; between them this stands.
UNMEASURED = "unmeasured"
# The step still holds its own locks meanwhile.
_PATIENCE_MS = 1000


def make_ready(conn: psycopg.Connection) -> None:
    """Before a revision runs: one that takes away what a session has prepared must fail, not be recorded."""
    prepare_all(conn, (_RECEIPT, _STEP_AND_RECEIPT, _STEP_AND_RECEIPT_AHEAD))


def verify(work: Work, progress: Progress, limit: Callable[[], str] = lambda: "") -> None:
    """Run the verify script in the open transaction; `limit` tells what to set before each statement.

    Raises StatementFailed("verify_failed"), Stopped.
    """
    for statement in progress.revision.verify:
        stop_if_asked(work.should_stop)
        work.report(progress.event("verifying", f"verify: {statement.summary}"))
        if setting := limit():
            send(work.conn, setting)
        with work.canceller.over(work.conn):
            cursor = work.conn.execute(statement.text)
        _hold_true(progress, statement, cursor)


def write_receipt(work: Work, progress: Progress) -> Receipt:
    """Insert the receipt in the open transaction; it becomes true with the COMMIT that follows."""
    receipt = _announced(work, progress)
    return as_written(receipt, _RECEIPT.send(work.conn, *_values(receipt)))


def commit_receipt(work: Work, progress: Progress) -> Receipt:
    """Insert the receipt of a revision without steps and commit."""
    receipt = _announced(work, progress)
    return as_written(receipt, _RECEIPT.send_and_commit(work.conn, *_values(receipt)))


def commit_step_and_receipt(work: Work, progress: Progress, step: Step, attempt: int) -> Receipt:
    """The same with the row of the last step, in one statement: most revisions are one step."""
    receipt = _announced(work, progress)
    values = (*done_values(work, progress, step, attempt), *_values(receipt))
    return as_written(receipt, _STEP_AND_RECEIPT.send_and_commit(work.conn, *values))


def commit_statement_and_receipt(work: Work, progress: Progress, step: Step, attempt: int, opened: str) -> Receipt:
    """The same together with the statement itself: `opened` is that, after what opens its transaction.

    Nothing can be looked at between them, so this is not for a revision that has something to verify.
    """
    receipt = _receipt(work, progress)
    values = (*done_values(work, progress, step, attempt), *_values(receipt))
    record = _STEP_AND_RECEIPT_AHEAD.call(work.conn, *values)
    # On a line of its own: the statement may end in a comment.
    *_, inserted, _ = send_all(work.conn, b"%s\n; %s; COMMIT" % (opened.encode(), record))
    return as_written(receipt, inserted)


def _shifted(sql: str, by: int) -> str:
    return re.sub(r"\$(\d+)", lambda found: f"${int(found[1]) + by}", sql)


_RECEIPT = Prepared("lockstep_receipt", receipts.INSERT)
_STEP_AND_RECEIPT = Prepared(
    "lockstep_step_and_receipt", f"WITH step AS ({INSERT_DONE}) {_shifted(receipts.INSERT, 10)}"
)
_STEP_AND_RECEIPT_AHEAD = Prepared(
    "lockstep_step_and_receipt_ahead", f"WITH step AS ({INSERT_DONE}) {_shifted(receipts.INSERT_AHEAD, 10)}"
)


def _values(receipt: Receipt) -> tuple[object, ...]:
    return receipts.values(receipt, tool_version=__version__)


def _announced(work: Work, progress: Progress) -> Receipt:
    """What is about to be written, told before it is."""
    receipt = _receipt(work, progress)
    work.report(progress.event("recording", f"record: receipt {receipt.seq}"))
    return receipt


def _receipt(work: Work, progress: Progress) -> Receipt:
    revision = progress.revision
    return Receipt(
        seq=progress.seq,
        revision_id=revision.revision_id,
        parent=revision.parent,
        direction=progress.direction,
        cycle=progress.cycle,
        checksum=revision.checksum,
        phase=revision.phase,
        schema_rev=revision.schema_rev,
        applied_at=datetime.now(UTC),
        operator=work.job.operator,
        run_id=work.job.run_id,
        fence=work.held.fence,
        fp_before=progress.fp_before,
        fp_after=fingerprint.take(work.conn, patience_ms=_PATIENCE_MS) if progress.measure_after else UNMEASURED,
        duration_ms=progress.elapsed_ms,
        server_version_num=work.server_version_num,
    )


def _hold_true(progress: Progress, statement: Statement, cursor: psycopg.Cursor) -> None:
    if cursor.description is None:
        return
    rows = cursor.fetchall()
    if rows and all(value is True for row in rows for value in row):
        return
    found = "no row" if not rows else ", ".join(_shown(value) for value in rows[0])
    raise StatementFailed(
        "verify_failed",
        f"{progress.revision.revision_id}: verify line {statement.line} did not hold: "
        f"{statement.summary} gave {found}, and every value must be true.",
        not_done="The last step was rolled back and no receipt was written.",
        next_step="Correct the data or the verify script, then apply again.",
    )


def _shown(value: object) -> str:
    """As PostgreSQL writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "NULL" if value is None else str(value)[:80]
