"""What statements lock, rewrite and read on PostgreSQL 15, and where 16 and 18 do it differently.

A lane is run in its order on one copy of the world (world.py), each statement as a revision of its own. `read` is the
number of rows read one after the other, in the table and once more for each index that is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.engine.clone.tracing.world import ROWS

MAJORS = (15, 16, 18)


@dataclass(frozen=True)
class Found:
    """`locks` like "t AE, parent SRE"; `files` is how many relations have their rows in a new file."""

    locks: str
    files: int = 0
    read: int = 0


@dataclass(frozen=True)
class Case:
    sql: str
    found: Found  # on PostgreSQL 15
    but: Mapping[int, Found] = field(default_factory=dict)  # on a later version
    since: int = 15  # older versions do not know the statement

    def on(self, major: int) -> Found:
        """A difference lasts until a later version differs again."""
        return next((self.but[known] for known in sorted(self.but, reverse=True) if known <= major), self.found)


def case(
    sql: str, locks: str, *, files: int = 0, read: int = 0, but: Mapping[int, Found] | None = None, since: int = 15
) -> Case:
    return Case(sql, Found(locks, files, read), but or {}, since)


def known_to(lane: tuple[Case, ...], major: int) -> tuple[Case, ...]:
    return tuple(one for one in lane if one.since <= major)


FEW = ROWS // 20  # the rows of parent
# Table and five indexes, read once each.
REWRITE = 6 * ROWS

LANES: dict[str, tuple[Case, ...]] = {
    "Columns and what else is only written down": (
        case("ALTER TABLE t ADD COLUMN n1 int", "t AE"),
        case("ALTER TABLE t ADD COLUMN n2 int DEFAULT 1", "t AE"),
        case("ALTER TABLE t ADD COLUMN n3 timestamptz DEFAULT now()", "t AE"),
        case("ALTER TABLE t ADD COLUMN n4 int NOT NULL DEFAULT 0", "t AE"),
        case("ALTER TABLE t ADD COLUMN n5 cents", "t AE"),
        case("ALTER TABLE t RENAME COLUMN n1 TO n6", "t AE"),
        case("ALTER TABLE t RENAME CONSTRAINT a_positive TO a_plus", "t AE"),
        case("ALTER TABLE t ALTER COLUMN a SET DEFAULT 5", "t AE"),
        case("ALTER TABLE t ALTER COLUMN a DROP DEFAULT", "t AE"),
        case("ALTER TABLE t ALTER COLUMN n4 DROP NOT NULL", "t AE"),
        case("ALTER TABLE t ALTER COLUMN b SET NOT NULL -- a valid CHECK says so", "t AE"),
        case("ALTER TABLE t ALTER COLUMN c SET STORAGE EXTERNAL", "t AE"),
        case("ALTER TABLE t ALTER COLUMN c SET COMPRESSION pglz", "t AE"),
        case("ALTER TABLE t ADD CONSTRAINT fresh CHECK (a > -1) NOT VALID", "t AE"),
        case("ALTER TABLE t DROP CONSTRAINT fresh", "t AE"),
        case("DROP TRIGGER t_noop ON t", "t AE"),
        case("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "t AE"),
        case("ALTER TABLE t FORCE ROW LEVEL SECURITY", "t AE"),
        case("CREATE POLICY nobody ON t USING (false)", "t AE"),
        case("ALTER TABLE t REPLICA IDENTITY FULL", "t AE"),
        case("ALTER TABLE t OWNER TO CURRENT_USER", "t AE"),
        case("CREATE RULE quiet AS ON UPDATE TO t DO ALSO NOTHING", "t AE"),
        case("ALTER TABLE t ALTER COLUMN v TYPE varchar(80) -- was varchar(50)", "t AE"),
        case("ALTER TABLE t ALTER COLUMN v TYPE text", "t AE"),
        case("ALTER TABLE t ALTER COLUMN v TYPE varchar -- under no CHECK", "t AE"),
        case("ALTER TABLE t ALTER COLUMN n TYPE numeric(12,2) -- was numeric(10,2)", "t AE"),
        case("ALTER TABLE t ALTER COLUMN n TYPE numeric", "t AE"),
        case("ALTER TABLE t ALTER COLUMN ts TYPE timestamptz -- in a session at UTC", "t AE"),
        case("ALTER TABLE t RENAME TO renamed", "t AE"),
        case("ALTER TABLE renamed SET SCHEMA aside", "t AE"),
    ),
    "Checks that read the table": (
        case("ALTER TABLE t ADD COLUMN k1 int CHECK (k1 > 0)", "t AE", read=ROWS),
        case("ALTER TABLE t ADD CONSTRAINT k2 CHECK (id > 0)", "t AE", read=ROWS),
        case("ALTER TABLE t ALTER COLUMN a SET NOT NULL", "t AE", read=ROWS),
        case("ALTER TABLE t ALTER COLUMN c TYPE varchar -- under a CHECK", "t AE", read=ROWS),
        case("ALTER TABLE t VALIDATE CONSTRAINT a_positive", "t SUE", read=ROWS),
        case("ALTER TABLE t VALIDATE CONSTRAINT t_parent_again", "t SUE, parent RS", read=ROWS + FEW),
        case("ALTER DOMAIN cents ADD CONSTRAINT low CHECK (VALUE > -1)", "t S", read=ROWS),
        case("ALTER DOMAIN cents SET NOT NULL", "t S", read=ROWS),
    ),
    "Foreign keys": (
        case("ALTER TABLE t ADD COLUMN f1 int REFERENCES parent", "t AE, parent SRE"),
        case("ALTER TABLE t ADD COLUMN f2 int DEFAULT 1 REFERENCES parent", "t AE, parent SRE", read=ROWS + FEW),
        case("ALTER TABLE t ADD CONSTRAINT f3 FOREIGN KEY (a) REFERENCES parent NOT VALID", "t SRE, parent SRE"),
        case("ALTER TABLE t ADD CONSTRAINT f4 FOREIGN KEY (parent_id) REFERENCES parent",
              "t SRE, parent SRE", read=ROWS + FEW),
        case("CREATE TABLE other (id int REFERENCES parent)", "parent SRE"),
        case("ALTER TABLE child DROP CONSTRAINT child_t", "t AE, child AE"),
    ),
    "Unique, exclusion, collation": (
        case("ALTER TABLE t ALTER COLUMN c TYPE text COLLATE \"C\" -- indexed, under a CHECK", "t AE", read=2 * ROWS),
        case("ALTER TABLE t ADD COLUMN u1 int UNIQUE", "t AE", read=ROWS),
        case("ALTER TABLE t ADD CONSTRAINT u2 UNIQUE (a, b)", "t AE", read=ROWS),
        case("ALTER TABLE t ADD CONSTRAINT u3 EXCLUDE USING hash (a WITH =)", "t AE", read=2 * ROWS),
        case("CREATE UNIQUE INDEX u4 ON t (a)", "t S", read=ROWS),
        case("ALTER TABLE t ADD CONSTRAINT u4 UNIQUE USING INDEX u4", "t AE"),
    ),
    "Rewrites": (
        case("ALTER TABLE t ADD COLUMN r1 float DEFAULT random()", "t AE", files=6, read=REWRITE),
        case("ALTER TABLE t ADD COLUMN r2 serial", "t AE", files=6, read=REWRITE),
        case("ALTER TABLE t ADD COLUMN r3 int GENERATED ALWAYS AS (b * 2) STORED", "t AE", files=6, read=REWRITE),
        case("ALTER TABLE t ALTER COLUMN v TYPE varchar(10)", "t AE", files=5, read=REWRITE),
        case("ALTER TABLE t ALTER COLUMN n TYPE numeric(12,4)", "t AE", files=5, read=REWRITE),
        case("ALTER TABLE t ALTER COLUMN ts TYPE timestamp(3)", "t AE", files=6, read=REWRITE),
        case("ALTER TABLE t ALTER COLUMN ts TYPE timestamptz USING ts AT TIME ZONE 'UTC'",
              "t AE", files=6, read=REWRITE),
        case("ALTER TABLE t ALTER COLUMN price TYPE bigint", "t AE", files=6, read=REWRITE),
        case("CLUSTER t USING t_a", "t AE", files=6, read=REWRITE - ROWS),
        case("ALTER TABLE part SET UNLOGGED", "part AE", files=1, read=ROWS),
    ),
    "Definitions beside the traffic": (
        case("ALTER TABLE t ALTER COLUMN a SET STATISTICS 100", "t SUE"),
        case("ALTER TABLE t ALTER COLUMN a SET (n_distinct = 5)", "t SUE"),
        case("ALTER TABLE t SET (fillfactor = 90)", "t SUE"),
        case("ALTER TABLE t SET (autovacuum_enabled = false)", "t SUE"),
        case("ALTER TABLE t CLUSTER ON t_a", "t SUE"),
        case("ALTER TABLE t SET WITHOUT CLUSTER", "t SUE"),
        case("CREATE STATISTICS st ON a, b FROM t", "t SUE"),
        case("COMMENT ON TABLE t IS 'words'", "t SUE"),
        case("ANALYZE t", "t SUE"),
        case("CREATE PUBLICATION news FOR TABLE t", "t SUE"),
        case("CREATE TRIGGER more BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION noop()", "t SRE"),
        case("ALTER TABLE t DISABLE TRIGGER t_noop", "t SRE"),
        case("ALTER TABLE t ENABLE TRIGGER t_noop", "t SRE"),
        case("GRANT SELECT ON t TO PUBLIC", "", but={18: Found("t AS")}),
        case("ALTER TYPE mood ADD VALUE 'glad'", ""),
        case("ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'", ""),
        case("ALTER DOMAIN cents ADD CONSTRAINT low CHECK (VALUE > 0) NOT VALID", ""),
        case("ALTER FUNCTION one() STABLE", ""),
        case("ALTER INDEX t_a RENAME TO t_b", "t_a SUE"),
    ),
    "Views and copies": (
        case("CREATE VIEW again AS SELECT a FROM t", "t AS"),
        case("CREATE TABLE alike (LIKE t)", "t AS"),
        case("CREATE TABLE taken AS SELECT * FROM t", "t AS", read=ROWS),
        case("CREATE OR REPLACE VIEW v_t AS SELECT id, a FROM t", "v_t AE, t AS"),
        case("ALTER VIEW v_t RENAME TO v_u", "v_t AE"),
        case("DROP VIEW v_u", "v_t AE"),
        case("REFRESH MATERIALIZED VIEW CONCURRENTLY mv", "mv E, t AS", read=2 * ROWS),
        case("REFRESH MATERIALIZED VIEW mv", "mv AE, t AS", files=2, read=2 * ROWS),
    ),
    "Indexes": (
        case("REINDEX INDEX t_a", "t S, t_a AE", files=1, read=ROWS),
        case("REINDEX TABLE t", "t S, t_a AE, t_c AE, t_n AE, t_pkey AE, t_v AE", files=5, read=5 * ROWS),
        case("CREATE INDEX g1 ON t (b)", "t S", read=ROWS),
        case("DROP INDEX g1", "t AE"),
        case("CREATE INDEX CONCURRENTLY g2 ON t (b)", "t SUE", read=2 * ROWS),
        case("REINDEX INDEX CONCURRENTLY g2", "t SUE", read=2 * ROWS),
        case("DROP INDEX CONCURRENTLY g2", "t SUE"),
        case("VACUUM t", "t SUE"),
        case("VACUUM FULL child", "child AE", files=2, read=2 * ROWS),
    ),
    "Partitions": (
        case("ALTER TABLE pt ATTACH PARTITION checked FOR VALUES FROM (3) TO (4) -- a CHECK says so",
              "pt SUE, checked AE"),
        case("ALTER TABLE pt ATTACH PARTITION part FOR VALUES FROM (2) TO (3)", "pt SUE, part AE", read=ROWS),
        case("CREATE TABLE pt_9 PARTITION OF pt FOR VALUES FROM (9) TO (10)", "pt AE"),
        case("ALTER TABLE pt DETACH PARTITION pt_1", "pt AE, pt_1 AE"),
        case("DROP TABLE part", "pt AE, part AE"),
    ),
    "Rows": (
        case("UPDATE t SET b = b + 1", "t RE", read=ROWS),
        case("TRUNCATE child", "child AE", files=2),
        case("DELETE FROM t", "t RE, child RS", read=ROWS),
    ),
    "New in PostgreSQL 18": (
        case("ALTER TABLE t ADD CONSTRAINT a_there NOT NULL a NOT VALID", "t AE", since=18),
        case("ALTER TABLE t VALIDATE CONSTRAINT a_there", "t SUE", read=ROWS, since=18),
        case("ALTER TABLE t ADD COLUMN twice int GENERATED ALWAYS AS (b * 2) VIRTUAL", "t AE", since=18),
        case("ALTER TABLE pt ADD FOREIGN KEY (id) REFERENCES parent NOT VALID",
              "pt SRE, pt_1 SRE, parent SRE", since=18),
    ),
    "TRUNCATE with what refers to it": (
        case("TRUNCATE t CASCADE", "t AE, child AE", files=8),
    ),
    "DROP of a primary key": (
        case("ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE", "t AE, child AE"),
    ),
    "DROP of a column others stand on": (
        case("ALTER TABLE t DROP COLUMN id CASCADE", "t AE, child AE, mv AE, v_t AE"),
    ),
    "DROP of a table that refers": (
        case("DROP TABLE child", "t AE, child AE"),
    ),
    "DROP of a table that is referred to": (
        case("DROP TABLE t CASCADE", "t AE, child AE, parent AE, mv AE, v_t AE"),
    ),
}  # fmt: skip
