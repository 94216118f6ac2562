"""The evidence bundle of a release from a terminal: the same file as from its page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.management import asking
from migrations_app.models import Release
from migrations_app.releases.bundle.make import make_bundle


class Command(BaseCommand):
    help = "Write a release's evidence bundle to a file, which `verify_audit --bundle` checks anywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("service")
        parser.add_argument("release")
        parser.add_argument("--to", type=Path, help="a folder or a file; default: this folder")
        parser.add_argument("--as", dest="user", required=True, help="the user who takes it; goes into the audit log")

    def handle(self, *args: Any, **options: Any) -> None:
        by = asking.person(options["user"], "export")
        service = asking.service(options["service"])
        release = Release.objects.filter(service=service, release_id=options["release"]).first()
        if release is None:
            raise CommandError(f"{service.name} has no release {options['release']!r}. Nothing was written.")
        bundle = make_bundle(release, by)
        path: Path = options["to"] or Path()
        path = path / bundle.name if path.is_dir() else path
        try:
            path.write_text(bundle.text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
        self.stdout.write(f"{path}: sealed by entry {bundle.anchor} of the audit log.")
