-- One database as CREATE DATABASE needs it. Through JSON, because the columns differ between major versions:
-- a locale of a provider is daticulocale in 15 and 16 and datlocale from 17 on.
SELECT d.oid::bigint AS oid,
       pg_catalog.pg_get_userbyid(d.datdba)::text AS owner,
       pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
       d.datcollate::text AS collate,
       d.datctype::text AS ctype,
       coalesce(j.row ->> 'datlocprovider', 'c') AS provider,
       coalesce(j.row ->> 'datlocale', j.row ->> 'daticulocale', '') AS locale,
       coalesce(j.row ->> 'daticurules', '') AS rules,
       ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
                             || ':' || a.privilege_type
             FROM pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
             WHERE a.privilege_type IN ('CREATE', 'TEMPORARY') ORDER BY 1) AS grants,
       -- A setting for this role here goes before one for the database, that before one for the role anywhere.
       ARRAY(SELECT DISTINCT ON (pg_catalog.split_part(c.line, '=', 1)) c.line
             FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) AS c (line)
             WHERE s.setdatabase IN (0, d.oid)
               AND s.setrole IN (0, (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = %(role)s))
             ORDER BY pg_catalog.split_part(c.line, '=', 1),
                      (s.setdatabase <> 0 AND s.setrole <> 0) DESC, s.setrole = 0 DESC, s.setdatabase = 0 DESC) AS settings
FROM pg_catalog.pg_database d, LATERAL (SELECT pg_catalog.to_jsonb(d)) AS j (row)
WHERE d.datname = %(database)s
