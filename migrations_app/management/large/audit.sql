-- What the audit log would tell about the newest runs and about the fleet, oldest first.
SELECT at, actor, action, object, after FROM (
  SELECT e.created_at AS at, u.username AS actor, 'environment.create' AS action,
         'environment:' || s.name || '/' || e.name AS object,
         jsonb_build_object('stage', e.stage, 'region', e.region, 'target', e.target_name)::text AS after
    FROM made_place p JOIN migrations_app_environment e ON e.id = p.environment_id
    JOIN migrations_app_service s ON s.id = e.service_id JOIN auth_user u ON u.id = e.created_by_id
  UNION ALL
  (SELECT r.created_at, u.username, 'revision.create', 'revision:' || s.name || '/' || r.revision_id,
          jsonb_build_object('checksum', r.checksum, 'parent', r.parent)::text
     FROM migrations_app_revision r JOIN made_service m ON m.id = r.service_id JOIN migrations_app_service s ON s.id = m.id
     JOIN auth_user u ON u.id = r.created_by_id
    ORDER BY r.created_at DESC LIMIT %(each)s / 5)
  UNION ALL
  SELECT t.at, t.actor, t.action, 'run:' || r.id, t.after::text
    FROM (SELECT r.* FROM migrations_app_run r JOIN made_act a ON a.run_id = r.id ORDER BY r.id DESC LIMIT %(each)s) r
    JOIN auth_user u ON u.id = r.requested_by_id
    JOIN migrations_app_environment e ON e.id = r.environment_id JOIN migrations_app_service s ON s.id = r.service_id
    CROSS JOIN LATERAL (VALUES
      (r.created_at, u.username, 'run.request', jsonb_build_object('service', s.name, 'environment', e.name, 'direction',
        r.direction, 'to', r.to_revision, 'revisions', jsonb_array_length(r.revisions), 'reason', r.reason)),
      (r.finished_at, CASE r.status WHEN 'cancelled' THEN u.username ELSE 'system' END,
        CASE r.status WHEN 'cancelled' THEN 'run.cancel' ELSE 'run.' || r.status END,
        jsonb_build_object('worker', r.worker, 'attempt', r.attempt, 'code', coalesce(r.error ->> 'code', '')))
    ) AS t (at, actor, action, after)
   WHERE t.at IS NOT NULL
) told ORDER BY at, action, object
