"""The caller has to hold the set of secrets that its environment expects, and that its release was made for."""

from __future__ import annotations

from collections.abc import Iterator

from migrations_app.releases.boot.known import Asked, Known, Reason
from migrations_app.releases.boot.phases import SECRETS


def judge(asked: Asked, known: Known) -> Iterator[Reason]:
    """Sets are compared by their names; what was not said is equal to nothing."""
    release = known.release
    expected = [(" or ".join(known.secrets), known.secrets, f"{known.environment} expects")] if known.secrets else []
    if release is not None and release.secrets_rev:
        expected.append((release.secrets_rev, (release.secrets_rev,), f"{release.release_id} was made for"))
    for told, good, whose in expected:
        if not asked.secrets_rev:
            clears = "Start it with the name of its set of secrets."
            yield _reason("secrets_rev_missing", f"{whose} the secrets {told}; the caller names none.", clears)
        elif asked.secrets_rev not in good:
            clears = "Deliver that set, or have an admin change what is expected."
            yield _reason("secrets_rev_differs", f"{whose} the secrets {told}, not {asked.secrets_rev}.", clears)


def _reason(code: str, sentence: str, clears: str) -> Reason:
    return Reason(code, SECRETS, sentence, clears, hopeless=True)
