"""The schema has to be settled, and one that the release can work with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from migrations_app.releases.boot.known import Asked, Half, Known, OpenRun, Reason
from migrations_app.releases.boot.phases import REVISIONS
from migrations_app.releases.contracts import Cell, Fit, fits
from migrations_app.statuses import HELD

REGISTER = "Register the release, or start with the id of one that is registered."
NEXT = "A run that leads there, or another release."


def judge(asked: Asked, known: Known) -> Iterator[Reason]:
    if asked.release_id and known.release is None:
        yield _reason("release_unknown", f"No release {asked.release_id} is registered.", REGISTER, hopeless=True)
        return
    yield from _against_release(asked, known)
    if known.run is not None:
        yield _run(asked, known, known.run)
    elif known.half is not None:
        yield _half(known.environment, known.half)
    elif not known.place.doubt:
        yield from _standing(asked, known)


def leads_somewhere(asked: Asked, known: Known) -> bool:
    """Whether the open run ends where the caller could start."""
    return known.run is not None and known.run.ends_at is not None and _fits(asked, known, known.run.ends_at)


def _against_release(asked: Asked, known: Known) -> Iterator[Reason]:
    release = known.release
    if release is not None and asked.schema_rev not in ("", release.schema_rev):
        sentence = f"{release.release_id} is registered for {release.schema_rev}; the caller says {asked.schema_rev}."
        clears = "Start with what the release was registered with."
        yield _reason("schema_rev_differs", sentence, clears, hopeless=True)


def _run(asked: Asked, known: Known, run: OpenRun) -> Reason:
    """While a run is open nobody reads what it leaves half-way, wherever it stands just now."""
    begin = f"Run {run.id} is under way, so the schema of {known.environment} is not settled"
    if run.ends_at is None or leads_somewhere(asked, known):
        held = " It waits for a person." if run.status in HELD else ""
        return _reason("run_open", f"{begin}.{held}", f"Run {run.id} ends.")
    after = _cell(asked, known, run.ends_at).sentence
    if _unclear(asked, known):
        return _reason("run_open", f"{begin}. {after}", f"Run {run.id} ends.", unknown=True)
    return _reason("run_leads_away", f"{begin}, and where it ends does not do: {_small(after)}", NEXT, hopeless=True)


def _half(environment: str, half: Half) -> Reason:
    """Nobody can tell which schema that is."""
    back = half.run is not None and half.direction == "down"
    done = "half rolled back" if back else "half applied"
    sentence = f"Run {half.run} left {half.revision} {done}." if half.run else f"{half.revision} is {done}."
    clears = f"A run that {'rolls it back' if back else 'applies it'} to its end in {environment}."
    return _reason("schema_half_applied", sentence, clears, unknown=True)


def _standing(asked: Asked, known: Known) -> Iterator[Reason]:
    cell = _cell(asked, known, known.place.position)
    if cell.fit == Fit.UNKNOWN:
        clears = "Its revisions declare each schema_rev at one place."
        yield _reason("schema_unknown", cell.sentence, clears, unknown=True)
    elif cell.fit == Fit.REFUSES:
        planned = any(_fits(asked, known, position) for position in known.planned)
        clears = "The cutover that is under way gets to this environment." if planned else NEXT
        yield _reason("schema_differs", f"{known.environment}: {cell.sentence}", clears, hopeless=not planned)


def _unclear(asked: Asked, known: Known) -> bool:
    return _cell(asked, known, 0).fit == Fit.UNKNOWN


def _fits(asked: Asked, known: Known, position: int) -> bool:
    return _cell(asked, known, position).fit == Fit.FITS


def _cell(asked: Asked, known: Known, position: int) -> Cell:
    """How the caller would stand if the environment's head were there."""
    span = known.chain.at(position)
    there = replace(known.place, position=position, schema_rev=span.name if span else "", doubt="")
    release = known.release
    if release is None and not known.chain.of(asked.schema_rev):
        # Only of a release is it known that a revision declared its schema once.
        return Cell(Fit.UNKNOWN, f"No revision of {known.service} declares {asked.schema_rev}.")
    low, high = (release.schema_rev_min, release.schema_rev_max) if release else (asked.schema_rev, asked.schema_rev)
    return fits(low, high, known.chain, (there,))[1][0]


def _small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _reason(code: str, sentence: str, clears: str, *, unknown: bool = False, hopeless: bool = False) -> Reason:
    return Reason(code, REVISIONS, sentence, clears, unknown, hopeless)
