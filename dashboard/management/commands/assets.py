"""Make what browsers load, as the web server does, and print its manifest: SHA-256 and address of each file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management.base import BaseCommand, CommandError
from django.templatetags.static import static

from dashboard.bundles import FILES, SOURCES, bundle

_NAMED = re.compile(r"""{%\s*static\s+['"]([^'"]+)['"]""")
_REFERRED = re.compile(r"""url\(\s*['"]?([^'")#?]+)""")


class Command(BaseCommand):
    help = "Make the style sheet and the script, and print SHA-256 and address of each file that browsers load."
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        files = dict(_files())
        self._refuse_missing(files)
        made = {bundle(kind).url: bundle(kind).content for kind in FILES}
        for address, content in sorted({**{static(name): body for name, body in files.items()}, **made}.items()):
            self.stdout.write(f"{hashlib.sha256(content).hexdigest()}  {address}")

    def _refuse_missing(self, files: dict[str, bytes]) -> None:
        missing = [f"{name}, which {where} names" for name, where in _wanted(files) if name not in files]
        if missing:
            raise CommandError(f"static/{missing[0]}, is missing. Nothing was made. Put it back and build again.")


def _files() -> Iterator[tuple[str, bytes]]:
    """The name and content of each file that is served."""
    for finder in get_finders():
        for name, storage in finder.list([]):
            with storage.open(name) as file:
                yield name, file.read()


def _wanted(files: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """What has to be there, and who names it: bundles, templates, and style sheets by relative addresses."""
    for kind, names in FILES.items():
        yield from ((f"{kind}/{name}.{kind}", "dashboard/bundles.py") for name in names)
    for template in sorted((settings.BASE_DIR / "templates").rglob("*.html")):
        for name in _NAMED.findall(template.read_text(encoding="utf-8")):
            yield name, str(template.relative_to(settings.BASE_DIR))
    for name in sorted(files):
        if name.endswith(".css") and (SOURCES / Path(name)).is_file():
            text = files[name].decode()
            found = (one for one in _REFERRED.findall(text) if not one.startswith(("data:", "/")))
            yield from ((normpath(join(dirname(name), one)), f"static/{name}") for one in found)
