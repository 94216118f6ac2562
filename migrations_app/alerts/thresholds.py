"""The figures that rules go by: as Lockstep comes with them, or as people set them, in versions that stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import connection, transaction

from migrations_app.alerts.catalogue import Figures, Rule, check_figures, rule_of
from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.models import AlertThreshold, Environment
from migrations_app.models.health_sample import ITSELF
from migrations_app.reasons import require_reason

NOT_DONE = "No threshold was changed."
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('lockstep:threshold:' || %s, 0))"


@dataclass(frozen=True)
class Threshold:
    """What a rule goes by at a place. `version` 0: what Lockstep comes with; `own`: set for just this place."""

    figures: Figures
    version: int = 0
    on: bool = True
    own: bool = False


@dataclass(frozen=True)
class Thresholds:
    """All there are, read once."""

    rows: Mapping[tuple[str, int | None], AlertThreshold]

    def of(self, rule: Rule, place: int) -> Threshold:
        """The place's own, else everybody's, else what Lockstep comes with."""
        for key, own in (((rule.key, place), True), ((rule.key, None), False)):
            row = self.rows.get(key)
            if row is not None:
                return Threshold(row.figures, row.version, row.on, own)
        return Threshold(rule.defaults)


def read_thresholds() -> Thresholds:
    """One query."""
    newest = AlertThreshold.objects.order_by("rule", "place", "-version").distinct("rule", "place")
    return Thresholds({(row.rule, row.place): row for row in newest})


def edit_threshold(
    *, rule: str, place: int | None, figures: Mapping[str, object], on: bool, note: str, by: User
) -> AlertThreshold:
    """A new version for a place, or for all that have none of their own.

    Raises Refused: no_such_rule, no_such_place, bad_figures, reason_missing, threshold_same.
    """
    wanted = rule_of(rule)
    kept = check_figures(wanted, figures)
    require_reason(note, "A threshold", not_done=NOT_DONE, next_step="Say why it is changed.")
    _check_place(wanted, place)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [f"{rule}:{place}"])
        before = AlertThreshold.objects.filter(rule=rule, place=place).order_by("-version").first()
        if before is not None and (before.figures, before.on) == (kept, on):
            raise _refused("threshold_same", "It has these figures already.", "Change one, or leave it.")
        row = AlertThreshold.objects.create(
            rule=rule, place=place, version=before.version + 1 if before else 1, figures=kept, on=on,
            note=note.strip(), by=by,
        )  # fmt: skip
        record(
            actor=by, action="threshold.edit", object=f"threshold:{rule}/{'all' if place is None else place}",
            before=_told(before) if before else {"version": 0, "on": True, **wanted.defaults},
            after={**_told(row), "note": row.note},
        )  # fmt: skip
    return row


def _told(row: AlertThreshold) -> dict[str, object]:
    return {"version": row.version, "on": row.on, **row.figures}


def _check_place(rule: Rule, place: int | None) -> None:
    if place in (None, ITSELF):
        return
    if not rule.everywhere:
        raise _refused("no_such_place", f"{rule.title} is about this installation alone.", "Name no environment.")
    if not Environment.objects.filter(pk=place).exists():
        raise _refused("no_such_place", f"There is no environment {place}.", "Look at the list of environments.")


def _refused(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done=NOT_DONE, next_step=next_step)
