-- Foreign keys of the tables that hold rows. Each partition has its own, so a key of a partitioned table is seen
-- there; the extra rows that one gets per partition of the table it points to say nothing new.
SELECT k.conname::text AS name,
       k.conrelid::bigint AS child_oid, pg_catalog.format('%I.%I', cn.nspname, c.relname) AS child,
       k.confrelid::bigint AS parent_oid, pg_catalog.format('%I.%I', pn.nspname, p.relname) AS parent,
       k.convalidated AS validated,
       coalesce((pg_catalog.to_jsonb(k) ->> 'conperiod')::boolean, false) AS period,
       ARRAY(SELECT pg_catalog.quote_ident(a.attname) FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u (n, i)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i) AS child_columns,
       ARRAY(SELECT pg_catalog.format_type(a.atttypid, a.atttypmod)
             FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u (n, i)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i) AS child_types,
       ARRAY(SELECT pg_catalog.quote_ident(a.attname) FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u (n, i)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i) AS parent_columns,
       ARRAY(SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname)
             FROM pg_catalog.unnest(k.conpfeqop) WITH ORDINALITY u (op, i)
             JOIN pg_catalog.pg_operator o ON o.oid = u.op
             JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace ORDER BY u.i) AS operators
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid AND c.relkind = 'r'
JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE k.contype = 'f'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint up WHERE up.oid = k.conparentid AND up.conrelid = k.conrelid)
ORDER BY 3, 1
