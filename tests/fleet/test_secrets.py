from __future__ import annotations

import base64
import os
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from migrations_app.engine.errors import Refused
from migrations_app.fleet.secrets import (
    Sealed,
    keyring,
    read_keyring,
    resolve_dsn,
    rotate,
    seal,
    unseal,
)
from migrations_app.models import AuditEntry, Environment, Service
from tests.fleet.people import administrator, audited

URL = "postgresql://ann:s3cret@db.example/orders"
AAD = uuid4().bytes


def key(name: str, fill: int) -> str:
    return f"{name}:{base64.b64encode(bytes([fill]) * 32).decode()}"


OLD, NEW = key("old", 1), key("new", 2)


def refusal(verb: object) -> Refused:
    assert callable(verb)
    with pytest.raises(Refused) as caught:
        verb()
    assert "s3cret" not in caught.value.sentence
    return caught.value


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.LOCKSTEP_CREDENTIALS_KEY = OLD


def test_what_is_sealed_opens_again() -> None:
    sealed = seal(URL, aad=AAD)
    assert sealed.key_id == "old"
    assert b"s3cret" not in sealed.data and "data" not in repr(sealed)
    assert unseal(sealed, aad=AAD) == URL


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert seal(URL, aad=AAD).data != seal(URL, aad=AAD).data


def test_it_does_not_open_for_another_environment() -> None:
    """A row copied to another environment, by a slip or by hand, is worth nothing there."""
    sealed = seal(URL, aad=AAD)
    error = refusal(lambda: unseal(sealed, aad=uuid4().bytes))
    assert error.code == "credentials_unreadable"
    assert "enter the connection string again" in error.next_step


@pytest.mark.parametrize("place", [0, 12, -1])
def test_it_does_not_open_when_a_bit_was_changed(place: int) -> None:
    sealed = seal(URL, aad=AAD)
    data = bytearray(sealed.data)
    data[place] ^= 1
    assert refusal(lambda: unseal(Sealed("old", bytes(data)), aad=AAD)).code == "credentials_unreadable"


@pytest.mark.parametrize("data", [b"", b"short", bytes(12), bytes(28)])
def test_it_does_not_stumble_over_rubbish(data: bytes) -> None:
    assert refusal(lambda: unseal(Sealed("old", data), aad=AAD)).code == "credentials_unreadable"


def test_it_names_the_key_that_is_missing(settings: Settings) -> None:
    sealed = seal(URL, aad=AAD)
    settings.LOCKSTEP_CREDENTIALS_KEY = NEW
    error = refusal(lambda: unseal(sealed, aad=AAD))
    assert "key old, which this process does not have" in error.message
    assert error.next_step.startswith("Add key old to LOCKSTEP_CREDENTIALS_KEY")


def test_another_key_under_the_same_name_does_not_open(settings: Settings) -> None:
    sealed = seal(URL, aad=AAD)
    settings.LOCKSTEP_CREDENTIALS_KEY = key("old", 3)
    assert refusal(lambda: unseal(sealed, aad=AAD)).code == "credentials_unreadable"


def test_the_first_key_seals_and_all_of_them_open(settings: Settings) -> None:
    sealed = seal(URL, aad=AAD)
    settings.LOCKSTEP_CREDENTIALS_KEY = f" {NEW} , {OLD},"
    assert seal(URL, aad=AAD).key_id == "new"
    assert unseal(sealed, aad=AAD) == URL
    assert [one.key_id for one in keyring().keys] == ["new", "old"]


def test_it_reads_both_alphabets_and_does_without_padding() -> None:
    secret = bytes([255, 254, 251] * 10 + [1, 2])
    for encoded in (base64.b64encode(secret), base64.urlsafe_b64encode(secret)):
        for text in (encoded.decode(), encoded.decode().rstrip("=")):
            assert read_keyring(f"k1:{text}").current.secret == secret


def test_a_key_shows_its_name_only() -> None:
    assert repr(read_keyring(OLD)) == "Keyring(keys=(Key(key_id='old'),))"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not set"),
        (" , ", "it is not set"),
        ("s3cret", "part 1 does not begin with a key id and a colon"),
        (f"{OLD},s3 cret:x", "part 2 does not begin with a key id and a colon"),
        ("k1:s3cret", "key k1 is not the base64 form of 32 bytes"),
        ("k1:" + "!" * 44, "key k1 is not the base64 form of 32 bytes"),
        ("k1:" + base64.b64encode(bytes(16)).decode(), "key k1 is not the base64 form of 32 bytes"),
        (f"{OLD},{key('old', 9)}", "the key id old stands there twice"),
    ],
)
def test_it_says_what_is_wrong_with_the_setting_and_not_what_it_holds(text: str, why: str) -> None:
    error = refusal(lambda: read_keyring(text))
    assert error.code == "credentials_key_unusable"
    assert error.message == f"LOCKSTEP_CREDENTIALS_KEY is not usable: {why}."


