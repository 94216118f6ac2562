"""Which modules a web process has loaded from where, and where Python would look for more."""

from __future__ import annotations

import json
import sys
import sysconfig
from importlib import import_module
from pathlib import Path


def main() -> None:
    import_module("dashboard.wsgi")
    root = Path.cwd().resolve()
    of_python = {Path(path).absolute() for path in (sys.prefix, sys.base_prefix, *_standard())}
    homes = {root, *(path.resolve() for path in of_python)}
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    known = {name: Path(file) for name, file in files.items() if file}
    # Python's own folders may hold links to elsewhere, as Debian's do; the project's may not.
    inside = {name for name, file in known.items() if _within(file.resolve(), homes) or _within(file, of_python)}
    outside = sorted((name, str(file.resolve())) for name, file in known.items() if name not in inside)
    search = [path for path in sys.path if path and not _within(Path(path).resolve(), homes)]
    told = {"modules": len(known), "outside": outside, "search": search, "homes": [str(root), "Python's own folders"]}
    print(json.dumps(told))


def _standard() -> list[str]:
    return [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]


def _within(path: Path, homes: set[Path]) -> bool:
    return any(path.is_relative_to(home) for home in homes)


if __name__ == "__main__":
    main()
