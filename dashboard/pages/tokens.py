"""One's own API tokens: made and shown once, revoked at any time."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dashboard import access
from dashboard.pages.forms import TokenForm
from dashboard.tokens import NewToken, create, revoke, state_of
from migrations_app.engine.errors import Refused
from migrations_app.permissions import roles_of


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The new token is in the answer to the POST itself: it is in no session, log or address."""
    user = access.require(request.user, "own_tokens")
    form = TokenForm(request.POST or None, sorted(roles_of(user)))
    made = _make(form, user) if form.is_valid() else None
    context = {
        "form": TokenForm(None, sorted(roles_of(user))) if made else form,
        "made": made,
        "rows": [(token, state_of(token)) for token in access.tokens_for(user)],
    }
    return render(request, "account/tokens.html", context, status=422 if form.errors else 200)


def _make(form: TokenForm, user: access.User) -> NewToken | None:
    try:
        return create(user=user, by=user, **form.cleaned_data)
    except Refused as refusal:
        form.add_error(None, refusal.sentence)
        return None


@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    token = access.token_for(request.user, pk)
    revoke(token, by=access.require(request.user, "own_tokens"))
    messages.success(request, f"Token {token.name} opens nothing any more.")
    return redirect("tokens")
