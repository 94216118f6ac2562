-- Tables and partitioned tables with what decides how they are copied: the database's own, and those that hold an
-- extension's configuration, where they can be read; `condition` picks the rows that are not the extension's.
-- Rows are estimated from the density at the last ANALYZE and today's size; -1 where there never was one.
SELECT * FROM (
SELECT c.oid::bigint AS oid,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
       n.nspname = 'lockstep' AS ours,
       e.condition IS NOT NULL AS configuration,
       coalesce(e.condition, '') AS condition,
       c.relkind = 'p' AS partitioned,
       pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS readable,
       pg_catalog.row_security_active(c.oid) AS filtered,
       coalesce(pg_catalog.pg_table_size(c.oid), 0)::bigint AS bytes,
       s.pages,
       CASE WHEN c.reltuples < 0 THEN -1
            WHEN c.relpages = 0 THEN CASE WHEN s.pages = 0 THEN 0 ELSE -1 END
            ELSE (c.reltuples / c.relpages * s.pages)::bigint END::bigint AS estimate,
       ARRAY(SELECT pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
             ORDER BY a.attnum) AS columns
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN (SELECT pg_catalog.unnest(extconfig), pg_catalog.unnest(extcondition) FROM pg_catalog.pg_extension)
     AS e (oid, condition) ON e.oid = c.oid,
LATERAL (SELECT CASE c.relkind WHEN 'p' THEN 0 ELSE coalesce(pg_catalog.pg_relation_size(c.oid), 0)
                / pg_catalog.current_setting('block_size')::bigint END) AS s (pages)
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (e.condition IS NOT NULL OR NOT EXISTS (
       SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.objid = c.oid AND d.deptype = 'e'))
) AS found
WHERE NOT configuration OR readable AND NOT filtered
ORDER BY name
