"""`python -m tests.bench`: measure, print the tables, and write docs/benchmarks.md after a full run.

It exits with 1 only when something could not be run; how long things took never fails it.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from migrations_app.engine.errors import LockstepError
from tests.bench import report
from tests.bench.house import House, open_house
from tests.bench.machine import facts, processor_time, with_the_end
from tests.bench.report import Failure, Section, Table
from tests.bench.sizes import FULL, QUICK, TINY, Sizes

_ROOT = Path(__file__).resolve().parents[2]
_DOCUMENT = _ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class _Part:
    name: str
    measure: Callable[[], Table | tuple[Table, ...]]


def main() -> int:
    chosen = _arguments()
    sizes = TINY if chosen.tiny else QUICK if chosen.quick else FULL
    with open_house() as house, ExitStack() as kept:
        about, begun = facts(house, sizes), processor_time()
        print(about, flush=True)
        sections = list(_sections(_parts(house, sizes, kept, install=not chosen.no_install), set(chosen.only)))
        about = with_the_end(about, begun)
    text = report.document(about, sorted(sections, key=report.place))
    output = chosen.output or (_DOCUMENT if sizes is FULL and not chosen.only else None)
    if output is not None:
        output.write_text(text, encoding="utf-8")
    return 1 if any(isinstance(section, Failure) for section in sections) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure Lockstep side by side with its peers.")
    parser.add_argument("--quick", action="store_true", help="fewer revisions and rounds; writes no file")
    parser.add_argument("--tiny", action="store_true", help="only see that everything runs")
    parser.add_argument("--no-install", action="store_true", help="do not fetch dbmate; use it if it is cached")
    parser.add_argument("--only", nargs="+", default=[], choices=_NAMES, help="these parts; writes no file")
    parser.add_argument("--output", type=Path, help="write the report here")
    return parser.parse_args()


_NAMES = (
    "one_target", "fleet", "noop", "parsing", "uploading", "large", "pages", "lists", "browser", "forecast", "schemas",
    "boot_gate",
)  # fmt: skip


def _parts(house: House, sizes: Sizes, kept: ExitStack, *, install: bool) -> Iterator[_Part]:
    # Django's settings are read on import, so these come after the house has set the environment.
    from tests.bench import (
        boot_gate,
        browser,
        fleet,
        forecast,
        large,
        lists,
        noop,
        one_target,
        pages,
        parsing,
        schemas,
        uploading,
    )

    yield _Part("noop", lambda: noop.measure(house, sizes))
    yield _Part("parsing", lambda: parsing.measure(sizes))
    yield _Part("uploading", lambda: uploading.measure(sizes))
    yield _Part("fleet", lambda: fleet.measure(house, sizes))
    yield _Part("one_target", lambda: one_target.measure(house, sizes, install=install))
    yield _Part("forecast", lambda: forecast.measure(house, sizes))
    yield _Part("schemas", lambda: schemas.measure(house, sizes))
    large_fleet = large.LargeFleet(house, sizes, kept)
    yield _Part("large", lambda: large.measure(large_fleet))
    yield _Part("pages", lambda: pages.measure(large_fleet))
    yield _Part("lists", lambda: lists.measure(large_fleet))
    yield _Part("boot_gate", lambda: boot_gate.measure(large_fleet))
    yield _Part("browser", lambda: browser.measure(large_fleet))


def _sections(parts: Iterator[_Part], only: set[str]) -> Iterator[Section]:
    for part in parts:
        if only and part.name not in only:
            continue
        for section in _measured(part):
            print(f"\n{section}", flush=True)
            yield section


def _measured(part: _Part) -> tuple[Section, ...]:
    """What a part found. One that breaks is named in the report, and the others still run."""
    try:
        found = part.measure()
    except Exception as error:
        traceback.print_exc()
        said = error.sentence if isinstance(error, LockstepError) else f"{type(error).__name__}: {error}"
        return (Failure(part.name, said),)
    return found if isinstance(found, tuple) else (found,)


if __name__ == "__main__":
    sys.exit(main())
