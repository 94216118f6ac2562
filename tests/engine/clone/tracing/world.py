"""A small application's tables, and a copy of it that the guard takes for a clone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import psycopg
from psycopg import sql

from migrations_app.embedded.postgres import Server
from migrations_app.engine.contract.bootstrap import ensure_objects
from migrations_app.engine.target.dsn import Dsn, parse
from migrations_app.engine.target.identity import claim_identity

# The rows of t; parent has a twentieth of them, child as many.
ROWS = 2_000
WORLD = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN cents AS int;
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE t (
    id int PRIMARY KEY, a int, b int, c text, v varchar(50), n numeric(10,2), ts timestamp, f mood,
    price cents, parent_id int CONSTRAINT t_parent REFERENCES parent
);
CREATE INDEX t_a ON t (a);
CREATE INDEX t_c ON t (c);
CREATE INDEX t_v ON t (v);
CREATE INDEX t_n ON t (n);
CREATE TABLE child (id int PRIMARY KEY, t_id int);
INSERT INTO parent SELECT g FROM generate_series(1, {few}) g;
INSERT INTO t SELECT g, g, g, 'c' || g, 'v' || g, g, '2026-01-01', 'ok', g, 1 + g % {few}
FROM generate_series(1, {rows}) g;
INSERT INTO child SELECT g, g FROM generate_series(1, {rows}) g;
ALTER TABLE child ADD CONSTRAINT child_t FOREIGN KEY (t_id) REFERENCES t;
ALTER TABLE t ADD CONSTRAINT c_short CHECK (length(c) < 40);
ALTER TABLE t ADD CONSTRAINT b_there CHECK (b IS NOT NULL);
ALTER TABLE t ADD CONSTRAINT a_positive CHECK (a > 0) NOT VALID;
ALTER TABLE t ADD CONSTRAINT t_parent_again FOREIGN KEY (parent_id) REFERENCES parent NOT VALID;
CREATE TRIGGER t_noop BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION noop();
CREATE POLICY everyone ON t USING (true);
CREATE VIEW v_t AS SELECT id, a FROM t;
CREATE MATERIALIZED VIEW mv AS SELECT id, a FROM t;
CREATE UNIQUE INDEX mv_id ON mv (id);
CREATE TABLE pt (id int, day int) PARTITION BY RANGE (day);
CREATE TABLE pt_1 PARTITION OF pt FOR VALUES FROM (1) TO (2);
CREATE TABLE part (id int, day int);
CREATE TABLE checked (id int, day int CHECK (day IS NOT NULL AND day >= 3 AND day < 4));
INSERT INTO pt SELECT g, 1 FROM generate_series(1, {rows}) g;
INSERT INTO part SELECT g, 2 FROM generate_series(1, {rows}) g;
INSERT INTO checked SELECT g, 3 FROM generate_series(1, {rows}) g;
CREATE SCHEMA aside;
"""


@dataclass(frozen=True)
class Copy:
    """A database that says it is the clone `uid`."""

    name: str
    dsn: Dsn
    uid: uuid.UUID
    url: str


def copy_of(admin: psycopg.Connection, server: Server, template: str) -> Copy:
    """As making a clone leaves it: its name, its identity and Lockstep's own schema."""
    uid, installation = uuid.uuid4(), uuid.uuid4()
    name = f"lockstep_reh_{installation.hex[-8:]}_{uid.hex[-12:]}_trace"
    admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    url = server.url(name)
    with psycopg.connect(url, autocommit=True) as conn:
        ensure_objects(conn)
        claim_identity(conn, installation=installation, environment=uid, service="shop", name="copy")
    return Copy(name, parse(url, trusted=True), uid, url)


def drop(admin: psycopg.Connection, name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def world(rows: int = ROWS) -> str:
    return WORLD.format(rows=rows, few=rows // 20)
