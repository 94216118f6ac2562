"""What people do about one check or signature: report it, ask to let it pass, take a name back, fetch a file."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import access, access_gates
from dashboard.attached import attached
from dashboard.pages.forms import saved
from dashboard.pages.gate_rows import CheckRow
from dashboard.pages.release_view import Look, look
from migrations_app.engine.errors import Refused
from migrations_app.reasons import SHORTEST_REASON
from migrations_app.releases.gates.evidence import LONGEST_SUMMARY, MOST_BYTES, Attachment, post_evidence
from migrations_app.releases.gates.looking import ask_look
from migrations_app.releases.gates.signing import withdraw
from migrations_app.releases.gates.waivers import MOST_HOURS, ask_waiver
from migrations_app.statuses import EvidenceStatus

_MOST_MB = MOST_BYTES // 1024 // 1024


class EvidenceForm(forms.Form):
    status = forms.ChoiceField(
        label="What was found", choices=[("", "choose"), *((one.value, f"it {one.label}") for one in EvidenceStatus)]
    )
    summary = forms.CharField(
        max_length=LONGEST_SUMMARY,
        help_text="In a sentence, for whoever signs it.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    artefact = forms.FileField(
        label="File",
        required=False,
        allow_empty_file=True,
        help_text=f"What shows it; at most {_MOST_MB} MB. It is kept by its hash and handed out as a download.",
    )

    def clean_artefact(self) -> object:
        file = self.cleaned_data["artefact"]
        if file is not None and file.size > MOST_BYTES:
            raise forms.ValidationError(f"The file has {file.size:,} bytes, the limit is {MOST_BYTES:,}.")
        return file

    def attachment(self) -> Attachment | None:
        file = self.cleaned_data["artefact"]
        return Attachment(name=file.name, content=file.read()) if file is not None else None


class ExemptionForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        help_text=f"Why the release may go without it; at least {SHORTEST_REASON} characters. "
        "The second person reads it.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    hours = forms.IntegerField(
        label="For how many hours",
        initial=24,
        min_value=1,
        max_value=MOST_HOURS,
        help_text=f"From now on; at most {MOST_HOURS}, which is a week.",
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        help_text=f"At least {SHORTEST_REASON} characters; it is kept in the audit chain with your name.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def release_evidence(request: HttpRequest, service: str, gate: str, check: str, release_id: str) -> HttpResponse:
    """Report by hand what no machine reports."""
    found = access.release_named_for(request.user, service, release_id, "post_evidence")
    by = access.require(request.user, "post_evidence")
    row = _row(look(request, found), gate, check)
    form = EvidenceForm(request.POST, request.FILES) if request.method == "POST" else EvidenceForm()
    if form.is_valid() and saved(
        form,
        lambda: post_evidence(
            release=found,
            gate=gate,
            check=check,
            status=form.cleaned_data["status"],
            summary=form.cleaned_data["summary"],
            attachment=form.attachment(),
            by=by,
        ),
    ):
        messages.success(request, f"Recorded: {gate}/{check} of {release_id} {form.cleaned_data['status']}.")
        return redirect(_back(found, row))
    return _page(request, "releases/evidence.html", found, row, form)


@require_POST
def release_look(request: HttpRequest, service: str, gate: str, check: str, release_id: str) -> HttpResponse:
    """Have a worker look at it now; what it finds comes as evidence."""
    found = access.release_named_for(request.user, service, release_id, "post_evidence")
    row = _row(look(request, found), gate, check)
    try:
        ask_look(release=found, gate=gate, check=check, by=access.require(request.user, "post_evidence"))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, f"A worker looks at {gate}/{check} next.")
    return redirect(_back(found, row))


@require_http_methods(["GET", "HEAD", "POST"])
def release_exemption(request: HttpRequest, service: str, gate: str, check: str, release_id: str) -> HttpResponse:
    """Ask to let one check pass for a while."""
    found = access.release_named_for(request.user, service, release_id, "ask_waiver")
    by = access.require(request.user, "ask_waiver")
    row = _row(look(request, found), gate, check)
    form = ExemptionForm(request.POST or None)
    made: list[access_gates.GateWaiver] = []
    if form.is_valid() and saved(
        form, lambda: made.append(ask_waiver(release=found, gate=gate, check=check, by=by, **form.cleaned_data))
    ):
        messages.success(request, "Asked for: another person has to approve it.")
        return redirect("exemption", made[0].pk)
    return _page(request, "releases/ask_exemption.html", found, row, form)


@require_http_methods(["GET", "HEAD", "POST"])
def release_withdraw(request: HttpRequest, service: str, pk: int, release_id: str) -> HttpResponse:
    """Take one's own signature back."""
    found = access.release_named_for(request.user, service, release_id, "sign_gate")
    by = access.require(request.user, "sign_gate")
    signature = access_gates.signature_for(request.user, found, pk, "sign_gate")
    form = ReasonForm(request.POST or None)
    if form.is_valid() and saved(form, lambda: withdraw(signature, reason=form.cleaned_data["reason"], by=by)):
        messages.success(request, f"Your signature of {signature.gate_key} is withdrawn.")
        return redirect("release", service, release_id)
    context = {"release": found, "signature": signature, "form": form, "mine": signature.by_id == by.pk}
    return render(request, "releases/withdraw.html", context, status=422 if form.errors else 200)


@require_safe
def release_artefact(request: HttpRequest, service: str, pk: int, release_id: str) -> HttpResponse:
    """Only ever as a download: nobody's file is opened under this address."""
    found = access.release_named_for(request.user, service, release_id)
    row = access_gates.evidence_row_for(request.user, found, pk)
    return attached(row.artefact_name, access_gates.artefact_for(request.user, found, pk))


def _row(found: Look, gate: str, check: str) -> CheckRow:
    row = found.row(gate)
    wanted = next((one for one in row.checks if one.found.check.key == check), None) if row else None
    if wanted is None:
        raise Http404(f"There is no check {gate}/{check} in the catalogue of {found.release.release_id}.")
    return wanted


def _back(release: access.Release, row: CheckRow) -> str:
    return f"{reverse('release', args=[release.service.name, release.release_id])}#gate-{row.gate}"


def _page(
    request: HttpRequest, template: str, release: access.Release, row: CheckRow, form: forms.Form
) -> HttpResponse:
    context = {"release": release, "row": row, "form": form, "back_url": _back(release, row)}
    return render(request, template, context, status=422 if form.errors else 200)
