-- Schemas, relations, columns, constraints, indexes, sequences, statistics. Positions are those among live columns.

SELECT 'pg_namespace'::regclass::oid, s.oid, 0, 'schema', quote_ident(s.nspname), '', 0, true, s.nspowner, s.nspacl,
  'n'::"char"
FROM space s
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_namespace'::regclass AND m.objid = s.oid)

UNION ALL
SELECT 'pg_class'::regclass::oid, c.oid, 0,
  CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'table' END,
  c.name,
  concat_ws(E'\n',
    CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
    'using: ' || quote_ident(am.amname),
    'partition by: ' || CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
    CASE WHEN c.relispartition THEN 'partition of: ' ELSE 'inherits: ' END || i.parents,
    'values: ' || pg_get_expr(c.relpartbound, c.oid),
    'of type: ' || CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
    CASE WHEN c.reloptions IS NOT NULL THEN
      'with: ' || (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(c.reloptions) o) END,
    CASE WHEN c.relrowsecurity THEN 'row security' END,
    CASE WHEN c.relforcerowsecurity THEN 'forced row security' END,
    CASE WHEN c.relkind IN ('r', 'p', 'm') THEN
      'replica identity: ' || CASE c.relreplident WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' WHEN 'i' THEN
        (SELECT 'index' FROM pg_index x WHERE x.indrelid = c.oid AND x.indisreplident) END
    END,
    CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END),
  0, true, c.relowner, c.relacl, 'r'::"char"
FROM rel c
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN (
  SELECT h.inhrelid, string_agg(format('%I.%I', n.nspname, p.relname)
    || CASE WHEN h.inhdetachpending THEN ' (being detached)' ELSE '' END, ', ' ORDER BY h.inhseqno) AS parents
  FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace
  GROUP BY 1) i ON i.inhrelid = c.oid
WHERE c.relkind NOT IN ('S', 'c')

UNION ALL
-- if any: pg_foreign_table
SELECT 'pg_foreign_table'::regclass::oid, f.ftrelid, 0, 'foreign table options', c.name,
  concat_ws(E'\n', 'server: ' || quote_ident(v.srvname),
    'options: ' || (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(f.ftoptions) o)),
  0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM rel c JOIN pg_foreign_table f ON f.ftrelid = c.oid JOIN pg_foreign_server v ON v.oid = f.ftserver

UNION ALL
-- if any: pg_class WHERE relkind = 't' AND reloptions IS NOT NULL
SELECT 'pg_class'::regclass::oid, x.oid, 0, 'toast options', c.name,
  (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(x.reloptions) o),
  0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM rel c JOIN pg_class x ON x.oid = c.reltoastrelid
WHERE x.reloptions IS NOT NULL

UNION ALL
-- Those that keep foreign keys and deferred uniqueness: DISABLE TRIGGER ALL and ENABLE REPLICA reach them too.
-- if any: pg_trigger WHERE tgisinternal AND tgenabled <> 'O'
SELECT 'pg_trigger'::regclass::oid, c.oid, 0, 'internal triggers', c.name,
  string_agg(DISTINCT concat(g.tgfoid::regproc, ' fires: ',
    CASE g.tgenabled WHEN 'D' THEN 'never' WHEN 'A' THEN 'always' ELSE 'on a replica' END) COLLATE "C", E'\n'),
  0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM rel c JOIN pg_trigger g ON g.tgrelid = c.oid
WHERE g.tgisinternal AND g.tgenabled <> 'O'
GROUP BY c.oid, c.name

