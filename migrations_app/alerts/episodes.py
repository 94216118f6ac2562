"""An episode begins when a rule fires at a place, and ends when that is found to hold no more; never for want of looks.

Any number of processes may judge the same moment: each change is one guarded statement, and who lost tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from migrations_app.alerts.evaluating import Judged
from migrations_app.alerts.rules import Standing
from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.models import AlertEpisode, AlertEvent
from migrations_app.reasons import refuse_long_reason

FIRED, ACKNOWLEDGED, NOTE, UNKNOWN, KNOWN, RESOLVED = "fired", "acknowledged", "note", "unknown", "known", "resolved"
_OVER = frozenset({Standing.NORMAL, Standing.PENDING})


def follow(judged: Iterable[Judged], now: datetime) -> None:
    """Begin, go on with and end episodes, as these readings have it. An open one whose rule is off ends as well."""
    open_ones = {(one.rule, one.place): one for one in AlertEpisode.objects.filter(resolved_at=None)}
    for one in judged:
        episode = open_ones.pop((one.rule.key, one.place), None)
        if episode is None:
            if one.reading.standing == Standing.FIRING:
                _begin(one, now)
        else:
            _go_on(episode, one)
    for episode in open_ones.values():
        _end(episode, "Its rule, or its place, is no longer looked at.")


def _begin(one: Judged, now: datetime) -> None:
    sentence = one.reading.sentence[:500]
    try:
        with transaction.atomic():
            episode = AlertEpisode.objects.create(
                rule=one.rule.key,
                place=one.place,
                figures=dict(one.threshold.figures),
                threshold_version=one.threshold.version,
                since=one.reading.since or now,
                sentence=sentence,
            )
            AlertEvent.objects.create(episode=episode, kind=FIRED, text=sentence)
    except IntegrityError:
        # Somebody else began it in this moment: the database lets one be open.
        return


def _go_on(episode: AlertEpisode, one: Judged) -> None:
    standing = one.reading.standing
    if standing in _OVER:
        _end(episode, one.reading.sentence)
    elif standing == Standing.NO_DATA:
        _turn(episode, UNKNOWN, one.reading.sentence)
    else:
        AlertEpisode.objects.filter(pk=episode.pk, resolved_at=None).update(
            seen_at=Now(), sentence=one.reading.sentence[:500]
        )
        _turn(episode, KNOWN, one.reading.sentence)


def _turn(episode: AlertEpisode, kind: str, text: str) -> None:
    """A line when what can be told becomes unknown, or known again; not for each look."""
    with transaction.atomic():
        AlertEpisode.objects.select_for_update().get(pk=episode.pk)
        last = AlertEvent.objects.filter(episode=episode, kind__in=(FIRED, UNKNOWN, KNOWN)).order_by("-id").first()
        stands = UNKNOWN if last is not None and last.kind == UNKNOWN else KNOWN
        if stands != kind:
            AlertEvent.objects.create(episode=episode, kind=kind, text=text[:500])


def _end(episode: AlertEpisode, text: str) -> None:
    with transaction.atomic():
        if AlertEpisode.objects.filter(pk=episode.pk, resolved_at=None).update(resolved_at=Now()) == 1:
            AlertEvent.objects.create(episode=episode, kind=RESOLVED, text=text[:500])


def acknowledge(episode: AlertEpisode, *, by: User, note: str = "") -> None:
    """Somebody takes care of it. Raises Refused: episode_over, acknowledged_already, too_long."""
    refuse_long_reason(note, not_done="Nothing was acknowledged.")
    with transaction.atomic():
        free = AlertEpisode.objects.filter(pk=episode.pk, resolved_at=None, acknowledged_by=None)
        if free.update(acknowledged_by=by, acknowledged_at=Now()) != 1:
            raise _why_not(episode)
        AlertEvent.objects.create(episode=episode, kind=ACKNOWLEDGED, by=by, text=note.strip())
        record(actor=by, action="alert.acknowledge", object=f"alert:{episode.pk}", after={"note": note.strip()})


def _why_not(episode: AlertEpisode) -> Refused:
    found = AlertEpisode.objects.select_related("acknowledged_by").get(pk=episode.pk)
    if found.resolved_at is not None:
        told, code, then = "The episode is over.", "episode_over", "Nothing is left to do."
    else:
        who = found.acknowledged_by.get_username() if found.acknowledged_by else "Somebody"
        told, code, then = f"{who} takes care of it already.", "acknowledged_already", "Add a note instead."
    return Refused(code, told, not_done="Nothing was acknowledged.", next_step=then)
