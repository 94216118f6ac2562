"""The style page: every part of the pages in every state, drawn by the same partials with sample data."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.frame import may_style
from dashboard.pages.style_samples import PARTS, SampleForm, samples


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    """For staff and administrators; anybody else gets the refusal that every page gives."""
    if not may_style(request.user):
        access.require(request.user, "view_style")
    form = SampleForm({"name": "Orders EU", "stage": "prod"})
    return render(request, "style/style.html", {"parts": PARTS, "form": form, **samples(timezone.now())})
