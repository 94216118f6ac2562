"""A person signs a gate: exactly the evidence set that stood on their screen, and never of their own release or run."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from migrations_app.engine.errors import Refused
from migrations_app.models import GateSignature, Release, SignatureWithdrawal
from migrations_app.permissions import roles_of
from migrations_app.reasons import require_reason
from migrations_app.releases.gates.changing import begun, gate_named, record_change
from migrations_app.releases.gates.judging import GateVerdict
from migrations_app.releases.gates.reading import judged
from migrations_app.releases.gates.telling import told

NOT_DONE = "Nothing was signed."
LONGEST_COMMENT = 1000


class EvidenceChanged(Refused):
    """The evidence set on the screen is not the one that stands; both hashes are told."""

    def __init__(self, gate: GateVerdict, shown: str) -> None:
        super().__init__(
            "evidence_changed",
            f"The evidence of {gate.gate.title} is not what was shown: {shown[:12]}… was shown, "
            f"{gate.evidence_hash[:12]}… stands now.",
            not_done=NOT_DONE,
            next_step="Look at the gate again, and sign what you see there.",
        )
        self.shown, self.stands = shown, gate.evidence_hash


def sign_off(*, release: Release, gate: str, evidence_hash: str, comment: str = "", by: User) -> GateSignature:
    """Put a name under a gate's evidence set.

    Raises EvidenceChanged, Refused("own_release"), Refused("own_run"), Refused("gate_not_green"),
    Refused("signed_before"), Refused("no_such_gate").
    """
    if len(comment) > LONGEST_COMMENT:
        raise _refused("too_long", f"The comment is longer than {LONGEST_COMMENT} characters.", "Shorten it.")
    with transaction.atomic():
        gate_named(begun(release), gate, NOT_DONE)
        stands = judged(release)
        found = stands.verdict.gate(gate)
        assert found is not None, "gate_named() has found it"
        _refuse_own(release, stands.known.barred.get(by.pk), by)
        if evidence_hash != found.evidence_hash:
            raise EvidenceChanged(found, evidence_hash)
        _refuse_not_green(found)
        if any(one.by_id == by.pk for one in found.signed):
            raise _refused(
                "signed_before", f"You have signed {found.gate.title} as it stands.", "Nothing is left to do."
            )
        row = GateSignature.objects.create(
            release=release,
            gate_key=gate,
            by=by,
            roles=sorted(roles_of(by)),
            evidence_hash=found.evidence_hash,
            parts=found.parts,
            comment=comment.strip(),
            expires_at=Now() + timedelta(hours=found.gate.signature_hours),
        )
        row.refresh_from_db()
        record_change(release, "gate.sign", by, told(row))
    return GateSignature.objects.select_related("by").get(pk=row.pk)


def withdraw(signature: GateSignature, *, reason: str, by: User) -> SignatureWithdrawal:
    """Take one's own signature back. Raises Refused("not_yours"), Refused("withdrawn_before")."""
    if signature.by_id != by.pk:
        raise _withdrawal_refused("not_yours", f"It is {signature.by.get_username()}'s signature.", "Ask them.")
    require_reason(reason, "A withdrawal", not_done="The signature stands.", next_step="Say why.")
    with transaction.atomic():
        begun(signature.release)
        if SignatureWithdrawal.objects.filter(signature=signature).exists():
            raise _withdrawal_refused("withdrawn_before", "It is withdrawn already.", "Nothing is left to do.")
        row = SignatureWithdrawal.objects.create(signature=signature, by=by, reason=reason.strip())
        row.refresh_from_db()
        record_change(signature.release, "gate.withdraw", by, told(row))
    return row


def _refuse_own(release: Release, why: str | None, by: User) -> None:
    if why is None:
        return
    code = "own_release" if by.pk == release.created_by_id else "own_run"
    raise _refused(code, f"{by.get_username()} {why}.", "Ask somebody who had no hand in it.")


def _refuse_not_green(gate: GateVerdict) -> None:
    if not gate.gate.on:
        raise _refused("gate_not_applicable", f"{gate.gate.title} does not apply.", "Nothing is left to do.")
    if not gate.green:
        raise _refused(
            "gate_not_green",
            f"{gate.gate.title} does not pass, so there is nothing to sign. {gate.sentence}",
            "Have the missing evidence reported first.",
        )


def _refused(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done=NOT_DONE, next_step=next_step)


def _withdrawal_refused(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done="Nothing was withdrawn.", next_step=next_step)
