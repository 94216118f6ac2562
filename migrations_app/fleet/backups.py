"""The restored backup that an environment is rehearsed on: named by a person, proven each time before it is used.

It has to be of this environment, which its identity and its receipts say, and must not be the target itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from migrations_app.engine.clone.backup_look import BackupSeen, look_at_backup
from migrations_app.engine.contract.receipts import Receipt
from migrations_app.engine.errors import ConnectionLost, Refused
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.identity import Place
from migrations_app.engine.target.seat import Seat, read_seat
from migrations_app.fleet.comparison import changed_receipts
from migrations_app.fleet.control_database import is_control_database
from migrations_app.fleet.ledger import standing_rows
from migrations_app.fleet.references import Reference, read_reference
from migrations_app.fleet.registration import fleet_session
from migrations_app.fleet.secrets import keep_backup, resolve_backup, resolve_dsn
from migrations_app.fleet.stored import Entry, locked
from migrations_app.models import Environment


@dataclass(frozen=True)
class Backup:
    """A database that was proven to be a backup of an environment; `last_receipt_at` is how old it is at least."""

    dsn: Dsn
    major: int
    head: str
    seq: int
    last_receipt_at: datetime | None


def name_backup(*, environment: Environment, dsn: str, by: User) -> Environment:
    """From now on rehearsals may stand on it. Raises Refused, ConnectionLost; nothing is changed in it."""
    reference = read_reference(dsn)
    proven = _proven(environment, reference.resolve())
    return _keep(environment, reference, proven.dsn.safe, by, action="environment.name_backup")


def forget_backup(*, environment: Environment, by: User) -> Environment:
    """The address is taken away; the database is left as it is."""
    return _keep(environment, None, "", by, action="environment.forget_backup")


def proven_backup(environment: Environment) -> Backup:
    """The backup as it is now. Raises Refused("no_backup") and whatever naming it raises."""
    return _proven(environment, resolve_backup(environment))


def _keep(environment: Environment, reference: Reference | None, name: str, by: User, *, action: str) -> Environment:
    with transaction.atomic():
        stored = locked(environment)
        before = _shown(stored)
        keep_backup(stored, reference)
        stored.backup_name = name[:300]
        stored.save(update_fields=_FIELDS)
        if _shown(stored) != before or reference is not None:
            Entry(action, before, _shown(stored)).record(stored, by)
    environment.refresh_from_db()
    return environment


_FIELDS = ("backup_kind", "backup_reference", "backup_sealed", "backup_key_id", "backup_name")


def _shown(environment: Environment) -> dict[str, object]:
    """What an audit entry keeps of it: never the address with its password."""
    return {
        "backup_kind": str(environment.backup_kind),
        "backup_reference": environment.backup_reference,
        "backup": environment.backup_name,
    }


def _proven(environment: Environment, dsn: Dsn) -> Backup:
    """Of the refusals the one that matters most comes first: that it is no copy at all."""
    seen = look_at_backup(dsn)
    if is_control_database(seen.seat):
        raise _refused("control_database", "That address leads to Lockstep's own database.", _NAME_ANOTHER)
    _refuse_target(environment, seen)
    _refuse_stranger(environment, seen)
    _refuse_other_major(environment, seen)
    _refuse_other_receipts(environment, seen.receipts)
    last = seen.receipts[-1] if seen.receipts else None
    return Backup(
        dsn, seen.major, last.head_after if last else "", last.seq if last else 0, last.applied_at if last else None
    )


def _refuse_target(environment: Environment, seen: BackupSeen) -> None:
    """Asked of the target itself; one that does not answer is told apart by where it was when it was proven."""
    try:
        if _target_seat(environment) != seen.seat:
            return
    except ConnectionLost:
        if _is_elsewhere(seen.place, environment):
            return
        raise _refused(
            "backup_not_told_apart",
            f"The target of {environment.name} does not answer, and that database may be it by its numbers.",
            "Try again when the target answers.",
        ) from None
    raise _refused(
        "backup_is_target",
        f"That address leads to the target of {environment.name} itself.",
        "Restore a backup into a database of its own and give its address.",
    )


def _target_seat(environment: Environment) -> Seat:
    with fleet_session(resolve_dsn(environment)) as conn:
        return read_seat(conn)


def _is_elsewhere(place: Place, environment: Environment) -> bool:
    here, there = place.system_identifier, environment.system_identifier
    if here and there and here != there:
        return True
    return environment.database_oid is not None and place.database_oid != environment.database_oid


def _refuse_stranger(environment: Environment, seen: BackupSeen) -> None:
    found = seen.identity
    if found is not None and found.environment == environment.uid:
        return
    if found is None:
        why = "That database does not say which environment it is a backup of."
    elif found.written_at(seen.place):
        why = f"That database is the one of {found.spoken}, and no backup."
    else:
        why = f"That database is a backup of {found.spoken}."
    raise _refused("backup_of_another", why, f"Give a backup of {environment.name}, made after it was registered.")


def _refuse_other_major(environment: Environment, seen: BackupSeen) -> None:
    major = (environment.server_version_num or 0) // 10000
    if major and major != seen.major:
        raise _refused(
            "backup_other_major",
            f"The backup runs on PostgreSQL {seen.major}, and the target of {environment.name} on {major}.",
            f"Restore it on a PostgreSQL {major} server.",
        )


def _refuse_other_receipts(environment: Environment, receipts: tuple[Receipt, ...]) -> None:
    """Each of its receipts is one of the target's: otherwise it went another way since, or is not of this history."""
    rows = standing_rows(environment)
    other = [*changed_receipts(receipts, rows), *(one for one in receipts if one.seq not in rows)]
    if other:
        first = min(other, key=lambda receipt: receipt.seq)
        raise _refused(
            "backup_differs",
            f"Receipt {first.seq} of the backup ({first.revision_id}) is none of {environment.name}'s.",
            "Restore a backup of the history that stands now. If the ledger is behind its target, compare them first.",
        )


_NAME_ANOTHER = "Give the address of a restored backup."


def _refused(code: str, message: str, next_step: str) -> Refused:
    return Refused(
        code, message, not_done="Nothing was stored, and nothing is rehearsed on that database.", next_step=next_step
    )
