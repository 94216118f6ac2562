"""In a freeze nothing is applied to production; what leads back is allowed at any time."""

from __future__ import annotations

from collections.abc import Iterator

from migrations_app.admission.conditions import Condition
from migrations_app.engine.contract.plan import Direction
from migrations_app.fleet.freezes import freeze_of
from migrations_app.fleet.production import is_called_production
from migrations_app.models import Environment


def not_frozen(environment: Environment, direction: Direction) -> Iterator[Condition]:
    if direction == "down" or not is_called_production(environment):
        return
    freeze = freeze_of(environment.service_id)
    if freeze is not None:
        ends = f"{freeze.ends_at:%Y-%m-%d %H:%M} UTC"
        yield Condition(
            "frozen",
            f"Production is frozen until {ends}: {freeze.reason.rstrip('.')}.",
            "Wait for its end, or have a release manager lift it.",
        )
