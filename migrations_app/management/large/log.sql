-- As many lines as each run was given: connecting, statements with their revision and step, and how it ended.
INSERT INTO migrations_app_runlogline (run_id, seq, at, level, revision_id, step, message)
SELECT r.id, seq, r.created_at + r.every * seq,
       CASE WHEN r.ended_badly AND seq = r.log_seq THEN 'error' WHEN mod(seq * 7 + r.n, 50) = 3 THEN 'warning' ELSE 'info' END,
       r.ids[i], i,
       CASE WHEN seq = 1 THEN r.hello
            WHEN seq = r.log_seq THEN r.goodbye
            WHEN mod(seq * 7 + r.n, 50) = 3 THEN r.ids[i] || ': waiting for a table lock, attempt ' || mod(seq, 9) + 1
            ELSE r.ids[i] || ': ' || seq || '/' || r.log_seq || ' ' || r.said[i] || ' · ' || mod(seq * 37 + r.n, 900) || ' ms' END
  FROM (
    SELECT r.id, a.n, r.log_seq, r.created_at,
           (coalesce(r.finished_at, r.started_at + interval '2 min') - r.created_at) / greatest(r.log_seq, 1)::float8 AS every,
           r.status IN ('failed', 'needs_operator') AS ended_badly, s.ids, s.said, cardinality(s.ids) AS steps,
           'connected to ' || e.name || ', PostgreSQL 18' AS hello,
           coalesce(r.error ->> 'message', 'released the target''s lock') AS goodbye
      FROM migrations_app_run r
      JOIN made_act a ON a.run_id = r.id
      JOIN migrations_app_environment e ON e.id = r.environment_id
      JOIN (SELECT act, array_agg(revision_id ORDER BY ordinal) AS ids, array_agg(summary ORDER BY ordinal) AS said
              FROM made_run_step GROUP BY act) s ON s.act = a.n
     WHERE r.log_seq > 0
     ORDER BY r.id) r
  CROSS JOIN LATERAL (
    SELECT seq, (1 + (seq - 1) * r.steps / r.log_seq)::int AS i FROM generate_series(1, r.log_seq) seq) line;
