"""The evidence bundle of a release: one file, checked offline by `manage.py verify_audit --bundle`."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import JsonValue

from dashboard import access
from dashboard.api.shapes import Telling, answers
from migrations_app.releases.bundle.make import make_bundle

router = Router(tags=["releases"])


class BundleOut(Telling):
    """`document` is what there is about the release, `proof` the audit entry with its hash, and links of the chain."""

    format: str
    document: dict[str, JsonValue]
    proof: dict[str, JsonValue]


@router.get("/{int:release_number}/bundle", response=answers(BundleOut), operation_id="get_release_bundle")
def get_bundle(request: HttpRequest, release_number: int) -> HttpResponse:
    """Everything there is about the release, with hashes and audit entries; that it was taken is written in the log.

    The header `Lockstep-Anchor` names the entry that seals it.
    """
    by = access.require(request.user, "export", f"release:{release_number}")
    bundle = make_bundle(access.release_for(request.user, release_number), by)
    answer = HttpResponse(bundle.text, content_type="application/json")
    answer["Lockstep-Anchor"] = bundle.anchor
    return answer
