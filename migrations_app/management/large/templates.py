"""The made-up revisions: the life of one table, told again for the next table until there are enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """`{t}` is the table's name; `down` is None where a revision is irreversible."""

    name: str
    phase: str
    up: str
    down: str | None
    verify: str | None = None


@dataclass(frozen=True)
class Made:
    """A revision's id and files."""

    revision_id: str
    up: str
    down: str | None
    verify: str | None


TABLES = (
    "account", "address", "basket", "carrier", "category", "coupon", "customer", "delivery", "invoice", "item",
    "ledger", "merchant", "notice", "offer", "payment", "price", "product", "refund", "review", "stock", "supplier",
    "tariff", "voucher", "warehouse",
)  # fmt: skip

LIFE = (
    Template(
        "create_{t}",
        "expand",
        "CREATE TABLE {t} (\n"
        "  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
        "  name text NOT NULL,\n"
        "  status text NOT NULL DEFAULT 'new',\n"
        "  created_at timestamptz NOT NULL DEFAULT now()\n"
        ");\n"
        "COMMENT ON TABLE {t} IS 'One row per {t}';\n",
        "DROP TABLE {t};\n",
        "SELECT to_regclass('{t}') IS NOT NULL;\n",
    ),
    Template(
        "add_{t}_note",
        "expand",
        "ALTER TABLE {t} ADD COLUMN note text;\n",
        "ALTER TABLE {t} DROP COLUMN note;\n",
    ),
    Template(
        "index_{t}_name",
        "expand",
        "CREATE INDEX CONCURRENTLY {t}_name ON {t} (name);\n",
        "DROP INDEX CONCURRENTLY {t}_name;\n",
        "SELECT indisvalid FROM pg_index WHERE indexrelid = '{t}_name'::regclass;\n",
    ),
    Template(
        "fill_{t}_note",
        "migrate",
        "UPDATE {t} SET note = '' WHERE note IS NULL;\n",
        "UPDATE {t} SET note = NULL WHERE note = '';\n",
        "SELECT NOT EXISTS (SELECT FROM {t} WHERE note IS NULL);\n",
    ),
    Template(
        "check_{t}_status",
        "expand",
        "ALTER TABLE {t} ADD CONSTRAINT {t}_status CHECK (status IN ('new', 'open', 'closed')) NOT VALID;\n",
        "ALTER TABLE {t} DROP CONSTRAINT {t}_status;\n",
    ),
    Template(
        "validate_{t}_status",
        "migrate",
        "ALTER TABLE {t} VALIDATE CONSTRAINT {t}_status;\n",
        None,
    ),
    Template(
        "add_{t}_amount",
        "expand",
        "SET search_path = public;\n"
        "ALTER TABLE {t} ADD COLUMN amount numeric(12, 2) NOT NULL DEFAULT 0;\n"
        "CREATE INDEX CONCURRENTLY {t}_amount ON {t} (amount);\n",
        "DROP INDEX CONCURRENTLY {t}_amount;\nALTER TABLE {t} DROP COLUMN amount;\n",
    ),
    Template(
        "create_{t}_event",
        "expand",
        "CREATE TABLE {t}_event (\n"
        "  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
        "  {t}_id bigint NOT NULL REFERENCES {t},\n"
        "  kind text NOT NULL,\n"
        "  at timestamptz NOT NULL DEFAULT now()\n"
        ");\n"
        "CREATE INDEX {t}_event_of ON {t}_event ({t}_id, at);\n",
        "DROP TABLE {t}_event;\n",
        "SELECT to_regclass('{t}_event') IS NOT NULL;\n",
    ),
    Template(
        "create_open_{t}",
        "expand",
        "CREATE VIEW open_{t} AS SELECT id, name, amount FROM {t} WHERE status = 'open';\n",
        "DROP VIEW open_{t};\n",
    ),
    Template(
        "touch_{t}",
        "expand",
        "CREATE FUNCTION touch_{t}() RETURNS trigger LANGUAGE plpgsql AS $$\n"
        "BEGIN\n"
        "  NEW.note := coalesce(NEW.note, '');\n"
        "  RETURN NEW;\n"
        "END\n"
        "$$;\n"
        "CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION touch_{t}();\n",
        "DROP TRIGGER touch ON {t};\nDROP FUNCTION touch_{t}();\n",
    ),
    Template(
        "require_{t}_note",
        "contract",
        "ALTER TABLE {t} ALTER COLUMN note SET DEFAULT '';\nALTER TABLE {t} ALTER COLUMN note SET NOT NULL;\n",
        "ALTER TABLE {t} ALTER COLUMN note DROP NOT NULL;\nALTER TABLE {t} ALTER COLUMN note DROP DEFAULT;\n",
    ),
    Template(
        "close_old_{t}",
        "migrate",
        "UPDATE {t} SET status = 'closed' WHERE status = 'open' AND created_at < now() - interval '1 year';\n",
        "SELECT 1;\n",
    ),
)


def revisions(count: int) -> Iterator[Made]:
    """So many revisions in chain order; their ids sort as they stand."""
    width = max(len(str(count)), 4)
    for place in range(count):
        life, template = place // len(LIFE), LIFE[place % len(LIFE)]
        table = f"{TABLES[life % len(TABLES)]}_{life // len(TABLES) + 1}"
        yield _made(f"{place + 1:0{width}d}", template, table)


def _made(number: str, template: Template, table: str) -> Made:
    header = f"-- lockstep: schema_rev sc-{int(number)}\n-- lockstep: phase {template.phase}\n"
    return Made(
        revision_id=f"{number}_{template.name.format(t=table)}",
        up=header + template.up.replace("{t}", table),
        down=None if template.down is None else template.down.replace("{t}", table),
        verify=None if template.verify is None else template.verify.replace("{t}", table),
    )
