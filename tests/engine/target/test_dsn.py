from __future__ import annotations

import os

import pytest

from migrations_app.engine.errors import Refused
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn, parse

PASSWORD = "s3cret-Pass%word"
URL = "postgresql://ann:s3cret-Pass%25word@db.example:6000/orders"


def refusal(text: str, *, trusted: bool = False) -> Refused:
    with pytest.raises(Refused) as caught:
        parse(text, trusted=trusted)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        URL,
        URL.replace("postgresql", "postgres"),
        f"host=db.example port=6000 user=ann password={PASSWORD} dbname=orders",
        f"  {URL}\n",
    ],
)
def test_it_reads_urls_and_keywords_alike(text: str) -> None:
    dsn = parse(text, trusted=False)
    assert (dsn.user, dsn.host, dsn.port, dsn.dbname) == ("ann", "db.example", 6000, "orders")
    assert dsn.safe == "ann@db.example:6000/orders"
    assert dsn == parse(URL, trusted=False)


def test_it_fills_in_the_usual_port() -> None:
    assert parse("postgresql://ann@db/orders", trusted=False).safe == "ann@db:5432/orders"


def test_it_keeps_the_password_for_psycopg_and_shows_it_nowhere_else() -> None:
    dsn = parse(URL, trusted=False)
    assert PASSWORD in dsn.conninfo()
    for shown in (repr(dsn), str(dsn), f"{dsn}", dsn.safe, repr([dsn]), repr({"dsn": dsn})):
        assert PASSWORD not in shown and "s3cret" not in shown


def test_it_moves_to_another_database_of_the_same_server() -> None:
    other = parse(URL, trusted=False).in_database("rehearsal")
    assert other.safe == "ann@db.example:6000/rehearsal"
    assert "dbname=rehearsal" in other.conninfo() and PASSWORD in other.conninfo()


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ann:p%40ss%2F1%20@db.example:6000/or%20ders",
        "host=::1 user='an n' dbname=orders sslmode=require",
        "host=/run/postgresql user=ann dbname=orders",
    ],
)
def test_it_is_a_url_for_other_programs(text: str) -> None:
    dsn = parse(text, trusted=True)
    assert dsn.url().startswith("postgresql://")
    assert parse(dsn.url(), trusted=True) == dsn


def test_it_accepts_what_every_session_sets_itself_and_drops_it() -> None:
    dsn = parse(URL + "?application_name=x&connect_timeout=99&sslmode=require", trusted=False)
    assert "sslmode=require" in dsn.conninfo()
    assert "99" not in dsn.conninfo() and "application_name" not in dsn.conninfo()


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize(
    "parameter",
    [
        "service=x",
        "servicefile=/x",
        "passfile=/x",
        "options=-csearch_path%3Dx",
        "replication=database",
        "target_session_attrs=any",
        "load_balance_hosts=random",
        "gssdelegation=1",
        "scram_client_key=x",
        "sslkeylogfile=/x",
        "oauth_issuer=x",
    ],
)
def test_it_refuses_dangerous_parameters_from_everybody(parameter: str, trusted: bool) -> None:
    error = refusal(f"{URL}?{parameter}", trusted=trusted)
    assert error.code == "dsn_parameter"
    assert f"“{parameter.partition('=')[0]}”" in error.message


@pytest.mark.parametrize(
    "parameter",
    [
        "sslrootcert=/x",
        "sslcert=/x",
        "sslkey=/x",
        "sslcrl=/x",
        "sslcrldir=/x",
        "krbsrvname=x",
        "hostaddr=10.0.0.1",
        "sslcertmode=allow",
    ],
)
def test_it_leaves_files_and_hidden_addresses_to_the_administrator(parameter: str) -> None:
    assert refusal(f"{URL}?{parameter}").code == "dsn_parameter"
    assert parameter.partition("=")[0] in parse(f"{URL}?{parameter}", trusted=True).conninfo()


def test_it_lets_everybody_use_the_systems_certificates() -> None:
    assert "sslrootcert=system" in parse(f"{URL}?sslrootcert=system", trusted=False).conninfo()


