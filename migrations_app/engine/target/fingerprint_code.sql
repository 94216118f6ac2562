-- Functions, triggers, rules, policies, event triggers, languages.

-- if any: pg_proc WHERE oid >= 16384
SELECT 'pg_proc'::regclass::oid, p.oid, 0,
  CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
  format('%I.%I(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
  CASE WHEN p.prokind = 'a' THEN
    (SELECT concat_ws(E'\n', 'result: ' || pg_get_function_result(p.oid), 'kind: ' || a.aggkind::text,
       'direct arguments: ' || nullif(a.aggnumdirectargs, 0), 'state: ' || format_type(a.aggtranstype, NULL),
       'state space: ' || nullif(a.aggtransspace, 0), 'step: ' || a.aggtransfn, 'final: ' || a.aggfinalfn,
       'final modifies: ' || a.aggfinalmodify::text, CASE WHEN a.aggfinalextra THEN 'final extra' END,
       'combine: ' || a.aggcombinefn, 'serialize: ' || a.aggserialfn, 'deserialize: ' || a.aggdeserialfn,
       'moving step: ' || a.aggmtransfn, 'moving inverse: ' || a.aggminvtransfn, 'moving final: ' || a.aggmfinalfn,
       'moving state: ' || CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END,
       'moving state space: ' || nullif(a.aggmtransspace, 0), 'moving final modifies: ' || a.aggmfinalmodify::text,
       CASE WHEN a.aggmfinalextra THEN 'moving final extra' END,
       'initial: ' || a.agginitval, 'moving initial: ' || a.aggminitval,
       'sorted by: ' || CASE WHEN a.aggsortop <> 0 THEN a.aggsortop::regoperator END, 'parallel: ' || p.proparallel::text)
     FROM pg_aggregate a WHERE a.aggfnoid = p.oid)
  ELSE pg_get_functiondef(p.oid) END,
  0, true, p.proowner, p.proacl, 'f'::"char"
FROM pg_proc p JOIN space s ON s.oid = p.pronamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid)
  -- Constructors of ranges follow from their type.
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')

UNION ALL
-- if any: pg_trigger WHERE NOT tgisinternal
SELECT 'pg_trigger'::regclass::oid, g.oid, 0, 'trigger', c.name || '.' || quote_ident(g.tgname),
  concat_ws(E'\n', pg_get_triggerdef(g.oid),
    'fires: ' || CASE g.tgenabled WHEN 'D' THEN 'never' WHEN 'A' THEN 'always' WHEN 'R' THEN 'on a replica' END),
  0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_trigger g JOIN rel c ON c.oid = g.tgrelid
WHERE NOT g.tgisinternal

UNION ALL
-- if any: pg_rewrite WHERE oid >= 16384 AND rulename <> '_RETURN'
SELECT 'pg_rewrite'::regclass::oid, w.oid, 0, 'rule', c.name || '.' || quote_ident(w.rulename),
  concat_ws(E'\n', pg_get_ruledef(w.oid),
    'applies: ' || CASE w.ev_enabled WHEN 'D' THEN 'never' WHEN 'A' THEN 'always' WHEN 'R' THEN 'on a replica' END),
  0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_rewrite w JOIN rel c ON c.oid = w.ev_class
WHERE w.rulename <> '_RETURN'

UNION ALL
-- if any: pg_policy
SELECT 'pg_policy'::regclass::oid, y.oid, 0, 'policy', c.name || '.' || quote_ident(y.polname),
  concat_ws(E'\n', CASE WHEN y.polpermissive THEN 'permissive' ELSE 'restrictive' END,
    'for: ' || CASE y.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                 ELSE 'ALL' END,
    'to: ' || (SELECT string_agg(CASE r WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(r)) END, ', '
                                 ORDER BY pg_get_userbyid(r)) FROM unnest(y.polroles) r),
    'using: ' || pg_get_expr(y.polqual, y.polrelid), 'check: ' || pg_get_expr(y.polwithcheck, y.polrelid)),
  0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_policy y JOIN rel c ON c.oid = y.polrelid

UNION ALL
-- if any: pg_event_trigger
SELECT 'pg_event_trigger'::regclass::oid, e.oid, 0, 'event trigger', quote_ident(e.evtname),
  concat_ws(E'\n', 'on: ' || e.evtevent, 'calls: ' || format('%I.%I', s.nspname, p.proname),
    'for: ' || array_to_string(e.evttags, ', '),
    'fires: ' || CASE e.evtenabled WHEN 'D' THEN 'never' WHEN 'A' THEN 'always' WHEN 'R' THEN 'on a replica' END),
  0, true, e.evtowner, NULL::aclitem[], NULL::"char"
FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid JOIN space s ON s.oid = p.pronamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_event_trigger'::regclass AND m.objid = e.oid)

UNION ALL
-- Of the server's own and of extensions only the privileges, which are often taken from them.
-- if any: pg_language WHERE oid >= 16384 OR lanacl IS NOT NULL
SELECT CASE WHEN own.is THEN 'pg_language'::regclass::oid ELSE 0 END, l.oid, 0, 'language', quote_ident(l.lanname),
  CASE WHEN own.is THEN
    concat_ws(E'\n', CASE WHEN l.lanpltrusted THEN 'trusted' END, 'handler: ' || l.lanplcallfoid::regprocedure,
      'inline: ' || CASE WHEN l.laninline <> 0 THEN l.laninline::regprocedure END,
      'validator: ' || CASE WHEN l.lanvalidator <> 0 THEN l.lanvalidator::regprocedure END) END,
  0, own.is, l.lanowner, l.lanacl, 'l'::"char"
FROM pg_language l,
LATERAL (SELECT l.lanispl AND NOT EXISTS (
  SELECT FROM member m WHERE m.classid = 'pg_language'::regclass AND m.objid = l.oid) AS is) own
