"""The states of a run as tables: a sentence for each state, a reason for each edge, a name for each subset."""

from __future__ import annotations

from django.db.models import TextChoices


class RunStatus(TextChoices):
    QUEUED = "queued", "queued"
    CLAIMED = "claimed", "claimed"
    WAITING_FOR_LOCK = "waiting_for_lock", "waiting for lock"
    RUNNING = "running", "running"
    VERIFYING = "verifying", "verifying"
    PAUSING = "pausing", "pausing"
    PAUSED = "paused", "paused"
    INTERRUPTED = "interrupted", "interrupted"
    SUCCEEDED = "succeeded", "succeeded"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"
    ROLLING_BACK = "rolling_back", "rolling back"
    ROLLED_BACK = "rolled_back", "rolled back"
    NEEDS_OPERATOR = "needs_operator", "needs operator"


SENTENCES: dict[str, str] = {
    RunStatus.QUEUED: "Waiting for a worker; nothing has been done.",
    RunStatus.CLAIMED: "A worker holds the lease and is connecting to the target.",
    RunStatus.WAITING_FOR_LOCK: "The target or a table is held by somebody else; the run waits without blocking it.",
    RunStatus.RUNNING: "Statements are being executed in the target.",
    RunStatus.VERIFYING: "The verify script is being checked before the receipt is written.",
    RunStatus.PAUSING: "A pause was asked for; the statement in progress is allowed to end.",
    RunStatus.PAUSED: "Stopped between statements at a person's request; resume goes on from there.",
    RunStatus.INTERRUPTED: "The worker was shut down between statements; another one takes over by itself.",
    RunStatus.SUCCEEDED: "Every revision of the plan has its receipt in the target.",
    RunStatus.FAILED: "A step was refused and rolled back; the step list tells what stands.",
    RunStatus.CANCELLED: "Stopped at a person's request; the step list tells what stands.",
    RunStatus.ROLLING_BACK: "Down scripts are being executed in the target.",
    RunStatus.ROLLED_BACK: "Every revision of the plan was undone and has its down receipt.",
    RunStatus.NEEDS_OPERATOR: "The catalogue cannot tell whether a statement took effect; a person decides.",
}

# A worker is (or was, if its lease has run out) at work on these.
ACTIVE = frozenset(
    {
        RunStatus.CLAIMED,
        RunStatus.WAITING_FOR_LOCK,
        RunStatus.RUNNING,
        RunStatus.VERIFYING,
        RunStatus.PAUSING,
        RunStatus.ROLLING_BACK,
    }
)
# A worker may claim these without waiting for a lease to run out.
CLAIMABLE = frozenset({RunStatus.QUEUED, RunStatus.INTERRUPTED})
# A person has to act before anything moves.
HELD = frozenset({RunStatus.PAUSED, RunStatus.NEEDS_OPERATOR})
TERMINAL = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.ROLLED_BACK})
# One of these at a time for an environment; the database enforces it.
OPEN = ACTIVE | CLAIMABLE | HELD

_WORK = (RunStatus.WAITING_FOR_LOCK, RunStatus.RUNNING, RunStatus.VERIFYING, RunStatus.ROLLING_BACK)


def _edges() -> dict[tuple[str, str], str]:
    edges: dict[tuple[str, str], str] = {
        (RunStatus.QUEUED, RunStatus.CLAIMED): "a worker took the run",
        (RunStatus.QUEUED, RunStatus.CANCELLED): "cancelled before a worker took it",
        (RunStatus.QUEUED, RunStatus.PAUSED): "paused before a worker took it",
        (RunStatus.INTERRUPTED, RunStatus.CLAIMED): "a worker took over after a shutdown",
        (RunStatus.INTERRUPTED, RunStatus.CANCELLED): "cancelled while no worker had it",
        (RunStatus.INTERRUPTED, RunStatus.PAUSED): "paused while no worker had it",
        (RunStatus.PAUSED, RunStatus.QUEUED): "a person resumed it",
        (RunStatus.PAUSED, RunStatus.CANCELLED): "a person cancelled it",
        (RunStatus.NEEDS_OPERATOR, RunStatus.QUEUED): "a person decided what the catalogue could not tell",
        (RunStatus.NEEDS_OPERATOR, RunStatus.CANCELLED): "a person gave it up",
    }
    for old in ACTIVE:
        edges[old, RunStatus.CLAIMED] = "the lease ran out and another worker took over"
        if old != RunStatus.PAUSING:
            edges[old, RunStatus.PAUSING] = "a person asked for a pause"
        edges[old, RunStatus.PAUSED] = "stopped between statements for a pause"
        edges[old, RunStatus.CANCELLED] = "stopped between statements, cancelled"
        edges[old, RunStatus.INTERRUPTED] = "the worker was asked to shut down"
        edges[old, RunStatus.FAILED] = "a step was refused"
        edges[old, RunStatus.NEEDS_OPERATOR] = "the outcome of a statement is unknown"
        edges[old, RunStatus.SUCCEEDED] = "every receipt is in the target"
        edges[old, RunStatus.ROLLED_BACK] = "every down receipt is in the target"
        for new in _WORK:
            if new != old:
                edges[old, new] = "the worker reported progress"
    return edges


