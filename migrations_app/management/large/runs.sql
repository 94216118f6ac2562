-- The runs with their steps and attempts. A run that is not finished has no lease, so no worker takes it up.
INSERT INTO migrations_app_run
  (id, uid, service_id, environment_id, direction, from_revision, to_revision, revisions, steps_total, steps_done,
   status, asked, asked_reason, version, error, waiting, phases, requested_by_id, reason, request_sha256, token, attempt,
   beat_at, worker, fence, log_seq, created_at, started_at, finished_at)
WITH parts AS (
  SELECT p.n, jsonb_agg(jsonb_build_object('revision_id', r.revision_id, 'checksum',
                        CASE p.direction WHEN 'up' THEN r.checksum ELSE r.down_checksum END) ORDER BY p.i) AS revisions,
         count(*) AS parts, min(r.revision_id) AS lowest, max(r.revision_id) AS highest,
         (array_agg(r.parent ORDER BY r.position))[1] AS below
    FROM made_part p JOIN migrations_app_revision r ON r.service_id = p.service_id AND r.position = p.position
   GROUP BY p.n
), steps AS (
  SELECT act AS n, count(*) AS steps FROM made_run_step GROUP BY act
), weighed AS (
  -- A few runs are long talkers, and the newest failure has the longest log of all.
  SELECT a.n, CASE WHEN a.ends = 'cancelled' THEN 0
              ELSE s.steps * (0.5 + pg_temp.dice(a.n, 10)) * CASE WHEN pg_temp.dice(a.n, 11) < 0.002 THEN 50 ELSE 1 END
              END + CASE WHEN a.n = max(a.n) FILTER (WHERE a.ends = 'failed') OVER () THEN %(runs)s / 25.0 ELSE 0 END AS weight
    FROM made_act a JOIN steps s USING (n)
), lines AS (
  SELECT n, round(%(lines)s * (sum(weight) OVER (ORDER BY n) / sum(weight) OVER ()))
          - round(%(lines)s * ((sum(weight) OVER (ORDER BY n) - weight) / sum(weight) OVER ())) AS lines
    FROM weighed
), told AS (
  SELECT a.*, p.revisions, p.parts, s.steps, l.lines, a.ends IN ('succeeded', 'rolled_back') AS good,
         CASE a.direction WHEN 'up' THEN p.below ELSE p.highest END AS from_revision,
         CASE a.direction WHEN 'up' THEN p.highest ELSE p.below END AS to_revision,
         (extract(epoch FROM a.took) * 1000)::bigint AS ms
    FROM made_act a JOIN parts p USING (n) JOIN steps s USING (n) JOIN lines l USING (n)
)
SELECT run_id, md5(%(seed)s || '/run/' || run_id)::uuid, service_id, environment_id, direction, from_revision, to_revision,
       revisions, steps, CASE WHEN good THEN steps ELSE 0 END,
       ends, CASE ends WHEN 'cancelled' THEN 'cancel' WHEN 'paused' THEN 'pause' ELSE '' END,
       CASE ends WHEN 'cancelled' THEN 'Not before the sale is over' WHEN 'paused' THEN 'Wait for the load test' ELSE '' END,
       2 + steps,
       CASE ends
         WHEN 'failed' THEN jsonb_build_object('code', 'lock_exhausted', 'revision_id', revisions -> 0 ->> 'revision_id',
           'step', 1, 'message', 'Every attempt to lock the table within the window was in vain.',
           'not_done', 'Nothing of this step was applied.', 'next_step', 'End the session in the way, then start again.')
         WHEN 'needs_operator' THEN jsonb_build_object('code', 'unknown_outcome', 'revision_id',
           revisions -> 0 ->> 'revision_id', 'step', 1,
           'message', 'The connection was lost during a statement outside a transaction.',
           'not_done', 'Nothing was repeated.', 'next_step', 'Look in the target, then say whether it took effect.')
       END,
       CASE ends WHEN 'waiting_for_lock' THEN jsonb_build_object('since', at, 'sentence', 'The table is held by somebody else.',
         'blockers', jsonb_build_array(jsonb_build_object('pid', 4000 + n, 'application', 'report', 'user', 'app', 'state',
           'idle in transaction', 'transaction_age_s', 412.0, 'query_age_s', 410.5, 'mode', 'AccessShareLock',
           'relation', 'customer_1', 'sentence', 'held'))) END,
       CASE WHEN ends = 'cancelled' THEN jsonb_build_object('lock', pending, 'run', pending, 'verify', pending, 'record', pending,
              'release', pending)
            ELSE jsonb_build_object(
              'lock', jsonb_build_object('state', 'done', 'detail', 'the lock is ours', 'wait_ms', ms / 10, 'work_ms', 40),
              'run', jsonb_build_object('state', CASE WHEN good THEN 'done' ELSE 'active' END, 'detail', '',
                                        'wait_ms', CASE ends WHEN 'waiting_for_lock' THEN ms ELSE 0 END, 'work_ms', ms / 2),
              'verify', CASE WHEN good THEN jsonb_build_object('state', 'done', 'detail', 'every value was true',
                                                               'wait_ms', 0, 'work_ms', ms / 20) ELSE pending END,
              'record', CASE WHEN good THEN jsonb_build_object('state', 'done', 'detail', '', 'wait_ms', 0, 'work_ms', 9)
                        ELSE pending END,
              'release', CASE WHEN good THEN jsonb_build_object('state', 'done', 'detail', '', 'wait_ms', 0, 'work_ms', 3)
                         ELSE pending END) END,
       user_id, (ARRAY['', 'Release ' || release, 'Catch up', 'For the autumn campaign', 'Requested by support'])[1 + mod(n, 5)],
       md5(%(seed)s || '/request/' || run_id), CASE ends WHEN 'cancelled' THEN 0 ELSE 1 END,
       CASE ends WHEN 'cancelled' THEN 0 ELSE 1 END,
       CASE ends WHEN 'cancelled' THEN NULL ELSE at + took END,
       CASE ends WHEN 'cancelled' THEN '' ELSE 'generated:' || 1000 + mod(n, 4) END,
       CASE WHEN good THEN n END, lines, at - interval '1 s', CASE ends WHEN 'cancelled' THEN NULL ELSE at END,
       CASE WHEN good OR ends IN ('failed', 'cancelled') THEN at + took END
  FROM told CROSS JOIN (SELECT '{"state": "pending", "wait_ms": 0, "work_ms": 0, "detail": ""}'::jsonb AS pending) p
 ORDER BY n;

