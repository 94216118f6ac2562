from __future__ import annotations

import pytest

from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.trees import read_trees


def test_it_gives_every_statement_with_its_tree() -> None:
    begin, create, commit = read_trees("BEGIN;\nCREATE TABLE t (id int);\nCOMMIT;")
    assert [begin.kind, create.kind, commit.kind] == ["TransactionStmt", "CreateStmt", "TransactionStmt"]
    assert (create.text, create.line) == ("CREATE TABLE t (id int)", 2)
    assert create.node["relation"] == {"relname": "t", "inh": True, "relpersistence": "p", "location": 20}


def test_too_deep_for_this_process_is_a_verdict() -> None:
    with pytest.raises(Refused) as caught:
        read_trees("SELECT " + "(SELECT " * 2000 + "1" + ")" * 2000)
    assert caught.value.code == "unparseable"
