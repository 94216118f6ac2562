"""One claim's worth of rehearsing: make the clone, try the revisions one after the other, keep what came of each.

1. Clone the target, or its backup, which is brought up to the target's head; refuse when its receipts are not where
   the request found them.
2. Each revision: engine.clone.rehearse; its part is written as soon as it is known.
3. Remove the clone, whatever happened; what a killed worker leaves is swept by rehearsals.clones.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from migrations_app.engine.clone.anchor import anchored
from migrations_app.engine.clone.clone import Clone
from migrations_app.engine.clone.contents import Loss
from migrations_app.engine.clone.copying import drop_clone
from migrations_app.engine.clone.ground import Ground
from migrations_app.engine.clone.rehearse import Rehearsed, bring_up, rehearse_down, rehearse_up
from migrations_app.engine.clone.server import RehearsalServer
from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.errors import LockstepError, Refused, Stopped
from migrations_app.models import Installation, LedgerEntry, Rehearsal, Revision, RevisionRehearsal
from migrations_app.rehearsals.chains import chain_hashes
from migrations_app.rehearsals.claims import Claim, end, error_of, let_go
from migrations_app.rehearsals.grounds import Source, find_source, refuse_moved
from migrations_app.rehearsals.scribe import Scribe
from migrations_app.rehearsals.smoke import smoke_of
from migrations_app.runs.planning import planned
from migrations_app.runs.progress import LOST_LEASE
from migrations_app.statuses import RehearsalStatus, Verdict

log = structlog.get_logger(__name__)


class Carrying:
    """Holds what one claim needs."""

    def __init__(self, claim: Claim, worker: str) -> None:
        self.claim = claim
        self.worker = worker
        self.rehearsal = Rehearsal.objects.select_related("service", "environment__service", "requested_by").get(
            pk=claim.rehearsal_id
        )
        self.canceller = Canceller()
        self.scribe = Scribe(claim, self.canceller)
        self._tally: Counter[str] = Counter()

    def carry_out(self) -> str:
        """Rehearse, and return the status it ended in; "queued" when the worker is being shut down."""
        self.scribe.start()
        try:
            failure = self._tried()
        finally:
            self.scribe.close()
        status = self._status(failure)
        if status == RehearsalStatus.QUEUED:
            let_go(self.claim)
            return status
        if not end(self.claim, status, failure):
            log.warning("the rehearsal was taken over before it could be ended here", rehearsal=self.rehearsal.pk)
        return status

    def _status(self, failure: LockstepError | None) -> RehearsalStatus:
        if failure is None:
            return RehearsalStatus.DONE
        if isinstance(failure, Stopped):
            asked = self.scribe.should_stop()
            going = asked is not None and asked.kind == "shutdown"
            return RehearsalStatus.QUEUED if going else RehearsalStatus.CANCELLED
        return RehearsalStatus.FAILED

    def _tried(self) -> LockstepError | None:
        with self.scribe.listening():
            try:
                self._on_a_clone()
            except LockstepError as failure:
                level = "info" if isinstance(failure, Stopped) else "error"
                self.scribe.say(failure.sentence, level=level)
                return failure
        return None

    def _on_a_clone(self) -> None:
        source = find_source(self.rehearsal)
        with anchored(source.server) as still_there:
            self.scribe.say(source.sentence)
            began = time.monotonic()
            clone = source.clone(self.rehearsal, self.claim, self.scribe)
            try:
                self._keep_clone(clone, source, round((time.monotonic() - began) * 1000))
                ground = self._ground(clone, source.server)
                self._bring_up(ground, source)
                refuse_moved(clone, self.rehearsal)
                self._try_each(ground, still_there)
            finally:
                self._remove(clone, source.server)

    def _remove(self, clone: Clone, server: RehearsalServer) -> None:
        """A server that is gone keeps the clone until it is back and swept; what was found before it went counts."""
        try:
            drop_clone(server, clone.name)
        except LockstepError as failure:
            self.scribe.say(f"The clone is left to be swept: {failure.message}", level="warning")

    def _bring_up(self, ground: Ground, source: Source) -> None:
        """Apply to the clone of a backup what the target got since."""
        for revision in source.since:
            self.scribe.doing(f"bringing the backup up: {revision.revision_id}")
            bring_up(ground, planned(revision, "up"))

    def _keep_clone(self, clone: Clone, source: Source, ms: int) -> None:
        server = source.server
        facts = {
            "name": clone.name,
            "server": server.dsn.safe,
            "seed": self.rehearsal.pk,
            "tables": [asdict(table) for table in clone.tables],
            "ms": ms,
            **source.facts,
        }
        self._update(clone=facts, target_fingerprint=clone.target_fingerprint, server_version_num=server.major * 10000)
        whole = all(table.whole for table in clone.tables)
        rows = sum(table.rows for table in clone.tables)
        self.scribe.say(
            f"cloned {len(clone.tables)} tables with {rows:,} rows in {ms / 1000:.1f} s, "
            + ("all of them whole" if whole else "the long ones as a sample")
        )

    def _try_each(self, ground: Ground, still_there: Callable[[], None]) -> None:
        for ordinal, wanted in enumerate(self.rehearsal.revisions, start=1):
            revision = self._revision(wanted)
            self.scribe.doing(f"{ordinal} of {len(self.rehearsal.revisions)}: {revision.revision_id}")
            found = self._try(ground, revision)
            still_there()
            self._keep(ordinal, revision, found, ground.server)
            if found.verdict is None or (self.rehearsal.direction == "down" and found.verdict == "irreversible"):
                raise self._stopped_at(found)

    def _ground(self, clone: Clone, server: RehearsalServer) -> Ground:
        total = len(self.rehearsal.revisions)
        places = {one["revision_id"]: n for n, one in enumerate(self.rehearsal.revisions, start=1)}
        return Ground(
            clone=clone,
            server=server,
            installation=Installation.current().uid,
            operator=self.rehearsal.requested_by.get_username(),
            report=self.scribe.hear,
            stage=lambda revision_id, stage: self.scribe.doing(
                f"{places[revision_id]} of {total}: {revision_id}, {stage}"
            ),
            should_stop=self.scribe.should_stop,
            canceller=self.canceller,
            smoke=smoke_of(
                self.rehearsal.service.name,
                self.rehearsal.environment.name,
                lambda message, level, revision_id: self.scribe.say(message, level=level, revision_id=revision_id),
                lambda: self.scribe.should_stop() is not None,
            ),
        )

    def _revision(self, wanted: dict[str, str]) -> Revision:
        revision = Revision.objects.get(service_id=self.rehearsal.service_id, revision_id=wanted["revision_id"])
        if any(getattr(revision, name) != value for name, value in wanted.items()):
            raise Refused(
                "plan_changed",
                f"{revision.revision_id} changed after the rehearsal was asked for.",
                not_done="It and what follows was not rehearsed.",
                next_step="Rehearse again, with the bytes as they are now.",
            )
        return revision

    def _try(self, ground: Ground, revision: Revision) -> Rehearsed:
        up = planned(revision, "up")
        down = planned(revision, "down") if revision.down_script is not None else None
        if self.rehearsal.direction == "up":
            return rehearse_up(ground, up, down)
        earlier = self._compared(revision)
        before = self._receipt_before(revision) or (earlier.fp_before if earlier else "")
        return rehearse_down(ground, up, down, schema_before=before, compared=earlier is not None)

    def _compared(self, revision: Revision) -> RevisionRehearsal | None:
        """The newest rehearsal with these bytes from before it was applied, which saw what does not come back."""
        names = ("revision_id", "checksum", "down_checksum", "verify_checksum")  # as freshness tells its losses
        same = RevisionRehearsal.objects.filter(**{name: getattr(revision, name) for name in names})
        before = same.filter(environment=self.rehearsal.environment, rehearsal__direction="up")
        compared = before.filter(chain=self._chains[revision.revision_id])
        return compared.filter(verdict__in=(Verdict.REVERSIBLE, Verdict.LOSSY)).order_by("-id").first()

    def _receipt_before(self, revision: Revision) -> str:
        """What the newest standing receipt names as the schema before it; a word where it was not measured."""
        receipts = LedgerEntry.objects.standing().filter(
            environment=self.rehearsal.environment, revision_id=revision.revision_id, direction="up"
        )
        known = receipts.order_by("-seq").values_list("fp_before", flat=True).first() or ""
        return known if known.startswith("fp:") else ""

    def _keep(self, ordinal: int, revision: Revision, found: Rehearsed, server: RehearsalServer) -> None:
        verdict = Verdict.FAILED if found.verdict is None else Verdict(found.verdict)
        self._tally[verdict] += 1
        with transaction.atomic():
            self._update(tally=dict(self._tally))
            RevisionRehearsal.objects.create(
                rehearsal=self.rehearsal,
                environment=self.rehearsal.environment,
                ordinal=ordinal,
                revision_id=revision.revision_id,
                checksum=revision.checksum,
                down_checksum=revision.down_checksum,
                verify_checksum=revision.verify_checksum,
                chain=self._chains[revision.revision_id],
                fp_before=found.fp_before,
                fp_after=found.fp_after,
                fp_back=found.fp_back,
                server_version_num=server.major * 10000,
                verdict=verdict,
                losses=[asdict(loss) for loss in found.losses],
                unfilled=[asdict(one) for one in found.unfilled],
                stages=[asdict(stage) for stage in found.stages],
                traces=[asdict(one) for one in found.traces],
                down_traces=[asdict(one) for one in found.down_traces],
                error=None if found.failure is None else error_of(found.failure),
                finished_at=Now(),
            )
        level = "info" if verdict == Verdict.REVERSIBLE else "warning"
        self.scribe.say(f"{verdict.label}{_because(found.losses)}", level=level, revision_id=revision.revision_id)

    @cached_property
    def _chains(self) -> dict[str, str]:
        return chain_hashes(self.rehearsal.service_id)

    def _update(self, **fields: object) -> None:
        mine = Rehearsal.objects.filter(pk=self.rehearsal.pk, token=self.claim.token, status=RehearsalStatus.RUNNING)
        if mine.update(version=F("version") + 1, **fields) != 1:
            log.error("another worker took this rehearsal over, stopping", rehearsal=self.rehearsal.pk)
            os._exit(LOST_LEASE)

    def _stopped_at(self, found: Rehearsed) -> LockstepError:
        """Nothing after it can be tried on what it left."""
        failure = found.failure or _no_down_file()
        way = "applied" if self.rehearsal.direction == "up" else "rolled back"
        left = len(self.rehearsal.revisions) - self.rehearsal.parts.count()
        after = f" The {left} after it were not reached." if left else ""
        return LockstepError(
            failure.code,
            f"{found.revision_id} could not be {way} on the clone: {failure.message}",
            not_done=f"The target was only read.{after}",
            next_step=failure.next_step,
        )


def _no_down_file() -> LockstepError:
    return LockstepError("irreversible", "it has no down file.", next_step="Rehearse the way back to it.")


def _because(losses: tuple[Loss, ...]) -> str:
    if not losses:
        return ""
    more = f" And {len(losses) - 1} more." if len(losses) > 1 else ""
    return f": {losses[0].sentence}{more}"
