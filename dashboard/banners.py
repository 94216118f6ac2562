"""Rows above every page that everybody has to know: a firing alert, a broken chain, read-only mode.

A part of the product that has something to tell adds a function to PROVIDERS. It runs on every page that draws
the frame, so it asks for one row at most, and it answers nothing when there is nothing to tell.

What an open page polls names in a header, 304 too, what stands above and beside it at the moment: these rows, the
verdict in the bar and the navigation's count of open runs. Only when it shows others does the page ask for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from dashboard.chip import chip_of
from dashboard.glance import recent_glance
from dashboard.mismatched import recent_glass, recent_mismatches
from dashboard.templatetags import text
from migrations_app.permissions import may

HEADER = "X-Lockstep-Banners"
P = ParamSpec("P")


@dataclass(frozen=True)
class Banner:
    tone: str  # bad, warn, run or wait
    shape: str  # a name in templatetags.glyphs
    text: str  # one sentence
    url: str = ""
    action: str = ""


def broken_chain(request: HttpRequest) -> Banner | None:
    """The last check of the audit log found an entry that is not what was written."""
    glance = recent_glance(request)
    if glance.chain_ok:
        return None
    told = f"The audit log was tampered with. {glance.chain_sentence} Keep the database as it is and tell the auditors."
    link = {"url": reverse("audit"), "action": "Audit log"} if may(request.user, "view_audit") else {}
    return Banner("bad", "failed", told, **link)


def silent_workers(request: HttpRequest) -> Banner | None:
    """Runs wait for a worker; what is applied stays applied, so this is no alarm about targets."""
    glance = recent_glance(request)
    if not glance.nobody_works:
        return None
    if glance.heard_at is None:
        since = "No worker was ever heard of"
    else:
        silence = (timezone.now() - glance.heard_at).total_seconds()
        since = f"No worker has been heard of for {text.duration(_coarse(silence) * 1000)}"
    waiting = f"{text.counted(glance.waiting, 'run')} {'waits' if glance.waiting == 1 else 'wait'}"
    effect = f"{waiting}, and new runs do not start" if glance.waiting else "new runs do not start"
    return Banner("warn", "unplugged", f"{since}: {effect} until one is started.")


def _coarse(seconds: float) -> float:
    """By 5 seconds, minutes, hours: an open page asks for the sentence whenever it is another."""
    step = 5 if seconds < 60 else 60 if seconds < 3600 else 3600
    return seconds // step * step


def redis_away(request: HttpRequest) -> Banner | None:
    """As the workers found it; no page asks Redis itself."""
    glance = recent_glance(request)
    if not glance.without_redis:
        return None
    late = settings.LOCKSTEP_RECONCILE_SECONDS + 3
    return Banner("wait", "info", f"Redis does not answer: runs still start, up to {late} s late.")


def frozen(request: HttpRequest) -> Banner | None:
    """Nothing is applied to production while a freeze holds."""
    glance = recent_glance(request)
    if glance.frozen_until is None:
        return None
    of = f" of {glance.frozen_service}" if glance.frozen_service else ""
    told = f"Production{of} is frozen until {text.utc(glance.frozen_until)}: {glance.frozen_reason}"
    return Banner("warn", "lock", told, reverse("freezes"), "Freezes")


def mismatched(request: HttpRequest) -> Banner | None:
    """An environment runs a release that would not start on the schema which stands there."""
    found = recent_mismatches(request)
    if not found:
        return None
    others = f" So do{'es' if len(found) == 2 else ''} {text.counted(len(found) - 1, 'other environment')}."
    told = f"{found[0].sentence}{others if len(found) > 1 else ''}"
    return Banner("bad", "failed", told, f"{reverse('releases')}#running", "What runs where")


def glass(request: HttpRequest) -> Banner | None:
    """Somebody goes past the gates, or asks for it: everybody may want to know before it is history."""
    found = recent_glass(request)
    if found is None:
        return None
    about = f"{found.release.service.name} {found.release.release_id}"
    asked = f"{found.asked_by.get_username()} asks to break the glass for {about}: {found.reason}"
    if not hasattr(found, "answer"):
        return Banner("warn", "person", asked, reverse("glass", args=[found.pk]), "Answer")
    both = f"{found.asked_by.get_username()} and {found.answer.by.get_username()}"
    told = f"{both} broke the glass for {about} at {text.utc(found.answer.at)}: {found.reason}"
    return Banner("bad", "warning", told, reverse("glass", args=[found.pk]), "What blocked")


PROVIDERS: list[Callable[[HttpRequest], Banner | None]] = [
    broken_chain, mismatched, glass, frozen, silent_workers, redis_away,
]  # fmt: skip


def banners_for(request: HttpRequest) -> tuple[Banner, ...]:
    told = (provider(request) for provider in PROVIDERS)
    return tuple(banner for banner in told if banner is not None)


@dataclass(frozen=True)
class OpenRuns:
    """As the navigation counts them; hot when one needs an operator."""

    count: int = 0
    hot: bool = False


def open_runs(request: HttpRequest) -> OpenRuns:
    """None for those who may not look at runs."""
    if not may(request.user, "view"):
        return OpenRuns()
    glance = recent_glance(request)
    return OpenRuns(glance.open_runs, glance.need_operator > 0)


def key_of(request: HttpRequest, told: tuple[Banner, ...]) -> str:
    """Changes with what is told, the verdict and the count.

    What a single page could not read is left out: its polls would name another key than /banners, again and again.
    """
    chip = chip_of(recent_glance(request)) if may(request.user, "view") else None
    return hashlib.sha256(repr((told, chip, open_runs(request))).encode()).hexdigest()[:12]


def tells_banners(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """For a view that open pages poll; it stands outermost, so that a 304 tells it too."""

    @wraps(view)
    def telling(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response[HEADER] = key_of(request, banners_for(request))
        return response

    return telling
