"""One row of the ledger: the receipt, its proof, the SQL that ran and the run that ran it. A page and a drawer."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.pages.history_rows import draw_proof
from migrations_app.fleet.chain import stored_revision
from migrations_app.permissions import may, who_may
from migrations_app.runs.of_revision import steps_of_revision
from migrations_app.runs.planning import planned


@require_safe
def history_receipt(request: HttpRequest, pk: int) -> HttpResponse:
    entry = access.receipt_for(request.user, pk)
    revision = stored_revision(entry.environment.service_id, entry.revision_id)
    may_sql = may(request.user, "view_sql")
    up = entry.direction == "up"
    sql = None if revision is None else revision.up if up else revision.down
    checksum = "" if revision is None else revision.checksum if up else revision.down_checksum
    return render(
        request,
        "fleet/receipt.html",
        {
            "entry": entry,
            "proof": draw_proof(entry),
            "revision": revision,
            "same_bytes": checksum == entry.checksum,
            "sql": sql if may_sql else None,
            "plan": planned(revision, "up" if up else "down") if may_sql and revision and sql is not None else None,
            "steps": steps_of_revision(entry.run_id, entry.revision_id) if entry.run_id else (),
            "may_sql": may_sql,
            "sql_readers": who_may("view_sql"),
        },
    )
