"""All looks in the order of the catalogue, found by the names of gates and checks, and what they come to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from subprocess import TimeoutExpired

from django.db import DatabaseError, connection

from migrations_app.engine.errors import LockstepError
from migrations_app.releases.gates.catalogue import Catalogue, Check, Gate, read_catalogue, shipped
from migrations_app.releases.gates.own.installation import Installation, Misshapen, NotThere
from migrations_app.releases.gates.own.seen import FAIL, GREEN, PASS, UNKNOWN, Seen, bad, unknown

Look = Callable[[Installation], Seen]
TOGETHER = 3
# What a look meets that takes an answer for what it was to be.
MISTAKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Line:
    """A check and what was seen of it; `number` is the gate's, a dot and the check's within it."""

    number: str
    gate: Gate
    check: Check
    seen: Seen

    @property
    def name(self) -> str:
        return f"{self.gate.key}/{self.check.key}"


def shipped_gates() -> Catalogue:
    return read_catalogue(shipped())


def names() -> tuple[str, ...]:
    return tuple(f"{gate.key}/{check.key}" for gate in shipped_gates().gates for check in gate.checks)


def look_at(place: Installation, only: Iterable[str] = ()) -> Iterator[Line]:
    """In the catalogue's order, a few at a time, for most of them wait. `only` holds names of gates and of checks."""
    wanted = frozenset(only)
    with ThreadPoolExecutor(TOGETHER) as threads:
        looks = [
            (f"{number}.{place_in}", gate, check, threads.submit(_seen, place, gate, check))
            for number, gate in enumerate(shipped_gates().gates, start=1)
            for place_in, check in enumerate(gate.checks, start=1)
            if not wanted or wanted & {gate.key, f"{gate.key}/{check.key}"}
        ]
        for number, gate, check, seen in looks:
            yield Line(number, gate, check, seen.result())


def sentence(lines: Iterable[Line]) -> str:
    """What all of them come to; unknown is never counted as good."""
    seen = [line.seen.state for line in lines]
    red, dark = seen.count(FAIL), seen.count(UNKNOWN)
    if not seen:
        return "Nothing was looked at."
    if all(state in GREEN for state in seen):
        return f"All is green: each of the {len(seen)} checks holds on this installation."
    parts = [f"{red} {'does' if red == 1 else 'do'} not hold"] if red else []
    parts += [f"{dark} {'is' if dark == 1 else 'are'} unknown"] if dark else []
    return f"Not green: of {len(seen)} checks {' and '.join(parts)}; {seen.count(PASS)} hold."


def look_of(gate: Gate, check: Check) -> Look | None:
    """By their names; none where the catalogue grew and nobody wrote one."""
    file = f"{__package__}.{gate.key.replace('-', '_')}"
    if find_spec(file) is None:
        return None
    found: Look | None = getattr(import_module(file), check.key.replace("-", "_"), None)
    return found


def guarded(look: Look, place: Installation) -> Seen:
    """What keeps a look from seeing anything is unknown, whatever it is, and never good. Another shape is bad."""
    try:
        return look(place)
    except (NotThere, Misshapen) as failure:
        return bad(failure.sentence)
    except LockstepError as failure:
        return unknown(failure.sentence)
    except TimeoutExpired as failure:
        return unknown(f"It was given up after {failure.timeout:g} s without an end.")
    except DatabaseError:
        return unknown("The control database could not be asked.")
    except OSError as failure:
        return unknown(f"It could not be looked at: {failure.strerror or failure}.")
    except MISTAKEN as failure:
        logger.debug("A look met another shape", exc_info=True)
        return bad(f"What was answered does not have the agreed shape: {_mistake(failure)}.")
    except Exception as crash:
        logger.exception("A look failed")
        return unknown(f"The look itself failed: {type(crash).__name__}: {crash}")


def _mistake(failure: Exception) -> str:
    """Python's own words, but for a field that is not there."""
    if isinstance(failure, KeyError) and failure.args:
        return f"{failure.args[0]} is missing"
    return f"{type(failure).__name__}: {failure}".rstrip(".")


def _seen(place: Installation, gate: Gate, check: Check) -> Seen:
    look = look_of(gate, check)
    try:
        return guarded(look, place) if look else unknown("Lockstep has no look of its own at this check.")
    finally:
        connection.close()  # this thread's own
