"""The rules with their figures: what each is called, its formula in words, what it comes with, and where it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from migrations_app.engine.errors import Refused

Figures = Mapping[str, float]


class Key(StrEnum):
    DEGRADED = "degraded"
    CHURN = "restart_churn"
    SATURATION = "pool_saturation"
    BLOCKED = "restart_blocked"


@dataclass(frozen=True)
class Figure:
    """One number of a rule. `whole`: a count."""

    name: str
    word: str
    unit: str
    default: float
    least: float
    most: float
    whole: bool = False


@dataclass(frozen=True)
class Rule:
    """`everywhere`: at each environment with a health address as well, else at this installation alone."""

    key: Key
    title: str
    formula: str
    figures: tuple[Figure, ...]
    everywhere: bool

    @property
    def defaults(self) -> Figures:
        return {one.name: one.default for one in self.figures}


RULES = {
    one.key: one
    for one in (
        Rule(
            Key.DEGRADED,
            "Degraded",
            "The newest answer tells a reason, and so did every answer for this long.",
            (Figure("seconds", "for", "s", 300, 15, 86_400),),
            everywhere=True,
        ),
        Rule(
            Key.CHURN,
            "Restart churn",
            "So many restarts that the watchdog carried out, each younger than the window.",
            (
                Figure("times", "restarts", "", 3, 1, 50, whole=True),
                Figure("window_s", "within", "s", 600, 60, 86_400),
            ),
            everywhere=False,
        ),
        Rule(
            Key.SATURATION,
            "Pool saturation",
            "So many answers in a row tell of a pool that is at least this full.",
            (
                Figure("share", "at least", "", 0.90, 0.05, 1.0),
                Figure("times", "answers in a row", "", 3, 1, 100, whole=True),
            ),
            everywhere=True,
        ),
        Rule(
            Key.BLOCKED,
            "Restarts blocked",
            "The restart policy allows no further restart.",
            (),
            everywhere=False,
        ),
    )
}


def rule_of(key: str) -> Rule:
    """Raises Refused("no_such_rule")."""
    if key not in RULES:
        names = ", ".join(RULES)
        raise _refused("no_such_rule", f"{key[:40]!r} is no rule.", f"Name one of {names}.")
    return RULES[Key(key)]


def check_figures(rule: Rule, given: Mapping[str, object]) -> dict[str, float]:
    """All of the rule's figures, each within its bounds. Raises Refused("bad_figures") for the first that is not."""
    unknown = sorted(set(given) - {one.name for one in rule.figures})
    if unknown:
        wanted = ", ".join(one.name for one in rule.figures) or "nothing"
        raise _refused("bad_figures", f"{rule.title} has no figure {unknown[0][:40]!r}.", f"Give {wanted}.")
    return {one.name: _checked(one, given.get(one.name)) for one in rule.figures}


def _checked(figure: Figure, value: object) -> float:
    bounds = f"{figure.least:g} to {figure.most:g}"
    kind = "whole number" if figure.whole else "number"
    good = isinstance(value, int | float) and not isinstance(value, bool) and figure.least <= value <= figure.most
    if not good or (figure.whole and value != int(value)):  # type: ignore[call-overload]
        told = f"{figure.name} is {value!r:.40}, and wants a {kind} from {bounds}."
        raise _refused("bad_figures", told, "Give one within its bounds.")
    return float(value)  # type: ignore[arg-type]


def _refused(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done="No threshold was changed.", next_step=next_step)
