"""Revisions of a service: put one or a whole folder, all or nothing, the chain always without gap or fork."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from migrations_app.audit.record import record
from migrations_app.engine.contract.chain import Declared, resolve
from migrations_app.engine.contract.folder import RevisionFiles, check_revision_id
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.engine.sql.checksum import checksum
from migrations_app.engine.sql.header import Header, read_header
from migrations_app.engine.sql.script import read_script, read_verify, script_to_json, statements_to_json
from migrations_app.models import AppliedRevision, Revision, Run, Service
from migrations_app.statuses import OPEN, Phase

_MAX_SCHEMA_REV = 200


@dataclass(frozen=True)
class Put:
    """What became of one revision: new, changed (it is applied nowhere), or the same bytes as before."""

    revision: Revision
    created: bool
    changed: bool = False


@dataclass(frozen=True)
class Draft:
    """A revision as offered, read and found runnable, not stored yet."""

    revision_id: str
    declared_parent: str | None
    schema_rev: str
    phase: str
    up: str
    down: str | None
    verify: str | None
    fields: dict[str, object]


def put_revision(
    *,
    service: Service,
    revision_id: str,
    up: str,
    down: str | None = None,
    verify: str | None = None,
    parent: str | None = None,
    schema_rev: str | None = None,
    phase: str | None = None,
    by: User,
) -> Put:
    """Store one revision. Raises Refused: `revision_changed` for other bytes of an applied id, what the
    parser refuses, and what would tear the chain (missing_parent, two_heads, cycle …)."""
    draft = read_draft(revision_id, up, down, verify, parent=parent, schema_rev=schema_rev, phase=phase)
    return _store(service, [draft], by)[0]


def put_folder(*, service: Service, files: Sequence[RevisionFiles], by: User) -> tuple[Put, ...]:
    """Store a folder's revisions in one transaction: every one of them, or none."""
    drafts = [read_draft(f.revision_id, f.up, f.down, f.verify) for f in files]
    return _store(service, drafts, by)


def read_draft(
    revision_id: str,
    up: str,
    down: str | None,
    verify: str | None,
    *,
    parent: str | None = None,
    schema_rev: str | None = None,
    phase: str | None = None,
) -> Draft:
    """Parse and check without storing; a refusal names the file, its line and the reason."""
    check_revision_id(revision_id)
    with _naming(f"{revision_id}.up.sql"):
        header = read_header(up)
        up_script = read_script(up)
    with _naming(f"{revision_id}.down.sql"):
        down_script = None if down is None else read_script(down)
    with _naming(f"{revision_id}.verify.sql"):
        verify_script = None if verify is None else read_verify(verify)
    return Draft(
        revision_id=revision_id,
        declared_parent=_agreed(revision_id, "parent", parent, header.parent),
        schema_rev=_schema_rev(revision_id, schema_rev, header),
        phase=_phase(revision_id, phase, header),
        up=up,
        down=down,
        verify=verify,
        fields={
            "checksum": checksum(up),
            "down_checksum": "" if down is None else checksum(down),
            "verify_checksum": "" if verify is None else checksum(verify),
            "up_script": script_to_json(up_script),
            "down_script": None if down_script is None else script_to_json(down_script),
            "verify_script": None if verify_script is None else statements_to_json(verify_script),
        },
    )


