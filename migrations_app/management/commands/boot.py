"""The boot gate from a terminal: ask it, see what runs and how it started, report, say which secrets are expected."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.fleet.environments import edit_environment
from migrations_app.management import asking
from migrations_app.models import Environment, NodeReport
from migrations_app.releases.boot.attempts import Attempt, list_attempts, record_attempt, tally
from migrations_app.releases.boot.deciding import decide
from migrations_app.releases.boot.known import Asked
from migrations_app.releases.boot.nodes import check_asked, list_nodes, report_node, retire_node
from migrations_app.releases.boot.reading import read
from migrations_app.statuses import BootOutcome

# verb: what a user needs for it
NEEDS = {
    "ask": "view", "nodes": "view", "attempts": "view", "report": "report_boot", "retire": "report_boot",
    "record": "report_boot", "expect": "edit_fleet",
}  # fmt: skip
PROBES = {"": None, "ok": True, "fail": False}


class Command(BaseCommand):
    help = (
        "ask, nodes, attempts, report, retire, record, expect SERVICE ENVIRONMENT. "
        "ask exits with 1 unless a service with these versions may start."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        found = parser.add_subparsers(dest="verb", required=True)
        for name in NEEDS:
            sub = found.add_parser(name)
            sub.add_argument("service")
            sub.add_argument("environment")
            if name in ("report", "retire"):
                sub.add_argument("node")
            if name == "record":
                sub.add_argument("boot", help="an id of its own for each start")
                sub.add_argument("outcome", choices=BootOutcome.values)
                sub.add_argument("--phase", default="", help="the one it ended in")
                sub.add_argument("--node", default="")
                sub.add_argument("--tries", type=int, default=1)
                sub.add_argument("--first-request", choices=("ok", "fail"), help="how its first request went")
            if name in ("ask", "report"):
                for version in ("--schema-rev", "--index-hash", "--secrets-rev"):
                    sub.add_argument(version, default="")
                sub.add_argument("--probes", choices=tuple(PROBES), default="")
            if name in ("ask", "report", "record"):
                sub.add_argument("--release", default="")
            if name == "expect":
                sub.add_argument("--secrets-rev", required=True, help="the set of secrets; empty: not looked at")
                sub.add_argument("--next", default="", help="the one that is rotated to")
            sub.add_argument("--as", dest="user", required=True, help="the user who asks")

    def handle(self, *args: Any, **options: Any) -> None:
        verb: str = options["verb"]
        with asking.refusals():
            by = asking.person(options["user"], NEEDS[verb])
            environment = asking.environment(options["service"], options["environment"])
            match verb:
                case "ask":
                    self._ask(environment, options)
                case "nodes":
                    self._nodes(environment)
                case "attempts":
                    self._attempts(environment)
                case "report":
                    report_node(environment=environment, asked=_asked(options))
                    self.stdout.write(f"{options['node']} has reported for {environment.name}.")
                case "retire":
                    retire_node(report=_node(environment, options["node"]), by=by)
                    self.stdout.write(f"{options['node']} is no node of {environment.name} any more.")
                case "record":
                    record_attempt(environment=environment, attempt=_attempt(options))
                    self.stdout.write(f"The start {options['boot']} is recorded.")
                case "expect":
                    edit_environment(
                        environment=environment,
                        by=by,
                        secrets_rev=options["secrets_rev"],
                        secrets_rev_next=options["next"],
                    )
                    self.stdout.write(
                        f"{environment.name} expects the secrets {options['secrets_rev'] or 'of nobody'}."
                    )

    def _ask(self, environment: Environment, options: dict[str, Any]) -> None:
        asked = _asked(options)
        check_asked(asked)
        if not (asked.release_id or asked.schema_rev):
            raise CommandError("Give --release or --schema-rev: without them nothing can be compared.")
        known = read(environment.service.name, environment.name, asked).known
        assert known is not None, "its environment was just found"
        decision = decide(asked, known)
        for reason in decision.reasons:
            self.stdout.write(f"{reason.phase:15} {reason.sentence} Clears: {reason.clears} ({reason.code})")
        if not decision.allow:
            ahead = f" It could after run {decision.waiting_for}." if decision.waiting_for else ""
            raise CommandError(f"It may not start in {environment.name}.{ahead}")
        self.stdout.write(f"It may start in {environment.name}.")

    def _nodes(self, environment: Environment) -> None:
        for row in list_nodes(environment):
            versions = " ".join(filter(None, (row.release_id, row.schema_rev, row.index_hash, row.secrets_rev)))
            self.stdout.write(f"{row.state:8} {row.node} {versions} at {row.at:%Y-%m-%d %H:%M:%S} UTC")

    def _attempts(self, environment: Environment) -> None:
        counted = tally(environment)
        for one in list_attempts(environment):
            why = " ".join(sentence for _, sentence in one.reasons)
            self.stdout.write(
                f"{one.ended_at:%Y-%m-%d %H:%M:%S} {one.outcome:8} {one.phase} {one.tries} {why}".rstrip()
            )
        self.stdout.write(
            f"{counted.total} starts in 30 days, {counted.without_retry} at the first question, "
            f"{counted.first_request_errors} first requests failed."
        )


def _asked(options: dict[str, Any]) -> Asked:
    return Asked(
        release_id=options["release"],
        schema_rev=options["schema_rev"],
        index_hash=options["index_hash"],
        secrets_rev=options["secrets_rev"],
        node=options.get("node") or "",
        probes_ok=PROBES[options["probes"]],
    )


def _attempt(options: dict[str, Any]) -> Attempt:
    return Attempt(
        boot=options["boot"],
        outcome=options["outcome"],
        node=options["node"],
        release_id=options["release"],
        phase=options["phase"],
        tries=options["tries"],
        first_request_ok=PROBES[options["first_request"] or ""],
    )


def _node(environment: Environment, name: str) -> NodeReport:
    found = NodeReport.objects.select_related("environment__service").filter(environment=environment, node=name)
    report = found.first()
    if report is None:
        known = ", ".join(environment.nodes.values_list("node", flat=True)[:20]) or "none yet"
        raise CommandError(f"No node {name!r} has reported for {environment.name} (known: {known}). Nothing was done.")
    return report
