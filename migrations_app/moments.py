"""Moments that people give: what no clock and no database can hold is refused before anything is kept of it."""

from __future__ import annotations

from datetime import UTC, datetime

# Far enough from both ends of the calendar that a year may be added, and any offset.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError for one without an offset, or before 1970, or from the year 9000 on."""
    if moment.tzinfo is None:
        raise ValueError("a moment has an offset from UTC, such as 2027-01-31T08:00:00Z")
    try:
        found = moment.astimezone(UTC)
    except OverflowError:
        found = None
    if found is None or not _EARLIEST <= found < _LATEST:
        raise ValueError("a moment lies between the years 1970 and 9000")
    return found
