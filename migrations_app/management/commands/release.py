"""Releases from a terminal: register one, list them, and hold them against environments."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.management import asking
from migrations_app.models import Release, Service
from migrations_app.releases.contracts import Fit, read_contracts
from migrations_app.releases.registering import register_release

# verb: what a user needs for it
NEEDS = {"register": "register_release", "list": "view", "contracts": "view"}
MOST = 100


class Command(BaseCommand):
    help = (
        "register SERVICE RELEASE; list, contracts SERVICE. "
        "contracts exits with 1 where a release would refuse to start or where that is unknown."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        found = parser.add_subparsers(dest="verb", required=True)
        for name in NEEDS:
            sub = found.add_parser(name)
            sub.add_argument("service")
            if name == "register":
                sub.add_argument("release")
                sub.add_argument("--schema-rev", required=True, help="the schema it was built for")
                sub.add_argument("--min", default="", help="the oldest schema it can work with; default: --schema-rev")
                sub.add_argument("--max", default="", help="the newest schema it can work with; default: --schema-rev")
                sub.add_argument("--index-hash", default="")
                sub.add_argument("--secrets-rev", default="", help="names a set of secrets; no secret is kept")
                sub.add_argument("--commit", default="", help="what it was built from")
                sub.add_argument(
                    "--artefact", action="append", default=[], metavar="NAME=SHA256", help="what was built"
                )
            else:
                sub.add_argument("--most", type=int, default=MOST, help="how many of the newest")
            sub.add_argument("--as", dest="user", required=True, help="the user who asks")

    def handle(self, *args: Any, **options: Any) -> None:
        verb: str = options["verb"]
        with asking.refusals():
            by = asking.person(options["user"], NEEDS[verb])
            service = asking.service(options["service"])
            if verb == "list":
                self._list(service, max(options["most"], 1))
                return
            if verb == "contracts":
                self._contracts(service, max(options["most"], 1))
                return
            done = register_release(
                service=service,
                release_id=options["release"],
                schema_rev=options["schema_rev"],
                schema_rev_min=options["min"],
                schema_rev_max=options["max"],
                index_hash=options["index_hash"],
                secrets_rev=options["secrets_rev"],
                commit=options["commit"],
                artefacts=_artefacts(options["artefact"]),
                by=by,
            )
        self.stdout.write(f"{_line(done.release)}{'' if done.created else ' (registered before)'}")

    def _list(self, service: Service, most: int) -> None:
        for release in Release.objects.filter(service=service).order_by("-id")[:most]:
            self.stdout.write(_line(release))

    def _contracts(self, service: Service, most: int) -> None:
        found = read_contracts(service, window=most)
        bad = 0
        for row in found.rows:
            self.stdout.write(f"{row.release_id} works with {row.window}")
            for place, cell in zip(found.places, row.cells, strict=True):
                bad += cell.fit != Fit.FITS
                self.stdout.write(f"  {cell.fit.value:8} {place.name}: {cell.sentence}")
        if not found.rows:
            raise CommandError(f"{service.name} has no release. Register one: manage.py release register --help")
        if bad:
            raise CommandError(f"{bad} of {len(found.rows) * len(found.places)} would refuse or are unknown.")


def _artefacts(given: list[str]) -> dict[str, str]:
    found = {name: sha256 for name, _, sha256 in (one.rpartition("=") for one in given)}
    if len(found) < len(given):
        raise CommandError("An --artefact was given twice. Nothing was registered.")
    return found


def _line(release: Release) -> str:
    return (
        f"{release.pk} {release.release_id}: built for {release.schema_rev}, "
        f"works with {release.schema_rev_min} to {release.schema_rev_max}"
    )
