"""Why is this not running? Each function looks at one thing and yields the conditions that are not met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import Exists, OuterRef, Q

from migrations_app.admission.budget import within_budget
from migrations_app.admission.conditions import Condition
from migrations_app.admission.drifted import schema_agrees
from migrations_app.admission.frozen import not_frozen
from migrations_app.admission.rehearsed import rehearsed
from migrations_app.engine.contract.plan import Direction
from migrations_app.models import AppliedRevision, Environment, Revision, Run
from migrations_app.rehearsals.freshness import Freshness
from migrations_app.statuses import OPEN, SENTENCES

SHOWN = 5  # of revisions that have the same thing wrong with them


def unmet(
    environment: Environment,
    direction: Direction,
    revisions: Sequence[Revision],
    known: Sequence[Freshness],
    *,
    consented: str = "",
) -> tuple[Condition, ...]:
    """Every unmet condition, not only the first. `known` is how fresh each revision's rehearsal is.

    `consented` is the hash of the losses that two people accepted.
    """
    return tuple(
        condition
        for looked in (
            _open_run(environment),
            _receipts_agree(environment),
            schema_agrees(environment, direction, revisions),
            _something_to_do(environment, direction, revisions),
            _applied_bytes(environment),
            _down_files(direction, revisions),
            rehearsed(environment, direction, revisions, known, consented=consented),
            within_budget(environment, direction, known),
            not_frozen(environment, direction),
        )
        for condition in looked
    )


def _open_run(environment: Environment) -> Iterator[Condition]:
    run = Run.objects.filter(environment=environment, status__in=OPEN).first()
    if run is not None:
        yield Condition(
            "run_open",
            f"Run {run.pk} on {environment.name} is not finished: {SENTENCES[run.status]}",
            f"Run {run.pk} has to end, or be cancelled, first.",
        )


def _receipts_agree(environment: Environment) -> Iterator[Condition]:
    """A plan made from a ledger that the target contradicts would have to fail."""
    if environment.reconcile_note:
        yield Condition(
            "ledger_differs",
            f"The last comparison of {environment.name} with its target found: {environment.reconcile_note}",
            "Find out what happened to the target, then compare again."
            if environment.differs_from is None
            else "Find out what happened to the target. If it is right, an admin accepts it on the environment's page.",
        )


def _something_to_do(
    environment: Environment, direction: Direction, revisions: Sequence[Revision]
) -> Iterator[Condition]:
    if revisions:
        return
    head = environment.head_revision or "no revision"
    done = "applied" if direction == "up" else "rolled back"
    yield Condition(
        "nothing_to_do",
        f"{environment.name} stands at {head}; everything that was asked for is {done} already.",
        "Upload a newer revision, or ask for another one.",
    )


def _applied_bytes(environment: Environment) -> Iterator[Condition]:
    """An applied revision whose bytes are no longer those of the ledger stops everything after it."""
    other = Revision.objects.filter(
        ~Q(checksum=OuterRef("checksum")), service_id=environment.service_id, revision_id=OuterRef("revision_id")
    )
    applied = AppliedRevision.objects.filter(Exists(other), environment=environment)
    for name in applied.order_by("revision_id").values_list("revision_id", flat=True)[:SHOWN]:
        yield Condition(
            "applied_with_other_bytes",
            f"{name} was applied on {environment.name} with other bytes than it has now.",
            "Bring back the bytes that were applied and put the change into a new revision.",
        )


def _down_files(direction: Direction, revisions: Sequence[Revision]) -> Iterator[Condition]:
    if direction == "up":
        return
    for revision in revisions:
        if revision.down_script is None:
            yield Condition(
                "irreversible",
                f"{revision.revision_id} has no down file, so it cannot be rolled back.",
                "Roll back to a revision after it, restore a backup, or repair it with a new revision.",
            )
