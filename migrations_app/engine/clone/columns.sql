-- Every column of the application's own tables, for where no event trigger tells which one was dropped.
SELECT a.attrelid::bigint, a.attnum::int, pg_catalog.format('%I.%I.%I', n.nspname, c.relname, a.attname)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm', 'v', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'lockstep', 'lockstep_trace')
  AND n.nspname !~ '^pg_(toast_)?temp_'