class _naming:
    """Puts the file's name in front of what is refused inside the block."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, LockstepError):
            error.message = f"{self._name}: {error.message}"


def _store(service: Service, drafts: Sequence[Draft], by: User) -> tuple[Put, ...]:
    _refuse_doubles(drafts)
    try:
        with transaction.atomic():
            Service.objects.select_for_update().get(pk=service.pk)
            return _store_locked(service, drafts, by)
    except Refused as refusal:
        if refusal.code == "revision_changed":
            _remember_refusal(service, refusal, drafts, by)
        raise


def _store_locked(service: Service, drafts: Sequence[Draft], by: User) -> tuple[Put, ...]:
    wanted = [draft.revision_id for draft in drafts]
    existing = {r.revision_id: r for r in Revision.objects.filter(service=service, revision_id__in=wanted)}
    puts = [_put(service, draft, existing.get(draft.revision_id), by) for draft in drafts]
    touched = [put for put in puts if put.created or put.changed]
    if not touched:
        return tuple(puts)
    _rechain(service, touched)
    for put in touched:
        record(
            actor=by,
            action="revision.create" if put.created else "revision.change",
            object=f"revision:{service.name}/{put.revision.revision_id}",
            after={"checksum": put.revision.checksum, "parent": put.revision.parent},
        )
    return tuple(puts)


def _put(service: Service, draft: Draft, existing: Revision | None, by: User) -> Put:
    values = {
        **draft.fields,
        "declared_parent": draft.declared_parent,
        "schema_rev": draft.schema_rev,
        "phase": draft.phase,
        "up": draft.up,
        "down": draft.down,
        "verify": draft.verify,
    }
    if existing is None:
        return Put(Revision(service=service, revision_id=draft.revision_id, created_by=by, **values), created=True)
    if not _differs(existing, draft):
        return Put(existing, created=False)
    _refuse_if_in_use(service, existing, draft)
    for name, value in values.items():
        setattr(existing, name, value)
    return Put(existing, created=False, changed=True)


def _differs(existing: Revision, draft: Draft) -> bool:
    """Bytes and what the header says; a parent that name order decides is no difference."""
    if draft.declared_parent not in (None, existing.parent):
        return True
    old = (existing.checksum, existing.down_checksum, existing.verify_checksum)
    new = tuple(draft.fields[name] for name in ("checksum", "down_checksum", "verify_checksum"))
    return (old, existing.schema_rev, existing.phase) != (new, draft.schema_rev, draft.phase)


def _refuse_if_in_use(service: Service, existing: Revision, draft: Draft) -> None:
    applied = AppliedRevision.objects.filter(environment__service=service, revision_id=existing.revision_id)
    places = sorted(applied.values_list("environment__name", flat=True))
    running = Run.objects.filter(
        service=service, status__in=OPEN, revisions__contains=[{"revision_id": existing.revision_id}]
    ).first()
    if not places and running is None:
        return
    where = f"applied in {', '.join(places[:5])}" if places else f"part of run {running.pk}, which is not finished"  # type: ignore[union-attr]
    raise Refused(
        "revision_changed",
        f"{existing.revision_id} is {where}, and was offered {_what_differs(existing, draft)}.",
        not_done="The stored revision was left as it is; nothing will be run again.",
        next_step="Put the change into a new revision.",
    )


def _what_differs(existing: Revision, draft: Draft) -> str:
    """In words: which file's bytes, or what the header says."""
    for field, what in (("checksum", "up"), ("down_checksum", "down"), ("verify_checksum", "verify")):
        old, new = getattr(existing, field), str(draft.fields[field])
        if old != new:
            return _two_files(what, old, new)
    return "with another parent, phase or schema_rev than it has"


def _two_files(what: str, old: str, new: str) -> str:
    """A file that is left out, one that came new, or two that differ."""
    if not new:
        return f"without its {what} file ({old[:22]}… is stored)"
    if not old:
        return f"with a {what} file ({new[:22]}…), and is stored without one"
    return f"with other bytes of its {what} file ({old[:22]}… stored, {new[:22]}… offered)"


