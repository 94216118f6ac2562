"""The one way in which anything about a release's gates changes: under the lock of its state."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db.models import F
from django.db.models.functions import Now

from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.models import Release, ReleaseState
from migrations_app.releases.gates.catalogue import Check, Gate, read_catalogue
from migrations_app.releases.gates.catalogues import newest_catalogue
from migrations_app.statuses import RELEASE_EDGES, ReleaseStatus


def begun(release: Release) -> ReleaseState:
    """The release's state under its lock, with the catalogue that it keeps from now on. Needs a transaction."""
    state = ReleaseState.objects.select_for_update(of=("self",)).select_related("catalogue").get(pk=release.pk)
    if state.catalogue is None:
        state.catalogue = newest_catalogue(release.service)
        state.save(update_fields=["catalogue"])
    return state


def touched(release: Release) -> None:
    """Something of it is other than before: pages notice, and a draft has begun."""
    noticed(release)
    draft = ReleaseState.objects.filter(pk=release.pk, status=ReleaseStatus.DRAFT)
    draft.update(status=ReleaseStatus.COLLECTING)


def noticed(release: Release) -> None:
    """Pages draw it anew; what is known of it is the same."""
    ReleaseState.objects.filter(pk=release.pk).update(version=F("version") + 1, changed_at=Now())


def move(release: Release, *, to: ReleaseStatus, only_from: frozenset[str]) -> bool:
    """The one writer of a release's status. False: it stands elsewhere."""
    edges = {old for old, new in RELEASE_EDGES if new == to}
    assert only_from <= edges, f"no edge from {sorted(only_from - edges)} to {to}"
    state = ReleaseState.objects.filter(pk=release.pk, status__in=sorted(only_from))
    return state.update(status=to, version=F("version") + 1, changed_at=Now()) == 1


def named(state: ReleaseState, gate_key: str, check_key: str, not_done: str) -> tuple[Gate, Check]:
    """A check of the release's catalogue. Raises Refused("no_such_gate"), Refused("no_such_check")."""
    gate = gate_named(state, gate_key, not_done)
    check = gate.check(check_key)
    if check is None:
        known = ", ".join(one.key for one in gate.checks)
        raise Refused(
            "no_such_check",
            f"The gate {gate.key} has no check {check_key[:63]!r} (known: {known}).",
            not_done=not_done,
            next_step="Use one of those.",
        )
    return gate, check


def gate_named(state: ReleaseState, gate_key: str, not_done: str) -> Gate:
    assert state.catalogue is not None, "begun() has given it one"
    catalogue = read_catalogue(state.catalogue.content)
    gate = catalogue.gate(gate_key)
    if gate is None:
        known = ", ".join(one.key for one in catalogue.gates)
        raise Refused(
            "no_such_gate",
            f"The catalogue has no gate {gate_key[:63]!r} (known: {known}).",
            not_done=not_done,
            next_step="Use one of those.",
        )
    return gate


def record_change(release: Release, verb: str, by: User | None, after: Mapping[str, object]) -> None:
    """Call it last, as record() wants. The entry tells as well by which catalogue the release is judged."""
    touched(release)
    kept = ReleaseState.objects.values_list("catalogue__sha256", flat=True).get(pk=release.pk)
    record(actor=by, action=verb, object=object_of(release), after={**after, "catalogue": kept} if kept else after)


def object_of(release: Release) -> str:
    """What an audit entry calls it."""
    return f"release:{release.service.name}/{release.release_id}"
