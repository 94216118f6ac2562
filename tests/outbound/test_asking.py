"""Who is asked and who is not: with a resolver of the test's own, and an eye on every socket that is opened."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http.server import HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from migrations_app.engine.errors import Refused
from migrations_app.outbound import asking
from migrations_app.outbound.address import read_hosts
from migrations_app.outbound.asking import MOST_BYTES, NoAnswer, get
from tests.outbound.sites import Site, serving

NEVER = (
    "169.254.169.254", "169.254.0.7", "0.0.0.0", "0.1.2.3", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "100.100.100.200", "192.0.0.192", "::", "fe80::1", "ff02::1", "fec0::1", "fd00:ec2::254", "2001::7f00:1",
    "::ffff:169.254.169.254", "2002:a9fe:a9fe::1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "::7f00:1",
)  # fmt: skip
INSIDE = (
    "127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "::1", "fd12::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::1", "64:ff9b::7f00:1",
)  # fmt: skip


def leads_to(monkeypatch: pytest.MonkeyPatch, *places: str) -> list[str]:
    """Every name leads there; the names that were looked up."""
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> tuple[str, ...]:
        looked_up.append(host)
        return places

    monkeypatch.setattr(asking, "resolve", resolve)
    return looked_up


def refusal(url: str, hosts: Sequence[str] = ()) -> str:
    with pytest.raises(Refused) as refused:
        get(url, hosts=read_hosts(hosts), timeout_s=1)
    return refused.value.sentence


def test_a_public_place_is_connected_to_at_the_place_that_was_looked_up(
    monkeypatch: pytest.MonkeyPatch, opened: list[object]
) -> None:
    looked_up = leads_to(monkeypatch, "8.8.8.8", "2606:4700::1111")
    with pytest.raises(NoAnswer) as failed:
        get("https://shop.example/health", hosts=(), timeout_s=1)
    assert str(failed.value) == "GET https://shop.example/health: nothing listens there."
    assert [place[:2] for place in opened if isinstance(place, tuple)] == [("8.8.8.8", 443), ("2606:4700::1111", 443)]
    assert looked_up == ["shop.example"]


@pytest.mark.parametrize("place", NEVER)
def test_some_places_are_never_asked_even_where_the_list_names_the_host(
    monkeypatch: pytest.MonkeyPatch, opened: list[object], place: str
) -> None:
    leads_to(monkeypatch, "8.8.8.8", place)
    assert f"leads to {place}, which is never asked" in refusal("https://shop.example/", ["shop.example"])
    assert opened == []


@pytest.mark.parametrize("place", INSIDE)
def test_what_lies_inside_is_asked_only_where_the_list_names_the_host(
    monkeypatch: pytest.MonkeyPatch, opened: list[object], place: str
) -> None:
    leads_to(monkeypatch, place)
    told = refusal("https://shop.example/", ["other.example", "shop.example:9000"])
    assert f"it leads to {place}, which lies inside a network" in told
    assert "adds shop.example to LOCKSTEP_OUTBOUND_HOSTS" in told
    assert opened == []
    with pytest.raises(NoAnswer):
        get("http://shop.example/", hosts=read_hosts(["shop.example"]), timeout_s=1)
    assert len(opened) == 1


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://shop.example/", "it is not https"),
        ("https://shop.example:8443/", "port 8443 is not the usual one"),
        ("https://169.254.169.254/latest/meta-data", "which is never asked"),
        ("https://[::ffff:169.254.169.254]/", "which is never asked"),
        ("https://127.0.0.1/", "lies inside a network"),
        ("https://2130706433/", "names no host"),
        ("gopher://shop.example/", "is no http or https address"),
        ("https://me:pw@shop.example/", "holds a user"),
    ],
)
def test_an_unusual_address_is_not_asked_and_says_what_would_help(opened: list[object], url: str, why: str) -> None:
    assert why in refusal(url)
    assert opened == []


def test_a_name_that_leads_elsewhere_the_second_time_is_looked_up_once(
    monkeypatch: pytest.MonkeyPatch, opened: list[object]
) -> None:
    answers = [("8.8.8.8",), ("127.0.0.1",)]
    monkeypatch.setattr(asking, "resolve", lambda host, port: answers.pop(0))
    with pytest.raises(NoAnswer):
        get("https://rebinding.example/", hosts=(), timeout_s=1)
    assert (opened, answers) == ([("8.8.8.8", 443)], [("127.0.0.1",)])


def test_an_answer_has_status_headers_and_body(site: Site) -> None:
    site.says("/health", '{"status": "ok"}', Retry_After="3")
    found = get(f"{site.url}/health", hosts=read_hosts([f"127.0.0.1:{site.port}"]), timeout_s=5)
    assert (found.status, found.headers["retry-after"], found.whole) == (200, "3", True)
    assert found.body == b'{"status": "ok"}'
    assert site.asked == [("/health", f"127.0.0.1:{site.port}")]


def test_the_place_is_asked_under_the_name(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    leads_to(monkeypatch, "127.0.0.1")
    host = f"shop.internal:{site.port}"
    assert get(f"http://{host}/", hosts=read_hosts([host]), timeout_s=5).status == 404
    assert site.asked == [("/", host)]


def test_no_redirect_is_followed_and_no_proxy_asked(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    site.says("/moved", status=302, Location="http://169.254.169.254/")
    assert get(f"{site.url}/moved", hosts=read_hosts([f"127.0.0.1:{site.port}"]), timeout_s=5).status == 302
    assert len(site.asked) == 1


def test_no_more_is_read_than_may_be(site: Site) -> None:
    site.says("/large", b"a" * (MOST_BYTES + 1))
    found = get(f"{site.url}/large", hosts=read_hosts([f"127.0.0.1:{site.port}"]), timeout_s=5)
    assert (len(found.body), found.whole) == (MOST_BYTES, False)


def test_one_that_does_not_answer_is_not_waited_for(site: Site) -> None:
    begun = time.monotonic()
    with pytest.raises(NoAnswer) as failed:
        get(f"{site.url}/silent", hosts=read_hosts([f"127.0.0.1:{site.port}"]), timeout_s=0.3)
    assert str(failed.value) == f"GET {site.url}/silent: no answer within 0.3 s."
    assert time.monotonic() - begun < 2


def test_a_name_that_nobody_knows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(host: str, port: int) -> tuple[str, ...]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asking, "resolve", nobody)
    with pytest.raises(NoAnswer) as failed:
        get("https://no.example/", hosts=(), timeout_s=1)
    assert str(failed.value) == "GET https://no.example/: the name no.example is not known."


def test_a_certificate_has_to_be_of_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pem = certificate("shop.internal", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    leads_to(monkeypatch, "127.0.0.1")

    def encrypted(server: HTTPServer) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server.socket = context.wrap_socket(server.socket, server_side=True)

    with serving(encrypted) as site:
        site.says("/", "fine")
        hosts = read_hosts([f"shop.internal:{site.port}", f"other.internal:{site.port}"])
        assert get(f"https://shop.internal:{site.port}/", hosts=hosts, timeout_s=5).body == b"fine"
        with pytest.raises(NoAnswer) as failed:
            get(f"https://other.internal:{site.port}/", hosts=hosts, timeout_s=5)
        assert "its certificate does not check out (Hostname mismatch" in str(failed.value)


def certificate(name: str, folder: Path) -> Path:
    """One that signed itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "server.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
