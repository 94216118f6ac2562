-- Receipts of the runs that ended well, what they left applied, and where each environment stands by them.
INSERT INTO migrations_app_ledgerentry
  (environment_id, seq, revision_id, parent, direction, cycle, checksum, phase, schema_rev, applied_at, operator,
   run_uid, run_id, fence, fp_before, fp_after, duration_ms, server_version_num, seen_at)
SELECT a.environment_id,
       row_number() OVER (PARTITION BY a.environment_id ORDER BY a.n, p.i),
       r.revision_id, r.parent, a.direction, a.cycle,
       CASE a.direction WHEN 'up' THEN r.checksum ELSE r.down_checksum END,
       r.phase, r.schema_rev,
       a.at + interval '2 s' + a.took * (p.i / (a.last - a.first + 2)::float8),
       a.operator, md5(%(seed)s || '/run/' || a.run_id)::uuid, a.run_id,
       dense_rank() OVER (PARTITION BY a.environment_id ORDER BY a.n),
       -- A fingerprint is taken at the two ends of a run.
       CASE WHEN p.i = 1 THEN 'fp:v1:' || md5(CASE a.direction WHEN 'up' THEN r.parent ELSE r.revision_id END)
            ELSE 'unmeasured' END,
       CASE WHEN p.i = a.last - a.first + 1
            THEN 'fp:v1:' || md5(CASE a.direction WHEN 'up' THEN r.revision_id ELSE r.parent END) ELSE 'unmeasured' END,
       (5 + 4000 * pg_temp.dice(a.n * 31 + p.i, 9) ^ 4)::bigint, 180004, e.reconciled_at
  FROM made_act a
  JOIN made_part p ON p.n = a.n
  JOIN migrations_app_revision r ON r.service_id = p.service_id AND r.position = p.position
  JOIN migrations_app_environment e ON e.id = a.environment_id
 WHERE a.ends IN ('succeeded', 'rolled_back')
 ORDER BY a.n, p.i;

INSERT INTO migrations_app_appliedrevision (environment_id, revision_id, seq, checksum, applied_at)
SELECT environment_id, revision_id, seq, checksum, applied_at
  FROM (SELECT DISTINCT ON (l.environment_id, l.revision_id) l.environment_id, l.revision_id, l.seq, l.direction,
               l.checksum, l.applied_at
          FROM migrations_app_ledgerentry l JOIN made_place p USING (environment_id)
         ORDER BY l.environment_id, l.revision_id, l.seq DESC) newest
 WHERE direction = 'up'
 ORDER BY environment_id, seq;

UPDATE migrations_app_environment e
   SET head_seq = l.seq, ledger_rows = l.seq, receipts_seen = l.seq,
       head_revision = CASE l.direction WHEN 'up' THEN l.revision_id ELSE l.parent END
  FROM (SELECT DISTINCT ON (l.environment_id) l.environment_id, l.seq, l.direction, l.revision_id, l.parent
          FROM migrations_app_ledgerentry l JOIN made_place p USING (environment_id)
         ORDER BY l.environment_id, l.seq DESC) l
 WHERE e.id = l.environment_id;
