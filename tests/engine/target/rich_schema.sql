-- One of everything that counts, for pairs and for dumps. Needs the roles fp_app, fp_ann and fp_bob.
CREATE SCHEMA app;
COMMENT ON SCHEMA app IS 'the shop';
GRANT USAGE ON SCHEMA app TO fp_app;
CREATE SCHEMA "Odd.Name" AUTHORIZATION fp_ann;

CREATE TYPE app.mood AS ENUM ('calm', 'glad', 'cross');
ALTER TYPE app.mood ADD VALUE 'sad' BEFORE 'glad';
CREATE DOMAIN app.amount AS numeric(12,2) DEFAULT 1 CONSTRAINT positive CHECK (VALUE >= 0);
ALTER DOMAIN app.amount ADD CONSTRAINT small CHECK (VALUE < 1000000) NOT VALID;
CREATE DOMAIN app.word AS text COLLATE "C" NOT NULL;
CREATE TYPE app.pair AS (a int, b text COLLATE "C", c app.amount);
COMMENT ON COLUMN app.pair.a IS 'the first';
CREATE TYPE app.span AS RANGE (subtype = float8, subtype_diff = float8mi, multirange_type_name = app.spans);
CREATE TYPE app.label;
CREATE FUNCTION app.label_in(cstring) RETURNS app.label LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION app.label_out(app.label) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE app.label (INPUT = app.label_in, OUTPUT = app.label_out, LIKE = text, CATEGORY = 'S');
CREATE TYPE app.promised;
REVOKE USAGE ON TYPE app.mood FROM PUBLIC;
GRANT USAGE ON TYPE app.amount TO fp_app WITH GRANT OPTION;
COMMENT ON TYPE app.mood IS 'moods';
COMMENT ON CONSTRAINT positive ON DOMAIN app.amount IS 'no debts';
CREATE COLLATION app.plain (provider = libc, locale = 'C');

CREATE FUNCTION app.lt(app.label, app.label) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'text_lt';
CREATE FUNCTION app.eq(app.label, app.label) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'texteq';
CREATE FUNCTION app.cmp(app.label, app.label) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'bttextcmp';
CREATE OPERATOR app.< (FUNCTION = app.lt, LEFTARG = app.label, RIGHTARG = app.label, RESTRICT = scalarltsel);
CREATE OPERATOR app.= (FUNCTION = app.eq, LEFTARG = app.label, RIGHTARG = app.label, COMMUTATOR = OPERATOR(app.=),
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR FAMILY app.labels USING btree;
CREATE OPERATOR CLASS app.label_ops DEFAULT FOR TYPE app.label USING btree FAMILY app.labels AS
  OPERATOR 1 app.<, OPERATOR 3 app.=, FUNCTION 1 app.cmp(app.label, app.label);
CREATE CAST (app.label AS text) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CONVERSION app.from_latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE TRANSFORM FOR app.label LANGUAGE sql (FROM SQL WITH FUNCTION pg_catalog.prsd_lextype(internal));

CREATE TABLE app.customer (
  id int GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 5 CACHE 7) PRIMARY KEY,
  name text NOT NULL COLLATE "C",
  email varchar(80) CONSTRAINT one_each UNIQUE DEFERRABLE INITIALLY DEFERRED,
  upper_name text GENERATED ALWAYS AS (upper(name)) STORED,
  joined timestamptz DEFAULT now(),
  CONSTRAINT named CHECK (name <> '') NO INHERIT
) WITH (fillfactor = 80, toast.autovacuum_enabled = false);
ALTER TABLE app.customer OWNER TO fp_ann;
COMMENT ON TABLE app.customer IS 'who buys';
COMMENT ON COLUMN app.customer.name IS $$as
written$$;
CREATE TABLE app.orders (
  id bigserial PRIMARY KEY,
  customer int CONSTRAINT orders_customer_fkey REFERENCES app.customer ON DELETE CASCADE DEFERRABLE,
  mood app.mood DEFAULT 'calm',
  gone text,
  total app.amount,
  tag app.label,
  note varchar(50) DEFAULT E'two\nlines',
  data jsonb,
  during daterange,
  CONSTRAINT big CHECK (id > 0),
  CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&) WHERE (id > 5)
);
ALTER TABLE app.orders DROP COLUMN gone;
ALTER TABLE app.orders ADD CONSTRAINT later CHECK (total < 900) NOT VALID;
ALTER TABLE app.orders ALTER note SET STORAGE EXTERNAL, ALTER note SET STATISTICS 500, ALTER note SET (n_distinct = -0.5);
ALTER TABLE app.orders ALTER data SET COMPRESSION pglz;
ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON app.orders TO fp_app;
GRANT UPDATE ON app.orders TO fp_bob WITH GRANT OPTION;
GRANT SELECT (name), UPDATE (name) ON app.customer TO fp_app;
GRANT SELECT (xmin) ON app.customer TO fp_bob;
REVOKE DELETE ON app.orders FROM CURRENT_USER;
CREATE INDEX orders_customer ON app.orders (customer, note DESC NULLS LAST) INCLUDE (mood) WITH (fillfactor = 70)
  WHERE note IS NOT NULL;
