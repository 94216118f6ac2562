"""The table and the verdict."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tests.faults.findings import Findings
from tests.faults.options import Options
from tests.faults.outcome import Happened, Tally
from tests.faults.plan import KINDS, PROCESS_KILLS

KILL_P95_S = 20.0
STOP_MAX_S = 120.0
SETTLE_S = 60.0


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def say(line: str = "") -> None:
    print(line, flush=True)


def table(tally: Tally) -> None:
    say(f"{'fault':<52} {'n':>4} {'took over':>9} {'p50':>7} {'p95':>7} {'max':>7}")
    by_kind: dict[str, list[Happened]] = defaultdict(list)
    for one in tally.happened:
        by_kind[one.placed.fault.kind.name].append(one)
    for kind in KINDS:
        if kind.name in by_kind:
            _row(kind.name, by_kind[kind.name])
    _row("all", tally.happened)
    points = Counter(one.point for one in tally.happened)
    say()
    say(f"{len(points)} points: " + ", ".join(f"{point} {n}" for point, n in sorted(points.items())))


def _row(name: str, happened: Sequence[Happened]) -> None:
    times = [one.takeover for one in happened if one.takeover is not None]
    row = f"{name:<52} {len(happened):>4} {len(times):>9}"
    if times:
        row += "".join(f" {value:>6.1f}s" for value in (percentile(times, 0.5), percentile(times, 0.95), max(times)))
    say(row)


def missed(tally: Tally) -> None:
    """What was planned for a run that never came by its point; every one has to be struck elsewhere."""
    say()
    again = {one.placed.fault.number for one in tally.happened}
    points = Counter((one.placed.fault.kind.name, one.placed.fault.point) for one in tally.missed)
    faults = {one.placed.fault.number for one in tally.missed}
    say(
        f"{len(tally.missed)} times a planned point did not come, for {len(faults)} faults; "
        f"{len(faults & again)} of them were struck elsewhere"
    )
    for (kind, point), n in sorted(points.items()):
        say(f"      {kind}, at {point}: {n}")


def never_struck(options: Options, tally: Tally) -> int:
    """Of the faults asked for; one that only led to another one's point does not make up for any."""
    struck = {one.placed.fault.number for one in tally.happened}
    return sum(number not in struck for number in range(1, options.faults + 1))


def end(tally: Tally, began_at: float) -> None:
    """Whether everything settled after the last fault, with the moments this was measured by."""
    if tally.last is None:
        return
    fault, over_at = tally.last.placed.fault, tally.last.over_at - began_at
    say(f"the last fault ({fault.kind.name}, at {tally.last.point}) was over after {over_at:.1f} s")
    say(f"every run was at its end {tally.settled:.1f} s later (the bar is {SETTLE_S:g} s)")
    stops = [one.over_at - began_at for one in tally.happened if one.placed.fault.kind.part == "stop"]
    if stops:
        say(f"the last stopped process was continued after {max(stops):.1f} s")


def judge(options: Options, tally: Tally, findings: Findings) -> list[str]:
    """Everything that is off, one sentence each; empty when nothing is."""
    bad = list(tally.wrong)
    for what, found in findings.lines():
        if found:
            bad.append(f"{what}: {len(found)} ({'; '.join(found[:5])})")
    bad += _not_taken_over(tally)
    if not options.fast:  # with short leases on a shared machine a takeover's time is no measure
        bad += _slow(tally)
    if never := never_struck(options, tally):
        bad.append(f"only {options.faults - never} of {options.faults} faults were struck")
    settled = max([tally.settled, *(run.settled for run in tally.ends)])
    if settled > SETTLE_S:
        bad.append(f"a run ended {settled:.0f} s after its last fault, the bar is {SETTLE_S:g} s")
    if tally.restarted:
        bad.append(f"{len(tally.restarted)} runs needed a person")
    return bad


def _not_taken_over(tally: Tally) -> list[str]:
    alone = [one for one in tally.happened if one.placed.fault.kind.part == "stop" and one.takeover is None]
    return [f"{len(alone)} stopped runs were not taken over by anybody"] if alone else []


def _slow(tally: Tally) -> list[str]:
    bad = []
    kills = [one.takeover for one in tally.happened if one.placed.fault.kind.part in PROCESS_KILLS and one.takeover]
    stops = [one.takeover for one in tally.happened if one.placed.fault.kind.part == "stop" and one.takeover]
    if kills and percentile(kills, 0.95) > KILL_P95_S:
        bad.append(f"takeover after a kill: p95 {percentile(kills, 0.95):.1f} s, the bar is {KILL_P95_S:g} s")
    if stops and max(stops) > STOP_MAX_S:
        bad.append(f"takeover after a stop: {max(stops):.1f} s, the bar is {STOP_MAX_S:g} s")
    return bad


def numbers(tally: Tally, findings: Findings) -> None:
    say()
    say(
        f"{findings.runs} runs, {findings.receipts} receipts, {findings.ledger} ledger rows, "
        f"{findings.audit_entries} audit entries, {tally.stale_ended} stale processes ended by themselves"
    )
    settled = [run.settled for run in tally.ends]
    if settled:
        say(f"runs ended p95 {percentile(settled, 0.95):.1f} s, max {max(settled):.1f} s after their last fault")
    for what, found in findings.lines():
        say(f"  {what:<40} {len(found)}")
        for one in found[:10]:
            say(f"      {one}")
    say(f"  {'runs that needed a person':<40} {len(tally.restarted)}")
    for run in tally.restarted[:20]:
        say(f"      run {run.run} {run.status}: {run.code}")
