"""Register a release by hand: what a build otherwise does over the API."""

from __future__ import annotations

import re

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from dashboard import access
from dashboard.pages.forms import plain, saved
from dashboard.pages.query import word
from migrations_app.fleet.chain import service_names
from migrations_app.releases.registering import LONGEST, register_release

_SUM = re.compile(r"(?P<sha256>[0-9A-Fa-f]{64})[ \t]+\*?(?P<name>\S.*)\Z")  # a line as sha256sum writes it


def _value(help_text: str, label: str, *, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=LONGEST, required=required, help_text=help_text, widget=plain(spellcheck="false")
    )


class ReleaseForm(forms.Form):
    service = forms.ChoiceField()
    release_id = _value("Such as 2026.11.3; it names these values for good.", "Release", required=True)
    schema_rev = _value("The schema that it is built for, as a revision declares it.", "Schema", required=True)
    schema_rev_min = _value("The oldest one it can work with. Empty: its own.", "Oldest schema")
    schema_rev_max = _value("The newest one it can work with. Empty: its own.", "Newest schema")
    commit = _value("Evidence from another commit is refused then.", "Commit")
    index_hash = _value("Of the index that it expects on every node.", "Index hash")
    secrets_rev = _value("The name of the set of secrets that it expects, never a secret.", "Set of secrets")
    artefacts = forms.CharField(
        required=False,
        help_text="What was built, a line for each as sha256sum prints it: the hash, two spaces, the name.",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )

    def __init__(self, data: object, *, service: str = "") -> None:
        super().__init__(data, initial={"service": service})  # type: ignore[arg-type]
        names = [(name, name) for name in service_names()]
        self.fields["service"].choices = [("", "choose"), *names]  # type: ignore[attr-defined]

    def clean_artefacts(self) -> dict[str, str]:
        lines = [line.strip() for line in self.cleaned_data["artefacts"].splitlines() if line.strip()]
        found: dict[str, str] = {}
        for line in lines:
            read = _SUM.match(line)
            if read is None:
                raise forms.ValidationError(f"“{line[:60]}” is no line of 64 hexadecimal digits and a name.")
            if read["name"] in found:
                raise forms.ValidationError(f"{read['name'][:60]} stands there twice.")
            found[read["name"]] = read["sha256"].lower()
        return found


@require_http_methods(["GET", "HEAD", "POST"])
def release_add(request: HttpRequest) -> HttpResponse:
    by = access.require(request.user, "register_release", "releases")
    form = ReleaseForm(request.POST if request.method == "POST" else None, service=word(request, "service"))
    if form.is_valid():
        given = dict(form.cleaned_data)
        service = access.service_for(request.user, given.pop("service"))
        if saved(form, lambda: register_release(service=service, by=by, **given)):
            messages.success(request, f"{given['release_id']} is registered. Next: evidence for its gates.")
            return redirect("release", service.name, given["release_id"])
    return render(request, "releases/add.html", {"form": form}, status=422 if form.errors else 200)