CREATE UNIQUE INDEX orders_expression ON app.orders (lower(note), total) NULLS NOT DISTINCT;
ALTER INDEX app.orders_expression ALTER COLUMN 1 SET STATISTICS 300;
COMMENT ON INDEX app.orders_customer IS 'to find them';
COMMENT ON CONSTRAINT big ON app.orders IS 'ids begin at one';
ALTER TABLE app.customer REPLICA IDENTITY USING INDEX customer_pkey;
ALTER TABLE app.orders CLUSTER ON orders_pkey;
CREATE STATISTICS app.orders_stats (dependencies, mcv) ON customer, mood FROM app.orders;
ALTER STATISTICS app.orders_stats SET STATISTICS 200;
COMMENT ON STATISTICS app.orders_stats IS 'they go together';
CREATE POLICY own ON app.orders FOR SELECT TO fp_app, fp_bob USING (id > 0);
CREATE POLICY narrow ON app.orders AS RESTRICTIVE FOR INSERT WITH CHECK (total > 0);
COMMENT ON POLICY own ON app.orders IS 'theirs only';

CREATE TABLE app.event (at date NOT NULL, what text NOT NULL, customer int REFERENCES app.customer,
  CONSTRAINT event_pkey PRIMARY KEY (at, what), CONSTRAINT said CHECK (what <> '')) PARTITION BY RANGE (at);
CREATE TABLE app.event_2026 PARTITION OF app.event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE app.event_2027 (what text NOT NULL DEFAULT 'x', at date NOT NULL, customer int,
  CONSTRAINT said CHECK (what <> ''), CONSTRAINT its_own FOREIGN KEY (customer) REFERENCES app.customer);
ALTER TABLE app.event ATTACH PARTITION app.event_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
CREATE TABLE app.event_rest PARTITION OF app.event DEFAULT PARTITION BY LIST (what);
CREATE TABLE app.event_rest_a PARTITION OF app.event_rest FOR VALUES IN ('a', NULL);
CREATE INDEX event_what ON app.event (what);
CREATE INDEX event_customer ON ONLY app.event (customer);
CREATE TABLE app.remark (at date, what text, body text,
  CONSTRAINT remark_event FOREIGN KEY (at, what) REFERENCES app.event MATCH FULL ON UPDATE CASCADE);

CREATE TABLE app.animal (id int NOT NULL, name text DEFAULT 'x', CONSTRAINT tame CHECK (id > 0));
CREATE TABLE app.plant (leaves int);
CREATE TABLE app.dog (name text, barks bool, CONSTRAINT loud CHECK (barks)) INHERITS (app.animal, app.plant);
ALTER TABLE app.animal ADD COLUMN late int;
ALTER TABLE app.dog ALTER name SET DEFAULT 'dog', ALTER late SET NOT NULL;
CREATE TABLE app.typed OF app.pair (PRIMARY KEY (a), b WITH OPTIONS DEFAULT 'b');
CREATE UNLOGGED TABLE app.scratch (x int GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME app.scratches MAXVALUE 99 CYCLE));
CREATE TABLE "Odd.Name"."T""able" ("Col.umn" int, "owner" int);

CREATE VIEW app.open_orders WITH (security_barrier = true) AS
  SELECT o.id, o.mood, c.name FROM app.orders o JOIN app.customer c ON c.id = o.customer WHERE o.total > 0;
CREATE VIEW app.checked WITH (security_invoker = true) AS SELECT id, note FROM app.orders WHERE id > 5 WITH CASCADED CHECK OPTION;
ALTER VIEW app.checked ALTER note SET DEFAULT 'seen';
COMMENT ON VIEW app.open_orders IS 'still to do';
COMMENT ON COLUMN app.open_orders.id IS 'of the order';
GRANT SELECT ON app.open_orders TO PUBLIC;
CREATE MATERIALIZED VIEW app.totals AS SELECT customer, sum(total) AS total FROM app.orders GROUP BY customer;
CREATE UNIQUE INDEX totals_customer ON app.totals (customer);
ALTER MATERIALIZED VIEW app.totals ALTER total SET STATISTICS 50;

