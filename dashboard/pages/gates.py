"""The catalogue of gates: the version that a release begins with now, its versions, and a change as another one."""

from __future__ import annotations

import json
from dataclasses import fields

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from dashboard import access, access_gates, stepup
from dashboard.pages.choices import Choice
from dashboard.pages.query import number, word
from migrations_app import strict_json
from migrations_app.engine.errors import Refused
from migrations_app.fleet.chain import service_names
from migrations_app.permissions import may, needed_for
from migrations_app.reasons import SHORTEST_REASON
from migrations_app.releases.gates.catalogue import Check, Gate, read_catalogue
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.statuses import CheckKind

MOST_VERSIONS = 50
LONGEST_TEXT = 500_000
# Of a gate; its checks come last.
_ORDER = [one.name for one in (*fields(Check), *fields(Gate)) if one.name != "checks"]


class CatalogueForm(forms.Form):
    content = forms.CharField(
        label="The catalogue",
        max_length=LONGEST_TEXT,
        help_text="A JSON object with its gates. The first place that is wrong is named, and then nothing is saved.",
        widget=forms.Textarea(attrs={"rows": 28, "spellcheck": "false", "autocapitalize": "none"}),
    )
    note = forms.CharField(
        label="What it is for",
        max_length=500,
        help_text=f"At least {SHORTEST_REASON} characters; it stands beside the version.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    shown = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def clean_content(self) -> object:
        try:
            found = strict_json.loads(self.cleaned_data["content"])
            told = json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
        except json.JSONDecodeError as wrong:
            place = f"line {wrong.lineno}, column {wrong.colno}: {wrong.msg}"
            raise forms.ValidationError(f"This is no JSON: {place}.") from None
        except RecursionError:
            raise forms.ValidationError("It is nested too deeply.") from None
        except UnicodeEncodeError:
            raise forms.ValidationError("It holds half a surrogate pair, which is no character.") from None
        except ValueError as wrong:
            raise forms.ValidationError(f"This is no JSON that every reader takes alike: {wrong}.") from None
        if b"\\u0000" in told:
            raise forms.ValidationError("It holds the character NUL, which is not kept.")
        return found


@require_safe
def gates(request: HttpRequest) -> HttpResponse:
    owner = access_gates.catalogue_owner_for(request.user, word(request, "service"))
    newest = access_gates.catalogue_for(request.user, owner)
    wanted = number(request, "version", "the number of a version")
    shown = newest if wanted is None else access_gates.catalogue_version_for(request.user, owner, wanted)
    rows = list(access_gates.catalogues_for(request.user, owner)[: MOST_VERSIONS + 1])
    context = {
        "owner": owner,
        "shown": shown,
        "is_newest": shown.pk == newest.pk,
        "inherited": owner is not None and shown.service_id is None,
        "catalogue": read_catalogue(shown.content),
        "kinds": {kind.value: kind.label for kind in CheckKind},
        "versions": [(row, _address(owner, version=row.version), row.pk == shown.pk) for row in rows[:MOST_VERSIONS]],
        "more": len(rows) > MOST_VERSIONS,
        "whose": _whose(owner),
        "edit_url": _address(owner, page="gates_edit"),
        "may_edit": may(request.user, "edit_gates"),
        "editors": needed_for("edit_gates"),
    }
    return render(request, "releases/gates.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def gates_edit(request: HttpRequest) -> HttpResponse:
    """Checked as a whole before anything is kept; a version that came meanwhile is not overwritten."""
    owner = access_gates.catalogue_owner_for(request.user, word(request, "service"), "edit_gates")
    by = access.require(request.user, "edit_gates")
    newest = access_gates.catalogue_for(request.user, owner)
    text = json.dumps(in_order(newest.content), indent=2, ensure_ascii=False)
    form = CatalogueForm(request.POST or None, initial={"content": text, "shown": newest.version})
    if form.is_valid() and (elsewhere := _saved(request, form, owner, by)):
        return elsewhere
    context = {
        "owner": owner,
        "newest": newest,
        "inherited": owner is not None and newest.service_id is None,
        "form": form,
        "back_url": _address(owner),
        "password_wanted": stepup.wanted(request),
    }
    return render(request, "releases/gates_edit.html", context, status=422 if form.errors else 200)


def _saved(
    request: HttpRequest, form: CatalogueForm, owner: access.Service | None, by: access.User
) -> HttpResponse | None:
    """Where to go from there; None where the form says why it was refused."""
    try:
        stepup.confirm(request, by=by, verb="edit_gates", object=f"catalogue:{owner.name if owner else 'all'}")
        made = edit_catalogue(service=owner, by=by, **form.cleaned_data)
    except Refused as refusal:
        form.add_error(None, refusal.sentence)
        return stepup.led_out(request, refusal)
    messages.success(request, f"Version {made.version} is kept; what is registered from now on begins with it.")
    return redirect(_address(owner))


def in_order(content: object) -> object:
    """As a person writes it, the key and the title first: the database keeps no order."""
    if isinstance(content, list):
        return [in_order(one) for one in content]
    if not isinstance(content, dict):
        return content
    known = [name for name in _ORDER if name in content]
    return {name: in_order(content[name]) for name in (*known, *sorted(content.keys() - set(known)))}


def _address(owner: access.Service | None, *, page: str = "gates", version: int | None = None) -> str:
    told = {"service": owner.name if owner else None, "version": version}
    query = urlencode({name: value for name, value in told.items() if value is not None})
    return f"{reverse(page)}?{query}" if query else reverse(page)


def _whose(owner: access.Service | None) -> list[Choice]:
    chosen, page = owner.name if owner else "", reverse("gates")
    services = [Choice(name, f"{page}?{urlencode({'service': name})}", name == chosen) for name in service_names()]
    return [Choice("every service", page, owner is None), *services]
