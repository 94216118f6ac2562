-- One row: what the frame of every page tells, and the key that changes with anything the front page shows.
WITH places AS (
  SELECT e.id, e.reachability, e.reachability_note, e.reconcile_note, e.differs_from, e.reconciled_at, e.head_seq,
         (SELECT t.version FROM migrations_app_appliedtally t WHERE t.environment_id = e.id) AS applied,
         r.id AS run, r.status, r.version, r.beat_at,
         COALESCE(r.status = ANY(%(open)s), false) AS open,
         EXISTS (
           SELECT FROM migrations_app_schemadrift d
            WHERE d.environment_id = e.id AND d.state IN ('open', 'ignored', 'adopting', 'reverting')
              AND (d.state <> 'ignored' OR d.ignore_until <= now())) AS drifted,
         e.head_revision <> '' AND NOT EXISTS (
           SELECT FROM migrations_app_revision v
            WHERE v.service_id = e.service_id AND v.revision_id = e.head_revision) AS astray
    FROM migrations_app_environment e
    LEFT JOIN LATERAL (
      SELECT id, status, version, beat_at FROM migrations_app_run
       WHERE environment_id = e.id ORDER BY id DESC LIMIT 1) r ON true
), told AS (
  SELECT *,
         COALESCE(status IN ('needs_operator', 'failed'), false) OR reconcile_note <> '' OR drifted AS trouble,
         reachability = 'unreachable'
           OR (NOT open AND (reconciled_at IS NULL OR astray))
           OR reconciled_at < now() - %(stale)s * interval '1 s' AS doubt,
         -- As far as the words about a silence tell them apart: by 5 seconds, minutes, hours.
         CASE WHEN NOT status = ANY(%(active)s) OR age < %(silent)s THEN 0
              WHEN age < 60 THEN floor(age / 5)
              WHEN age < 3600 THEN 100 + floor(age / 60)
              ELSE 1000 + floor(age / 3600) END AS silent
    FROM places, LATERAL (SELECT extract(epoch FROM now() - beat_at) AS age) a
), fleet AS (
  SELECT count(*) AS environments,
         count(*) FILTER (WHERE open) AS open,
         count(*) FILTER (WHERE status = 'needs_operator') AS need_operator,
         count(*) FILTER (WHERE status IN ('queued', 'interrupted')) AS waiting,
         count(*) FILTER (WHERE trouble) AS trouble,
         count(*) FILTER (WHERE doubt AND NOT trouble) AS doubt,
         md5(COALESCE(string_agg(ROW(id, reachability, reachability_note, reconcile_note, differs_from,
                                     reconciled_at IS NULL, head_seq, applied,
                                     run, version, trouble, drifted, doubt, silent, CASE WHEN open THEN beat_at END)::text, ',' ORDER BY id), '')) AS fingerprint,
         date_trunc('minute', min(reconciled_at)) AS oldest
    FROM told
), workers AS (
  SELECT count(*) FILTER (WHERE beat_at > now() - %(gone)s * interval '1 s') AS alive,
         count(*) FILTER (WHERE beat_at > now() - %(gone)s * interval '1 s' AND NOT redis_ok) AS without_redis,
         max(beat_at) AS heard_at
    FROM migrations_app_workerprocess
), frozen AS (
  SELECT f.ends_at, s.name, f.reason
    FROM migrations_app_freeze f LEFT JOIN migrations_app_service s ON s.id = f.service_id
   WHERE f.lifted_at IS NULL AND f.starts_at <= now() AND f.ends_at > now()
   ORDER BY f.ends_at DESC LIMIT 1
)
SELECT fleet.environments, fleet.open, fleet.need_operator, fleet.waiting, fleet.trouble, fleet.doubt,
       (SELECT count(*) FROM migrations_app_service), EXISTS (SELECT FROM migrations_app_revision),
       workers.alive, workers.without_redis, workers.heard_at,
       COALESCE(c.ok, true), COALESCE(c.sentence, ''),
       frozen.ends_at, COALESCE(frozen.name, ''), COALESCE(frozen.reason, ''),
       concat_ws(' ', fleet.fingerprint, fleet.oldest, (SELECT sum(version) FROM migrations_app_chaintally),
                 (SELECT max(seq) FROM migrations_app_auditentry))
  FROM fleet CROSS JOIN workers LEFT JOIN migrations_app_auditcheck c ON c.id = 1 LEFT JOIN frozen ON true
