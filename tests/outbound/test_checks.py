"""Settings that cannot be used are told at start."""

from __future__ import annotations

from migrations_app import checks


def test_a_list_of_hosts_that_can_be_used_says_nothing(settings) -> None:
    settings.LOCKSTEP_OUTBOUND_HOSTS = ["shop.internal", "127.0.0.1:8000"]
    settings.LOCKSTEP_CHECKS_DIR = "/etc/lockstep/checks"
    assert checks.outbound_hosts(None) + checks.checks_dir(None) == []


def test_an_entry_that_is_no_host_is_told(settings) -> None:
    settings.LOCKSTEP_OUTBOUND_HOSTS = ["shop.internal", "http://shop"]
    (found,) = checks.outbound_hosts(None)
    assert (found.id, found.msg) == (
        "lockstep.E003",
        "LOCKSTEP_OUTBOUND_HOSTS: 'http://shop' is no host, and no host:port.",
    )


def test_a_folder_that_depends_on_where_a_worker_was_started_is_told(settings) -> None:
    settings.LOCKSTEP_CHECKS_DIR = "checks"
    (found,) = checks.checks_dir(None)
    assert found.id == "lockstep.E004"
