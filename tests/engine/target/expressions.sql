-- Expressions and views as people write them. PostgreSQL prints some of them otherwise once a dump was restored.
CREATE SCHEMA app;
SET search_path = app;
CREATE SEQUENCE counted;
CREATE TYPE mood AS ENUM ('calm', 'glad');
CREATE DOMAIN counter AS bigint DEFAULT nextval('counted');
CREATE DOMAIN felt AS mood DEFAULT 'calm';
CREATE DOMAIN short AS varchar(9) CHECK (VALUE NOT IN ('a', 'b'));
CREATE TYPE pair AS (a int, b varchar(9));
CREATE TABLE thing (
  id int, v varchar(9), c char(3), n name, i smallint, f real, num numeric(8,2), d date, ts timestamp, tz timestamptz,
  iv interval, txt text, arr varchar(5)[], mood mood, p pair, bits bit(3), js jsonb, price money,
  d1 pair DEFAULT ROW(1, 'x'), d2 varchar(5)[] DEFAULT ARRAY['a', 'b'], d3 smallint[] DEFAULT ARRAY[1, 2],
  d4 int DEFAULT -5, d5 bigint DEFAULT -9223372036854775808, d6 numeric(8,2) DEFAULT -1.5 * 2, d7 char(5) DEFAULT 'ab',
  d8 text DEFAULT E'a\tb\\c', d9 timestamptz DEFAULT '2020-01-01 00:00', d10 interval(2) DEFAULT '1 day 02:03:04.5',
  d11 money DEFAULT 1.5, d12 mood[] DEFAULT ARRAY['calm']::mood[], d13 float8 DEFAULT 0.1, d14 bit(3) DEFAULT B'101',
  d15 int4range DEFAULT int4range(1, 2, '[]'), d16 regclass DEFAULT 'counted', d17 date DEFAULT now(),
  d18 text GENERATED ALWAYS AS (CASE WHEN v IN ('a', 'b') AND id BETWEEN 1 AND 9 THEN 'x' END) STORED,
  CONSTRAINT k01 CHECK (v IN ('a', 'b')),
  CONSTRAINT k02 CHECK (v NOT IN ('a''b', 'c]d', 'e, f', '(g)', 'h"i', ') AND (')),
  CONSTRAINT k03 CHECK (id BETWEEN 1 AND 9 AND i > 3 AND f > 1),
  CONSTRAINT k04 CHECK (id NOT BETWEEN 1 AND 9 OR i BETWEEN SYMMETRIC 3 AND 1 OR v = 'x'),
  CONSTRAINT k05 CHECK (v IN ('a', c, txt) AND txt IN ('a', v, c)),
  CONSTRAINT k06 CHECK (coalesce(v, 'x') IN ('a', 'b') AND v COLLATE "C" IN ('a', 'b') AND upper(v) IN ('A', 'B')),
  CONSTRAINT k07 CHECK (v::varchar(4) IN ('a'::varchar(3), 'b'::varchar(4)) OR c IN ('a', 'b') OR n IN ('a', 'b')),
  CONSTRAINT k08 CHECK (NOT (v IN ('a', 'b') AND id BETWEEN 1 AND 2) AND (id > 0 AND (i > 0 AND f > 0))),
  CONSTRAINT k09 CHECK ((p).a > 1 AND (p).b IN ('a', 'b') AND arr <@ ARRAY['a', 'b']::varchar[] AND v = ANY (arr)),
  CONSTRAINT k10 CHECK (i IN (1, 2) AND f IN (1.5, 2) AND num IN (1, 2.5) AND d IN ('2020-01-01', '2021-01-01')),
  CONSTRAINT k11 CHECK ((id, v) IN ((1, 'a'), (2, 'b')) AND ROW(id, i) < ROW(1, 2) AND v LIKE ANY (ARRAY['a%', 'b%'])),
  CONSTRAINT k12 CHECK (mood IN ('calm', 'glad') AND bits IN (B'101', B'111') AND price > '1'::money AND js ? 'a'),
  CONSTRAINT k13 CHECK (v NOT SIMILAR TO 'a|b' AND v !~ '\d' AND ts > now() - interval '1 day' AND thing IS NOT NULL),
  CONSTRAINT k14 CHECK (v > ALL (ARRAY['a', 'b']) AND (ARRAY['a', 'b'])[1] = v AND ARRAY[v, c]::text[] && ARRAY['q'])
);
CREATE INDEX thing_some ON thing (lower(v), (coalesce(v, 'x'))) WHERE v IN ('a', 'b') OR id BETWEEN 1 AND 9 AND i > 2;
ALTER INDEX thing_some ALTER COLUMN 1 SET STATISTICS 50;
CREATE FUNCTION tidy(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE INDEX thing_tidy ON thing (tidy(txt));
ALTER INDEX thing_tidy ALTER COLUMN 1 SET STATISTICS 50;
ALTER FUNCTION tidy(text) RENAME TO neat;
CREATE STATISTICS thing_stats ON (v IN ('a', 'b')), (id + 1) FROM thing;
CREATE POLICY own ON thing USING (v IN ('a', 'b')) WITH CHECK (id BETWEEN 1 AND 9 AND v NOT IN ('a', 'b'));
CREATE RULE quiet AS ON DELETE TO thing WHERE old.v IN ('a', 'b') DO INSTEAD NOTHING;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER stamp BEFORE UPDATE ON thing FOR EACH ROW
  WHEN (new.v IN ('a', 'b') AND old.id BETWEEN 1 AND 9) EXECUTE FUNCTION stamp();
CREATE FUNCTION verbatim() RETURNS bool LANGUAGE sql AS 'SELECT ((true AND (true)) AND (true)) OR $$(ARRAY[1])::text[]$$ = $$$$';
CREATE FUNCTION parsed(x text DEFAULT 'x' || 'y', VARIADIC y varchar[] DEFAULT ARRAY['a', 'b']) RETURNS bigint LANGUAGE sql
  BEGIN ATOMIC SELECT count(*) FROM thing WHERE v IN ('a', 'b') AND id BETWEEN 1 AND 9 AND i > 0; END;
CREATE TABLE part (v varchar(9), at date, CHECK (v IN ('a', 'b'))) PARTITION BY LIST (v);
CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('a', NULL);
CREATE VIEW v1 AS SELECT id, v IN ('a', 'b') AS listed, CASE v WHEN 'a' THEN 1 END, 'x' AS x, NULL AS nothing, thing
  FROM thing WHERE id BETWEEN 1 AND 9 AND v NOT IN ('a', 'b') AND (v, c) IN (SELECT v, c FROM thing);
CREATE VIEW v2 AS SELECT id, v, a.c FROM thing a JOIN thing b USING (id, v) WHERE a.c IN ('a', 'b');
CREATE VIEW v3 AS SELECT v FROM thing UNION SELECT c FROM thing UNION ALL SELECT 'x' ORDER BY 1 LIMIT 3;
CREATE VIEW v4 AS WITH q AS MATERIALIZED (SELECT id, v FROM thing) SELECT DISTINCT ON (v) v, q.id FROM q ORDER BY v, id DESC;
CREATE VIEW v5 AS SELECT count(*) FILTER (WHERE v IN ('a', 'b')), string_agg(v, ',' ORDER BY v COLLATE "C" DESC),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY id) FROM thing GROUP BY CUBE (v, c) HAVING count(*) BETWEEN 1 AND 9 AND true;
CREATE VIEW v6 AS SELECT sum(id) OVER (PARTITION BY v ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM thing;
CREATE VIEW v7 AS SELECT extract(epoch FROM ts), tz AT TIME ZONE 'UTC' AS z, substring(v from 2 for 3), (p).*, v || c AS vc
  FROM thing t LEFT JOIN LATERAL (SELECT v AS v2 FROM thing u WHERE u.id = t.id) s ON s.v2 = t.v AND t.id > 1;
CREATE VIEW v8 AS SELECT * FROM generate_series(1, 3) WITH ORDINALITY AS g(n, o), unnest(ARRAY['a'], ARRAY[1]) AS u(a, b);
CREATE RECURSIVE VIEW v9 (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM v9 WHERE n BETWEEN 1 AND 9 AND n <> 5;
ALTER TABLE thing RENAME c TO coded;
ALTER SEQUENCE counted RENAME TO counting;
