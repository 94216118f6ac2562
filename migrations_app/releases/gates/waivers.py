"""Exemptions: somebody asks to let one check pass for a while, somebody else approves it; it ends within a week."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from migrations_app.engine.errors import Refused
from migrations_app.models import GateWaiver, Release, WaiverDecision
from migrations_app.reasons import refuse_long_reason, require_reason
from migrations_app.releases.gates.barred import people_barred
from migrations_app.releases.gates.changing import begun, named, record_change
from migrations_app.releases.gates.telling import told
from migrations_app.statuses import WaiverVerb

NOT_DONE = "No exemption was made."
MOST_HOURS = 7 * 24


def ask_waiver(*, release: Release, gate: str, check: str, reason: str, hours: int, by: User) -> GateWaiver:
    """Raises Refused("not_waivable"), Refused("bad_expiry"), Refused("waiver_asked"), Refused("reason_missing")."""
    require_reason(reason, "An exemption", not_done=NOT_DONE, next_step="Say why the release may go without it.")
    if not 1 <= hours <= MOST_HOURS:
        raise _refused("bad_expiry", f"An exemption cannot hold for {hours} hours.", f"Give 1 to {MOST_HOURS}.")
    with transaction.atomic():
        _, wanted = named(begun(release), gate, check, NOT_DONE)
        if not wanted.waivable:
            raise _refused("not_waivable", f"Nobody may let “{wanted.title}” pass.", "Have it shown.")
        if _waiting(release, gate, check):
            raise _refused("waiver_asked", "An exemption was asked for already.", "Have that one decided first.")
        row = GateWaiver.objects.create(
            release=release,
            gate_key=gate,
            check_key=check,
            requested_by=by,
            reason=reason.strip(),
            expires_at=Now() + timedelta(hours=hours),
        )
        row.refresh_from_db()
        record_change(release, "waiver.ask", by, told(row))
    return GateWaiver.objects.select_related("requested_by").get(pk=row.pk)


def decide_waiver(waiver: GateWaiver, verb: str, *, reason: str = "", by: User) -> WaiverDecision:
    """Approve, decline, withdraw or revoke it.

    Raises Refused: `own_request` and `own_release` for who may not, `waiver_is_…` for what is over.
    """
    verb = WaiverVerb(verb)
    if verb != WaiverVerb.APPROVE:
        require_reason(reason, "This", not_done="Nothing was decided.", next_step="Say why.")
    refuse_long_reason(reason, not_done="Nothing was decided.")
    with transaction.atomic():
        begun(waiver.release)
        _refuse_wrong_person(waiver, verb, by)
        _refuse_wrong_order(waiver, verb)
        row = WaiverDecision.objects.create(waiver=waiver, verb=verb, by=by, reason=reason.strip())
        row.refresh_from_db()
        record_change(waiver.release, f"waiver.{verb}", by, told(row))
    return row


def _waiting(release: Release, gate: str, check: str) -> bool:
    open_ones = GateWaiver.objects.filter(release=release, gate_key=gate, check_key=check, expires_at__gt=Now())
    return open_ones.filter(decisions=None).exists()


def _refuse_wrong_person(waiver: GateWaiver, verb: WaiverVerb, by: User) -> None:
    mine = waiver.requested_by_id == by.pk
    if verb == WaiverVerb.WITHDRAW:
        if not mine:
            raise _undecided("not_yours", f"{waiver.requested_by.get_username()} asked for it.", "Decline it instead.")
        return
    if mine:
        raise _undecided("own_request", "Nobody decides what they asked for themselves.", "Ask another person.")
    if verb == WaiverVerb.APPROVE and (why := people_barred(waiver.release).get(by.pk)):
        code = "own_release" if by.pk == waiver.release.created_by_id else "own_run"
        raise _undecided(code, f"{by.get_username()} {why}.", "Ask another person.")


def _refuse_wrong_order(waiver: GateWaiver, verb: WaiverVerb) -> None:
    made = list(waiver.decisions.order_by("id").values_list("verb", flat=True))
    approved = made == [WaiverVerb.APPROVE]
    if verb == WaiverVerb.REVOKE and approved:
        return
    if verb == WaiverVerb.REVOKE and not made:
        raise _undecided("waiver_is_asked", "Nobody has approved it.", "Decline it.")
    if made and not (approved and verb == WaiverVerb.WITHDRAW):
        word = WaiverVerb(made[-1])
        raise _undecided(f"waiver_is_{word}", f"It is {word.label} already.", "Ask for a new one where it is needed.")
    if not GateWaiver.objects.filter(pk=waiver.pk, expires_at__gt=Now()).exists():
        raise _undecided("waiver_is_over", "The time that it was asked for is over.", "Ask for a new one.")


def _refused(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done=NOT_DONE, next_step=next_step)


def _undecided(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done="Nothing was decided.", next_step=next_step)