def stored(name: str, *, kind: str = "stored", reference: str = "") -> Environment:
    """A row as add_environment would leave it, without a target."""
    by = administrator()
    service, _ = Service.objects.get_or_create(name="orders", defaults={"created_by": by})
    environment = Environment(
        service=service, name=name, stage="prod", dsn_kind=kind, dsn_reference=reference, created_by=by
    )
    if kind == "stored":
        sealed = seal(URL, aad=environment.uid.bytes)
        environment.dsn_sealed, environment.dsn_key_id = sealed.data, sealed.key_id
    environment.save()
    environment.refresh_from_db()
    return environment


@pytest.mark.django_db
def test_it_finds_a_stored_address() -> None:
    dsn = resolve_dsn(stored("prod-eu"))
    assert dsn.safe == "ann@db.example:5432/orders" and not dsn.trusted


@pytest.mark.django_db
def test_it_finds_an_address_by_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "ORDERS_DSN", URL)
    dsn = resolve_dsn(stored("prod-eu", kind="env", reference="ORDERS_DSN"))
    assert dsn.safe == "ann@db.example:5432/orders" and dsn.trusted


@pytest.mark.django_db
def test_it_names_the_environment_whose_address_cannot_be_read(settings: Settings) -> None:
    environment = stored("prod-eu")
    settings.LOCKSTEP_CREDENTIALS_KEY = NEW
    error = refusal(lambda: resolve_dsn(environment))
    assert error.message.startswith("Environment orders/prod-eu: The stored credentials cannot be read.")


@pytest.mark.django_db
def test_a_sealed_address_moved_to_another_environment_is_not_read() -> None:
    one, two = stored("prod-eu"), stored("prod-us")
    Environment.objects.filter(pk=two.pk).update(dsn_sealed=one.dsn_sealed)
    two.refresh_from_db()
    assert refusal(lambda: resolve_dsn(two)).code == "credentials_unreadable"


@pytest.mark.django_db
def test_rotation_seals_everything_with_the_current_key(settings: Settings) -> None:
    old = [stored("prod-eu"), stored("prod-us")]
    stored("dev", kind="env", reference="ORDERS_DSN")
    settings.LOCKSTEP_CREDENTIALS_KEY = f"{NEW},{OLD}"
    stored("staging")
    rotation = rotate(by=administrator())
    assert (rotation.resealed, rotation.current, rotation.key_id) == (2, 1, "new")
    settings.LOCKSTEP_CREDENTIALS_KEY = NEW
    for environment in old:
        environment.refresh_from_db()
        assert resolve_dsn(environment).safe == "ann@db.example:5432/orders"
    assert audited() == [("credentials.rotate", "credentials")]


@pytest.mark.django_db
def test_rotation_without_an_old_key_changes_nothing(settings: Settings) -> None:
    first = stored("prod-eu")
    settings.LOCKSTEP_CREDENTIALS_KEY = key("lost", 7)
    stored("prod-us")
    settings.LOCKSTEP_CREDENTIALS_KEY = f"{NEW},{OLD}"
    error = refusal(lambda: rotate(by=None))
    assert error.message.startswith("Environment orders/prod-us:") and "key lost" in error.message
    first.refresh_from_db()
    assert first.dsn_key_id == "old"
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_the_command_reports_the_counts(settings: Settings) -> None:
    stored("prod-eu")
    settings.LOCKSTEP_CREDENTIALS_KEY = f"{NEW},{OLD}"
    said = StringIO()
    call_command("rotate_credentials", stdout=said)
    assert said.getvalue() == "1 stored connection strings were sealed anew with key new; 0 had it already.\n"
    assert AuditEntry.objects.get().data["actor"] == "system"


@pytest.mark.django_db
def test_the_command_refuses_in_one_sentence(settings: Settings) -> None:
    stored("prod-eu")
    settings.LOCKSTEP_CREDENTIALS_KEY = NEW
    with pytest.raises(CommandError) as caught:
        call_command("rotate_credentials")
    assert "key old" in str(caught.value) and caught.value.returncode == 1
