"""System checks: a wrong setting is told at start, by name, with what it got and what it wants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from migrations_app.engine.errors import LockstepError


@register()
def credentials_key(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    from migrations_app.fleet.secrets import read_keyring

    if settings.STANDALONE and not settings.LOCKSTEP_CREDENTIALS_KEY:
        return []
    try:
        read_keyring(settings.LOCKSTEP_CREDENTIALS_KEY)
    except LockstepError as refusal:
        return [Error(refusal.message, hint=refusal.next_step, id="lockstep.E001")]
    return []


@register()
def rehearsal_servers(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    from migrations_app.engine.target.dsn import parse

    found: list[CheckMessage] = []
    for number, address in enumerate(settings.LOCKSTEP_REHEARSAL_SERVERS, 1):
        try:
            parse(address, trusted=True)
        except LockstepError as refusal:
            which = f"LOCKSTEP_REHEARSAL_SERVERS, address {number}: {refusal.message}"
            found.append(Error(which, hint=refusal.next_step, id="lockstep.E002"))
    return found


@register()
def outbound_hosts(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    from migrations_app.outbound.address import read_hosts

    try:
        read_hosts(settings.LOCKSTEP_OUTBOUND_HOSTS)
    except LockstepError as refusal:
        hint = "Write hosts or host:port, separated by spaces."
        return [Error(f"LOCKSTEP_OUTBOUND_HOSTS: {refusal.message}", hint=hint, id="lockstep.E003")]
    return []


@register()
def checks_dir(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    given = settings.LOCKSTEP_CHECKS_DIR
    if not given or Path(given).is_absolute():
        return []
    return [
        Error(
            f"LOCKSTEP_CHECKS_DIR is {given!r}, which depends on where a worker was started.",
            hint="Give the whole path of the folder, from the root.",
            id="lockstep.E004",
        )
    ]


@register()
def runtime_contract(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    from migrations_app.watchdog.contract import errors

    agreed = settings.RUNTIME_CONTRACT
    hint = "Every unit has to be given the same; RUNTIME_CONTRACT_ENFORCE=false starts all the same."
    kind = Error if agreed.validation_enforced else Warning
    number = "E" if agreed.validation_enforced else "W"
    return [kind(sentence, hint=hint, id=f"lockstep.{number}031") for sentence in errors(agreed)]


@register()
def anchors(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    from migrations_app.audit.webhook import refusal

    found: list[CheckMessage] = []
    if settings.LOCKSTEP_ANCHOR_WEBHOOK and (why := refusal(settings.LOCKSTEP_ANCHOR_WEBHOOK)):
        hint = "Give https://HOST/PATH, or name a host of this network in LOCKSTEP_OUTBOUND_HOSTS."
        found.append(Error(f"LOCKSTEP_ANCHOR_WEBHOOK cannot be used: {why}.", hint=hint, id="lockstep.E021"))
    if not Path(settings.LOCKSTEP_ANCHOR_FILE).is_absolute():
        hint = "Give the whole path, best of a file system that others keep."
        given = f"LOCKSTEP_ANCHOR_FILE is {settings.LOCKSTEP_ANCHOR_FILE!r}, which is no whole path."
        found.append(Error(given, hint=hint, id="lockstep.E022"))
    return found
