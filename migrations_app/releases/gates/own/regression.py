"""A few tests that say soon whether the engine, the gates and the edge work as they did, and the migrations' order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec

from migrations_app.releases.gates.own import schema
from migrations_app.releases.gates.own.installation import Installation, last_line
from migrations_app.releases.gates.own.seen import Seen, bad, counted, good, judged, listed, unknown

# Each is of another room, needs no browser and takes no more than a few seconds.
SMOKE = (
    "tests/engine/sql/test_split.py",
    "tests/releases/gates/test_assertions.py",
    "tests/health/test_breaker.py",
    "tests/watchdog/test_policy.py",
    "tests/edge/test_bundles.py",
)
NEEDS = ("pytest", "pytest_django")
INSTALL = "Install what tests need with `sh .ci/install dev`, then look again."
WITHIN_S = 300.0
NOTHING_RAN = 5  # pytest's word for a run without a test
_PASSED = re.compile(r"^PASSED ([^:\s]+)::", re.MULTILINE)
_NAMED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


def tests(place: Installation) -> Seen:
    lacking = [name for name in NEEDS if find_spec(name) is None]
    if lacking:
        return unknown(
            f"The tests were not run: {listed(lacking)} {'is' if len(lacking) == 1 else 'are'} not here. {INSTALL}"
        )
    away = [path for path in SMOKE if not (place.root / path).is_file()]
    if away:
        return unknown(f"The tests were not run: {listed(away)} is not in {place.root}, as in an image without tests.")
    arguments = ("-m", "pytest", "-q", "-rpfE", "-p", "no:randomly", "-p", "no:cacheprovider", *SMOKE)
    done = place.run(*arguments, apart=True, within=WITHIN_S, env={"PYTEST_ADDOPTS": ""})
    if done.returncode in (0, NOTHING_RAN):
        return _passed(_PASSED.findall(done.stdout))
    failed = _NAMED.findall(done.stdout)
    if done.returncode in (1, 2) and failed:
        return bad(f"{len(failed)} of the short tests {'fails' if len(failed) == 1 else 'fail'}: {listed(failed)}.")
    return unknown(f"The short tests did not run to their end: {last_line(done)}")


def chain(place: Installation) -> Seen:
    """The migrations that the control database has are those of this version."""
    lacking, strange = schema.unlike()
    broken = []
    if lacking:
        broken.append(f"The control database lacks {listed(lacking)}: run `manage.py migrate`.")
    if strange:
        broken.append(f"The control database has {listed(strange)}, which this version does not know: it is older.")
    return judged(broken, f"The control database stands at {schema.head()}, with every migration of this version.")


def _passed(paths: Sequence[str]) -> Seen:
    """`paths` has the file of each test that passed; where none did, nobody knows whether it works."""
    untested = [path for path in SMOKE if path not in paths]
    if untested:
        return bad(
            f"{counted(len(paths), 'short test')} passed, and none of {listed(untested)}: nothing is tested there. "
            "Take out what skips or leaves out these tests."
        )
    return good(f"{counted(len(paths), 'short test')} of {counted(len(SMOKE), 'file')} passed, and none failed.")