UNION ALL
SELECT 'pg_class'::regclass::oid, c.oid, a.attnum, 'column', c.name || '.' || quote_ident(a.attname),
  concat_ws(E'\n',
    'type: ' || format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> t.typcollation THEN 'collation: ' || a.attcollation::regcollation END,
    CASE WHEN a.attnotnull THEN 'not null' END,
    -- Rows of their own since 18. A name that the server would choose is not told.
    'not null constraint: ' || CASE WHEN k.oid IS NOT NULL THEN nullif(concat_ws(', ',
      CASE WHEN k.conname <> c.relname || '_' || a.attname || '_not_null' THEN 'named ' || quote_ident(k.conname) END,
      CASE WHEN NOT k.convalidated THEN 'not valid' END, CASE WHEN k.connoinherit THEN 'no inherit' END,
      CASE WHEN k.coninhcount > 0 AND k.conislocal AND NOT c.relispartition THEN 'inherited and its own' END), '') END,
    CASE a.attidentity WHEN 'a' THEN 'identity: always' WHEN 'd' THEN 'identity: by default' END,
    CASE a.attgenerated WHEN 's' THEN 'generated: stored' WHEN 'v' THEN 'generated: virtual' END,
    CASE WHEN d.oid IS NOT NULL THEN 'default: ' || pg_get_expr(d.adbin, d.adrelid) END,
    CASE WHEN a.attstorage <> t.typstorage THEN 'storage: ' || a.attstorage::text END,
    CASE WHEN a.attcompression <> '' THEN 'compression: ' || a.attcompression::text END,
    'statistics: ' || nullif(a.attstattarget, -1),
    CASE WHEN a.attoptions IS NOT NULL THEN
      'with: ' || (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(a.attoptions) o) END,
    CASE WHEN a.attfdwoptions IS NOT NULL THEN
      'server options: ' || (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(a.attfdwoptions) o) END,
    CASE WHEN a.attinhcount > 0 AND NOT c.relispartition THEN
      CASE WHEN a.attislocal THEN 'inherited and its own' ELSE 'inherited' END END),
  -- Where an inherited column stands is its parents' affair, and a restored dump puts all of them first.
  CASE WHEN a.attinhcount > 0 AND NOT c.relispartition THEN 0 ELSE
    (row_number() OVER (PARTITION BY a.attrelid, a.attinhcount > 0 AND NOT c.relispartition
                        ORDER BY a.attnum))::int END,
  false, c.relowner, a.attacl, 'c'::"char"
FROM rel c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON a.atthasdef AND d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_constraint k ON k.contype = 'n' AND k.conrelid = a.attrelid AND k.conkey[1] = a.attnum
WHERE c.relkind <> 'S'

UNION ALL
-- Columns that every table has may be granted too.
-- if any: pg_attribute WHERE attnum < 0 AND attacl IS NOT NULL
SELECT 'pg_class'::regclass::oid, c.oid, a.attnum, 'column', c.name || '.' || quote_ident(a.attname), NULL, 0,
  false, c.relowner, a.attacl, 'c'::"char"
FROM rel c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum < 0
WHERE a.attacl IS NOT NULL

UNION ALL
-- The parts of a partitioned foreign key follow from it; their names depend on the order of attaching.
SELECT 'pg_constraint'::regclass::oid, k.oid, 0, 'constraint', coalesce(c.name, t.name) || '.' || quote_ident(k.conname),
  concat_ws(E'\n', pg_get_constraintdef(k.oid),
    CASE WHEN k.coninhcount > 0 AND NOT c.relispartition THEN
      CASE WHEN k.conislocal THEN 'inherited and its own' ELSE 'inherited' END END),
  0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_constraint k LEFT JOIN rel c ON c.oid = k.conrelid LEFT JOIN typ t ON t.oid = k.contypid
WHERE (c.oid IS NOT NULL OR t.oid IS NOT NULL) AND k.contype NOT IN ('t', 'n')
  AND (k.contype <> 'f' OR k.conparentid = 0)

UNION ALL
-- Columns and domains tell of these; what is said about them stands beside them.
-- if any: pg_constraint WHERE contype = 'n' AND oid IN (SELECT objoid FROM pg_catalog.pg_description)
SELECT 'pg_constraint'::regclass::oid, k.oid, 0, 'constraint', coalesce(c.name, t.name) || '.' || quote_ident(k.conname),
  NULL, 0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_constraint k LEFT JOIN rel c ON c.oid = k.conrelid LEFT JOIN typ t ON t.oid = k.contypid
