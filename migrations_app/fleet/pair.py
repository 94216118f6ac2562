"""Two environments of a service beside each other: what only one of them has, and what they have with other bytes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from migrations_app.models import Environment

WINDOW = 100

# "both" is counted and never listed: what is the same on both sides is no difference.
_PAIR = """
SELECT coalesce(r.position, 0) AS position, coalesce(a.revision_id, b.revision_id) AS revision_id,
       a.checksum, b.checksum, a.applied_at, b.applied_at
  FROM (SELECT * FROM migrations_app_appliedrevision WHERE environment_id = %(left)s) a
  FULL JOIN (SELECT * FROM migrations_app_appliedrevision WHERE environment_id = %(right)s) b USING (revision_id)
  LEFT JOIN migrations_app_revision r
    ON r.service_id = %(service)s AND r.revision_id = coalesce(a.revision_id, b.revision_id)
 WHERE a.checksum IS DISTINCT FROM b.checksum
 ORDER BY position DESC, revision_id DESC
"""


@dataclass(frozen=True)
class Difference:
    revision_id: str
    left_checksum: str | None
    right_checksum: str | None
    left_at: datetime | None
    right_at: datetime | None

    @property
    def state(self) -> str:
        if self.left_checksum is None:
            return "only_right"
        return "only_left" if self.right_checksum is None else "other_bytes"


@dataclass(frozen=True)
class Pair:
    """`both` counts what stands on both sides with the same bytes; `differences` are the newest of `differing`."""

    both: int
    only_left: int
    only_right: int
    other_bytes: int
    differences: tuple[Difference, ...]

    @property
    def differing(self) -> int:
        return self.only_left + self.only_right + self.other_bytes


def compare_pair(left: Environment, right: Environment, most: int = WINDOW) -> Pair:
    """Of one service; two queries whatever the number of revisions."""
    places = {"left": left.pk, "right": right.pk, "service": left.service_id}
    with connection.cursor() as cursor:
        cursor.execute(_PAIR, places)
        found = tuple(Difference(*row[1:]) for row in cursor.fetchall())
        cursor.execute(
            "SELECT count(*) FROM migrations_app_appliedrevision a JOIN migrations_app_appliedrevision b"
            " USING (revision_id) WHERE a.environment_id = %(left)s AND b.environment_id = %(right)s"
            " AND a.checksum = b.checksum",
            places,
        )
        both = int(cursor.fetchone()[0])
    states = Counter(difference.state for difference in found)
    return Pair(both, states["only_left"], states["only_right"], states["other_bytes"], found[:most])