EDGES = _edges()


class StepStatus(TextChoices):
    PENDING = "pending", "pending"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"
    UNKNOWN = "unknown", "unknown"


class Phase(TextChoices):
    EXPAND = "expand", "expand"
    MIGRATE = "migrate", "migrate"
    CONTRACT = "contract", "contract"


class RehearsalStatus(TextChoices):
    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


REHEARSAL_SENTENCES: dict[str, str] = {
    RehearsalStatus.QUEUED: "Waiting for a worker; no clone has been made.",
    RehearsalStatus.RUNNING: "A worker tries the revisions on a clone; the target is only read.",
    RehearsalStatus.DONE: "Each revision has its verdict, and the clone is removed.",
    RehearsalStatus.FAILED: "It ended before each revision had a verdict, and the clone is removed.",
    RehearsalStatus.CANCELLED: "Stopped at a person's request, and the clone is removed.",
}
REHEARSAL_OPEN = frozenset({RehearsalStatus.QUEUED, RehearsalStatus.RUNNING})


class Verdict(TextChoices):
    REVERSIBLE = "reversible", "reversible"
    LOSSY = "lossy", "lossy"
    IRREVERSIBLE = "irreversible", "irreversible"
    FAILED = "failed", "failed"


VERDICT_SENTENCES: dict[str, str] = {
    Verdict.REVERSIBLE: "Rolled back, schema and rows were what they had been, and it could be applied again.",
    Verdict.LOSSY: "It can be rolled back, but not everything is as it was before.",
    Verdict.IRREVERSIBLE: "It cannot be rolled back: there is no down file, or it was refused.",
    Verdict.FAILED: "It could not be applied on the clone, so nothing is known about its way back.",
}


def verdict_sentence(verdict: str, *, down_file: bool) -> str:
    """Of one revision, of which it is known whether it has a down file."""
    if verdict != Verdict.IRREVERSIBLE:
        return VERDICT_SENTENCES[verdict]
    why = "its down file was refused on the clone" if down_file else "there is no down file"
    return f"It cannot be rolled back: {why}."


class RehearsalPolicy(TextChoices):
    """When a run needs a fresh rehearsal; empty: production needs one to roll back."""

    BY_STAGE = "", "by stage"
    NEVER = "never", "never"
    ROLLBACK = "rollback", "to roll back"
    ALWAYS = "always", "to apply and to roll back"


class ConsentStatus(TextChoices):
    ASKED = "asked", "waiting for a second person"
    GRANTED = "granted", "granted"
    DECLINED = "declined", "declined"
    WITHDRAWN = "withdrawn", "withdrawn"
    OVERTAKEN = "overtaken", "overtaken"


CONSENT_SENTENCES: dict[str, str] = {
    ConsentStatus.ASKED: "A second person has to grant or decline it; nothing has been started.",
    ConsentStatus.GRANTED: "A second person granted it, and its run was started with that.",
    ConsentStatus.DECLINED: "A second person declined it; nothing was started.",
    ConsentStatus.WITHDRAWN: "Whoever asked for it took it back; nothing was started.",
    ConsentStatus.OVERTAKEN: "The plan, its losses or the day it was good for went by; nothing was started.",
}


class ReleaseStatus(TextChoices):
    """`ready` is never stored: it is what the gates say at the moment somebody asks."""

    DRAFT = "draft", "draft"
    COLLECTING = "collecting", "collecting"
    READY = "ready", "ready"
    CUTTING_OVER = "cutting_over", "cutting over"
    LIVE = "live", "live"
    SUPERSEDED = "superseded", "superseded"
    ROLLED_BACK = "rolled_back", "rolled back"


RELEASE_SENTENCES: dict[str, str] = {
    ReleaseStatus.DRAFT: "Registered; nothing has reported about it.",
    ReleaseStatus.COLLECTING: "Evidence is coming in; a gate still blocks.",
    ReleaseStatus.READY: "Every gate passes and is signed; it may be cut over.",
    ReleaseStatus.CUTTING_OVER: "Its runs are being carried over the environments.",
    ReleaseStatus.LIVE: "At least one environment runs it.",
    ReleaseStatus.SUPERSEDED: "Every environment that ran it runs another release now.",
    ReleaseStatus.ROLLED_BACK: "It was cut over, and taken back as a whole.",
}