WHERE (c.oid IS NOT NULL OR t.oid IS NOT NULL) AND k.contype = 'n'

UNION ALL
SELECT 'pg_class'::regclass::oid, x.oid, 0, 'index', format('%I.%I', s.nspname, x.relname),
  concat_ws(E'\n', pg_get_indexdef(i.indexrelid),
    CASE WHEN NOT i.indisvalid THEN 'invalid' END, CASE WHEN NOT i.indisready THEN 'not ready' END,
    CASE WHEN i.indisreplident THEN 'is replica identity' END, CASE WHEN i.indisclustered THEN 'clusters' END,
    CASE WHEN x.relispartition THEN
      'partition of: ' || (SELECT h.inhparent::regclass FROM pg_inherits h WHERE h.inhrelid = x.oid) END,
    CASE WHEN i.indexprs IS NOT NULL THEN
      'statistics: ' || (SELECT string_agg(a.attstattarget || ' of column ' || a.attnum, ', ' ORDER BY a.attnum)
                         FROM pg_attribute a WHERE a.attrelid = x.oid AND a.attstattarget > -1) END),
  0, false, 0::oid, NULL::aclitem[], NULL::"char"
FROM pg_index i JOIN rel c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
JOIN space s ON s.oid = x.relnamespace

UNION ALL
-- The owner of an owned sequence is its table's.
SELECT 'pg_class'::regclass::oid, c.oid, 0, 'sequence', c.name,
  concat_ws(E'\n', CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
    'type: ' || format_type(q.seqtypid, NULL), 'start: ' || q.seqstart, 'increment: ' || q.seqincrement,
    'min: ' || q.seqmin, 'max: ' || q.seqmax, 'cache: ' || q.seqcache, CASE WHEN q.seqcycle THEN 'cycle' END,
    'owned by: ' || t.name || '.' || (SELECT quote_ident(a.attname) FROM pg_attribute a
                                      WHERE a.attrelid = t.oid AND a.attnum = d.refobjsubid)),
  0, t.oid IS NULL, c.relowner, c.relacl, 's'::"char"
FROM rel c JOIN pg_sequence q ON q.seqrelid = c.oid
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
  AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN rel t ON t.oid = d.refobjid
WHERE c.relkind = 'S'

UNION ALL
-- if any: pg_statistic_ext
SELECT 'pg_statistic_ext'::regclass::oid, x.oid, 0, 'statistics', format('%I.%I', s.nspname, x.stxname),
  concat_ws(E'\n',
    -- Put together here: the server's own text has no brackets, and is other after a restored dump.
    format('CREATE STATISTICS %I.%I%s ON %s FROM %s', s.nspname, x.stxname,
      (SELECT ' (' || string_agg(word, ', ' ORDER BY word COLLATE "C") || ')'
       FROM (VALUES ('d', 'ndistinct'), ('f', 'dependencies'), ('m', 'mcv')) k (letter, word)
       WHERE letter::"char" = ANY (x.stxkind)),
      concat_ws(', ',
        (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) FROM pg_attribute a
         WHERE a.attrelid = x.stxrelid AND a.attnum = ANY (x.stxkeys::int2[])),
        (SELECT string_agg('(' || e.text || ')', ', ' ORDER BY e.place)
         FROM unnest(pg_get_statisticsobjdef_expressions(x.oid)) WITH ORDINALITY e (text, place))),
      c.name),
    'target: ' || nullif(x.stxstattarget, -1)),
  0, true, x.stxowner, NULL::aclitem[], NULL::"char"
FROM pg_statistic_ext x JOIN space s ON s.oid = x.stxnamespace JOIN rel c ON c.oid = x.stxrelid
