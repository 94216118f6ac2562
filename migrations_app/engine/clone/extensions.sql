-- Extensions in the order they were made; no schema where the extension brings its own.
SELECT e.extname::text AS name, e.extversion AS version,
       CASE WHEN d.objid IS NULL THEN n.nspname::text ELSE '' END AS schema
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.objid = n.oid
  AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid AND d.deptype = 'e'
ORDER BY e.oid
