"""Check that the audit chain, and what it tells of, is what was written: exit 0, or exit 1 and the first difference."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError

from migrations_app.audit.anchor_file import BadAnchors, read_anchors
from migrations_app.audit.anchoring import anchor_now, forged_anchor
from migrations_app.audit.chain import Anchor
from migrations_app.audit.verify import verify
from migrations_app.releases.bundle.check import check_file
from migrations_app.releases.bundle.kinds import Broken
from migrations_app.releases.bundle.unpack import NoBundle
from migrations_app.releases.crosscheck import first_difference


class Command(BaseCommand):
    help = (
        "Recompute the audit chain from the kept rows, and compare evidence, signatures, exemptions and cutovers with "
        "it. Whoever is superuser of the database can cut off its tail, and what is left still verifies: only the "
        "anchors show that, which are read from LOCKSTEP_ANCHOR_FILE unless --anchor is given. "
        "With --bundle a file is checked instead, without the database, and against the same anchors."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="from_seq", type=int, default=0, help="trust this entry, check after it")
        parser.add_argument(
            "--anchor",
            type=_anchor,
            action="append",
            help="SEQ:HASH noted outside the database; only this shows a cut tail; can be given several times",
        )
        parser.add_argument("--export", type=Path, help="also write the rows to this file, to be checked offline")
        parser.add_argument("--bundle", type=Path, help="check this bundle of a release, and nothing else")
        parser.add_argument("--chain", type=Path, help="with --bundle: a chain as it was exported, to find it in")
        parser.add_argument("--anchor-now", action="store_true", help="note the head as the scheduler does each day")
        parser.add_argument(
            "--new-anchor-file",
            action="store_true",
            help="note the head in a new LOCKSTEP_ANCHOR_FILE, for the one before was moved on purpose",
        )

    def handle(self, *args: object, **options: object) -> None:
        given = cast("list[Anchor] | None", options["anchor"])
        bundle = cast("Path | None", options["bundle"])
        if bundle is not None:
            noted = _kept() if given is None else ()
            self._bundle(bundle, given or (), cast("Path | None", options["chain"]), noted)
            return
        from_seq = cast(int, options["from_seq"])
        new_file = bool(options["new_anchor_file"])
        in_file: Callable[[], tuple[Anchor, ...] | None] = partial(_in_file, given, new_file)
        anchors = given or [one for one in in_file() or () if one.seq >= from_seq]
        try:
            sentence = self._chain(from_seq, anchors, cast("Path | None", options["export"]))
            why = forged_anchor(in_file) or first_difference(artefacts=True)
        except ProgrammingError as error:
            told = str(error).partition("\n")[0]
            raise CommandError(f"A table that the audit log vouches for cannot be read: {told}.") from None
        if why:
            raise CommandError(why)
        self.stdout.write(sentence)
        if options["anchor_now"] or new_file:
            self._anchor(new_file)

    def _chain(self, from_seq: int, anchors: list[Anchor], export: Path | None) -> str:
        try:
            verdict = verify(from_seq, anchors, export)
        except OSError as error:
            raise CommandError(f"{export} cannot be written: {error.strerror}.") from error
        if not verdict.ok:
            raise CommandError(verdict.sentence)
        return verdict.sentence

    def _anchor(self, new_file: bool) -> None:
        anchor = anchor_now(new_file=new_file)
        if anchor is None:
            raise CommandError("The audit log is empty: there is nothing to anchor.")
        if anchor.note:
            raise CommandError(f"Number {anchor.seq} was not anchored everywhere. {anchor.note}")
        self.stdout.write(f"Anchored {anchor.seq}:{anchor.hash} in {settings.LOCKSTEP_ANCHOR_FILE}.")

    def _bundle(self, path: Path, anchors: Sequence[Anchor], chain: Path | None, noted: Sequence[Anchor]) -> None:
        try:
            self.stdout.write(check_file(path, anchors, chain, noted))
        except (OSError, NoBundle) as error:
            raise CommandError(f"The file cannot be checked: {error}") from None
        except Broken as broken:
            raise CommandError(str(broken)) from None


def _in_file(given: list[Anchor] | None, new_file: bool) -> tuple[Anchor, ...] | None:
    """None: others were given instead, or a file that is lost is to be begun anew."""
    if given is not None:
        return None
    return _kept() or (None if new_file else ())


def _kept() -> tuple[Anchor, ...]:
    path = Path(settings.LOCKSTEP_ANCHOR_FILE)
    try:
        return read_anchors(path)
    except BadAnchors as bad:
        raise CommandError(str(bad)) from None
    except OSError as error:
        raise CommandError(f"The anchors in {path} cannot be read: {error.strerror}.") from None


def _anchor(text: str) -> Anchor:
    try:
        return Anchor.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
