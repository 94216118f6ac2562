-- Every role that owns something here, is granted something here or is named in a policy, who asks, and all roles
-- those are members of. PostgreSQL does not note what its first superuser owns: it is always included.
WITH RECURSIVE named AS (
  SELECT s.refobjid AS oid FROM pg_catalog.pg_shdepend s
  WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
    AND (s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
         OR (s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass
             AND s.objid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())))
  UNION SELECT d.datdba FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
  UNION SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user OR r.oid = 10
  UNION SELECT m.roleid FROM pg_catalog.pg_auth_members m JOIN named ON named.oid = m.member
)
SELECT r.rolname::text AS name, r.rolsuper AS superuser, r.rolinherit AS inherit, r.rolbypassrls AS bypassrls,
       ARRAY(SELECT pg_catalog.pg_get_userbyid(m.roleid)::text FROM pg_catalog.pg_auth_members m
             WHERE m.member = r.oid ORDER BY 1) AS member_of
FROM pg_catalog.pg_roles r JOIN named ON named.oid = r.oid
WHERE r.rolname !~ '^pg_'
ORDER BY r.rolname
