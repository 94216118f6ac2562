-- One row per environment in the order of service, order and name: its place in the chain, its newest receipt and run.
SELECT s.name, e.name, e.stage, e.region, e."order", e.head_revision, e.head_seq,
       CASE WHEN e.head_revision = '' THEN COALESCE(last.position, 0)
            ELSE COALESCE(last.position, 0) - head.position END,
       e.reachability, e.reachability_note, e.reconcile_note, e.reconciled_at, e.checked_at,
       run.id, COALESCE(run.status, ''), COALESCE(run.to_revision, ''),
       e.id, receipt.applied_at, COALESCE(receipt.operator, ''), COALESCE(receipt.direction, ''),
       COALESCE(drift.summary || CASE drift.way WHEN 'adopt' THEN ' ' || drift.revision_id || ' adopts it.'
                                                WHEN 'revert' THEN ' ' || drift.revision_id || ' takes it back.'
                                                ELSE '' END, '')
  FROM migrations_app_environment e
  JOIN migrations_app_service s ON s.id = e.service_id
  LEFT JOIN migrations_app_revision head ON head.service_id = e.service_id AND head.revision_id = e.head_revision
  LEFT JOIN LATERAL (
    SELECT position FROM migrations_app_revision
     WHERE service_id = e.service_id ORDER BY position DESC LIMIT 1) last ON true
  LEFT JOIN LATERAL (
    SELECT id, status, to_revision FROM migrations_app_run
     WHERE environment_id = e.id ORDER BY id DESC LIMIT 1) run ON true
  LEFT JOIN LATERAL (
    SELECT applied_at, operator, direction FROM migrations_app_ledgerentry
     WHERE environment_id = e.id AND seq = e.head_seq AND superseded_at IS NULL ORDER BY id DESC LIMIT 1) receipt ON true
  LEFT JOIN migrations_app_schemadrift drift
    ON drift.environment_id = e.id AND drift.state IN ('open', 'ignored', 'adopting', 'reverting')
   AND (drift.state <> 'ignored' OR drift.ignore_until <= now())
