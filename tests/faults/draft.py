"""What one run has room for: which faults can all happen in it, and at which of its revisions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.plan import (
    AFTER,
    ANYWHERE,
    END,
    GLOBAL,
    IN_INDEX,
    INDEX,
    INSIDE,
    PROCESS_KILLS,
    SENT_WHOLE,
    SLOW_STOPS,
    Fault,
    Placed,
    kind_of,
)
from tests.faults.scripts import ONE_MESSAGE, Text

# Where a process that dies leaves a receipt which the next claim finds.
APPLIED = ("recorded", "copying", *END)
# The last points of a revision: of two strikes there, the second finds the revision done.
LAST = ("step_done", "recorded")
# Whether these take effect is open: their revision may be found done afterwards.
ENDS_MESSAGE = ("cut", "kill in message")
SLOW_NEEDS = 2  # workers that a slow stop holds up
# What leads to a point that no run comes by on its own: the kind of an earlier fault, and its point.
LEADS = {
    "repaired": ("kill in index", "intent"),
    "recovered": ("kill", "nontx_done"),
    "already_applied": ("kill", "recorded"),
    "connection_lost": ("terminate", "statement_done"),
}


@dataclass
class Draft:
    """The revisions of one run, and the faults chosen for it so far."""

    texts: Sequence[Text]
    placed: list[Placed] = field(default_factory=list)

    def add(self, fault: Fault, rng: random.Random) -> bool:
        """Give the fault a place, if there is one where it must happen."""
        if self._crowded(fault):
            return False
        revision = ""
        if fault.point not in ANYWHERE:
            places = [place for place in self._places(fault) if not self._keeps_a_lock_out(fault, place)]
            if not places:
                return False
            revision = rng.choice(places)
        elif not self._reachable(fault):
            return False
        self.placed.append(Placed(fault, revision))
        return True

    def add_led(self, fault: Fault, number: int, rng: random.Random) -> bool:
        """The same for a point that only an earlier fault leads to, together with such a fault, called `number`."""
        part, point = LEADS[fault.point]
        kind = kind_of(part)
        if not self.add(Fault(number, kind, point, kind.actions[0]), rng):
            return False
        if self.add(fault, rng):
            return True
        self.placed.pop()
        return False

    def workers_held(self, placed: Placed) -> int:
        """How many workers a stop keeps busy: its own, and when it is a slow one who waits for its lock as well."""
        # What records a concurrent index is a transaction, too, but not one that the server ends by itself.
        in_index = any(text.revision_id == placed.revision and text.kind == "index" for text in self.texts)
        return SLOW_NEEDS if placed.fault.point in SLOW_STOPS or in_index else 1

    def _crowded(self, fault: Fault) -> bool:
        parts = [placed.fault.kind.part for placed in self.placed]
        part = fault.kind.part
        if part == "stop" or part in GLOBAL:
            return any(other == "stop" or other in GLOBAL for other in parts)
        if part in ("unsent", "popped"):
            return part in parts
        return False

    def _reachable(self, fault: Fault) -> bool:
        if any(placed.fault.point == fault.point for placed in self.placed):
            return False
        if fault.point == "already_applied":
            return any(_dies(placed.fault) and placed.fault.point in APPLIED for placed in self.placed)
        if fault.point == "connection_lost":
            return any(placed.fault.kind.part in ("terminate", "cut") for placed in self.placed)
        return True

    def _places(self, fault: Fault) -> list[str]:
        if fault.point in AFTER:
            return [before.revision for before in self.placed if self._leads(before, fault)]
        if fault.point in INDEX:
            return [text.revision_id for text in self.texts if text.kind == "index" and not self._here(text)]
        if fault.point == "lock_attempt":
            return [text.revision_id for text in self.texts if text.kind == "several" and not self._here(text)]
        return [
            text.revision_id for text in self.texts if self._comes_by(fault, text) and _fits(fault, self._here(text))
        ]

    def _comes_by(self, fault: Fault, text: Text) -> bool:
        """Whether the revision comes by the fault's point."""
        if fault.point == SENT_WHOLE and fault.kind.part in ENDS_MESSAGE:
            kinds = ("slow",) if fault.kind.part == "kill in message" else ONE_MESSAGE
            return text.kind in kinds and text is not self.texts[-1]
        return text.kind not in ONE_MESSAGE or fault.point not in INSIDE

    def _keeps_a_lock_out(self, fault: Fault, revision: str) -> bool:
        """A session that broke unnoticed at the end of one revision never tries for the locks of the next one."""
        at = [text.revision_id for text in self.texts].index(revision)
        if fault.point == "lock_attempt":
            return at > 0 and any(map(_breaks_unnoticed, self._here(self.texts[at - 1])))
        if _breaks_unnoticed(fault) and at + 1 < len(self.texts):
            return any(other.point == "lock_attempt" for other in self._here(self.texts[at + 1]))
        return False

    def _leads(self, before: Placed, fault: Fault) -> bool:
        leads = {"repaired": before.fault.kind.part in IN_INDEX, "recovered": before.fault.point == "nontx_done"}
        return leads[fault.point] and [placed.revision for placed in self.placed].count(before.revision) == 1

    def _here(self, text: Text) -> list[Fault]:
        return [placed.fault for placed in self.placed if placed.revision == text.revision_id]


def _fits(fault: Fault, here: Sequence[Fault]) -> bool:
    """Two at most at one revision, at different points, and only one of them at its end."""
    if len(here) > 1 or any(other.point in (fault.point, "lock_attempt") for other in here):
        return False
    return not (_ends(fault) and any(_ends(other) for other in here))


def _ends(fault: Fault) -> bool:
    return fault.point in LAST or fault.kind.part in ENDS_MESSAGE


def _breaks_unnoticed(fault: Fault) -> bool:
    return fault.kind.part == "terminate" and fault.point in LAST


def _dies(fault: Fault) -> bool:
    return fault.kind.part in (*PROCESS_KILLS, "stop")
