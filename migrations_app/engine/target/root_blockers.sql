-- The far ends of the chain of waiters that begins at %(pid)s.
WITH RECURSIVE chain (pid, path) AS (
  SELECT b, ARRAY[%(pid)s, b] FROM unnest(pg_blocking_pids(%(pid)s)) b
  UNION ALL
  SELECT b, path || b FROM chain, unnest(pg_blocking_pids(chain.pid)) b WHERE b <> ALL (path)
)
SELECT DISTINCT pid FROM chain WHERE cardinality(pg_blocking_pids(pid)) = 0 ORDER BY pid