def test_it_leaves_sockets_to_the_administrator() -> None:
    socket = "host=/run/postgresql user=ann dbname=orders"
    assert "not a path of this machine" in refusal(socket).message
    assert parse(socket, trusted=True).host == "/run/postgresql"


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("host", ["a,b", "@abstract", "../etc", "a/b", "a..b", ".a", "a" * 64, f"b.{'a' * 64}.c"])
def test_it_refuses_several_hosts_odd_paths_and_what_is_no_name(host: str, trusted: bool) -> None:
    assert refusal(f"host={host} user=ann dbname=orders", trusted=trusted).code == "dsn_parameter"


def test_it_refuses_several_hosts_in_a_url() -> None:
    assert refusal("postgresql://ann@a:1,b:2/orders").code == "dsn_parameter"


@pytest.mark.parametrize("port", ["0", "65536", "abc", "-1", "5432,5433", "9" * 400, "٣"])
def test_it_refuses_what_is_no_port(port: str) -> None:
    assert refusal(f"host=a user=ann dbname=orders port={port}").code == "dsn_parameter"


def test_it_refuses_an_unknown_ssl_mode_and_lists_the_known_ones() -> None:
    error = refusal(URL + "?sslmode=maybe")
    assert "sslmode" in error.message and "verify-full" in error.message


def test_it_names_an_unknown_parameter_of_a_url() -> None:
    error = refusal(URL + "?pgbouncer=true")
    assert error.code == "dsn_parameter"
    assert error.message == "The connection parameter “pgbouncer” is not a connection parameter of PostgreSQL."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "orders",
        "http://ann:s3cret@db/x",
        "host='db",
        "postgresql://ann:s3%zzcret@db/x",
        "host=a\x00b",
        "host=db user=ann dbname=x password=my s3cret=1",
        "postgresql://ann:pa/s3?cret=1@db/x",
        "postgresql://ann:pa@s3cret@db/x",
        "postgresql://ann:s3%ff%fecret@db/x",
        "x" * 5000,
    ],
)
def test_it_refuses_unreadable_text_without_quoting_any_of_it(text: str) -> None:
    error = refusal(text)
    assert error.code in ("dsn_unreadable", "dsn_parameter")
    assert "s3" not in error.sentence and "cret" not in error.sentence
    assert error.__cause__ is None and (error.__context__ is None)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("postgresql://ann@db", "dbname"),
        ("postgresql://ann@/orders", "host"),
        ("postgresql://db/orders", "user"),
        ("postgresql://", "host and no user and no dbname"),
    ],
)
def test_it_refuses_an_incomplete_address_and_says_what_is_missing(text: str, missing: str) -> None:
    error = refusal(text)
    assert error.code == "dsn_incomplete"
    assert error.message == f"The connection string names no {missing}."


def test_it_does_not_lend_this_machines_password_to_a_typed_address(
    dsn: Dsn, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With PGPASSWORD and a password file that would both open the door, the typed address stays outside."""
    password = dsn.conninfo().partition("password=")[2].partition(" ")[0]
    passfile = tmp_path_factory.mktemp("home") / "pgpass"
    passfile.write_text(f"*:*:*:*:{password}\n")
    passfile.chmod(0o600)
    monkeypatch.setitem(os.environ, "PGPASSWORD", password)
    monkeypatch.setitem(os.environ, "PGPASSFILE", str(passfile))
    without = parse(f"postgresql://{dsn.user}@{dsn.host}:{dsn.port}/{dsn.dbname}", trusted=False)
    with pytest.raises(Refused) as caught:
        open_session(without, application_name="lockstep:test")
    assert caught.value.code == "wrong_password"


def test_it_does_not_take_options_from_this_machines_environment(dsn: Dsn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PGOPTIONS", "-c work_mem=77kB")
    conn = open_session(dsn, application_name="lockstep:test")
    try:
        assert conn.execute("SHOW work_mem").fetchone() != ("77kB",)
    finally:
        conn.close()
