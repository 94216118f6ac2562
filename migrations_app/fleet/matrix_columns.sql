-- One row per environment of a service, in order: where it stands, and what its newest run says beyond the receipts.
WITH chain AS (
  SELECT COALESCE((SELECT max(position) FROM migrations_app_revision WHERE service_id = %(service)s), 0) AS total,
         COALESCE((SELECT version FROM migrations_app_chaintally WHERE service_id = %(service)s), 0) AS version
), here AS (
  SELECT *, min("order") OVER (PARTITION BY stage) AS stage_order,
         min("order") OVER (PARTITION BY stage, region) AS region_order
  FROM migrations_app_environment WHERE service_id = %(service)s
)
SELECT e.id, e.name, e.stage, e.region, e.head_revision, e.head_seq, h.position, h.schema_rev,
       behind.created_at AS behind_since,
       e.reconciled_at IS NULL AND e.head_seq = 0 AS never_read,
       e.reachability, e.reconcile_note,
       COALESCE(t.applied, 0), COALESCE(t.version, 0),
       r.id, r.status, r.direction, COALESCE(f.position, 0), COALESCE(g.position, 0),
       CASE WHEN r.status IN ('failed', 'needs_operator') THEN ARRAY(
         SELECT DISTINCT v.position
         FROM migrations_app_runstep s
         JOIN migrations_app_revision v ON v.service_id = e.service_id AND v.revision_id = s.revision_id
         WHERE s.run_id = r.id AND s.status IN ('failed', 'unknown')
       ) ELSE '{}' END AS stopped_at,
       chain.total, chain.version
FROM chain
LEFT JOIN here e ON true
LEFT JOIN migrations_app_appliedtally t ON t.environment_id = e.id
LEFT JOIN migrations_app_revision h ON h.service_id = e.service_id AND h.revision_id = e.head_revision
LEFT JOIN migrations_app_revision behind
  ON behind.service_id = e.service_id AND behind.position = COALESCE(h.position, 0) + 1
  AND (h.id IS NOT NULL OR e.head_revision = '')
LEFT JOIN LATERAL (
  SELECT id, status, direction, from_revision, to_revision FROM migrations_app_run
  WHERE environment_id = e.id ORDER BY id DESC LIMIT 1
) r ON r.status NOT IN ('succeeded', 'cancelled', 'rolled_back')
LEFT JOIN migrations_app_revision f ON f.service_id = e.service_id AND f.revision_id = r.from_revision
LEFT JOIN migrations_app_revision g ON g.service_id = e.service_id AND g.revision_id = r.to_revision
ORDER BY e.stage_order, e.stage, e.region_order, e.region, e."order", e.name
