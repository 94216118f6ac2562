"""A folder of revisions: check it without any database, or put it into a service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from migrations_app.engine.contract.chain import Declared, resolve
from migrations_app.engine.contract.folder import read_folder
from migrations_app.fleet.revisions import put_folder, read_draft
from migrations_app.management import asking


class Command(BaseCommand):
    help = "check PATH: read, parse and chain a folder. put SERVICE PATH --as USER: store it, all or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        check = verbs.add_parser("check")
        check.add_argument("path", type=Path)
        put = verbs.add_parser("put")
        put.add_argument("service")
        put.add_argument("path", type=Path)
        put.add_argument("--as", dest="user", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        with asking.refusals():
            files = read_folder(options["path"])
            if options["verb"] == "check":
                drafts = [read_draft(f.revision_id, f.up, f.down, f.verify) for f in files]
                chain = resolve(Declared(d.revision_id, d.declared_parent) for d in drafts)
                self.stdout.write(
                    f"{len(chain)} revisions, one chain, head {chain[-1].revision_id if chain else 'none'}"
                )
                return
            user = asking.person(options["user"], "upload_revision")
            puts = put_folder(service=asking.service(options["service"]), files=files, by=user)
        new = sum(1 for put in puts if put.created)
        changed = sum(1 for put in puts if put.changed)
        self.stdout.write(f"{new} new, {changed} changed, {len(puts) - new - changed} as they were")