def _rechain(service: Service, touched: Sequence[Put]) -> None:
    """Give every revision its parent and place; the constraints are checked at commit."""
    stored = {r.revision_id: r for r in Revision.objects.filter(service=service).defer(*_BULKY)}
    stored.update({put.revision.revision_id: put.revision for put in touched})
    links = resolve(Declared(r.revision_id, r.declared_parent) for r in stored.values())
    places = {link.revision_id: (link.parent, place) for place, link in enumerate(links, start=1)}
    moved = [r for r in stored.values() if (r.parent, r.position) != places[r.revision_id]]
    _refuse_new_parent(service, moved, places)
    for revision in moved:
        revision.parent, revision.position = places[revision.revision_id]
    new = [put.revision for put in touched if put.created]
    changed = [put.revision for put in touched if put.changed]
    fresh = {r.revision_id for r in (*new, *changed)}
    Revision.objects.bulk_update(
        [r for r in moved if r.revision_id not in fresh], ["parent", "position"], batch_size=500
    )
    for revision in changed:
        revision.save()
    Revision.objects.bulk_create(new, batch_size=200)


_BULKY = ("up", "down", "verify", "up_script", "down_script", "verify_script")


def _refuse_new_parent(service: Service, moved: Iterable[Revision], places: dict[str, tuple[str, int]]) -> None:
    reparented = [r for r in moved if r.pk and r.parent != places[r.revision_id][0]]
    if not reparented:
        return
    ids = [r.revision_id for r in reparented]
    applied = (
        AppliedRevision.objects.filter(environment__service=service, revision_id__in=ids)
        .values_list("revision_id", "environment__name")
        .first()
    )
    if applied is None:
        return
    revision_id, place = applied
    raise Refused(
        "before_applied",
        f"{places[revision_id][0]} would come right before {revision_id}, which is already applied in {place} "
        "after another parent.",
        not_done="Nothing was stored.",
        next_step="Give the new revision an id that sorts after the applied ones, or name its parent.",
    )


def _remember_refusal(service: Service, refusal: Refused, drafts: Sequence[Draft], by: User) -> None:
    """Keep on the revision and in the audit log that other bytes were offered."""
    with transaction.atomic():
        for draft in drafts:
            revision = Revision.objects.filter(service=service, revision_id=draft.revision_id).first()
            if revision is None or not _differs(revision, draft):
                continue
            offered = str(draft.fields["checksum"])
            Revision.objects.filter(pk=revision.pk).update(refused_checksum=offered, refused_at=Now())
            record(
                actor=by,
                action="revision.change_refused",
                object=f"revision:{service.name}/{draft.revision_id}",
                before={"checksum": revision.checksum},
                after={"offered": offered, "why": refusal.message},
            )


def _refuse_doubles(drafts: Sequence[Draft]) -> None:
    seen: set[str] = set()
    for draft in drafts:
        if draft.revision_id in seen:
            raise Refused(
                "duplicate_revision",
                f"{draft.revision_id} was offered twice.",
                not_done="Nothing was stored.",
                next_step="Keep one of the two.",
            )
        seen.add(draft.revision_id)


def _agreed(revision_id: str, what: str, given: str | None, header: str | None) -> str | None:
    """What was given beside the file and what its header says must not contradict each other."""
    if given is not None and header is not None and given != header:
        raise Refused(
            "header_differs",
            f"{revision_id}: {what} was given as {given!r}, but the file's header says {header!r}.",
            not_done="Nothing was stored.",
            next_step="Make them equal, or leave one of them out.",
        )
    return given if given is not None else header


def _schema_rev(revision_id: str, given: str | None, header: Header) -> str:
    value = _agreed(revision_id, "schema_rev", given, header.schema_rev) or ""
    if len(value) > _MAX_SCHEMA_REV:
        raise Refused(
            "schema_rev_too_long",
            f"{revision_id}: schema_rev has {len(value)} characters, the limit is {_MAX_SCHEMA_REV}.",
            not_done="Nothing was stored.",
            next_step="Shorten it.",
        )
    return value


def _phase(revision_id: str, given: str | None, header: Header) -> str:
    value = _agreed(revision_id, "phase", given, header.phase) or Phase.EXPAND
    if value not in Phase.values:
        raise Refused(
            "unknown_phase",
            f"{revision_id}: {value!r} is no phase.",
            not_done="Nothing was stored.",
            next_step=f"Use one of {', '.join(Phase.values)}.",
        )
    return value
