"""A release's gates from a terminal: the same verbs as on its page, and a report whose exit code a build can use."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.management import asking, own_gates
from migrations_app.models import GateSignature, GateWaiver, Release
from migrations_app.releases.gates.catalogue import BadCatalogue
from migrations_app.releases.gates.catalogues import edit_catalogue, shown_catalogue
from migrations_app.releases.gates.evidence import MOST_BYTES, Attachment, post_evidence
from migrations_app.releases.gates.looking import ask_look
from migrations_app.releases.gates.reading import Judged, judged
from migrations_app.releases.gates.report import GateReport, report_on
from migrations_app.releases.gates.signing import sign_off, withdraw
from migrations_app.releases.gates.waivers import MOST_HOURS, ask_waiver, decide_waiver
from migrations_app.statuses import EvidenceStatus, WaiverVerb

# verb: what a user needs for it; taking one's own request back and changing the catalogue are decided where they are.
NEEDS = {
    "show": "view",
    "report": "post_evidence",
    "look": "post_evidence",
    "sign": "sign_gate",
    "withdraw": "sign_gate",
    "waive": "ask_waiver",
    "decide": "decide_waiver",
    "catalogue": "view",
}


class Command(BaseCommand):
    help = "Show a release's gates, report, sign, exempt, change the catalogue, and look at this installation itself."

    def add_arguments(self, parser: CommandParser) -> None:
        found = parser.add_subparsers(dest="verb", required=True)
        subs: dict[str, ArgumentParser] = {name: found.add_parser(name) for name in NEEDS}
        for name, sub in subs.items():
            if name in ("show", "report", "look", "sign", "waive"):
                sub.add_argument("service")
                sub.add_argument("release")
            sub.add_argument("--as", dest="user", required=True, help="the user who asks")
        subs["show"].add_argument("--json", action="store_true", help="mode, errors, warnings, info and passed as JSON")
        _add_reporting(subs["report"])
        _add_deciding(subs)
        own_gates.add_arguments(found.add_parser("self", help="look at this very installation"))
        subs["catalogue"].add_argument("--service", help="its own; left out, the one for all")
        subs["catalogue"].add_argument("--set", metavar="FILE", type=Path, help="save this file as a new version")
        subs["catalogue"].add_argument("--note", default="", help="what the change is for")
        subs["catalogue"].add_argument("--version", dest="shown", type=int, help="the version that was edited")

    def handle(self, *args: Any, **options: Any) -> None:
        verb: str = options["verb"]
        if verb == "self":
            own_gates.run(self, options)
            return
        needed = NEEDS[verb]
        if verb == "decide" and options["decision"] == WaiverVerb.WITHDRAW:
            needed = "ask_waiver"
        if verb == "catalogue" and options["set"]:
            needed = "edit_gates"
        with asking.refusals():
            by = asking.person(options["user"], needed)
            getattr(self, f"_{verb}")(options, by)

    def _show(self, options: dict[str, Any], by: User) -> None:
        found = judged(_release(options))
        report = report_on(found.verdict, found.known.strangers)
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(report), "passed": report.passed}, ensure_ascii=False, indent=2))
        else:
            self._write(found, report)
        if not report.passed:
            raise CommandError(found.verdict.sentence)

    def _write(self, found: Judged, report: GateReport) -> None:
        self.stdout.write(f"{found.release.release_id} is {found.status}. {found.verdict.sentence}")
        for gate in found.verdict.gates:
            names = ", ".join(f"{one.by} (signature {one.id})" for one in gate.signed)
            self.stdout.write(f"{gate.number} {gate.gate.key}: {gate.state}, evidence {gate.evidence_hash}")
            if names:
                self.stdout.write(f"  signed by {names}")
        for word, findings in (("error", report.errors), ("warning", report.warnings), ("info", report.info)):
            for one in findings:
                self.stdout.write(f"{word:8}{one.name}: {one.state}. {one.sentence}")

    def _report(self, options: dict[str, Any], by: User) -> None:
        posted = post_evidence(
            release=_release(options),
            gate=options["gate"],
            check=options["check"],
            status=options["status"],
            summary=options["summary"],
            producer=options["producer"],
            commit=options["commit"],
            attachment=_attachment(options),
            by=by,
        )
        row = posted.evidence
        self.stdout.write(f"evidence {row.pk}: {row.gate_key}/{row.check_key} {row.get_status_display()}")
        if posted.hint:
            self.stderr.write(posted.hint)

    def _look(self, options: dict[str, Any], by: User) -> None:
        asked = ask_look(release=_release(options), gate=options["gate"], check=options["check"], by=by)
        self.stdout.write(f"look {asked.pk}: a worker looks at {asked.gate_key}/{asked.check_key} next")

    def _sign(self, options: dict[str, Any], by: User) -> None:
        signed = sign_off(
            release=_release(options),
            gate=options["gate"],
            evidence_hash=options["evidence_hash"],
            comment=options["comment"],
            by=by,
        )
        self.stdout.write(f"signature {signed.pk}: {signed.gate_key}, until {signed.expires_at:%Y-%m-%d %H:%M} UTC")

    def _withdraw(self, options: dict[str, Any], by: User) -> None:
        signatures = GateSignature.objects.select_related("release__service", "by")
        signature = signatures.filter(pk=options["number"]).first()
        if signature is None:
            raise CommandError(f"There is no signature {options['number']}. Nothing was withdrawn.")
        withdraw(signature, reason=options["reason"], by=by)
        self.stdout.write(f"signature {signature.pk} is withdrawn")

    def _waive(self, options: dict[str, Any], by: User) -> None:
        asked = ask_waiver(
            release=_release(options),
            gate=options["gate"],
            check=options["check"],
            reason=options["reason"],
            hours=options["hours"],
            by=by,
        )
        self.stdout.write(f"exemption {asked.pk} waits for a second person: manage.py gates decide {asked.pk} approve")

    def _decide(self, options: dict[str, Any], by: User) -> None:
        waivers = GateWaiver.objects.select_related("release__service", "requested_by")
        waiver = waivers.filter(pk=options["number"]).first()
        if waiver is None:
            raise CommandError(f"There is no exemption {options['number']}. Nothing was decided.")
        made = decide_waiver(waiver, options["decision"], reason=options["reason"], by=by)
        self.stdout.write(f"exemption {waiver.pk} is {made.get_verb_display()}")

    def _catalogue(self, options: dict[str, Any], by: User) -> None:
        owner = asking.service(options["service"]) if options["service"] else None
        if options["set"] is None:
            self.stdout.write(json.dumps(shown_catalogue(owner).content, ensure_ascii=False, indent=2))
            return
        content = _read_catalogue(options["set"])
        made = edit_catalogue(service=owner, content=content, note=options["note"], by=by, shown=options["shown"])
        self.stdout.write(f"version {made.version} of the catalogue for {owner.name if owner else 'all services'}")


def _add_reporting(report: ArgumentParser) -> None:
    for name in ("gate", "check"):
        report.add_argument(name)
    report.add_argument("status", choices=EvidenceStatus.values)
    report.add_argument("summary", help="what was found, in a sentence")
    report.add_argument("--producer", default="", help="which job found it out; default: the user")
    report.add_argument("--commit", default="", help="where it was found")
    report.add_argument("--file", type=Path, help="a file to attach, of 10 MB at most")
    report.add_argument("--artefact", default="", help="its name; default: the file's")
    report.add_argument("--sha256", default="", help="its hash, where it is kept elsewhere or to be compared")


def _add_deciding(subs: dict[str, ArgumentParser]) -> None:
    subs["sign"].add_argument("gate")
    for name in ("gate", "check"):
        subs["look"].add_argument(name)
    subs["sign"].add_argument("--evidence-hash", required=True, help="of what you looked at, as `gates show` prints it")
    subs["sign"].add_argument("--comment", default="")
    subs["waive"].add_argument("gate")
    subs["waive"].add_argument("check")
    subs["waive"].add_argument("--hours", type=int, required=True, help=f"how long it may hold, 1 to {MOST_HOURS}")
    subs["withdraw"].add_argument("number", type=int, help="of the signature, as `gates show` prints it")
    subs["decide"].add_argument("number", type=int, help="of the exemption, as `gates waive` printed it")
    subs["decide"].add_argument("decision", choices=WaiverVerb.values)
    for name in ("withdraw", "waive", "decide"):
        subs[name].add_argument("--reason", default="")


def _release(options: dict[str, Any]) -> Release:
    owner = asking.service(options["service"])
    releases = Release.objects.select_related("service", "created_by")
    found = releases.filter(service=owner, release_id=options["release"]).first()
    if found is None:
        raise CommandError(f"{owner.name} has no release {options['release']!r}. Nothing was done.")
    return found


def _attachment(options: dict[str, Any]) -> Attachment:
    path: Path | None = options["file"]
    if path is None:
        return Attachment(options["artefact"], options["sha256"])
    return Attachment(options["artefact"] or path.name, options["sha256"], _bytes_of(path))


def _bytes_of(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise CommandError(f"{path} has {size:,} bytes, the limit is {MOST_BYTES:,}. Give its --sha256 alone.")
        return path.read_bytes()
    except OSError as failure:
        raise CommandError(f"{path} cannot be read: {failure.strerror}. Nothing was done.") from None


def _read_catalogue(path: Path) -> object:
    try:
        return json.loads(_bytes_of(path))
    except (ValueError, RecursionError) as failure:
        raise BadCatalogue("", f"is no JSON: {failure}.") from None