CREATE SEQUENCE app.ticket AS int INCREMENT 5 MINVALUE -3 MAXVALUE 900 START 7 CACHE 4 CYCLE;
GRANT USAGE ON SEQUENCE app.ticket TO fp_app;
COMMENT ON SEQUENCE app.ticket IS 'numbers';

CREATE FUNCTION app.twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE FUNCTION app.half(x int DEFAULT 2) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT x / 2 FROM app.customer; END;
CREATE FUNCTION app.many(VARIADIC xs int[]) RETURNS SETOF int LANGUAGE plpgsql STRICT LEAKPROOF PARALLEL SAFE COST 7 ROWS 9
  SECURITY DEFINER SET search_path = pg_catalog SET work_mem = '5MB' AS $$
BEGIN
  RETURN QUERY SELECT unnest(xs);
END
$$;
REVOKE ALL ON FUNCTION app.many(int[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.twice(int) TO fp_app;
COMMENT ON FUNCTION app.twice(int) IS 'doubles';
CREATE PROCEDURE app.nothing() LANGUAGE plpgsql AS 'BEGIN END';
CREATE AGGREGATE app.product (int) (SFUNC = int4mul, STYPE = int, INITCOND = '1', PARALLEL = SAFE);
CREATE FUNCTION app.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER stamp BEFORE UPDATE OF note ON app.orders FOR EACH ROW WHEN (old.note IS DISTINCT FROM new.note)
  EXECUTE FUNCTION app.stamp();
CREATE TRIGGER late AFTER INSERT ON app.orders REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION app.stamp();
CREATE CONSTRAINT TRIGGER at_the_end AFTER DELETE ON app.orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION app.stamp();
CREATE TRIGGER each AFTER INSERT ON app.event FOR EACH ROW EXECUTE FUNCTION app.stamp();
ALTER TABLE app.event_2026 DISABLE TRIGGER each;
CREATE TRIGGER through INSTEAD OF INSERT ON app.open_orders FOR EACH ROW EXECUTE FUNCTION app.stamp();
ALTER TABLE app.orders ENABLE ALWAYS TRIGGER late;
COMMENT ON TRIGGER stamp ON app.orders IS 'stamps';
CREATE RULE quiet AS ON DELETE TO app.customer WHERE old.id < 0 DO INSTEAD NOTHING;
COMMENT ON RULE quiet ON app.customer IS 'hush';
CREATE FUNCTION app.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER fp_watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION app.on_ddl();
ALTER EVENT TRIGGER fp_watch DISABLE;

CREATE TEXT SEARCH TEMPLATE app.plain_template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY app.short (TEMPLATE = app.plain_template, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION app.search (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION app.search ALTER MAPPING FOR word, asciiword WITH app.short, english_stem;
CREATE TEXT SEARCH PARSER app.cutter (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
  LEXTYPES = prsd_lextype);

CREATE FOREIGN DATA WRAPPER far OPTIONS (debug 'true');
CREATE SERVER there TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER far OPTIONS (host 'a', port '1');
CREATE USER MAPPING FOR fp_app SERVER there OPTIONS (password 'secret');
GRANT USAGE ON FOREIGN SERVER there TO fp_app;
CREATE FOREIGN TABLE app.remote (id int OPTIONS (key 'true') NOT NULL, v text) SERVER there OPTIONS (t 'remote');
CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE app.elsewhere (x int) USING other_heap;
CREATE FUNCTION app.little_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE TRUSTED LANGUAGE little HANDLER app.little_handler;
CREATE PUBLICATION fp_told FOR TABLE app.customer (id, name) WHERE (id > 5), app.event WITH (publish = 'insert, update');
CREATE PUBLICATION fp_odd FOR TABLES IN SCHEMA "Odd.Name", TABLE app.plant;
CREATE EXTENSION vector SCHEMA app;
CREATE FUNCTION app.near() RETURNS int LANGUAGE sql AS 'SELECT 1';
ALTER FUNCTION app.near() DEPENDS ON EXTENSION vector;
CREATE TABLE app.item (v app.vector(3));
CREATE INDEX item_v ON app.item USING hnsw (v app.vector_l2_ops) WITH (m = 8);

ALTER DEFAULT PRIVILEGES FOR ROLE fp_ann GRANT SELECT ON TABLES TO fp_app;
ALTER DEFAULT PRIVILEGES FOR ROLE fp_ann IN SCHEMA app GRANT ALL ON SEQUENCES TO fp_bob;
ALTER DEFAULT PRIVILEGES FOR ROLE fp_ann REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
REVOKE USAGE ON LANGUAGE little FROM PUBLIC;
