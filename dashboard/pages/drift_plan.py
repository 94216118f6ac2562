"""Uploading the revision that ends a drift: the upload page, filled in from the draft for a person to finish."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from dashboard import access
from dashboard.pages.forms import saved
from dashboard.pages.query import address, one_of
from dashboard.pages.verb import told
from migrations_app.engine.contract.chain import MAX_LENGTH
from migrations_app.fleet.drift_plan import Finished, Offer, offer, plan_drift
from migrations_app.fleet.schema_words import WAYS

_CODE = {"autocomplete": "off", "spellcheck": "false"}


class FinishedForm(forms.Form):
    """`found` and `planned` are what the person looked at; they travel with the page."""

    revision_id = forms.CharField(label="Revision", max_length=MAX_LENGTH, widget=forms.TextInput(attrs=_CODE))
    up = forms.CharField(label="Up", strip=False, widget=forms.Textarea(attrs={**_CODE, "rows": 18}))
    down = forms.CharField(
        label="Down",
        strip=False,
        required=False,
        help_text="Empty: the revision is irreversible.",
        widget=forms.Textarea(attrs={**_CODE, "rows": 12}),
    )
    found = forms.CharField(max_length=80, widget=forms.HiddenInput)
    planned = forms.CharField(max_length=80, required=False, widget=forms.HiddenInput)

    def finished(self, way: str) -> Finished:
        """Browsers send every end of a line as two characters; a file has one."""
        given = {name: str(text).replace("\r\n", "\n") for name, text in self.cleaned_data.items()}
        return Finished(
            way=way,
            revision_id=given["revision_id"],
            up=given["up"],
            down=given["down"] if given["down"].strip() else None,
            found=given["found"],
            planned=given["planned"],
        )


@require_http_methods(["GET", "HEAD", "POST"])
def environment_schema_plan(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    found = access.environment_for(request.user, service, environment, "decide_drift")
    by = access.require(request.user, "upload_revision")
    way = one_of(request, "way", WAYS) or "adopt"
    form = FinishedForm(request.POST) if request.method == "POST" else None
    if form is None:
        with told(request):
            offered = offer(found, way)
            return _page(request, found, way, FinishedForm(initial=vars(offered)), offered)
    elif not (
        form.is_valid() and saved(form, lambda: plan_drift(environment=found, finished=form.finished(way), by=by))
    ):
        return _page(request, found, way, form)
    else:
        done = f"{form.cleaned_data['revision_id']} was stored: it {WAYS[way]} once it is applied on {found.name}."
        messages.success(request, done)
    return redirect("environment_schema", service, environment)


def _page(
    request: HttpRequest, environment: access.Environment, way: str, form: FinishedForm, offered: Offer | None = None
) -> HttpResponse:
    context = {
        "environment": environment,
        "way": way,
        "form": form,
        "offered": offered,
        "other_url": address(request, way="revert" if way == "adopt" else "adopt"),
    }
    return render(request, "revisions/upload_drift.html", context, status=422 if form.errors else 200)
