-- Tables, sequences and columns that hold something of their own, by what a rename leaves. An inherited column, as a
-- partition's is, is told by its parent's, whose rows include the child's; a generated one holds nothing.
WITH rel AS (
  SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'
     AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'lockstep', 'lockstep_trace')
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
SELECT rel.oid::bigint, 0 AS number, CASE rel.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind,
       rel.name AS relation, '' AS "column", '' AS type,
       coalesce(d.refobjid, 0)::bigint AS owner, coalesce(d.refobjsubid, 0) AS owner_number
  FROM rel
  LEFT JOIN pg_catalog.pg_depend d
         ON rel.relkind = 'S' AND d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = rel.oid
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
UNION ALL
SELECT rel.oid::bigint, a.attnum, 'column', rel.name, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), 0, 0
  FROM rel JOIN pg_catalog.pg_attribute a ON a.attrelid = rel.oid
 WHERE rel.relkind <> 'S' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attinhcount = 0
