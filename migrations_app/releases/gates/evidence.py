"""Evidence comes in: one row for each report, never changed, with what was attached beside it."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import transaction

from migrations_app.audit.body import masked
from migrations_app.engine.errors import Refused
from migrations_app.models import EvidenceArtefact, GateEvidence, Release
from migrations_app.releases.gates.catalogue import Catalogue, Check, read_catalogue, sha256_of
from migrations_app.releases.gates.changing import begun, record_change
from migrations_app.releases.gates.judging import nearest
from migrations_app.releases.gates.telling import told
from migrations_app.statuses import CheckKind, EvidenceStatus

NOT_DONE = "Nothing was recorded."
MOST_BYTES = 10 * 1024 * 1024
LONGEST_SUMMARY, LONGEST_NAME, LONGEST_PRODUCER, LONGEST_COMMIT = 2000, 300, 200, 200
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
# What a person may say about without more: everything else is found out by a machine.
BY_HAND = frozenset({CheckKind.POSTED, CheckKind.MANUAL})


@dataclass(frozen=True)
class Attachment:
    """A file beside the report. `content` None: it is kept elsewhere, and only its name and hash are known."""

    name: str = ""
    sha256: str = ""
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Posted:
    """The row, and whether the catalogue knows the check; if not, `nearest` may be the one that was meant."""

    evidence: GateEvidence
    matched: bool
    nearest: str = ""

    @property
    def hint(self) -> str:
        """What to do about a name that the catalogue does not know; nothing where it does."""
        if self.matched:
            return ""
        name = f"{self.evidence.gate_key}/{self.evidence.check_key}"
        told = f"No check of this release is called {name}, so no gate counts it."
        return f"{told} Is {self.nearest} meant?" if self.nearest else told


def post_evidence(
    *,
    release: Release,
    gate: str,
    check: str,
    status: str,
    summary: str,
    producer: str = "",
    commit: str = "",
    attachment: Attachment | None = None,
    by: User,
) -> Posted:
    """Record what a build or a person found. Raises Refused, which names what is wrong."""
    _check_words(gate, check, status, summary, producer, commit)
    commit, producer = commit.strip(), _readable(producer)
    if commit and release.commit and commit != release.commit:
        raise _refused(
            "other_commit",
            f"{release.release_id} was built from {release.commit[:40]}, and this was found on {commit[:40]}.",
            "Report it for the release that was built from that commit.",
        )
    kept = _checked(attachment or Attachment())
    with transaction.atomic():
        state = begun(release)
        assert state.catalogue is not None, "begun() has given it one"
        catalogue = read_catalogue(state.catalogue.content)
        known = _find(catalogue, gate, check)
        if known is not None and known.kind not in BY_HAND:
            raise _refused(
                "found_out_otherwise",
                f"{gate}/{check} is {CheckKind(known.kind).label}; nobody reports it.",
                "Have it looked at, or change its kind in the catalogue.",
            )
        kind = known.kind if known else CheckKind.POSTED
        row = GateEvidence.objects.create(
            release=release,
            gate_key=gate,
            check_key=check,
            status=status,
            source=kind,
            producer=producer or by.get_username(),
            summary=_readable(summary),
            commit=commit,
            identity=uuid.uuid4().hex,
            by=by,
            **_keep(kept),
        )
        _record(release, row, by)
    found = GateEvidence.objects.select_related("by", "artefact").defer("artefact__content").get(pk=row.pk)
    if known is not None:
        return Posted(found, matched=True)
    return Posted(found, matched=False, nearest=nearest(catalogue, gate, check, producer))


def keep_outcome(
    *, release: Release, gate: str, check: Check, status: str, summary: str, producer: str, detail: Mapping[str, object]
) -> GateEvidence:
    """What a worker found out. The same outcome again is the same evidence: what was signed stays signed."""
    outcome = {"status": status, "kind": check.kind, "settings": check.settings, "detail": detail}
    with transaction.atomic():
        begun(release)
        row = GateEvidence.objects.create(
            release=release,
            gate_key=gate,
            check_key=check.key,
            status=status,
            source=check.kind,
            producer=_readable(masked(producer))[:LONGEST_PRODUCER],
            summary=_readable(masked(summary))[:LONGEST_SUMMARY],
            detail=dict(detail),
            identity=sha256_of(outcome),
        )
        _record(release, row, None)
    return row


def _record(release: Release, row: GateEvidence, by: User | None) -> None:
    row.refresh_from_db()
    # `kept`: its artefact is here as well, and not its hash alone.
    record_change(release, "evidence.record", by, {**told(row), "kept": row.artefact_id is not None})


def _find(catalogue: Catalogue, gate_key: str, check_key: str) -> Check | None:
    gate = catalogue.gate(gate_key)
    return gate.check(check_key) if gate else None


def _check_words(gate: str, check: str, status: str, summary: str, producer: str, commit: str) -> None:
    for what, key in (("gate", gate), ("check", check)):
        if not _KEY.match(key):
            raise _refused("bad_name", f"{key[:60]!r} is no name of a {what}.", "Use letters, digits, . _ and -.")
    if status not in EvidenceStatus.values:
        raise _refused("bad_status", f"{status[:60]!r} is no result.", "Say pass or fail.")
    if not any(sign.isprintable() and not sign.isspace() for sign in summary):
        raise _refused("summary_missing", "The summary is empty.", "Say in a sentence what was found.")
    limits = (
        ("summary", summary, LONGEST_SUMMARY),
        ("producer", producer, LONGEST_PRODUCER),
        ("commit", commit, LONGEST_COMMIT),
    )
    for what, text, longest in limits:
        if len(text) > longest:
            raise _refused(
                "too_long", f"The {what} has {len(text):,} characters, the limit is {longest}.", "Shorten it."
            )


def _readable(text: str) -> str:
    """Without what nobody sees: signs that turn the direction, are no text, or move a terminal's cursor."""
    shown = (sign if sign.isprintable() or sign == "\n" else " " if sign.isspace() else "" for sign in text)
    return "".join(shown).strip()


