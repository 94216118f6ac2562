-- All that the boot gate goes by, as one JSON text of one moment: whose token it is, how the place stands, what the
-- release was registered with, who reported. What is not there is null. Seconds are by the database's clock.
-- `half` is the revision that stands in part: by the target's own rows where its schema was read since the newest run
-- that did or may have done something, else by that run's last done step, which has no receipt.
SELECT json_build_object(
  'token', (
    SELECT json_build_object(
             'id', t.id, 'sha256', t.sha256, 'role', t.role, 'user', u.id,
             'state', CASE WHEN t.revoked_at IS NOT NULL THEN 'revoked' WHEN t.expires_at <= clock_timestamp()
                           THEN 'expired' WHEN NOT u.is_active THEN 'disabled' ELSE 'valid' END,
             'unused_s', EXTRACT(epoch FROM clock_timestamp() - t.last_used_at),
             'roles', ARRAY(SELECT g.name FROM auth_group g JOIN auth_user_groups m ON m.group_id = g.id
                             WHERE m.user_id = u.id))
      FROM migrations_app_apitoken t JOIN auth_user u ON u.id = t.user_id
     WHERE t.prefix = %(prefix)s),
  'service', s.id,
  'chain', COALESCE(c.version, 0),
  'environment', CASE WHEN e.id IS NOT NULL THEN json_build_object(
    'id', e.id, 'name', e.name, 'stage', e.stage, 'region', e.region, 'head', e.head_revision,
    'position', CASE WHEN e.head_revision = '' THEN 0 ELSE h.position END,
    'applied', COALESCE(a.applied, 0),
    'never_read', e.reconciled_at IS NULL AND e.head_seq = 0,
    'reachability', e.reachability, 'note', e.reconcile_note,
    'compared_s', EXTRACT(epoch FROM clock_timestamp() - e.reconciled_at),
    'secrets', ARRAY(SELECT name FROM unnest(ARRAY[e.secrets_rev, e.secrets_rev_next]) name WHERE name <> ''),
    'half', CASE
      WHEN d.id IS NULL OR t.read_at > d.finished_at THEN t.half_done
      WHEN d.unsure <> '' THEN d.unsure
      WHEN d.ill THEN (
        SELECT p.revision_id FROM migrations_app_runstep p
         WHERE p.run_id = d.id AND p.ordinal = d.steps_done AND NOT EXISTS (
               SELECT FROM migrations_app_ledgerentry l WHERE l.run_id = d.id AND l.revision_id = p.revision_id)) END,
    'left_by', CASE WHEN d.ill THEN d.id END, 'left', d.direction) END,
  'release', (
    SELECT to_json(x) FROM (SELECT r.release_id, r.schema_rev, r.schema_rev_min, r.schema_rev_max, r.index_hash,
                                   r.secrets_rev) x WHERE r.id IS NOT NULL),
  'run', (
    SELECT json_build_object(
             'id', n.id, 'status', n.status,
             'ends_at', CASE WHEN n.to_revision = '' THEN 0 ELSE (
               SELECT v.position FROM migrations_app_revision v
                WHERE v.service_id = s.id AND v.revision_id = n.to_revision) END,
             'progress', concat(n.id, ':', n.version, ':', EXTRACT(epoch FROM n.beat_at)))
      FROM migrations_app_run n
     WHERE n.environment_id = e.id AND n.status IN ('queued', 'claimed', 'waiting_for_lock', 'running', 'verifying',
           'pausing', 'paused', 'interrupted', 'rolling_back', 'needs_operator')
     LIMIT 1),
  'planned', ARRAY(
    SELECT v.position FROM migrations_app_cutover k
      JOIN migrations_app_cutoverstep p ON p.cutover_id = k.id AND p.environment_id = e.id
      JOIN migrations_app_revision v ON v.service_id = s.id AND v.revision_id = p.to_revision
     WHERE k.service_id = s.id AND k.status IN ('running', 'halted') AND p.status IN ('pending', 'running')),
  'nodes', ARRAY(
    SELECT to_json(x) FROM (
      SELECT node, release_id, index_hash, probes_ok, EXTRACT(epoch FROM clock_timestamp() - at) AS silent_s
        FROM migrations_app_nodereport
       WHERE environment_id = e.id AND retired_at IS NULL AND node <> %(node)s
         AND at > clock_timestamp() - %(member_s)s * interval '1 s') x ORDER BY node),
  'own', (
    SELECT to_json(x) FROM (
      SELECT release_id, schema_rev, index_hash, secrets_rev, probes_ok, retired_at IS NOT NULL AS retired,
             EXTRACT(epoch FROM clock_timestamp() - at) AS silent_s
        FROM migrations_app_nodereport WHERE environment_id = e.id AND node = %(node)s) x)
)::text
FROM (SELECT) one
LEFT JOIN migrations_app_service s ON s.name = %(service)s
LEFT JOIN migrations_app_chaintally c ON c.service_id = s.id
LEFT JOIN migrations_app_environment e ON e.service_id = s.id AND e.name = %(environment)s
LEFT JOIN migrations_app_revision h ON h.service_id = s.id AND h.revision_id = e.head_revision
LEFT JOIN migrations_app_appliedtally a ON a.environment_id = e.id
LEFT JOIN migrations_app_schemastate t ON t.environment_id = e.id
LEFT JOIN LATERAL (
  SELECT * FROM (
    SELECT *, status IN ('failed', 'cancelled') AS ill,
           CASE status WHEN 'cancelled' THEN error->>'revision_id' END AS unsure
      FROM migrations_app_run WHERE environment_id = e.id) x
   WHERE steps_done > 0 OR unsure <> '' ORDER BY id DESC LIMIT 1) d ON true
LEFT JOIN migrations_app_release r ON r.service_id = s.id AND r.release_id = %(release)s
