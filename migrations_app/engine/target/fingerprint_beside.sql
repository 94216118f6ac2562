-- What a fingerprint leaves out and a revision can change all the same: privileges on the server's own objects and on
-- members of extensions, large objects, tablespaces, what is said of the database itself. Rows as in fingerprint.sql.

SELECT 'pg_class'::regclass::oid, c.oid, 0, 'relation', c.oid::regclass::text, NULL, 0, false, c.relowner,
  c.relacl, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char"
FROM pg_class c LEFT JOIN space s ON s.oid = c.relnamespace
WHERE c.relacl IS NOT NULL AND c.relpersistence <> 't' AND (
  (SELECT n.nspname IN ('pg_catalog', 'information_schema') FROM pg_namespace n WHERE n.oid = c.relnamespace)
  OR EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid))

UNION ALL
SELECT 'pg_class'::regclass::oid, c.oid, a.attnum, 'column', format('%s.%I', c.oid::regclass, a.attname), NULL, 0,
  false, c.relowner, a.attacl, 'c'::"char"
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND (
  (SELECT n.nspname IN ('pg_catalog', 'information_schema') FROM pg_namespace n WHERE n.oid = c.relnamespace)
  OR EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid))

UNION ALL
SELECT 'pg_proc'::regclass::oid, p.oid, 0, 'function', p.oid::regprocedure::text, NULL, 0, false, p.proowner,
  p.proacl, 'f'::"char"
FROM pg_proc p
WHERE p.proacl IS NOT NULL AND (
  (SELECT n.nspname IN ('pg_catalog', 'information_schema') FROM pg_namespace n WHERE n.oid = p.pronamespace)
  OR EXISTS (SELECT FROM member m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid))

UNION ALL
SELECT 'pg_type'::regclass::oid, t.oid, 0, 'type', t.oid::regtype::text, NULL, 0, false, t.typowner, t.typacl,
  'T'::"char"
FROM pg_type t
WHERE t.typacl IS NOT NULL AND (
  (SELECT n.nspname IN ('pg_catalog', 'information_schema') FROM pg_namespace n WHERE n.oid = t.typnamespace)
  OR EXISTS (SELECT FROM member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid))

UNION ALL
SELECT 'pg_namespace'::regclass::oid, n.oid, 0, 'schema', n.nspname::text, NULL, 0, false, n.nspowner, n.nspacl,
  'n'::"char"
FROM pg_namespace n
WHERE n.nspacl IS NOT NULL AND (n.nspname IN ('pg_catalog', 'information_schema')
  OR EXISTS (SELECT FROM member m WHERE m.classid = 'pg_namespace'::regclass AND m.objid = n.oid))

UNION ALL
SELECT 0::oid, 0::oid, 0, 'database', 'itself', NULL, 0, true, d.datdba, d.datacl, 'd'::"char"
FROM pg_database d WHERE d.datname = current_database()

UNION ALL
SELECT 0::oid, 0::oid, 0, 'comment', 'the database itself', h.description, 0, false, 0::oid,
  NULL::aclitem[], NULL::"char"
FROM pg_database d JOIN pg_shdescription h ON h.classoid = 'pg_database'::regclass AND h.objoid = d.oid
WHERE d.datname = current_database()

UNION ALL
SELECT 0::oid, 0::oid, 0, 'setting', split_part(line, '=', 1)
    || CASE s.setrole WHEN 0 THEN ' of the database' ELSE ' of ' || quote_ident(pg_get_userbyid(s.setrole)) END,
  substr(line, strpos(line, '=') + 1), 0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) line
WHERE d.datname = current_database()

UNION ALL
SELECT 0::oid, 0::oid, 0, 'tablespace', 'of ' || c.oid::regclass, quote_ident(t.spcname), 0, false, 0::oid,
  NULL::aclitem[], NULL::"char"
FROM pg_class c JOIN space s ON s.oid = c.relnamespace JOIN pg_tablespace t ON t.oid = c.reltablespace

UNION ALL
SELECT 'pg_largeobject'::regclass::oid, m.oid, 0, 'large object', m.oid::text,
  COALESCE(sum(octet_length(o.data)) || ' bytes, md5 ' || md5(string_agg(o.pageno || md5(o.data), ' ' ORDER BY o.pageno)),
           'empty'),
  0, true, m.lomowner, m.lomacl, 'L'::"char"
FROM pg_largeobject_metadata m LEFT JOIN pg_largeobject o ON o.loid = m.oid GROUP BY m.oid, m.lomowner, m.lomacl
