"""The matrix in sentences: its headline, what is odd about it, and what a cell's remark says."""

from __future__ import annotations

from datetime import datetime

from dashboard.pages.matrix_address import ALL, DISORDER, DRIFT, PENDING
from dashboard.templatetags.text import counted, duration, revision_number, share, short, utc
from migrations_app.fleet.cell import Cell
from migrations_app.fleet.matrix import CELLS, Survey


def headline(known: Survey) -> str:
    environments, differing = len(known.columns), len(known.differing)
    revisions = counted(known.total, "revision").capitalize()
    if not known.total:
        return "This service has no revision yet."
    if not environments:
        return f"{revisions}, and no environment to apply {'it' if known.total == 1 else 'them'} to."
    if differing:
        verb = "revision is" if known.total == 1 else "revisions is" if differing == 1 else "revisions are"
        return f"{share(differing, known.total).capitalize()} {verb} not the same everywhere."
    return identical(known)


def identical(known: Survey) -> str:
    """For a frontier with nothing in it."""
    head = revision_number(known.columns[0].head) or "the beginning, with nothing applied"
    if len(known.columns) == 1:
        return f"The only environment stands at {head}."
    return f"All {len(known.columns)} environments identical at {head}."


def everywhere(known: Survey) -> str:
    """`in all 60 environments`."""
    count = len(known.columns)
    return {1: "in the only environment", 2: "in both environments"}.get(count, f"in all {count} environments")


def oddities(known: Survey) -> str:
    """What the headline does not say, most urgent first; empty when there is nothing."""
    told = []
    if known.drift.stretches:
        told.append(f"{counted(len(known.drift), 'revision')} applied with other bytes")
    if known.disorder.stretches:
        told.append(f"{counted(len(known.disorder), 'revision')} missing below a head")
    disagreeing = sum(bool(column.note) for column in known.columns)
    if disagreeing:
        told.append(
            f"{counted(disagreeing, 'target')} {'disagrees' if disagreeing == 1 else 'disagree'} with the ledger"
        )
    gone = sum(not column.reachable for column in known.columns)
    if gone:
        told.append(f"{counted(gone, 'target')} out of reach, drawn as of the last look")
    return f"{told[0].capitalize()}{''.join(f'; {each}' for each in told[1:])}." if told else ""


def nothing(mode: str, known: Survey) -> tuple[str, str]:
    """Why a view has no row: a title and a sentence."""
    if mode == DRIFT:
        return "No drift.", "Whatever is applied has the bytes that its revision has."
    if mode == DISORDER:
        return "Nothing is out of order.", "No environment lacks a revision below its head."
    if mode == PENDING:
        return f"Nothing is pending on {known.columns[-1].stage}.", "All its environments have every revision."
    if mode == ALL:
        return "No revision here.", "The service has none at this place."
    pending = len(known.pending)
    later = f" {counted(pending, 'newer revision').capitalize()} pending {everywhere(known)}." if pending else ""
    return f"{identical(known)[:-1]} ✓", f"The frontier holds only what differs between environments.{later}"


def remark(cell: Cell, environment: str, revision_id: str, now: datetime) -> list[str]:
    """A line each: what stands beside a cell on hover and focus, and is read with it."""
    lines = [f"{environment}, revision {revision_id}: {CELLS[cell.code]}"]
    receipt = cell.newest
    if receipt is not None:
        did = "applied" if receipt.direction == "up" else "rolled back"
        lines.append(f"{did} {_since(receipt.applied_at, now)}, {utc(receipt.applied_at)}")
        lines.append(f"by {receipt.operator}" + (f" in run {receipt.run_id}" if receipt.run_id else ""))
        lines.append(f"checksum {short(receipt.checksum)}")
    if cell.column.run_id and cell.code in "RBWF":
        lines.append(f"newest run: {cell.column.run_id}")
    compared = f"compared with its target {_since(cell.compared_at, now)}" if cell.compared_at else "never compared"
    lines.append(compared if cell.column.reachable else f"{compared}; it cannot be reached")
    return lines


def _since(moment: datetime, now: datetime) -> str:
    return f"{duration(max((now - moment).total_seconds(), 1) * 1000)} ago"
