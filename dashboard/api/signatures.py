"""Signatures under a release's gates: sign exactly what was seen, and take one's own back."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import Field

from dashboard import access, access_gates
from dashboard.api.gate_shapes import SignatureOut, told_signature
from dashboard.api.identity import BY_TOKEN
from dashboard.api.shapes import Asking, Reason, answers
from migrations_app.releases.gates.reading import judged
from migrations_app.releases.gates.signing import sign_off, withdraw

router = Router(tags=["gates"])


class Signing(Asking):
    """`evidence_hash` is the gate's, as `GET /releases/ID` told it with what was looked at."""

    evidence_hash: Annotated[str, Field(max_length=64)]
    comment: Annotated[str, Field(max_length=1000)] = ""


class Withdrawing(Asking):
    reason: Reason


@router.post(
    "/{int:release_number}/gates/{str:gate}/signoff",
    response=answers(SignatureOut, 201, also=409),
    operation_id="sign_gate",
    auth=BY_TOKEN,
)
def sign(request: HttpRequest, release_number: int, gate: str, body: Signing) -> Status[SignatureOut]:
    """409 with both hashes where the evidence is other than what was seen; 403 for one's own release or run."""
    release = access.release_for(request.user, release_number, "sign_gate")
    by = access.require(request.user, "sign_gate")
    signed = sign_off(release=release, gate=gate, evidence_hash=body.evidence_hash, comment=body.comment, by=by)
    return Status(201, _as_it_stands(release, signed.pk))


@router.post(
    "/{int:release_number}/signatures/{int:signature_number}/withdraw",
    response=answers(SignatureOut, also=409),
    operation_id="withdraw_signature",
)
def withdraw_signature(
    request: HttpRequest, release_number: int, signature_number: int, body: Withdrawing
) -> SignatureOut:
    release = access.release_for(request.user, release_number, "sign_gate")
    signature = access_gates.signature_for(request.user, release, signature_number, "sign_gate")
    withdraw(signature, reason=body.reason, by=access.require(request.user, "sign_gate"))
    return _as_it_stands(release, signature.pk)


def _as_it_stands(release: access.Release, pk: int) -> SignatureOut:
    """With why it does not count, should something have changed right after."""
    gates = judged(release).verdict.gates
    found = next(one for gate in gates for one in gate.signatures if one.signature.id == pk)
    return told_signature(found)
