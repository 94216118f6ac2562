"""What is an address at all, and what the administrator's list may hold."""

from __future__ import annotations

import pytest

from migrations_app.engine.errors import Refused
from migrations_app.outbound.address import Address, Host, read_address, read_hosts


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://shop.example/health?deep=1", Address("https", "shop.example", 443, "/health?deep=1")),
        ("https://Shop.Example", Address("https", "shop.example", 443, "/")),
        ("http://127.0.0.1:8000/a#part", Address("http", "127.0.0.1", 8000, "/a")),
        ("https://[2606:4700::1111]:8443/", Address("https", "2606:4700::1111", 8443, "/")),
        ("https://xn--bcher-kva.example/", Address("https", "xn--bcher-kva.example", 443, "/")),
    ],
)
def test_a_usual_address_is_read_and_told_as_it_is(url: str, read: Address) -> None:
    assert read_address(url) == read
    assert read_address(read.text) == read


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("gopher://shop.example/", "is no http or https address"),
        ("file:///etc/passwd", "is no http or https address"),
        ("//shop.example/", "is no http or https address"),
        ("https://", "names no host"),
        ("https://user@shop.example/", "holds a user or a password"),
        ("https://shop.example:pw@169.254.169.254/", "holds a user or a password"),
        ("https://2130706433/", "names no host"),
        ("https://0x7f000001/", "names no host"),
        ("https://0177.0.0.1/", "names no host"),
        ("https://127.1/", "names no host"),
        ("https://shop.example.0x7f/", "names no host"),
        ("https://shop.example./", "names no host"),
        ("https://[fe80::1%25eth0]/", "names no host"),
        ("https://[::1/", "cannot be read as an address"),
        ("https://shop.example:0/", "has no port from 1 to 65535"),
        ("https://shop.example:99999/", "has no port from 1 to 65535"),
        ("https://shop.example\\@evil.example/", "a backslash"),
        ("https://shop.example/a b", "holds a blank"),
        ("https://shop.example/\r\nHost: evil", "holds a blank"),
        ("https://bücher.example/", "a letter beyond ASCII"),
        ("https://①②⑦.example/", "a letter beyond ASCII"),
        (f"https://shop.example/{'a' * 2000}", "is longer than 2000 characters"),
    ],
)
def test_anything_else_is_refused_by_its_mistake(url: str, why: str) -> None:
    with pytest.raises(Refused) as refused:
        read_address(url)
    assert (refused.value.code, why in refused.value.message) == ("bad_address", True), refused.value.message


def test_the_list_holds_hosts_with_and_without_a_port() -> None:
    assert read_hosts(["Shop.Internal", "127.0.0.1:8000", "[::1]:8000"]) == (
        Host("shop.internal"),
        Host("127.0.0.1", 8000),
        Host("::1", 8000),
    )


@pytest.mark.parametrize("entry", ["http://shop", "shop/health", "me@shop", "shop:x", "10.0.0.0/8", "*", "127.1"])
def test_what_is_no_host_is_refused_by_name(entry: str) -> None:
    with pytest.raises(Refused) as refused:
        read_hosts(["shop", entry])
    assert repr(entry) in refused.value.message


def test_an_entry_covers_its_own_port_or_the_usual_ones() -> None:
    plain, other = read_hosts(["shop", "shop:9000"])
    assert [plain.covers(read_address(url)) for url in ("http://shop/", "https://shop/", "http://shop:9000/")] == [
        True,
        True,
        False,
    ]
    assert [other.covers(read_address(url)) for url in ("http://shop/", "http://shop:9000/", "http://no:9000/")] == [
        False,
        True,
        False,
    ]
