"""Schemas side by side in sentences."""

from __future__ import annotations

from dashboard.templatetags.text import counted, number
from migrations_app.engine.target.compare import Difference
from migrations_app.fleet.parity import MOST_GROUPS, Compared, Differing, Major, Parity


def headline(parity: Parity, major: Major | None, compared: Compared) -> str:
    """`58 environments have the same schema, 2 differ in 3 objects, 1 is unknown.`"""
    unknown = len(parity.unknown)
    if major is None:
        return "How the schemas stand is unknown." if unknown else "No environment yet, so no schema to compare."
    told = [_same(major)]
    others = major.count - len(major.groups[0].places)
    if others:
        verb = "differs" if others == 1 else "differ"
        told.append(f"{number(others)} {verb} in {counted(len(compared.objects), 'object')}")
    if unknown:
        told.append(f"{number(unknown)} {'is' if unknown == 1 else 'are'} unknown")
    sentence = ", ".join(told)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _same(major: Major) -> str:
    count = len(major.groups[0].places)
    if major.count == 1:
        return "one environment is known, with nothing to compare it with"
    if count == 1:
        return f"no two of {number(major.count)} environments have the same schema"
    every = "both" if count == 2 else f"all {number(count)}"
    return f"{every if count == major.count else number(count)} environments have the same schema"


def beside(parity: Parity, major: Major | None, compared: Compared) -> str:
    """What the headline leaves out: what no revision accounts for, other servers, and what is not compared."""
    told = [_parted(compared)] if compared.objects else []
    for other in parity.majors:
        if major is not None and other.number != major.number:
            verb = "stands" if other.count == 1 else "stand"
            told.append(
                f"{counted(other.count, 'environment').capitalize()} {verb} on PostgreSQL {other.number}, which prints "
                "definitions its own way and is compared by itself."
            )
    if major is not None and len(major.groups) > MOST_GROUPS:
        told.append(f"Only the {MOST_GROUPS} commonest of {len(major.groups)} schemas are compared object by object.")
    return " ".join(told)


def _parted(compared: Compared) -> str:
    count = compared.parted
    if not count:
        return "Where environments stand at the same revision, nothing differs."
    differs = f"{counted(count, 'object').capitalize()} {'differs' if count == 1 else 'differ'}"
    return f"{differs} between environments at the same revision."


def variant_sentence(difference: Difference, names: tuple[str, ...]) -> str:
    """One variant beside the commonest, in plain words."""
    where = names[0] if len(names) == 1 else f"{names[0]} and {counted(len(names) - 1, 'other')}"
    what = f"{difference.kind} {difference.name}"
    if difference.sign == "+":
        return f"{where}: {what} is there, which others lack."
    if difference.sign == "-":
        return f"{where}: {what} is missing, which others have."
    return f"{where}: {what} is other than elsewhere."


def object_headline(one: Differing) -> str:
    return f"{one.kind.capitalize()} {one.name} stands in {counted(len(one.variants), 'variant')}."
