-- Types of every sort, casts, collations, operators and their classes.

-- if any: pg_class WHERE relkind = 'c' AND oid >= 16384
SELECT 'pg_type'::regclass::oid, t.oid, 0, 'composite type', c.name, '', 0, true, t.typowner, t.typacl, 'T'::"char"
FROM rel c JOIN pg_type t ON t.oid = c.reltype
WHERE c.relkind = 'c'

UNION ALL
-- if any: pg_type WHERE typtype = 'e' AND oid >= 16384
SELECT 'pg_type'::regclass::oid, t.oid, 0, 'enum', t.name,
  coalesce((SELECT string_agg(quote_literal(e.enumlabel), E'\n' ORDER BY e.enumsortorder)
            FROM pg_enum e WHERE e.enumtypid = t.oid), ''),
  0, true, t.typowner, t.typacl, 'T'::"char"
FROM typ t WHERE t.typtype = 'e'

UNION ALL
-- if any: pg_type WHERE typtype = 'd' AND oid >= 16384
SELECT 'pg_type'::regclass::oid, t.oid, 0, 'domain', t.name,
  concat_ws(E'\n', 'type: ' || format_type(t.typbasetype, t.typtypmod),
    CASE WHEN t.typcollation <> b.typcollation THEN 'collation: ' || t.typcollation::regcollation END,
    CASE WHEN t.typnotnull THEN 'not null' END, 'not null constraint: named ' || quote_ident(k.conname),
    'default: ' || pg_get_expr(t.typdefaultbin, 0)),
  0, true, t.typowner, t.typacl, 'T'::"char"
FROM typ t JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_constraint k ON k.contypid = t.oid AND k.contype = 'n' AND k.conname <> t.typname || '_not_null'
WHERE t.typtype = 'd'

UNION ALL
-- if any: pg_range WHERE rngtypid >= 16384
SELECT 'pg_type'::regclass::oid, t.oid, 0, 'range', t.name,
  concat_ws(E'\n', 'subtype: ' || format_type(r.rngsubtype, NULL), 'class: ' || format('%I.%I', n.nspname, k.opcname),
    'collation: ' || CASE WHEN r.rngcollation <> b.typcollation THEN r.rngcollation::regcollation END,
    'canonical: ' || nullif(r.rngcanonical::text, '-'), 'difference: ' || nullif(r.rngsubdiff::text, '-'),
    'multirange: ' || r.rngmultitypid::regtype),
  0, true, t.typowner, t.typacl, 'T'::"char"
FROM typ t JOIN pg_range r ON r.rngtypid = t.oid JOIN pg_type b ON b.oid = r.rngsubtype
JOIN pg_opclass k ON k.oid = r.rngsubopc JOIN pg_namespace n ON n.oid = k.opcnamespace

UNION ALL
-- if any: pg_type WHERE oid >= 16384 AND (typtype = 'b' AND typinput <> 'pg_catalog.array_in'::regproc OR typtype = 'p')
SELECT 'pg_type'::regclass::oid, t.oid, 0, 'type', t.name,
  CASE WHEN t.typtype = 'p' THEN 'shell' ELSE
    concat_ws(E'\n', 'input: ' || t.typinput, 'output: ' || t.typoutput, 'receive: ' || t.typreceive,
      'send: ' || t.typsend, 'modifier input: ' || t.typmodin, 'modifier output: ' || t.typmodout,
      'analyze: ' || t.typanalyze, 'subscript: ' || t.typsubscript,
      'element: ' || CASE WHEN t.typelem <> 0 THEN t.typelem::regtype END,
      'length: ' || t.typlen, CASE WHEN t.typbyval THEN 'by value' END, 'alignment: ' || t.typalign::text,
      'storage: ' || t.typstorage::text, 'category: ' || t.typcategory::text,
      CASE WHEN t.typispreferred THEN 'preferred' END, 'delimiter: ' || t.typdelim::text,
      CASE WHEN t.typcollation <> 0 THEN 'collatable' END, 'default: ' || t.typdefault) END,
  0, true, t.typowner, t.typacl, 'T'::"char"
FROM typ t WHERE t.typtype IN ('b', 'p')

UNION ALL
-- if any: pg_cast WHERE oid >= 16384
SELECT 'pg_cast'::regclass::oid, k.oid, 0, 'cast',
  format_type(k.castsource, NULL) || ' as ' || format_type(k.casttarget, NULL),
  concat_ws(E'\n',
    'when: ' || CASE k.castcontext WHEN 'i' THEN 'implicit' WHEN 'a' THEN 'assignment' ELSE 'explicit' END,
    'by: ' || CASE k.castmethod WHEN 'f' THEN k.castfunc::regprocedure::text WHEN 'i' THEN 'text' ELSE 'nothing' END),
  0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_cast k
WHERE k.oid >= 16384
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_cast'::regclass AND d.objid = k.oid AND d.deptype IN ('e', 'i'))

