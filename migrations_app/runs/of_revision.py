"""What one run did for one of its revisions."""

from __future__ import annotations

from migrations_app.models import RunStep


def steps_of_revision(run_id: int, revision_id: str) -> tuple[RunStep, ...]:
    """In order; empty for a receipt that no run of this installation wrote."""
    return tuple(RunStep.objects.filter(run_id=run_id, revision_id=revision_id).order_by("ordinal"))
