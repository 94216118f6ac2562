-- One row per revision of the window, newest first; one character per environment, in the order given.
-- Environments × revisions is filled completely: one missing cell would shift every cell after it.
WITH columns AS (
  SELECT e.id, c.place,
         e.reconciled_at IS NULL AND e.head_seq = 0 AS never_read,
         COALESCE(h.position, 0) AS head_position
  FROM unnest(%(environments)s::bigint[]) WITH ORDINALITY AS c(id, place)
  JOIN migrations_app_environment e ON e.id = c.id
  LEFT JOIN migrations_app_revision h ON h.service_id = e.service_id AND h.revision_id = e.head_revision
), newest AS (
  SELECT c.id AS environment_id, r.id AS run_id, r.status, r.revisions
  FROM columns c
  CROSS JOIN LATERAL (
    SELECT id, status, revisions FROM migrations_app_run
    WHERE environment_id = c.id ORDER BY id DESC LIMIT 1
  ) r
  WHERE r.status NOT IN ('succeeded', 'cancelled', 'rolled_back')
), marks AS (
  SELECT n.environment_id, item ->> 'revision_id' AS revision_id,
         CASE WHEN n.status IN ('failed', 'needs_operator') THEN
                CASE WHEN EXISTS (
                  SELECT 1 FROM migrations_app_runstep s
                  WHERE s.run_id = n.run_id AND s.revision_id = item ->> 'revision_id'
                    AND s.status IN ('failed', 'unknown')
                ) THEN 'F' ELSE 'P' END
              WHEN n.status IN ('queued', 'paused', 'interrupted', 'waiting_for_lock', 'pausing') THEN 'W'
              ELSE 'R' END AS mark
  FROM newest n CROSS JOIN LATERAL jsonb_array_elements(n.revisions) AS item
), wanted AS (
  SELECT revision_id, position, phase, schema_rev, checksum
  FROM migrations_app_revision
  WHERE service_id = %(service)s AND position <= %(before)s
    AND (%(everything)s OR position > %(floor)s OR revision_id = ANY(%(odd)s))
  ORDER BY position DESC LIMIT %(limit)s
), applied AS MATERIALIZED (
  -- OFFSET 0 keeps this a look-up for each row of the window: the whole table would be read otherwise.
  SELECT a.environment_id, a.revision_id, a.checksum
  FROM wanted w
  CROSS JOIN LATERAL (
    SELECT environment_id, revision_id, checksum FROM migrations_app_appliedrevision
    WHERE revision_id = w.revision_id OFFSET 0
  ) a
)
SELECT v.revision_id, v.position, v.phase, v.schema_rev,
       string_agg(
         CASE
           WHEN m.mark IN ('F', 'R', 'W') AND (a.revision_id IS NULL OR m.mark <> 'F') THEN m.mark
           WHEN a.revision_id IS NOT NULL AND a.checksum <> v.checksum THEN 'D'
           WHEN a.revision_id IS NOT NULL THEN 'A'
           WHEN c.never_read THEN 'U'
           WHEN v.position < c.head_position THEN 'O'
           ELSE 'P'
         END, '' ORDER BY c.place) AS cells
FROM wanted v
CROSS JOIN columns c
LEFT JOIN applied a ON a.environment_id = c.id AND a.revision_id = v.revision_id
LEFT JOIN marks m ON m.environment_id = c.id AND m.revision_id = v.revision_id
GROUP BY v.revision_id, v.position, v.phase, v.schema_rev
ORDER BY v.position DESC
