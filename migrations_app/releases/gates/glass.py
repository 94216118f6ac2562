"""Break the glass: cut over although gates block, by the word of two people, seen by everybody and for good."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from migrations_app.engine.errors import Refused
from migrations_app.models import BreakGlass, BreakGlassAnswer, Release
from migrations_app.permissions import RELEASE_MANAGER, may, roles_of
from migrations_app.reasons import require_reason
from migrations_app.releases.gates.catalogue import sha256_of
from migrations_app.releases.gates.changing import begun, record_change
from migrations_app.releases.gates.judging import Verdict
from migrations_app.releases.gates.reading import Judged, judged
from migrations_app.releases.gates.telling import told
from migrations_app.statuses import CUTOVER_OPEN

GOOD_FOR = timedelta(hours=1)
TOLD_FOR = timedelta(hours=24)  # after it was broken, above every page
NOT_DONE = "The glass is whole; nothing was started."


def ask_to_break(*, release: Release, typed: str, reason: str, by: User) -> BreakGlass:
    """Raises Refused("not_confirmed"), Refused("gates_pass"), Refused("glass_asked"), Refused("reason_missing")."""
    if typed != release.release_id:
        raise _refused("not_confirmed", f"The name that was typed is not {release.release_id}.", "Type it as it is.")
    require_reason(reason, "Breaking the glass", not_done=NOT_DONE, next_step="Say what cannot wait.")
    with transaction.atomic():
        begun(release)
        stands = judged(release)
        found = blockers(stands.verdict)
        if not found:
            raise _refused("gates_pass", "Every gate passes.", "Cut over as usual.")
        waiting = BreakGlass.objects.filter(release=release, answer=None, expires_at__gt=Now())
        if waiting.exists():
            raise _refused("glass_asked", "Somebody has asked for it already.", "Answer that, or wait an hour.")
        row = BreakGlass.objects.create(
            release=release,
            blockers=found,
            blockers_hash=blockers_hash(stands),
            asked_by=by,
            reason=reason.strip(),
            expires_at=Now() + GOOD_FOR,
        )
        row.refresh_from_db()
        record_change(release, "glass.ask", by, told(row))
    return BreakGlass.objects.select_related("asked_by", "release__service").get(pk=row.pk)


def answer_glass(glass: BreakGlass, *, granted: bool, reason: str, by: User) -> BreakGlassAnswer:
    """The second person's word; one of the two is a release manager. Needs a transaction that does what follows."""
    require_reason(reason, "An answer", not_done=NOT_DONE, next_step="Say why.")
    begun(glass.release)
    if glass.asked_by_id == by.pk and granted:
        raise _refused("own_request", "Nobody grants what they asked for themselves.", "Ask another person.")
    if BreakGlassAnswer.objects.filter(glass=glass).exists():
        raise _refused("glass_is_answered", "Somebody has answered it already.", "Look at the release.")
    if not BreakGlass.objects.filter(pk=glass.pk, expires_at__gt=Now()).exists():
        raise _refused("glass_is_over", "It was asked for more than an hour ago.", "Ask again.")
    if granted and not may(glass.asked_by, "break_glass"):
        name = glass.asked_by.get_username()
        raise _refused("asker_may_not", f"{name} may not break the glass any more.", "Ask for it anew.")
    if granted and not any(RELEASE_MANAGER in roles_of(person) for person in (glass.asked_by, by)):
        raise _refused("no_release_manager", "Neither of the two is a release manager.", "Ask one of them.")
    row = BreakGlassAnswer.objects.create(glass=glass, granted=granted, by=by, reason=reason.strip())
    verb = "glass.break" if granted else "glass.decline"
    row.refresh_from_db()
    record_change(glass.release, verb, by, {**told(row), "blockers": glass.blockers})
    return row


def decline_glass(glass: BreakGlass, *, reason: str, by: User) -> BreakGlassAnswer:
    """Say no; whoever asked may take it back in the same way."""
    with transaction.atomic():
        return answer_glass(glass, granted=False, reason=reason, by=by)


def glass_to_tell() -> BreakGlass | None:
    """What everybody has to know now: glass that is broken, while its cutover is open or for a day; else one asked for.

    One query.
    """
    rows = BreakGlass.objects.select_related("release__service", "asked_by", "answer__by", "cutover")
    lately = Q(answer__at__gt=Now() - TOLD_FOR) | Q(cutover__status__in=sorted(CUTOVER_OPEN))
    waits = Q(answer=None, expires_at__gt=Now())
    return (
        rows.filter(Q(answer__granted=True) & lately | waits)
        .order_by(F("answer__id").desc(nulls_last=True), "-id")
        .first()
    )


def blockers(verdict: Verdict) -> list[list[str]]:
    """What both people saw, as it is kept."""
    return [[gate.gate.key, gate.sentence] for gate in verdict.blocking]


def blockers_hash(stands: Judged) -> str:
    """Of what blocks and why, without the ages that its sentences tell, and of the SQL and the targets it is about."""
    about = [stands.known.parts[name] for name in ("release", "revisions", "targets")]
    told = [
        [
            gate.gate.key,
            [[one.check.key, one.state, gate.parts[f"check:{one.check.key}"]] for one in gate.checks if one.blocks],
            list(gate.wants),
        ]
        for gate in stands.verdict.blocking
    ]
    return sha256_of([about, told])


def _refused(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done=NOT_DONE, next_step=next_step)
