"""Plans for the engine without a control plane, as the control plane would make them."""

from __future__ import annotations

import uuid

from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.chain import resolve
from migrations_app.engine.contract.events import Event
from migrations_app.engine.contract.executor import Outcome, execute
from migrations_app.engine.contract.folder import RevisionFiles
from migrations_app.engine.contract.plan import Plan, PlannedRevision
from migrations_app.engine.contract.work import Job, Limits
from migrations_app.engine.sql.checksum import checksum
from migrations_app.engine.sql.script import read_script
from migrations_app.engine.target.dsn import parse


def plan_of(files: tuple[RevisionFiles, ...]) -> Plan:
    by_id = {one.revision_id: one for one in files}
    links = resolve(one.declared for one in files)
    return Plan("up", tuple(planned(link.revision_id, link.parent, by_id[link.revision_id].up) for link in links))


def planned(revision_id: str, parent: str, up: str) -> PlannedRevision:
    total = checksum(up)
    return PlannedRevision(revision_id, parent, total, total, "expand", "", read_script(up))


def run(plan: Plan, url: str, environment: uuid.UUID) -> Outcome:
    """The engine alone: what it reports goes nowhere."""
    return execute(
        plan,
        parse(url, trusted=True),
        job=Job(uuid.uuid4(), "bench", "bench", environment),
        limits=Limits(),
        report=_ignore,
        should_stop=lambda: None,
        canceller=Canceller(),
    )


def _ignore(event: Event) -> None:
    return None
