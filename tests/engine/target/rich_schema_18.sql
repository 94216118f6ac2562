-- What only PostgreSQL 18 has.
ALTER TABLE app.orders ADD COLUMN double int GENERATED ALWAYS AS (customer * 2) VIRTUAL;
ALTER TABLE app.orders ADD CONSTRAINT filled NOT NULL note NOT VALID;
ALTER TABLE app.orders ADD CONSTRAINT lax CHECK (customer < 9000) NOT ENFORCED;
CREATE TABLE app.stay (room int4range, during daterange, CONSTRAINT stay_pkey PRIMARY KEY (room, during WITHOUT OVERLAPS));
CREATE TABLE app.strict_parent (a int CONSTRAINT a_there NOT NULL, b int CONSTRAINT b_there NOT NULL NO INHERIT);
CREATE TABLE app.strict_child (c int) INHERITS (app.strict_parent);
ALTER TABLE app.strict_child ADD CONSTRAINT b_too NOT NULL b;
CREATE TABLE app.strict_rows (a int CONSTRAINT rows_a NOT NULL) PARTITION BY RANGE (a);
CREATE TABLE app.strict_rows_1 PARTITION OF app.strict_rows FOR VALUES FROM (1) TO (2);
CREATE DOMAIN app.firm AS int CONSTRAINT firmly NOT NULL;
CREATE COLLATION app.built_in (provider = builtin, locale = 'C.UTF-8');
COMMENT ON CONSTRAINT b_there ON app.strict_parent IS 'not for children';
