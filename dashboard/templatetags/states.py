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
    "schema_drift": State("Schema drift", "drift", "drift"),
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
    # rehearsals, what they are worth, and requests for a second person
    "reversible": State("Reversible", "ok", "undo"),
    "lossy": State("Lossy", "warn", "warning"),
    "irreversible": State("Irreversible", "bad", "skipped"),
    "fresh": State("Fresh", "ok", "clock"),
    "never": State("Never rehearsed", "wait", "none"),
    "asked": State("Waits for a second person", "warn", "person"),
    "granted": State("Granted", "ok", "ok"),
    "declined": State("Declined", "wait", "skipped"),
    "withdrawn": State("Withdrawn", "wait", "undo"),
    "overtaken": State("Overtaken", "wait", "skipped"),
    # targets and tokens
    "ok": State("Reachable", "ok", "ok"),
    "unreachable": State("Unreachable", "warn", "unplugged"),
    "valid": State("Valid", "ok", "ok"),
    "expired": State("Expired", "wait", "clock"),
    "revoked": State("Revoked", "wait", "skipped"),
    # how a schema stands
    "schema_clean": State("As its receipts left it", "ok", "ok"),
    "schema_baseline": State("As first read", "wait", "info"),
    "schema_drifted": State("Drift", "drift", "drift"),
    "schema_ignored": State("Drift, ignored", "warn", "clock"),
    "schema_half_done": State("Half applied", "warn", "interrupted"),
    "schema_stale": State("Unknown", "warn", "unknown"),
    "schema_unreadable": State("Unknown", "warn", "unknown"),
    "schema_never": State("Unknown", "wait", "unknown"),
    "drift_open": State("Open", "drift", "drift"),
    "drift_ignored": State("Ignored", "warn", "clock"),
    "drift_adopting": State("Adoption planned", "wait", "clock"),
    "drift_reverting": State("Revert planned", "wait", "clock"),
    "drift_adopted": State("Adopted", "ok", "ok"),
    "drift_reverted": State("Reverted", "ok", "ok"),
    "drift_accepted": State("Accepted", "wait", "person"),
    "drift_carried": State("Carried along", "wait", "info"),
    "drift_gone": State("Gone", "ok", "ok"),
    # releases against what stands
    "fits": State("Fits", "ok", "ok"),
    "refuses": State("Refuses", "bad", "failed"),
    # nodes and how services started
    "node_fresh": State("Reports", "ok", "ok"),
    "node_failing": State("Probes fail", "warn", "warning"),
    "node_stale": State("Unknown", "warn", "unknown"),
    "node_gone": State("Gone", "wait", "none"),
    "node_retired": State("Retired", "wait", "skipped"),
    "boot_allow": State("Started", "ok", "ok"),
    "boot_refused": State("Refused", "bad", "failed"),
    "boot_gave_up": State("Gave up", "warn", "clock"),
    # gates, their checks and exemptions
    "gate_passes": State("Passes", "ok", "ok"),
    "gate_blocks": State("Blocks", "bad", "failed"),
    "gate_unsigned": State("Needs sign-off", "wait", "clock"),
    "gate_signed": State("Signed", "ok", "person"),
    "gate_void": State("Void", "wait", "skipped"),
    "check_fails": State("Fails", "bad", "failed"),
    "check_stale": State("Stale", "bad", "clock"),
    "check_waived": State("Exempted", "warn", "person"),
    "exemption_asked": State("Exemption asked for", "wait", "person"),
    "exemption_approved": State("Exempted", "warn", "person"),
    "exemption_over": State("Exemption ended", "wait", "clock"),
    "exemption_declined": State("Exemption declined", "wait", "skipped"),
    "exemption_withdrawn": State("Exemption withdrawn", "wait", "undo"),
    "exemption_revoked": State("Exemption revoked", "wait", "skipped"),
    # where a release is on its way
    "release_draft": State("Draft", "wait", "none"),
    "release_collecting": State("Collecting", "wait", "pending"),
    "release_ready": State("Ready", "ok", "ok"),
    "release_cutting_over": State("Cutting over", "run", "running", live=True),
    "release_live": State("Live", "ok", "ok"),
    "release_superseded": State("Superseded", "wait", "skipped"),
    "release_rolled_back": State("Rolled back", "warn", "undo"),
    "cutover_running": State("Cutting over", "run", "running", live=True),
    "cutover_halted": State("Halted", "bad", "pause"),
    "cutover_rolling_back": State("Taking back", "run", "undo", live=True),
    "cutover_done": State("Live", "ok", "ok"),
    "cutover_cancelled": State("Given up", "wait", "skipped"),
    "cutover_rolled_back": State("Taken back", "warn", "undo"),
    "nothing": State("Nothing to apply", "ok", "none"),
    "glass_broken": State("Glass broken", "bad", "warning"),
    # freezes
    "freeze_holds": State("Holds", "warn", "lock"),
    "freeze_to_come": State("To come", "wait", "clock"),
    "freeze_over": State("Over", "wait", "ok"),
    "freeze_lifted": State("Lifted", "wait", "undo"),
    # drills and where none was held
    "ready": State("Ready", "wait", "pending"),
    "passed": State("Passed", "ok", "ok"),
    "with_interventions": State("Passed by hand", "warn", "person"),
    "abandoned": State("Abandoned", "wait", "skipped"),
    # workers and restarts of the web processes
    "worker_beats": State("Beats", "ok", "ok"),
    "worker_silent": State("Silent", "warn", "interrupted"),
    "lease_held": State("Held", "run", "running"),
    "lease_over": State("Ran out", "warn", "clock"),
    "restart_allowed": State("Allowed", "ok", "ok"),
    "restart_cooldown": State("Cooldown", "warn", "clock"),
    "restart_blocked": State("Blocked", "bad", "lock"),
    "restart_executed": State("Executed", "ok", "ok"),
    "restart_refused": State("Refused", "warn", "lock"),
    "restart_failed": State("Failed", "bad", "failed"),
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
