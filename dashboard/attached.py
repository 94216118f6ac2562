"""What somebody attached to a report, as an answer: it may be anything, so it is saved and never shown."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from migrations_app.models import EvidenceArtefact


def attached(name: str, artefact: EvidenceArtefact) -> HttpResponse:
    """`name` is what its producer called it; no folder of it is told on."""
    file = name.replace("\\", "/").rpartition("/")[2] or artefact.sha256
    answer = HttpResponse(bytes(artefact.content), content_type="application/octet-stream")
    answer["Content-Disposition"] = content_disposition_header(True, file) or "attachment"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer
