"""What the matrix's address holds: service, rows, anchor, columns, folded groups. A part that cannot be is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from dashboard.pages.matrix_groups import group_keys
from dashboard.pages.query import BadAddress, number, one_of
from migrations_app.fleet.matrix import MAX_COLUMNS, Survey
from migrations_app.fleet.places import Places

FRONTIER, ALL, DRIFT, PENDING, DISORDER = "", "all", "drift", "pending", "disorder"


@dataclass(frozen=True)
class Wanted:
    """`before` is the newest place shown, 0 for the newest there is; `first` is the number of columns left out."""

    service: str
    mode: str
    before: int
    first: int
    only: tuple[str, ...]
    folded: frozenset[str]
    compare: str


def read_wanted(request: HttpRequest, service: str) -> Wanted:
    return Wanted(
        service=service,
        mode=one_of(request, "mode", [ALL, DRIFT, PENDING, DISORDER]),
        before=number(request, "before", "a place in this list") or 0,
        first=number(request, "from", "a place in this list") or 0,
        only=tuple(dict.fromkeys(_words(request, "env"))),
        folded=frozenset(_words(request, "fold")),
        compare="".join(_words(request, "compare")[-1:]),
    )


def check_columns(wanted: Wanted, known: Survey, names: frozenset[str], slots: int) -> None:
    """Against what there is. `names` are the environments that are shown."""
    for part, given in (("env", wanted.only), ("compare", (wanted.compare,))):
        if {*given} - names - {""}:
            raise BadAddress(part, f"an environment of {wanted.service} that is shown")
    if wanted.folded - group_keys(known.columns):
        raise BadAddress("fold", f"a stage or region of {wanted.service} that is shown")
    if wanted.before > known.total:
        raise BadAddress("before", f"a place among the {known.total:,} of {wanted.service}")
    if wanted.first and wanted.first >= slots:
        raise BadAddress("from", f"one of {slots:,} columns")


def address_of(wanted: Wanted, name: str = "matrix") -> str:
    """The address of exactly this view; the same view always has the same one."""
    query: list[tuple[str, str]] = [("service", wanted.service)]
    query += [("mode", wanted.mode)] if wanted.mode else []
    query += [("compare", wanted.compare)] if wanted.compare else []
    query += [("env", each) for each in wanted.only]
    query += [("fold", each) for each in sorted(wanted.folded)]
    query += [("from", str(wanted.first))] if wanted.first else []
    query += [("before", str(wanted.before))] if wanted.before else []
    return f"{reverse(name)}?{urlencode(query)}"


def folding(wanted: Wanted, key: str) -> str:
    """With one group more folded. Columns move, so it begins with the first."""
    return address_of(replace(wanted, folded=wanted.folded | {key}, first=0))


def unfolding(wanted: Wanted, key: str) -> str:
    return address_of(replace(wanted, folded=wanted.folded - {key}, first=0))


def rows_of(mode: str, known: Survey) -> Places:
    if mode == ALL:
        return known.everything()
    if mode == FRONTIER:
        return known.differing
    return {DRIFT: known.drift, PENDING: known.last_stage, DISORDER: known.disorder}[mode]


def _words(request: HttpRequest, name: str) -> list[str]:
    """At most as many as could be meant. NUL stays, so that nothing that holds it passes for what there is."""
    given = [value.strip()[:130] for value in request.GET.getlist(name)]
    return [value for value in given if value][: 10 * MAX_COLUMNS]
