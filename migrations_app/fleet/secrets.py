"""Stored connection strings: sealed with AES-256-GCM for one environment each, opened only to connect.

Keys come from LOCKSTEP_CREDENTIALS_KEY as `keyid:base64,…`; the first one seals, all of them open.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.dsn import Dsn
from migrations_app.fleet.references import Reference
from migrations_app.models import Environment
from migrations_app.models.environment import DsnKind

NONCE_BYTES = 12
KEY_BYTES = 32
KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,63}")


@dataclass(frozen=True)
class Key:
    """One key; its bytes are never shown."""

    key_id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Keyring:
    """The current key first, older ones after it."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        return self.keys[0]

    def find(self, key_id: str) -> Key | None:
        return next((key for key in self.keys if key.key_id == key_id), None)


@dataclass(frozen=True)
class Sealed:
    """What is stored: which key, and nonce + ciphertext."""

    key_id: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Rotation:
    """How many stored connection strings were sealed anew, and how many had the current key already."""

    resealed: int
    current: int
    key_id: str

    @property
    def sentence(self) -> str:
        return (
            f"{self.resealed} stored connection strings were sealed anew with key {self.key_id}; "
            f"{self.current} had it already."
        )


def read_keyring(text: str) -> Keyring:
    """Read the setting; a refusal names the part that is wrong, never its content."""
    keys = tuple(_key(place, part.strip()) for place, part in enumerate(text.split(","), start=1) if part.strip())
    if not keys:
        raise _unusable("it is not set")
    ids = [key.key_id for key in keys]
    doubled = sorted({key_id for key_id in ids if ids.count(key_id) > 1})
    if doubled:
        raise _unusable(f"the key id {doubled[0]} stands there twice")
    return Keyring(keys)


def keyring() -> Keyring:
    """This installation's keys."""
    return read_keyring(settings.LOCKSTEP_CREDENTIALS_KEY)


def seal(plaintext: str, *, aad: bytes) -> Sealed:
    """Encrypt for one owner: opened again only with the same `aad`, the environment's uuid bytes."""
    key, nonce = keyring().current, os.urandom(NONCE_BYTES)
    return Sealed(key.key_id, nonce + AESGCM(key.secret).encrypt(nonce, plaintext.encode(), aad))


def unseal(sealed: Sealed, *, aad: bytes) -> str:
    """The plaintext; Refused when the key is unknown, or the bytes belong to another owner or were changed."""
    key = keyring().find(sealed.key_id)
    if key is None:
        raise _unreadable(
            f"They were sealed with key {sealed.key_id}, which this process does not have.",
            f"Add key {sealed.key_id} to LOCKSTEP_CREDENTIALS_KEY, or enter the connection string again.",
        )
    nonce, ciphertext = sealed.data[:NONCE_BYTES], sealed.data[NONCE_BYTES:]
    try:
        return AESGCM(key.secret).decrypt(nonce, ciphertext, aad).decode()
    except (InvalidTag, ValueError):
        raise _unreadable(
            f"Key {sealed.key_id} does not open them: the key is another one of that name, or the bytes were changed.",
            "Restore the key, or enter the connection string again.",
        ) from None


def resolve_dsn(environment: Environment) -> Dsn:
    """The address of an environment's target, as this process can read it now."""
    kind = DsnKind(environment.dsn_kind)
    if kind == DsnKind.STORED:
        return Reference(kind, address=_open(environment)).resolve()
    return Reference(kind, environment.dsn_reference).resolve()


def rotate(*, by: User | None) -> Rotation:
    """Seal every stored connection string with the current key, all or none. `by` is None for the command line."""
    current = keyring().current.key_id
    with transaction.atomic():
        stored = list(
            Environment.objects.select_for_update(of=("self",))
            .filter(dsn_kind=DsnKind.STORED)
            .select_related("service")
            .order_by("pk")
        )
        old = [environment for environment in stored if environment.dsn_key_id != current]
        for environment in old:
            _reseal(environment)
        rotation = Rotation(len(old), len(stored) - len(old), current)
        record(
            actor=by,
            action="credentials.rotate",
            object="credentials",
            after={"key_id": current, "resealed": rotation.resealed, "current": rotation.current},
        )
    return rotation


def _reseal(environment: Environment) -> None:
    sealed = seal(_open(environment), aad=environment.uid.bytes)
    environment.dsn_sealed, environment.dsn_key_id = sealed.data, sealed.key_id
    environment.save(update_fields=["dsn_sealed", "dsn_key_id"])


def _open(environment: Environment) -> str:
    sealed = Sealed(environment.dsn_key_id, bytes(environment.dsn_sealed or b""))
    try:
        return unseal(sealed, aad=environment.uid.bytes)
    except Refused as refusal:
        refusal.message = f"Environment {environment.service.name}/{environment.name}: {refusal.message}"
        raise


def _key(place: int, text: str) -> Key:
    key_id, separator, encoded = text.partition(":")
    if not separator or not KEY_ID.fullmatch(key_id):
        raise _unusable(f"part {place} does not begin with a key id and a colon")
    # Both alphabets, with or without padding.
    body = encoded.strip().rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        secret = base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != KEY_BYTES:
        raise _unusable(f"key {key_id} is not the base64 form of {KEY_BYTES} bytes")
    return Key(key_id, secret)


def _unusable(why: str) -> Refused:
    return Refused(
        "credentials_key_unusable",
        f"LOCKSTEP_CREDENTIALS_KEY is not usable: {why}.",
        not_done="No stored credentials were read or written.",
        next_step="Set it to keyid:BASE64 of 32 random bytes, the current key first, older ones after a comma.",
    )


def _unreadable(message: str, next_step: str) -> Refused:
    return Refused(
        "credentials_unreadable",
        f"The stored credentials cannot be read. {message}",
        not_done="No connection was opened and nothing was changed.",
        next_step=next_step,
    )
