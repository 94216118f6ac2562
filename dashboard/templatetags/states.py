"""Each state as a word, a tone and a shape: runs, steps, matrix cells and targets share one table."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.templatetags.glyphs import GLYPHS


@dataclass(frozen=True)
class State:
    word: str
    tone: str  # the CSS class that sets the colour
    shape: str  # a name in glyphs.GLYPHS
    live: bool = False  # something is moving

    @property
    def glyph(self) -> str:
        return GLYPHS[self.shape]


STATES: dict[str, State] = {
    # runs
    "queued": State("Queued", "wait", "pending"),
    "claimed": State("Connecting", "run", "running", live=True),
    "waiting_for_lock": State("Waiting for lock", "warn", "lock", live=True),
    "running": State("Running", "run", "running", live=True),
    "verifying": State("Verifying", "run", "verifying", live=True),
    "pausing": State("Pausing", "warn", "pause", live=True),
    "paused": State("Paused", "warn", "pause"),
    "interrupted": State("Interrupted", "warn", "interrupted"),
    "succeeded": State("Succeeded", "ok", "ok"),
    "failed": State("Failed", "bad", "failed"),
    "cancelled": State("Cancelled", "wait", "skipped"),
    "rolling_back": State("Rolling back", "run", "undo", live=True),
    "rolled_back": State("Rolled back", "ok", "undo"),
    "needs_operator": State("Needs operator", "bad", "person"),
    # steps and attempts
    "pending": State("Pending", "wait", "pending"),
    "active": State("Active", "run", "running", live=True),
    "done": State("Done", "ok", "ok"),
    "not_run": State("Not run", "wait", "none"),
    "unknown": State("Unknown", "wait", "unknown"),
    "lock_timeout": State("Lock timeout", "warn", "lock"),
    "recovered": State("Recovered", "ok", "ok"),
    "lost": State("Lost", "warn", "interrupted"),
    # what stands where
    "applied": State("Applied", "ok", "ok"),
    "in_step": State("In step", "ok", "ok"),
    "behind": State("Behind", "wait", "pending"),
    "drift": State("Drift", "drift", "drift"),
    "out_of_order": State("Out of order", "drift", "disorder"),
    "skipped": State("Skipped", "wait", "skipped"),
    "superseded": State("Superseded", "wait", "skipped"),
    "empty": State("Empty", "wait", "none"),
    # health, evidence and alerts: passing, failing, missing, stale and not applicable are five things
    "passing": State("Passing", "ok", "ok"),
    "degraded": State("Degraded", "warn", "warning"),
    "missing": State("Missing", "warn", "unknown"),
    "stale": State("Stale", "warn", "unknown"),
    "not_applicable": State("Not applicable", "wait", "skipped"),
    "firing": State("Firing", "bad", "bell"),
    "locked": State("Locked", "warn", "lock"),
    # targets and tokens
    "ok": State("Reachable", "ok", "ok"),
    "unreachable": State("Unreachable", "warn", "unplugged"),
    "valid": State("Valid", "ok", "ok"),
    "expired": State("Expired", "wait", "clock"),
    "revoked": State("Revoked", "wait", "skipped"),
    # messages
    "info": State("Note", "run", "info"),
    "success": State("Done", "ok", "ok"),
    "warning": State("Warning", "warn", "warning"),
    "error": State("Not done", "bad", "failed"),
}
UNKNOWN = STATES["unknown"]


def state_of(name: str) -> State:
    """A name nobody listed is shown as unknown, never as fine."""
    return STATES.get(name, UNKNOWN)
