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
from django.db.models import Q

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
        return Reference(kind, address=_TARGET.opened(environment)).resolve()
    return Reference(kind, environment.dsn_reference).resolve()


def resolve_backup(environment: Environment) -> Dsn:
    """The address of the restored backup to rehearse on. Raises Refused("no_backup")."""
    if not environment.backup_kind:
        raise no_backup(environment)
    kind = DsnKind(environment.backup_kind)
    if kind == DsnKind.STORED:
        return Reference(kind, address=_BACKUP.opened(environment)).resolve()
    return Reference(kind, environment.backup_reference).resolve()


def keep_backup(environment: Environment, reference: Reference | None) -> None:
    """Write where the backup is into the row, or that there is none; saving is the caller's."""
    environment.backup_kind, environment.backup_reference = (reference.kind, reference.name) if reference else ("", "")
    environment.backup_sealed, environment.backup_key_id = None, ""
    if reference is not None and reference.kind == DsnKind.STORED:
        _BACKUP.seal(environment, reference.address)


@dataclass(frozen=True)
class _Kept:
    """One of the sealed addresses of an environment's row; `salt` keeps the one from being opened as the other."""

    kind: str
    sealed: str
    key_id: str
    salt: bytes

    def seal(self, environment: Environment, address: str) -> None:
        sealed = seal(address, aad=environment.uid.bytes + self.salt)
        setattr(environment, self.sealed, sealed.data)
        setattr(environment, self.key_id, sealed.key_id)

    def opened(self, environment: Environment) -> str:
        sealed = Sealed(getattr(environment, self.key_id), bytes(getattr(environment, self.sealed) or b""))
        try:
            return unseal(sealed, aad=environment.uid.bytes + self.salt)
        except Refused as refusal:
            refusal.message = f"Environment {environment.service.name}/{environment.name}: {refusal.message}"
            raise

    def is_sealed(self, environment: Environment) -> bool:
        return bool(getattr(environment, self.kind) == DsnKind.STORED)

    def reseal(self, environment: Environment) -> None:
        self.seal(environment, self.opened(environment))
        environment.save(update_fields=[self.sealed, self.key_id])


_TARGET = _Kept("dsn_kind", "dsn_sealed", "dsn_key_id", b"")
_BACKUP = _Kept("backup_kind", "backup_sealed", "backup_key_id", b"backup")


def rotate(*, by: User | None) -> Rotation:
    """Seal every stored connection string with the current key, all or none. `by` is None for the command line."""
    current = keyring().current.key_id
    with transaction.atomic():
        environments = (
            Environment.objects.select_for_update(of=("self",))
            .filter(Q(dsn_kind=DsnKind.STORED) | Q(backup_kind=DsnKind.STORED))
            .select_related("service")
            .order_by("pk")
        )
        stored = [(one, kept) for one in environments for kept in (_TARGET, _BACKUP) if kept.is_sealed(one)]
        old = [(one, kept) for one, kept in stored if getattr(one, kept.key_id) != current]
        for environment, kept in old:
            kept.reseal(environment)
        rotation = Rotation(len(old), len(stored) - len(old), current)
        record(
            actor=by,
            action="credentials.rotate",
            object="credentials",
            after={"key_id": current, "resealed": rotation.resealed, "current": rotation.current},
        )
    return rotation


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


def no_backup(environment: Environment) -> Refused:
    return Refused(
        "no_backup",
        f"{environment.name} has no backup to rehearse on.",
        not_done="No rehearsal was started.",
        next_step="Name the address of a restored one on the environment's page under Change, or rehearse on a clone "
        "of the target.",
    )
