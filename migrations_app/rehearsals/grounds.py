"""What a rehearsal stands on: a clone of the target, or of a restored backup that is first brought up to its head."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from migrations_app.engine.clone.backup import from_backup
from migrations_app.engine.clone.clone import Clone
from migrations_app.engine.clone.make import make_clone
from migrations_app.engine.clone.sample import Sizes
from migrations_app.engine.clone.server import RehearsalServer
from migrations_app.engine.contract.receipts import read_head
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn
from migrations_app.fleet.backups import Backup, proven_backup
from migrations_app.fleet.rehearsal_servers import rehearsal_server
from migrations_app.fleet.secrets import resolve_dsn
from migrations_app.models import Installation, Rehearsal, Revision
from migrations_app.models.rehearsal import Ground
from migrations_app.rehearsals.claims import Claim
from migrations_app.rehearsals.scribe import Scribe

APPLICATION = "lockstep:rehearsal"


@dataclass(frozen=True)
class Source:
    """What is cloned, and where; a backup is brought up by what the target got `since`."""

    dsn: Dsn
    server: RehearsalServer
    backup: Backup | None = None
    since: tuple[Revision, ...] = ()

    @property
    def facts(self) -> dict[str, object]:
        """For the record: which backup it was, and how old as far as its receipts tell."""
        if self.backup is None:
            return {}
        at = self.backup.last_receipt_at
        return {
            "backup": {
                "name": self.backup.dsn.safe,
                "head": self.backup.head,
                "seq": self.backup.seq,
                "last_receipt_at": at.isoformat() if at else None,
                "brought_up": [revision.revision_id for revision in self.since],
            }
        }

    @property
    def sentence(self) -> str:
        if self.backup is None:
            return "The clone is made of the target."
        at = self.backup.last_receipt_at
        told = f"its last receipt, of {self.backup.head}, is of {at:%Y-%m-%d %H:%M} UTC" if at else "without a receipt"
        return f"The clone is made of the restored backup {self.backup.dsn.safe}, {told}."

    def clone(self, rehearsal: Rehearsal, claim: Claim, scribe: Scribe) -> Clone:
        make = make_clone if self.backup is None else from_backup
        return make(
            self.dsn,
            self.server,
            installation=Installation.current().uid,
            clone=claim.clone,
            sizes=Sizes(seed=rehearsal.pk),
            report=scribe.say,
            should_stop=lambda: scribe.should_stop() is not None,
        )


def find_source(rehearsal: Rehearsal) -> Source:
    """Raises Refused, ConnectionLost."""
    if rehearsal.ground == Ground.BACKUP:
        backup = proven_backup(rehearsal.environment)
        since = _applied_since(backup, rehearsal)
        return Source(backup.dsn, rehearsal_server(backup.major), backup, tuple(since))
    dsn = resolve_dsn(rehearsal.environment)
    with closing(open_session(dsn, application_name=APPLICATION)) as conn:
        major = conn.info.server_version // 10000
    return Source(dsn, rehearsal_server(major))


def _applied_since(backup: Backup, rehearsal: Rehearsal) -> Sequence[Revision]:
    """What the target got after the backup was made, in order. Raises Refused("backup_ahead")."""
    chain = Revision.objects.filter(service_id=rehearsal.service_id)
    heads = chain.filter(revision_id__in=[backup.head, rehearsal.from_revision])
    places = dict(heads.values_list("revision_id", "position"))
    first, last = places.get(backup.head, 0), places.get(rehearsal.from_revision, 0)
    if first > last:
        raise Refused(
            "backup_ahead",
            f"The backup stands at {backup.head}, from which the target was rolled back "
            f"to {rehearsal.from_revision or 'no revision'} since.",
            not_done="Nothing was rehearsed.",
            next_step="Restore a newer backup, or rehearse on a clone of the target.",
        )
    return list(chain.filter(position__gt=first, position__lte=last).order_by("position"))


def refuse_moved(clone: Clone, rehearsal: Rehearsal) -> None:
    """The clone's receipts are of the same moment as its schema and its rows."""
    with closing(open_session(clone.dsn, application_name=APPLICATION)) as conn:
        head = read_head(conn).revision_id
    if head != rehearsal.from_revision:
        raise Refused(
            "target_moved",
            f"The target stands at {head or 'no revision'}, "
            f"not at {rehearsal.from_revision or 'no revision'} as when the rehearsal was asked for.",
            not_done="Nothing was rehearsed.",
            next_step="Ask for the rehearsal again.",
        )
