-- One row of one text: how the schema, the drift, the newest rehearsal and the waiting request of a place stand.
-- After every change of a row its xmin or its ctid is another one.
SELECT ROW(
  (SELECT ROW(s.xmin, s.ctid)::text FROM migrations_app_schemastate s WHERE s.environment_id = %(environment)s),
  (SELECT ROW(d.xmin, d.ctid)::text FROM migrations_app_schemadrift d
    WHERE d.environment_id = %(environment)s AND d.state IN ('open', 'ignored', 'adopting', 'reverting')),
  (SELECT ROW(r.id, r.version)::text FROM migrations_app_rehearsal r
    WHERE r.environment_id = %(environment)s ORDER BY r.id DESC LIMIT 1),
  (SELECT c.id FROM migrations_app_rollbackconsent c
    WHERE c.environment_id = %(environment)s AND c.status = 'asked' AND c.expires_at > clock_timestamp())
)::text
