"""The calendar of freezes: what holds, what is to come, what is over; adding one, and lifting it before its time."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from dashboard import access, access_cutovers
from dashboard.pages.forms import saved, utc_moment
from dashboard.pages.query import reason
from dashboard.pages.verb import told
from migrations_app.fleet.chain import service_names
from migrations_app.fleet.freezes import add_freeze, lift_freeze
from migrations_app.permissions import may, needed_for
from migrations_app.reasons import SHORTEST_REASON

MOST_PAST = 20


class FreezeForm(forms.Form):
    service = forms.ChoiceField(required=False, help_text="Whose production is frozen.")
    starts_at = utc_moment("From", required=True)
    ends_at = utc_moment("Until", required=True)
    reason = forms.CharField(
        max_length=500,
        help_text=f"At least {SHORTEST_REASON} characters; everybody reads it above every page while it holds.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        names = [(name, name) for name in service_names()]
        self.fields["service"].choices = [("", "every service"), *names]  # type: ignore[attr-defined]


@dataclass(frozen=True)
class FreezeRow:
    freeze: access_cutovers.Freeze
    state: str

    @property
    def stands(self) -> bool:
        return self.state in ("freeze_holds", "freeze_to_come")


@require_http_methods(["GET", "HEAD", "POST"])
def freezes(request: HttpRequest) -> HttpResponse:
    verb = "edit_freezes" if request.method == "POST" else "view"
    by = access.require(request.user, verb, "freezes")
    form = FreezeForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and saved(form, lambda: _add(request, form, by)):
        messages.success(request, "The freeze is in the calendar.")
        return redirect("freezes")
    rows = _rows(request)
    holding = [row for row in rows if row.state == "freeze_holds"]
    context = {
        "form": form,
        "rows": rows,
        "holding": holding,
        "headline": _headline(holding),
        "most_past": MOST_PAST,
        "why_not": "" if may(request.user, "edit_freezes") else needed_for("edit_freezes"),
        "shortest_reason": SHORTEST_REASON,
    }
    return render(request, "cutovers/freezes.html", context, status=422 if form.errors else 200)


@require_POST
def freeze_lift(request: HttpRequest, pk: int) -> HttpResponse:
    found = access_cutovers.freeze_for(request.user, pk, "edit_freezes")
    with told(request):
        lift_freeze(found, reason=reason(request), by=access.require(request.user, "edit_freezes"))
        messages.success(request, "The freeze is lifted.")
    return redirect("freezes")


def _add(request: HttpRequest, form: FreezeForm, by: access.User) -> None:
    given = dict(form.cleaned_data)
    name = given.pop("service")
    add_freeze(service=access.service_for(request.user, name) if name else None, by=by, **given)


def _rows(request: HttpRequest) -> list[FreezeRow]:
    """What holds, then what is to come, the nearest first, then what is over."""
    now = timezone.now()
    every = access_cutovers.freezes_for(request.user)
    standing = every.filter(lifted_at=None, ends_at__gt=now)
    past = every.exclude(pk__in=standing.values("pk"))[:MOST_PAST]
    rows = [FreezeRow(one, "freeze_holds") for one in standing.filter(starts_at__lte=now)]
    rows += [FreezeRow(one, "freeze_to_come") for one in standing.filter(starts_at__gt=now).order_by("starts_at")]
    return rows + [FreezeRow(one, "freeze_lifted" if one.lifted_at else "freeze_over") for one in past]


def _headline(holding: list[FreezeRow]) -> str:
    if not holding:
        return "Nothing is frozen now."
    whose = {row.freeze.service.name if row.freeze.service else "" for row in holding}
    if "" in whose:
        return "Production of every service is frozen."
    return f"Production of {', '.join(sorted(whose))} is frozen."
