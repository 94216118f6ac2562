-- Publications as they are since 15.

-- if any: pg_publication
SELECT 'pg_publication'::regclass::oid, p.oid, 0, 'publication', quote_ident(p.pubname),
  concat_ws(E'\n', CASE WHEN p.puballtables THEN 'all tables' END,
    'tells of: ' || nullif(concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END,
      CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,
      CASE WHEN p.pubtruncate THEN 'truncate' END), ''),
    CASE WHEN p.pubviaroot THEN 'via root' END, 'generated columns: ' || (to_jsonb(p) ->> 'pubgencols'),
    (SELECT string_agg('schema: ' || quote_ident(n.nspname), E'\n' ORDER BY n.nspname)
     FROM pg_publication_namespace pn JOIN pg_namespace n ON n.oid = pn.pnnspid WHERE pn.pnpubid = p.oid),
    (SELECT string_agg(concat_ws(' ', 'table ' || format('%I.%I', n.nspname, c.relname),
       '(' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) FROM pg_attribute a
               WHERE a.attrelid = c.oid AND a.attnum = ANY (pr.prattrs::int2[])) || ')',
       'where ' || pg_get_expr(pr.prqual, pr.prrelid)), E'\n' ORDER BY n.nspname, c.relname)
     FROM pg_publication_rel pr JOIN pg_class c ON c.oid = pr.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE pr.prpubid = p.oid)),
  0, true, p.pubowner, NULL::aclitem[], NULL::"char"
FROM pg_publication p
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_publication'::regclass AND m.objid = p.oid)
