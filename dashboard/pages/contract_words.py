"""Releases against environments in sentences: the verdict above, and the list of what does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboard.templatetags.text import counted, number
from migrations_app.releases.contracts import Contracts, Fit, ReleaseRow

MOST_NAMED = 3


@dataclass(frozen=True)
class Said:
    """One line of the list; without a release it holds for every one, without names for every environment."""

    fit: Fit
    sentence: str
    release: ReleaseRow | None
    names: tuple[str, ...]


def headline(found: Contracts) -> str:
    """`prod-ap would refuse 2 of 3 releases; prod-us is unknown.`"""
    if not found.rows:
        return (
            "No older release." if found.later else "No release is registered, so nothing can be said about its schema."
        )
    if not found.places:
        return "No environment yet, so no release has anywhere to start."
    refused = [
        (place.name, sum(row.cells[index].fit == Fit.REFUSES for row in found.rows))
        for index, place in enumerate(found.places)
    ]
    refusing = sorted((one for one in refused if one[1]), key=lambda one: -one[1])
    told = [_refusing(refusing, found)] if refusing else []
    unknown = _unknown(found)
    if unknown:
        told.append(unknown)
    if not told:
        return _all_fit(found)
    sentence = "; ".join(told if refusing else ["no release is known to be refused", *told])
    # The name of an environment is written as it is.
    return f"{sentence if refusing and len(refusing) <= MOST_NAMED else sentence[0].upper() + sentence[1:]}."


def listed(found: Contracts) -> tuple[Said, ...]:
    """Refusals first, newest release first; alike ones of a release are one line, and so is a doubt of them all."""
    return (*_refusals(found), *_doubts(found))


def _refusing(refusing: Sequence[tuple[str, int]], found: Contracts) -> str:
    """The environment that refuses most comes first."""
    releases = len(found.rows)
    names = [name for name, _ in refusing]
    if len(names) > MOST_NAMED:
        many = f"{number(len(names))} of {counted(len(found.places), 'environment')} would refuse"
        first, most = refusing[0]
        return f"{many} {f'a release, {first} {number(most)} of {_releases(found)}' if releases > 1 else 'the release'}"
    if releases == 1:
        return f"{' and '.join(filter(None, (', '.join(names[:-1]), names[-1])))} would refuse the release"
    (first, most), *others = refusing
    told = [f"{first} would refuse {number(most)} of {_releases(found)}"]
    return ", ".join([*told, *(f"{name} {number(count)}" for name, count in others)])


def _unknown(found: Contracts) -> str:
    told = []
    doubted = [place.name for place in found.places if place.doubt]
    if doubted:
        told.append(f"{_names(doubted)} {'is' if len(doubted) == 1 else 'are'} unknown")
    windows = [row.release_id for row in found.rows if row.doubt]
    if windows:
        told.append(f"the window of {_names(windows, 'release')} cannot be placed")
    return "; ".join(told)


def _names(names: Sequence[str], what: str = "environment") -> str:
    return names[0] if len(names) == 1 else counted(len(names), what)


def _releases(found: Contracts) -> str:
    return f"{counted(len(found.rows), 'release')}{' shown' if found.partial else ''}"


def _all_fit(found: Contracts) -> str:
    places = len(found.places)
    one = "The release fits" if len(found.rows) == 1 else f"Each of {_releases(found)} fits"
    where = (
        "the one environment"
        if places == 1
        else "both environments"
        if places == 2
        else f"all {counted(places, 'environment')}"
    )
    return f"{one} {where}."


def _refusals(found: Contracts) -> Iterator[Said]:
    for row in found.rows:
        alike: dict[str, list[str]] = {}
        for place, cell in zip(found.places, row.cells, strict=True):
            if cell.fit == Fit.REFUSES:
                alike.setdefault(cell.sentence, []).append(place.name)
        for sentence, names in alike.items():
            yield Said(Fit.REFUSES, sentence, row, tuple(names))


def _doubts(found: Contracts) -> Iterator[Said]:
    for row in found.rows:
        if row.doubt:
            yield Said(Fit.UNKNOWN, f"Unknown: {row.doubt}.", row, ())
    alike: dict[str, list[str]] = {}
    for place in found.places:
        if place.doubt:
            alike.setdefault(place.doubt, []).append(place.name)
    for doubt, names in alike.items():
        yield Said(Fit.UNKNOWN, f"Unknown: {doubt}.", None, tuple(names))
