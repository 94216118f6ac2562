"""From revisions in the control plane to the plan that the engine executes and a page shows."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Max, Min, QuerySet

from migrations_app.engine.contract.plan import Direction, Plan, PlannedRevision
from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.script import SPLITTER, Script, read_script, script_from_json, statements_from_json
from migrations_app.models import Environment, Revision, Run

ROOT = "zero"  # what `to` says for "before the first revision"
# A plan has thousands of revisions, so only what it is made of is read.
_PLANNED = ("revision_id", "parent", "checksum", "down_checksum", "verify_checksum", "phase", "schema_rev")


def revisions_between(environment: Environment, direction: Direction, to: str | None) -> list[Revision]:
    """The revisions a run would execute, in order; empty when the environment is already there.

    `to` is the head afterwards; None means the newest for "up" and one step back for "down".
    Raises Refused("unknown_revision").
    """
    chain = _chain(environment.service_id, direction)
    head = _position(environment, environment.head_revision)
    if direction == "up":
        ahead = chain.filter(position__gt=head)
        return list(ahead if to is None else ahead.filter(position__lte=_position(environment, to)))
    behind = chain.filter(position__lte=head).reverse()
    if to is None:
        return list(behind[:1])
    return list(behind.filter(position__gt=_position(environment, "" if to == ROOT else to)))


def _chain(service_id: int, direction: Direction) -> QuerySet[Revision]:
    """In order, without the SQL texts: the stored script of the direction holds what is executed."""
    scripts = ("up_script", "verify_script") if direction == "up" else ("down_script",)
    return Revision.objects.filter(service_id=service_id).order_by("position").only(*_PLANNED, *scripts)


def _position(environment: Environment, revision_id: str) -> int:
    if not revision_id:
        return 0
    found = (
        Revision.objects.filter(service_id=environment.service_id, revision_id=revision_id)
        .values_list("position", flat=True)
        .first()
    )
    if found is None:
        raise Refused(
            "unknown_revision",
            f"Service {environment.service.name} has no revision {revision_id}.",
            not_done="Nothing was planned.",
            next_step="Give the id of one of its revisions, or upload that revision first.",
        )
    return found


def planned(revision: Revision, direction: Direction) -> PlannedRevision:
    """One revision as the engine wants it. A revision without a down file cannot be planned downwards."""
    up = direction == "up"
    return PlannedRevision(
        revision_id=revision.revision_id,
        parent=revision.parent,
        checksum=revision.checksum if up else revision.down_checksum,
        up_checksum=revision.checksum,
        phase=revision.phase,
        schema_rev=revision.schema_rev,
        script=_script(revision, direction),
        verify=statements_from_json(revision.verify_script or []) if up else (),
    )


def _script(revision: Revision, direction: Direction) -> Script:
    """As stored; what other rules had split is read again, which may refuse it."""
    up = direction == "up"
    stored = revision.up_script if up else revision.down_script
    assert stored is not None, "admission refuses to roll back an irreversible revision"
    if stored["splitter"] == SPLITTER:
        return script_from_json(stored)
    sql = revision.up if up else revision.down
    assert sql is not None, "a stored script has its text beside it"
    try:
        return read_script(sql)
    except Refused as refusal:
        refusal.message = f"{revision.revision_id}.{direction}.sql: {refusal.message}"
        raise


def plan_of(run: Run) -> Plan:
    """The frozen plan of a run. Raises Refused when a revision's bytes are not those that were planned."""
    wanted = {item["revision_id"]: item["checksum"] for item in run.revisions}
    direction: Direction = "up" if run.direction == "up" else "down"
    names = list(wanted)
    rows = _stretch(_chain(run.service_id, direction), names[0], names[-1])
    revisions = tuple(planned(row, direction) for row in rows if row.revision_id in wanted)
    if direction == "down":
        revisions = revisions[::-1]
    _refuse_changed(wanted, revisions)
    return Plan(direction, revisions)


def _stretch(chain: QuerySet[Revision], one_end: str, other_end: str) -> QuerySet[Revision]:
    """The part of the chain between two revisions; to name each of a thousand costs more than to read them."""
    ends = chain.filter(revision_id__in=(one_end, other_end)).aggregate(first=Min("position"), last=Max("position"))
    return chain.filter(position__range=(ends["first"] or 0, ends["last"] or 0))


def _refuse_changed(wanted: dict[str, str], revisions: Iterable[PlannedRevision]) -> None:
    found = {revision.revision_id: revision.checksum for revision in revisions}
    changed = sorted(name for name, checksum in wanted.items() if found.get(name) != checksum)
    if changed:
        raise Refused(
            "plan_changed",
            f"{', '.join(changed[:5])} changed after the run was planned.",
            not_done="Nothing of it was run.",
            next_step="Start a new run, which will plan with the bytes as they are now.",
        )
