-- Who is in the way of %(pid)s: holders of what it waits for, and those queued ahead of it.
-- Without pg_read_all_stats the type of a process is hidden; in a database, one without a user is autovacuum.
-- A blocker may hold several locks on the table waited for: the strongest is shown.
WITH wanted AS (
  SELECT relation FROM pg_locks WHERE pid = %(pid)s AND NOT granted AND locktype = 'relation' LIMIT 1
), strength (mode, rank) AS (VALUES
  ('AccessShareLock', 1), ('RowShareLock', 2), ('RowExclusiveLock', 3), ('ShareUpdateExclusiveLock', 4),
  ('ShareLock', 5), ('ShareRowExclusiveLock', 6), ('ExclusiveLock', 7), ('AccessExclusiveLock', 8)
)
SELECT DISTINCT ON (b.pid)
  b.pid, a.backend_start, a.backend_type, a.usename::text AS "user", a.application_name AS application,
  a.state,
  extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS transaction_age_s,
  extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS query_age_s,
  coalesce(left(a.query, 200), '') AS query,
  l.mode, l.relation::regclass::text AS relation, NOT coalesce(l.granted, true) AS queued,
  coalesce(a.backend_type = 'autovacuum worker' OR
      (a.backend_type IS NULL AND a.usesysid IS NULL AND a.datid IS NOT NULL), false)
    AS autovacuum,
  coalesce(a.backend_type = 'autovacuum worker' AND a.query LIKE '%%(to prevent wraparound)%%', false)
    AS wraparound
FROM (SELECT DISTINCT unnest(pg_blocking_pids(%(pid)s)) AS pid) b
LEFT JOIN pg_stat_activity a ON a.pid = b.pid
LEFT JOIN pg_locks l ON l.pid = b.pid AND l.locktype = 'relation'
  AND l.relation = (SELECT relation FROM wanted)
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
LEFT JOIN strength s ON s.mode = l.mode
ORDER BY b.pid, l.granted DESC NULLS LAST, s.rank DESC NULLS LAST
