"""The evidence bundle of a release as a download; who took it is told in the audit log."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from dashboard import access
from migrations_app.releases.bundle.make import make_bundle


@require_safe
def release_bundle(request: HttpRequest, service: str, release_id: str) -> HttpResponse:
    by = access.require(request.user, "export", f"release:{service}/{release_id}")
    bundle = make_bundle(access.release_named_for(request.user, service, release_id), by)
    answer = HttpResponse(bundle.text, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{bundle.name}"'
    answer["Lockstep-Anchor"] = bundle.anchor
    return answer
