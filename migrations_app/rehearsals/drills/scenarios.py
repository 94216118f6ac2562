"""The decision matrix: five kinds of failure, the lever that undoes each, what it may lose, and how it is practised."""

from __future__ import annotations

from dataclasses import dataclass

STEP_NAMES = (
    "Simulate the failure",
    "Stop, restore, start",
    "Verify health and smoke",
    "Capture timings and interventions",
    "Update the runbook",
)
STEPS = len(STEP_NAMES)
# The failure is there when step 1 ends, and gone when step 3 has ended: in between lies the recovery.
FAILED_BY, RECOVERED_BY = 1, 3


@dataclass(frozen=True)
class PlannedStep:
    name: str
    planned_s: int
    commands: str = ""


@dataclass(frozen=True)
class Scenario:
    key: str
    word: str
    method: str
    lever: str  # the same in one or two words
    loss: str  # how much may be lost: none, low or high
    loss_words: str
    sentence: str
    symptoms: tuple[str, ...]  # as questions
    outside: str  # what is done where Lockstep has no hand
    steps: tuple[PlannedStep, ...]
    smoke: tuple[str, ...]


def _steps(planned_s: tuple[int, int, int], *commands: str) -> tuple[PlannedStep, ...]:
    """The first three differ; to note and to correct the runbook takes as long whatever failed."""
    return tuple(
        PlannedStep(name, seconds, command)
        for name, seconds, command in zip(
            STEP_NAMES, (*planned_s, 120, 300), (*commands, *([""] * (STEPS - len(commands)))), strict=True
        )
    )


_HEALTH = "curl -fsS $HEALTH_URL\ncurl -fsS $HEALTH_URL/deep"
_PAGES = ("the first page opens", "signing in works", "one list and one detail page open", "an export downloads")

SCENARIOS: dict[str, Scenario] = {
    scenario.key: scenario
    for scenario in (
        Scenario(
            key="application",
            word="Application bug",
            method="Deploy the previous release",
            lever="previous release",
            loss="none",
            loss_words="none, as long as the schema still serves that release",
            sentence="The code of a release is wrong and the schema is not: put the release before it back.",
            symptoms=(
                "Did it begin with a deploy that brought no revision?",
                "Are pages unusable or exports different, while the data is right?",
                "Does the process not start, or start and fall over again?",
            ),
            outside="Redeploy the release before with the deploy tool, and restart web and watchdog together.",
            steps=_steps(
                (60, 240, 180),
                "Deploy an artefact that cannot start, for example with its entry file removed.",
                "scripts/start_server.sh stop\n# put the artefacts of the previous release back\n"
                "scripts/start_server.sh start\n"
                "# under systemd: restart the units of web and watchdog together",
                _HEALTH,
            ),
            smoke=_PAGES,
        ),
        Scenario(
            key="feature",
            word="Feature bug",
            method="Switch its flag off",
            lever="flag off",
            loss="none",
            loss_words="none",
            sentence="One feature is wrong and has a switch: turn that off and leave the rest as it is.",
            symptoms=(
                "Is one feature broken while everything around it works?",
                "Did it begin when a flag or its percentage was raised?",
            ),
            outside="Switch it off where the application's flags are kept, and see that every instance has heard.",
            steps=_steps(
                (30, 30, 120),
                "Raise the flag on a path that is known to fail.",
                "Set the flag to off for everybody.",
                _HEALTH,
            ),
            smoke=("the feature is gone from its page", "the page without it works", *_PAGES[:2]),
        ),
        Scenario(
            key="schema",
            word="Schema bug",
            method="Run the down script",
            lever="down",
            loss="low",
            loss_words="low if the revision is reversible",
            sentence="A revision made the schema wrong: undo it with its own down script, which was tried before.",
            symptoms=(
                "Did it begin with a revision that was applied?",
                "Do statements fail on a column, table, constraint or type?",
                "Do queries wait or slow down on a table that a revision changed?",
            ),
            outside="Put back the release that serves the schema before, if the one that runs cannot.",
            steps=_steps(
                (60, 300, 180),
                "Apply a revision that breaks a query of the application.",
                "manage.py plan --run NUMBER\nmanage.py rollback --run NUMBER --as NAME\n"
                "# or so many revisions: manage.py rollback SERVICE ENVIRONMENT --to REVISION --as NAME",
                _HEALTH,
            ),
            smoke=("the query that failed answers", *_PAGES),
        ),
        Scenario(
            key="data",
            word="Data bug",
            method="Restore the backup",
            lever="restore",
            loss="high",
            loss_words="high: what was written since the backup, unless the change can be reversed",
            sentence="Rows are wrong or gone and no down script brings them back: restore them from a backup.",
            symptoms=(
                "Are values wrong or rows missing, while the schema is as it should be?",
                "Did a migrate revision or a script by hand change more than it should?",
            ),
            outside="Stop what writes first. Restore beside the target, compare, then put over what is missing.",
            steps=_steps(
                (60, 600, 240),
                "Change rows of a copy in a way that no down script undoes.",
                "# stop what writes\npg_restore --clean --if-exists --dbname=$TARGET $BACKUP\n# start what writes",
                f"{_HEALTH}\n# compare counts of the touched tables with those of the backup",
            ),
            smoke=("row counts agree with the backup", *_PAGES),
        ),
        Scenario(
            key="integration",
            word="Integration failure",
            method="Open the breaker, serve the fallback",
            lever="breaker",
            loss="none",
            loss_words="none",
            sentence="Somebody else's service fails: stop calling it and serve what does without.",
            symptoms=(
                "Do calls to another service time out or fail, while the own parts answer?",
                "Is health degraded, and does its reason name something outside?",
            ),
            outside="Open the application's circuit breaker by hand, or switch its fallback on.",
            steps=_steps(
                (30, 60, 180),
                "Make the other service unreachable, for example by a firewall rule.",
                "Open the breaker or switch the fallback on.",
                f"{_HEALTH}\n# degraded_reason names the known outage and nothing else",
            ),
            smoke=("pages without the other service work", "its part says that it is away", *_PAGES[:2]),
        ),
    )
}
