-- What this database is and what its user may do here; reads only, works for any role.
SELECT current_setting('server_version_num')::int AS server_version_num,
       d.datname::text AS database,
       d.oid::bigint AS database_oid,
       d.datistemplate AS template,
       current_user::text AS "user",
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       has_database_privilege(d.oid, 'CREATE') AS can_create_schema,
       n.oid IS NOT NULL AS schema_exists,
       coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE'), false)
         AS schema_usable,
       pg_is_in_recovery() AS in_recovery,
       current_setting('default_transaction_read_only')::bool AS read_only,
       coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS ssl,
       pg_has_role('pg_read_all_stats', 'USAGE') AS sees_other_sessions
FROM pg_database d
LEFT JOIN pg_namespace n ON n.nspname = 'lockstep'
WHERE d.datname = current_database()
