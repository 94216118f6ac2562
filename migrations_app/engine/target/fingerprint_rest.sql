-- Extensions, text search, foreign data, access methods, transforms, default privileges.

SELECT 'pg_extension'::regclass::oid, e.oid, 0, 'extension', quote_ident(e.extname),
  concat_ws(E'\n', 'version: ' || e.extversion, 'schema: ' || quote_ident(n.nspname)),
  0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace

UNION ALL
-- if any: pg_ts_config WHERE oid >= 16384
SELECT 'pg_ts_config'::regclass::oid, g.oid, 0, 'text search configuration', format('%I.%I', s.nspname, g.cfgname),
  concat_ws(E'\n', 'parser: ' || (SELECT format('%I.%I', n.nspname, p.prsname) FROM pg_ts_parser p
                                  JOIN pg_namespace n ON n.oid = p.prsnamespace WHERE p.oid = g.cfgparser),
    (SELECT string_agg(alias || ': ' || list, E'\n' ORDER BY alias COLLATE "C") FROM (
       SELECT k.alias, string_agg(w.mapdict::regdictionary::text, ', ' ORDER BY w.mapseqno) AS list
       FROM pg_ts_config_map w JOIN ts_token_type(g.cfgparser) k ON k.tokid = w.maptokentype
       WHERE w.mapcfg = g.oid GROUP BY 1) m)),
  0, true, g.cfgowner, NULL::aclitem[], NULL::"char"
FROM pg_ts_config g JOIN space s ON s.oid = g.cfgnamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_ts_config'::regclass AND m.objid = g.oid)

UNION ALL
-- if any: pg_ts_dict WHERE oid >= 16384
SELECT 'pg_ts_dict'::regclass::oid, d.oid, 0, 'text search dictionary', format('%I.%I', s.nspname, d.dictname),
  concat_ws(E'\n', 'template: ' || (SELECT format('%I.%I', n.nspname, t.tmplname) FROM pg_ts_template t
                                    JOIN pg_namespace n ON n.oid = t.tmplnamespace WHERE t.oid = d.dicttemplate),
    'options: ' || d.dictinitoption),
  0, true, d.dictowner, NULL::aclitem[], NULL::"char"
FROM pg_ts_dict d JOIN space s ON s.oid = d.dictnamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_ts_dict'::regclass AND m.objid = d.oid)

UNION ALL
-- if any: pg_ts_parser WHERE oid >= 16384
SELECT 'pg_ts_parser'::regclass::oid, p.oid, 0, 'text search parser', format('%I.%I', s.nspname, p.prsname),
  concat_ws(E'\n', 'start: ' || p.prsstart, 'token: ' || p.prstoken, 'end: ' || p.prsend, 'types: ' || p.prslextype,
    'headline: ' || nullif(p.prsheadline::text, '-')),
  0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_ts_parser p JOIN space s ON s.oid = p.prsnamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_ts_parser'::regclass AND m.objid = p.oid)

UNION ALL
-- if any: pg_ts_template WHERE oid >= 16384
SELECT 'pg_ts_template'::regclass::oid, t.oid, 0, 'text search template', format('%I.%I', s.nspname, t.tmplname),
  concat_ws(E'\n', 'init: ' || nullif(t.tmplinit::text, '-'), 'lexize: ' || t.tmpllexize), 0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_ts_template t JOIN space s ON s.oid = t.tmplnamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_ts_template'::regclass AND m.objid = t.oid)

UNION ALL
-- if any: pg_foreign_data_wrapper
SELECT 'pg_foreign_data_wrapper'::regclass::oid, w.oid, 0, 'foreign data wrapper', quote_ident(w.fdwname),
  concat_ws(E'\n', 'handler: ' || CASE WHEN w.fdwhandler <> 0 THEN w.fdwhandler::regprocedure END,
    'validator: ' || CASE WHEN w.fdwvalidator <> 0 THEN w.fdwvalidator::regprocedure END,
    'options: ' || (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(w.fdwoptions) o)),
  0, true, w.fdwowner, w.fdwacl, 'F'::"char"
FROM pg_foreign_data_wrapper w
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_foreign_data_wrapper'::regclass AND m.objid = w.oid)

UNION ALL
-- if any: pg_foreign_server
SELECT 'pg_foreign_server'::regclass::oid, v.oid, 0, 'server', quote_ident(v.srvname),
  concat_ws(E'\n', 'wrapper: ' || (SELECT quote_ident(w.fdwname) FROM pg_foreign_data_wrapper w WHERE w.oid = v.srvfdw),
    'type: ' || v.srvtype, 'version: ' || v.srvversion,
    'options: ' || (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(v.srvoptions) o)),
  0, true, v.srvowner, v.srvacl, 'S'::"char"
FROM pg_foreign_server v
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_foreign_server'::regclass AND m.objid = v.oid)

UNION ALL
-- Options hold passwords, and not everyone is shown them.
-- if any: pg_user_mappings
SELECT 0::oid, u.umid, 0, 'user mapping',
  format('of %s on %I', CASE u.umuser WHEN 0 THEN 'public' ELSE quote_ident(u.usename) END, u.srvname),
  '', 0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_user_mappings u

UNION ALL
-- if any: pg_am WHERE oid >= 16384
SELECT 'pg_am'::regclass::oid, am.oid, 0, 'access method', quote_ident(am.amname),
  concat_ws(E'\n', 'for: ' || CASE am.amtype WHEN 'i' THEN 'indexes' ELSE 'tables' END, 'handler: ' || am.amhandler),
  0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_am am
WHERE am.oid >= 16384 AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_am'::regclass AND m.objid = am.oid)

UNION ALL
-- if any: pg_transform WHERE oid >= 16384
SELECT 'pg_transform'::regclass::oid, t.oid, 0, 'transform',
  format('for %s language %I', format_type(t.trftype, NULL),
    (SELECT l.lanname FROM pg_language l WHERE l.oid = t.trflang)),
  concat_ws(E'\n', 'from: ' || CASE WHEN t.trffromsql <> 0 THEN t.trffromsql::regprocedure END,
    'to: ' || CASE WHEN t.trftosql <> 0 THEN t.trftosql::regprocedure END),
  0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_transform t
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_transform'::regclass AND m.objid = t.oid)

UNION ALL
-- Those for one schema add to the ones for all, which begin with the server's own: hence no acltype for them.
-- if any: pg_default_acl
SELECT 'pg_default_acl'::regclass::oid, d.oid, 0, 'default privileges',
  format('of %s on %s%s', quote_ident(pg_get_userbyid(d.defaclrole)),
    CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
      WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END,
    ' in ' || quote_ident(s.nspname)),
  NULL, 0, false, d.defaclrole, d.defaclacl,
  CASE WHEN d.defaclnamespace = 0 THEN CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END END
FROM pg_default_acl d LEFT JOIN space s ON s.oid = d.defaclnamespace
WHERE d.defaclnamespace = 0 OR s.oid IS NOT NULL