RELEASE_EDGES: dict[tuple[str, str], str] = {
    (ReleaseStatus.DRAFT, ReleaseStatus.COLLECTING): "the first evidence, signature or exemption came in",
    (ReleaseStatus.DRAFT, ReleaseStatus.CUTTING_OVER): "two people broke the glass",
    (ReleaseStatus.COLLECTING, ReleaseStatus.CUTTING_OVER): "every gate passed, or two people broke the glass",
    (ReleaseStatus.CUTTING_OVER, ReleaseStatus.LIVE): "the last environment of the plan was done",
    (ReleaseStatus.CUTTING_OVER, ReleaseStatus.COLLECTING): "it was given up before anything was applied",
    (ReleaseStatus.CUTTING_OVER, ReleaseStatus.ROLLED_BACK): "what had been applied was taken back",
    (ReleaseStatus.LIVE, ReleaseStatus.CUTTING_OVER): "it is carried over further environments",
    (ReleaseStatus.LIVE, ReleaseStatus.SUPERSEDED): "another release took its last environment",
    (ReleaseStatus.LIVE, ReleaseStatus.ROLLED_BACK): "it was taken back as a whole",
    (ReleaseStatus.SUPERSEDED, ReleaseStatus.LIVE): "what came after it was taken back",
    (ReleaseStatus.SUPERSEDED, ReleaseStatus.CUTTING_OVER): "it is cut over again",
    (ReleaseStatus.ROLLED_BACK, ReleaseStatus.CUTTING_OVER): "it is cut over again",
}


class EvidenceStatus(TextChoices):
    PASS = "pass", "passes"
    FAIL = "fail", "fails"


class CheckState(TextChoices):
    PASS = "pass", "passes"
    FAIL = "fail", "fails"
    MISSING = "missing", "missing"
    STALE = "stale", "stale"
    NOT_APPLICABLE = "not_applicable", "not applicable"
    WAIVED = "waived", "exempted"


# What lets a release through.
GREEN = frozenset({CheckState.PASS, CheckState.NOT_APPLICABLE, CheckState.WAIVED})


class CheckKind(TextChoices):
    """Who finds out whether a check holds."""

    POSTED = "posted", "reported by a build"
    HTTP = "http", "asked of an address"
    COMMAND = "command", "run by a worker"
    SQL = "sql", "asked of a target"
    FACT = "fact", "known to Lockstep"
    MANUAL = "manual", "looked at by a person"


class WaiverVerb(TextChoices):
    APPROVE = "approve", "approved"
    DECLINE = "decline", "declined"
    WITHDRAW = "withdraw", "withdrawn"
    REVOKE = "revoke", "revoked"


class CutoverStatus(TextChoices):
    RUNNING = "running", "running"
    HALTED = "halted", "halted"
    ROLLING_BACK = "rolling_back", "rolling back"
    DONE = "done", "done"
    CANCELLED = "cancelled", "given up"
    ROLLED_BACK = "rolled_back", "rolled back"


CUTOVER_SENTENCES: dict[str, str] = {
    CutoverStatus.RUNNING: "Environment after environment gets its run, in the order of the plan.",
    CutoverStatus.HALTED: "A run did not succeed or was not admitted; nothing goes on until a person decides.",
    CutoverStatus.ROLLING_BACK: "What was applied is rolled back, the last environment first.",
    CutoverStatus.DONE: "Every environment of the plan stands at the release's schema.",
    CutoverStatus.CANCELLED: "A person gave it up; the plan tells what stands.",
    CutoverStatus.ROLLED_BACK: "Every environment stands where it stood before.",
}
# One of these at a time for a service; the database enforces it.
CUTOVER_OPEN = frozenset({CutoverStatus.RUNNING, CutoverStatus.HALTED, CutoverStatus.ROLLING_BACK})

CUTOVER_EDGES: dict[tuple[str, str], str] = {
    (CutoverStatus.RUNNING, CutoverStatus.HALTED): "a run did not succeed, or was not admitted",
    (CutoverStatus.RUNNING, CutoverStatus.DONE): "the last run succeeded",
    (CutoverStatus.RUNNING, CutoverStatus.CANCELLED): "a person gave it up",
    (CutoverStatus.HALTED, CutoverStatus.RUNNING): "a person went on",
    (CutoverStatus.HALTED, CutoverStatus.CANCELLED): "a person gave it up",
    (CutoverStatus.HALTED, CutoverStatus.ROLLING_BACK): "a person takes it back",
    (CutoverStatus.DONE, CutoverStatus.ROLLING_BACK): "a person takes it back",
    (CutoverStatus.CANCELLED, CutoverStatus.ROLLING_BACK): "a person takes back what was applied",
    (CutoverStatus.ROLLING_BACK, CutoverStatus.HALTED): "a roll-back did not succeed, or was not admitted",
    (CutoverStatus.ROLLING_BACK, CutoverStatus.ROLLED_BACK): "the last roll-back succeeded",
}


class CutoverStepStatus(TextChoices):
    PENDING = "pending", "pending"
    RUNNING = "running", "running"
    DONE = "done", "done"
    NOTHING = "nothing", "nothing to apply"
    FAILED = "failed", "failed"
    ROLLED_BACK = "rolled_back", "rolled back"


class BootOutcome(TextChoices):
    """How an attempt to start a service ended."""

    ALLOW = "allow", "allowed"
    REFUSED = "refused", "refused"
    GAVE_UP = "gave_up", "gave up"