INSERT INTO migrations_app_runstep
  (id, run_id, ordinal, revision_id, n, "of", mode, statements, summary, lock, sql_sha256, status, started_at, finished_at,
   wait_ms, work_ms)
SELECT s.id, a.run_id, s.ordinal, s.revision_id, s.n, s.of, s.mode, s.statements, s.summary, s.lock, s.sql_sha256, t.status,
       CASE WHEN t.status <> 'pending' THEN a.at + interval '100 ms' * s.ordinal END,
       CASE WHEN t.status IN ('done', 'failed', 'unknown') THEN a.at + interval '100 ms' * (s.ordinal + 1) END,
       CASE WHEN t.status = 'done' AND pg_temp.dice(a.n * 1000 + s.ordinal, 12) < 0.03 THEN 800 ELSE 0 END,
       CASE WHEN t.status = 'done' THEN (5 + 4000 * pg_temp.dice(a.n * 1000 + s.ordinal, 13) ^ 4)::bigint ELSE 0 END
  FROM made_run_step s JOIN made_act a ON a.n = s.act
  CROSS JOIN LATERAL (
    SELECT CASE WHEN a.ends IN ('succeeded', 'rolled_back') THEN 'done'
                WHEN s.ordinal > 1 OR a.ends IN ('cancelled', 'paused') THEN 'pending'
                WHEN a.ends = 'failed' THEN 'failed'
                WHEN a.ends = 'needs_operator' THEN 'unknown'
                ELSE 'running' END AS status) t
 ORDER BY s.id;

INSERT INTO migrations_app_stepattempt (step_id, number, token, worker, outcome, detail, started_at, finished_at)
SELECT s.id, t.number, 1, 'generated:1000', t.outcome, t.detail, s.started_at, s.finished_at
  FROM migrations_app_runstep s JOIN made_run_step m ON m.id = s.id
  CROSS JOIN LATERAL (
    SELECT 1 AS number, 'lock_timeout' AS outcome, 'the table was held by pid 4711 (report)' AS detail WHERE s.wait_ms > 0
    UNION ALL
    SELECT CASE WHEN s.wait_ms > 0 THEN 2 ELSE 1 END, s.status,
           CASE s.status WHEN 'done' THEN s.summary || ' · ' || s.work_ms || ' ms'
                         WHEN 'failed' THEN 'Every attempt to lock the table within the window was in vain.'
                         ELSE 'The connection was lost during the statement.' END
     WHERE s.status IN ('done', 'failed', 'unknown')) t
 ORDER BY s.id, t.number;
