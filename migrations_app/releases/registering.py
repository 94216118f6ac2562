"""Register a release: one row that is never changed, and its audit entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from migrations_app.audit.body import masked
from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.models import Release, Revision, Service
from migrations_app.rehearsals.chains import chain_hashes
from migrations_app.releases.gates.changing import begun
from migrations_app.releases.schema_chain import SchemaChain, Span, read_schema_chain

LONGEST = 200
MOST_NAMED = 10
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:@/-]*\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
SCHEMAS = ("schema_rev", "schema_rev_min", "schema_rev_max")
VALUES = (*SCHEMAS, "index_hash", "secrets_rev", "commit", "artefacts")
MOST_ARTEFACTS = 1000


@dataclass(frozen=True)
class Registered:
    release: Release
    created: bool  # False: it was registered before with the same values


def register_release(
    *,
    service: Service,
    release_id: str,
    schema_rev: str,
    schema_rev_min: str = "",
    schema_rev_max: str = "",
    index_hash: str = "",
    secrets_rev: str = "",
    commit: str = "",
    artefacts: Mapping[str, str] | None = None,
    by: User,
) -> Registered:
    """Keep a release with the schemas it can work with; a bound that is left out is `schema_rev` itself.

    `artefacts` are names of what was built, each with its SHA-256. The revisions below it are noted as they are.

    Raises Refused: `release_differs` where the id stands for other values, `no_such_schema_rev` and the like where the
    window makes no sense in the chain.
    """
    texts = {
        "schema_rev": _text("schema_rev", schema_rev),
        "schema_rev_min": _text("schema_rev_min", schema_rev_min or schema_rev),
        "schema_rev_max": _text("schema_rev_max", schema_rev_max or schema_rev),
        "index_hash": _text("index_hash", index_hash),
        "secrets_rev": _text("secrets_rev", secrets_rev),
        "commit": _text("commit", commit),
    }
    values: dict[str, object] = {**texts, "artefacts": _artefacts(artefacts or {})}
    _check_id(release_id)
    with transaction.atomic():
        # Revisions are stored under the same lock, so the chain stays as it is looked at.
        owner = Service.objects.select_for_update().get(pk=service.pk)
        existing = Release.objects.select_related("service", "created_by").filter(service=owner, release_id=release_id)
        if known := existing.first():
            _refuse_other_values(known, values)
            return Registered(known, created=False)
        current = _check_window(read_schema_chain(owner), texts)
        head = _revision_at(owner, current.last)
        release = Release.objects.create(
            service=owner,
            release_id=release_id,
            created_by=by,
            head_revision=head,
            chain=chain_hashes(owner.pk)[head],
            **values,
        )
        begun(release)
        release.refresh_from_db(fields=["created_at"])
        told = {"release": release.pk, "head_revision": head, "chain": release.chain, "at": release.created_at}
        record(
            actor=by,
            action="release.register",
            object=f"release:{owner.name}/{release_id}",
            after={**values, **told, "by": by.pk},
        )
    return Registered(existing.get(), created=True)


def _refuse(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done="Nothing was registered.", next_step=next_step)


def _text(what: str, value: str) -> str:
    value = value.strip()
    if len(value) > LONGEST:
        raise _refuse("too_long", f"{what} has {len(value):,} characters, the limit is {LONGEST}.", "Shorten it.")
    if not value.isprintable():
        raise _refuse("bad_text", f"{what} holds a character that cannot be printed.", "Take it out.")
    if masked(value) != value:
        raise _refuse("holds_secret", f"{what} looks as if it held a password, and everybody reads it.", "Take it out.")
    return value


def _check_id(release_id: str) -> None:
    if len(release_id) > LONGEST or not _ID.match(release_id):
        raise _refuse(
            "bad_release_id",
            f"{release_id[:60]!r} is no id of a release.",
            f"Use at most {LONGEST} letters, digits and . _ + : @ / -, the first a letter or digit.",
        )


def _artefacts(given: Mapping[str, str]) -> list[list[str]]:
    """By name, so that the same ones in another order are the same."""
    if len(given) > MOST_ARTEFACTS:
        raise _refuse(
            "too_many", f"{len(given):,} artefacts were named, the limit is {MOST_ARTEFACTS:,}.", "Pack them."
        )
    for name, digest in given.items():
        _text("an artefact's name", name)
        if not name.strip() or not _SHA256.match(digest):
            raise _refuse(
                "bad_sha256", f"The artefact {name[:60]!r} has no SHA-256 of 64 hexadecimal digits.", "Give its hash."
            )
    if len({name.strip() for name in given}) < len(given):
        raise _refuse("artefact_twice", "Two artefacts have the same name.", "Give each a name of its own.")
    return sorted([name.strip(), digest] for name, digest in given.items())


def _revision_at(service: Service, last: int) -> str:
    """The newest that stands at or below a place of the chain."""
    chain = Revision.objects.filter(service=service, position__lte=last).order_by("-position")
    return chain.values_list("revision_id", flat=True)[0]


def _refuse_other_values(known: Release, values: dict[str, object]) -> None:
    other = [name for name in VALUES if getattr(known, name) != values[name]]
    if other:
        first = other[0]
        raise _refuse(
            "release_differs",
            f"Release {known.release_id} was registered with {first} {getattr(known, first)!r}, "
            f"and is offered with {values[first]!r}.",
            "A release is never changed: register another id for other values.",
        )


def _check_window(chain: SchemaChain, values: dict[str, str]) -> Span:
    """The places of its own schema."""
    current, low, high = (_span(chain, name, values[name]) for name in SCHEMAS)
    if low.first > high.first:
        raise _refuse(
            "window_reversed",
            f"schema_rev_min {low.name} comes after schema_rev_max {high.name} in the chain.",
            "Exchange the two.",
        )
    if not low.first <= current.first <= high.first:
        raise _refuse(
            "outside_window",
            f"schema_rev {current.name} is outside its own window, {low.name} to {high.name}.",
            "Widen the window, or correct schema_rev.",
        )
    return current


def _span(chain: SchemaChain, what: str, name: str) -> Span:
    if not name:
        raise _refuse("schema_rev_missing", f"{what} is missing.", f"Give one of {_known(chain)}.")
    found = chain.of(name)
    if not found:
        raise _refuse(
            "no_such_schema_rev", f"No revision declares {what} {name!r} (known: {_known(chain)}).", _way_out(chain)
        )
    if len(found) > 1:
        raise _refuse(
            "schema_rev_twice",
            f"{what} {name!r} stands at {len(found)} separate places of the chain, so it names none.",
            "Use another one, and give each schema a name of its own.",
        )
    return found[0]


def _known(chain: SchemaChain) -> str:
    """The newest ones, for a service may have thousands."""
    names = chain.names[-MOST_NAMED:]
    if not names:
        return "none yet"
    return f"{'… ' if len(chain.names) > MOST_NAMED else ''}{', '.join(names)}"


def _way_out(chain: SchemaChain) -> str:
    if chain.names:
        return "Use one of the known ones, or upload the revision that declares it first."
    return "Upload a revision whose up file says `-- lockstep: schema_rev NAME` first."
