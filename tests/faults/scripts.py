"""The revisions a fault run applies; each leaves rows in `effects`, so that doing one twice can be seen."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Kind = Literal["base", "plain", "whole", "slow", "several", "index"]
# They have nothing to verify, so that all of each is one message up to its COMMIT, except as the last of a run.
ONE_MESSAGE = ("whole", "slow")


@dataclass(frozen=True)
class Text:
    """`effects` rows are expected of it, and `index` to be valid, once it has been applied."""

    revision_id: str
    kind: Kind
    up: str
    effects: int
    index: str = ""

    @property
    def verify(self) -> str | None:
        if self.kind in ONE_MESSAGE:
            return None
        # Deliberately blind for doubles: those are the harness's to find, not the revision's to prevent.
        return f"SELECT count(*) >= 1 FROM effects WHERE revision = '{self.revision_id}'"


BASE = """
CREATE TABLE effects (id bigserial PRIMARY KEY, revision text NOT NULL, part int NOT NULL,
                      at timestamptz NOT NULL DEFAULT clock_timestamp(), xid xid8 DEFAULT pg_current_xact_id());
CREATE TABLE things (id bigserial PRIMARY KEY, n int NOT NULL, word text);
INSERT INTO things (n, word) SELECT g, md5(g::text) FROM generate_series(1, 2000) g;
INSERT INTO effects (revision, part) VALUES ('{id}', 1);
"""
# Of a worker that died PostgreSQL knows after a second: the shorter one is committed all the same, the longer one not.
SLOW = ("0.3", "1.8")
SLOW_PLAIN = "INSERT INTO effects (revision, part) SELECT '{id}', 1 FROM pg_sleep({s});"
PLAIN = "INSERT INTO effects (revision, part) VALUES ('{id}', 1);"
# ALTER TABLE of an existing table is a step of its own, so this is three steps.
SEVERAL = """
CREATE TABLE t{n} (id int PRIMARY KEY, v text);
INSERT INTO t{n} SELECT g, 'x' FROM generate_series(1, 50) g;
INSERT INTO effects (revision, part) VALUES ('{id}', 1);
ALTER TABLE things ADD COLUMN c{n} int;
INSERT INTO effects (revision, part) VALUES ('{id}', 2);
"""
INDEX_LAST = """
INSERT INTO effects (revision, part) VALUES ('{id}', 1);
CREATE INDEX CONCURRENTLY things_i{n} ON things (n, id);
"""
INDEX_FIRST = """
CREATE INDEX CONCURRENTLY things_i{n} ON things (word);
INSERT INTO effects (revision, part) VALUES ('{id}', 1);
"""


def write_texts(count: int, seed: str) -> list[Text]:
    """A chain: its base, then of ten two with an index built concurrently, two as one message, one of several steps."""
    rng = random.Random(seed)
    return [_text(1, "base", BASE), *(_any(n, rng) for n in range(2, count + 1))]


def _any(n: int, rng: random.Random) -> Text:
    # By place and not by chance, so that every run of six or so has something of each kind near it.
    if n % 10 in (4, 9):
        return _text(n, "index", rng.choice((INDEX_LAST, INDEX_FIRST)))
    if n % 10 == 8:
        return _text(n, "several", SEVERAL)
    if n % 10 == 2:
        return _text(n, "whole", PLAIN)
    if n % 10 == 6:
        return _text(n, "slow", SLOW_PLAIN.replace("{s}", rng.choice(SLOW)))
    return _text(n, "plain", PLAIN)


def _text(n: int, kind: Kind, template: str) -> Text:
    name = f"{n:04d}_{kind}"
    return Text(
        name,
        kind,
        template.format(id=name, n=n).strip() + "\n",
        effects=2 if kind == "several" else 1,
        index=f"things_i{n}" if kind == "index" else "",
    )
