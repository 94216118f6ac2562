-- Every relation of the application's own, the file its rows are in, and for an index its table.
SELECT c.oid::bigint,
       pg_catalog.format('%I.%I', n.nspname, c.relname),
       coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)::bigint,
       coalesce(i.indrelid, 0)::bigint
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'i', 'I', 'S', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'lockstep', 'lockstep_trace')
  AND n.nspname !~ '^pg_(toast_)?temp_'
