-- Everything a schema change can change, one row per object, in one query with those of fingerprint_tables.sql,
-- fingerprint_code.sql, fingerprint_types.sql, fingerprint_rest.sql and, from 15 on, fingerprint_publications.sql
-- in place of the word below. Run with an empty search_path, so that names in definitions are always qualified.
--
-- A definition is a list of lines; most begin with a word and a colon, by which compare.py pairs them. A row
-- without one counts for what is said about it only. `owned` says whether the owner is told; `acltype` is what
-- acldefault() calls the kind. Privileges are told as what they add to the default ones or take from them, so that
-- an object nobody ever granted on equals one whose grants were taken back.
--
-- What is left out, and why, is in docs/fingerprint.md.
WITH space AS MATERIALIZED (
  SELECT n.oid, n.nspname, n.nspowner, n.nspacl FROM pg_namespace n
  WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND n.nspname NOT IN ('lockstep', 'lockstep_trace')
), member AS MATERIALIZED (
  SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
), rel AS MATERIALIZED (
  SELECT c.oid, c.relname, c.relkind, c.relowner, c.relacl, c.relam, c.reltype, c.reloftype, c.reloptions,
    c.relpersistence, c.relpartbound, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
    c.reltoastrelid, format('%I.%I', s.nspname, c.relname) AS name
  FROM pg_class c JOIN space s ON s.oid = c.relnamespace
  WHERE c.relpersistence <> 't' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
    AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
    AND NOT EXISTS (SELECT FROM member m
                    WHERE c.relkind = 'c' AND m.classid = 'pg_type'::regclass AND m.objid = c.reltype)
), typ AS MATERIALIZED (
  SELECT t.*, format('%I.%I', s.nspname, t.typname) AS name
  FROM pg_type t JOIN space s ON s.oid = t.typnamespace
  WHERE (t.typtype IN ('d', 'e', 'r') OR t.typtype = 'b' AND t.typinput <> 'pg_catalog.array_in'::regproc
         OR t.typtype = 'p' AND NOT t.typisdefined)
    AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
), object (classid, objid, subid, kind, name, definition, position, owned, owner, acl, acltype) AS (
  /* objects */
)
SELECT o.kind, o.name, o.definition, o.position,
  CASE WHEN o.owned THEN pg_get_userbyid(o.owner) END AS owner,
  CASE WHEN o.acl IS NOT NULL THEN (
    SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM (
      SELECT who || ': ' || string_agg(privilege, ', ' ORDER BY privilege COLLATE "C") AS line FROM (
        SELECT
          CASE grantee WHEN o.owner THEN 'owner' WHEN 0 THEN 'public'
            ELSE CASE pg_get_userbyid(grantee) WHEN 'owner' THEN '"owner"'
                   ELSE quote_ident(pg_get_userbyid(grantee)) END END AS who,
          CASE WHEN NOT bool_or(given) THEN 'not ' ELSE '' END || privilege_type
            || CASE WHEN bool_or(grantable) THEN ' (grantable)' ELSE '' END AS privilege
        FROM (
          SELECT e.grantee, e.privilege_type, e.is_grantable AND e.grantee <> o.owner AS grantable, true AS given
          FROM aclexplode(o.acl) e
          UNION ALL
          SELECT e.grantee, e.privilege_type, false, false FROM aclexplode(acldefault(o.acltype, o.owner)) e
        ) entry
        GROUP BY grantee, privilege_type
        HAVING bool_or(given) <> bool_or(NOT given) OR bool_or(grantable)
      ) unlike_default GROUP BY who
    ) line_per_role
  ) END AS privileges,
  d.description AS comment, l.labels, x.extensions
FROM object o
LEFT JOIN (SELECT * FROM pg_description WHERE objoid >= 16384 OR objoid = 2200) d
  ON d.classoid = o.classid AND d.objoid = o.objid AND d.objsubid = o.subid
LEFT JOIN (
  SELECT classoid, objoid, objsubid,
    string_agg(provider || ': ' || label, E'\n' ORDER BY provider COLLATE "C") AS labels
  FROM pg_seclabel GROUP BY 1, 2, 3
) l ON l.classoid = o.classid AND l.objoid = o.objid AND l.objsubid = o.subid
LEFT JOIN (
  SELECT p.classid, p.objid, string_agg(quote_ident(e.extname), E'\n' ORDER BY e.extname) AS extensions
  FROM pg_depend p JOIN pg_extension e ON e.oid = p.refobjid
  WHERE p.refclassid = 'pg_extension'::regclass AND p.deptype = 'x' GROUP BY 1, 2
) x ON x.classid = o.classid AND x.objid = o.objid AND o.subid = 0
