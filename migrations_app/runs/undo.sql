-- What a run applied, and whatever else of the chain stands between the lowest of that which still stands and the head:
-- the newest first. A receipt stands while what is applied goes back to it, not to a later one of the same revision.
WITH mine AS (
  SELECT l.revision_id, a.seq IS NOT NULL AS stands
  FROM migrations_app_ledgerentry l
  LEFT JOIN migrations_app_appliedrevision a
    ON a.environment_id = l.environment_id AND a.revision_id = l.revision_id AND a.seq = l.seq
  WHERE l.run_id = %(run)s AND l.direction = 'up' AND l.superseded_at IS NULL
), stretch AS (
  SELECT (SELECT min(v.position) FROM mine
          JOIN migrations_app_revision v ON v.service_id = %(service)s AND v.revision_id = mine.revision_id
          WHERE mine.stands) AS low,
         (SELECT v.position FROM migrations_app_environment e
          JOIN migrations_app_revision v ON v.service_id = e.service_id AND v.revision_id = e.head_revision
          WHERE e.id = %(environment)s) AS head
)
SELECT v.revision_id, v.parent, COALESCE(mine.stands, false) AS stands,
       COALESCE(v.position BETWEEN stretch.low AND stretch.head, false) AS below_head
FROM migrations_app_revision v
CROSS JOIN stretch
LEFT JOIN mine ON mine.revision_id = v.revision_id
WHERE v.service_id = %(service)s AND (mine.revision_id IS NOT NULL OR v.position BETWEEN stretch.low AND stretch.head)
ORDER BY v.position DESC