def _checked(given: Attachment) -> Attachment:
    """With the hash of its content, which must be the one that was given, if any."""
    if len(given.name) > LONGEST_NAME or not given.name.isprintable():
        raise _refused("bad_text", "The name of the artefact cannot be printed, or is too long.", "Shorten it.")
    if given.sha256 and not _SHA256.match(given.sha256):
        raise _refused("bad_sha256", f"{given.sha256[:70]!r} is no SHA-256.", "Give 64 hexadecimal digits.")
    if given.name and given.content is None and not given.sha256:
        raise _refused("artefact_missing", f"Of {given.name[:60]} came neither hash nor content.", "Give one of them.")
    if given.content is None:
        return given
    if len(given.content) > MOST_BYTES:
        size = f"{len(given.content):,}"
        raise _refused(
            "too_large", f"The artefact has {size} bytes, the limit is {MOST_BYTES:,}.", "Keep it elsewhere."
        )
    found = hashlib.sha256(given.content).hexdigest()
    if given.sha256 and given.sha256 != found:
        raise _refused(
            "sha256_differs", f"The artefact's SHA-256 is {found}, and {given.sha256} was given.", "Send it again."
        )
    return Attachment(given.name, found, given.content)


def _keep(attachment: Attachment) -> dict[str, object]:
    """The columns of the evidence row, with the content kept once by its hash."""
    columns: dict[str, object] = {"artefact_name": attachment.name, "artefact_sha256": attachment.sha256}
    if attachment.content is not None:
        EvidenceArtefact.objects.bulk_create(
            [EvidenceArtefact(sha256=attachment.sha256, content=attachment.content, size=len(attachment.content))],
            ignore_conflicts=True,
        )
        columns["artefact_id"] = attachment.sha256
    return columns


def _refused(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done=NOT_DONE, next_step=next_step)
