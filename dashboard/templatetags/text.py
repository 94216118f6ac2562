"""Values as an operator reads them: durations, sizes, checksums, counted words."""

from __future__ import annotations

from datetime import UTC, datetime

from migrations_app.wording import counted, duration, number, share

__all__ = [
    "counted",
    "duration",
    "grouped",
    "iso",
    "number",
    "revision_number",
    "server_version",
    "share",
    "short",
    "size",
    "utc",
]


def size(count: int | None) -> str:
    if count is None:
        return ""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return ""


def short(checksum: str | None) -> str:
    """The first ten characters, without the name of the algorithm."""
    return (checksum or "").rpartition(":")[2][:10]


def grouped(digest: str) -> str:
    """`a91f 77c0 5d2e`: as much of a hash as a person compares."""
    return " ".join(digest[place : place + 4] for place in range(0, min(len(digest), 12), 4))


def revision_number(revision_id: str) -> str:
    """`0042` of `0042_add_index`, where a column has no room for more."""
    return revision_id.partition("_")[0]


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def server_version(number: int) -> str:
    """`180001` is 18.1."""
    return f"{number // 10_000}.{number % 10_000}"