UNION ALL
-- Columns of this catalogue are called otherwise in each version.
-- if any: pg_collation WHERE oid >= 16384
SELECT 'pg_collation'::regclass::oid, l.oid, 0, 'collation', format('%I.%I', s.nspname, l.collname),
  concat_ws(E'\n', 'provider: ' || l.collprovider::text, CASE WHEN NOT l.collisdeterministic THEN 'not deterministic' END,
    'collate: ' || l.collcollate, 'ctype: ' || l.collctype,
    'locale: ' || coalesce(to_jsonb(l) ->> 'colllocale', to_jsonb(l) ->> 'colliculocale'),
    'rules: ' || (to_jsonb(l) ->> 'collicurules')),
  0, true, l.collowner, NULL::aclitem[], NULL::"char"
FROM pg_collation l JOIN space s ON s.oid = l.collnamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_collation'::regclass AND m.objid = l.oid)

UNION ALL
-- if any: pg_conversion WHERE oid >= 16384
SELECT 'pg_conversion'::regclass::oid, v.oid, 0, 'conversion', format('%I.%I', s.nspname, v.conname),
  concat_ws(E'\n', 'from: ' || pg_encoding_to_char(v.conforencoding), 'to: ' || pg_encoding_to_char(v.contoencoding),
    'by: ' || v.conproc, CASE WHEN v.condefault THEN 'default' END),
  0, true, v.conowner, NULL::aclitem[], NULL::"char"
FROM pg_conversion v JOIN space s ON s.oid = v.connamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_conversion'::regclass AND m.objid = v.oid)

UNION ALL
-- One without a function is only promised, by the commutator of another; a dump does not keep it.
-- if any: pg_operator WHERE oid >= 16384
SELECT 'pg_operator'::regclass::oid, o.oid, 0, 'operator', o.oid::regoperator::text,
  concat_ws(E'\n', 'by: ' || o.oprcode::regprocedure, 'result: ' || format_type(o.oprresult, NULL),
    'commutator: ' || CASE WHEN o.oprcom <> 0 THEN o.oprcom::regoperator END,
    'negator: ' || CASE WHEN o.oprnegate <> 0 THEN o.oprnegate::regoperator END,
    'restrict: ' || nullif(o.oprrest::text, '-'), 'join: ' || nullif(o.oprjoin::text, '-'),
    CASE WHEN o.oprcanmerge THEN 'merges' END, CASE WHEN o.oprcanhash THEN 'hashes' END),
  0, true, o.oprowner, NULL::aclitem[], NULL::"char"
FROM pg_operator o JOIN space s ON s.oid = o.oprnamespace
WHERE o.oprcode <> 0 AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_operator'::regclass AND m.objid = o.oid)

UNION ALL
-- if any: pg_opclass WHERE oid >= 16384
SELECT 'pg_opclass'::regclass::oid, o.oid, 0, 'operator class', format('%I.%I using %I', s.nspname, o.opcname, am.amname),
  concat_ws(E'\n', 'for: ' || format_type(o.opcintype, NULL), 'family: ' || format('%I.%I', fs.nspname, f.opfname),
    CASE WHEN o.opcdefault THEN 'default' END,
    'stores: ' || CASE WHEN o.opckeytype <> 0 THEN format_type(o.opckeytype, NULL) END),
  0, true, o.opcowner, NULL::aclitem[], NULL::"char"
FROM pg_opclass o JOIN space s ON s.oid = o.opcnamespace JOIN pg_am am ON am.oid = o.opcmethod
JOIN pg_opfamily f ON f.oid = o.opcfamily JOIN pg_namespace fs ON fs.oid = f.opfnamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_opclass'::regclass AND m.objid = o.oid)

UNION ALL
-- if any: pg_opfamily WHERE oid >= 16384
SELECT 'pg_opfamily'::regclass::oid, f.oid, 0, 'operator family', format('%I.%I using %I', s.nspname, f.opfname, am.amname),
  concat_ws(E'\n',
    (SELECT string_agg(format('operator %s %s%s', o.amopstrategy, o.amopopr::regoperator,
       CASE WHEN o.amopsortfamily <> 0 THEN
         (SELECT format(' order by %I.%I', n.nspname, sf.opfname) FROM pg_opfamily sf
          JOIN pg_namespace n ON n.oid = sf.opfnamespace WHERE sf.oid = o.amopsortfamily) ELSE '' END),
       E'\n' ORDER BY o.amopstrategy, o.amopopr::regoperator::text COLLATE "C")
     FROM pg_amop o WHERE o.amopfamily = f.oid),
    (SELECT string_agg(format('function %s (%s, %s) %s', p.amprocnum, format_type(p.amproclefttype, NULL),
       format_type(p.amprocrighttype, NULL), p.amproc::regprocedure),
       E'\n' ORDER BY p.amprocnum, p.amproc::regprocedure::text COLLATE "C",
         p.amproclefttype::regtype::text COLLATE "C", p.amprocrighttype::regtype::text COLLATE "C")
     FROM pg_amproc p WHERE p.amprocfamily = f.oid)),
  0, true, f.opfowner, NULL::aclitem[], NULL::"char"
FROM pg_opfamily f JOIN space s ON s.oid = f.opfnamespace JOIN pg_am am ON am.oid = f.opfmethod
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_opfamily'::regclass AND m.objid = f.oid)
