"""Each revision that a cutover would apply was rehearsed there and back, with these bytes and not long ago.

Once they are applied everywhere, what was shown of those that its cutover began with still stands: a cutover takes the
signatures that it needed from nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.utils import timezone

from migrations_app.models import Environment, Release, Revision, RevisionRehearsal
from migrations_app.rehearsals.chains import chain_hashes
from migrations_app.releases.gates.facts import outcome
from migrations_app.releases.gates.known import Outcome
from migrations_app.releases.gates.pending import carried_revisions, head_of, pending_revisions
from migrations_app.statuses import CheckState, Verdict
from migrations_app.wording import counted

DAYS = 14
MOST_NAMED = 3
_BACK = (Verdict.REVERSIBLE, Verdict.LOSSY)


def look(release: Release, settings: Mapping[str, object]) -> Outcome:
    if not Environment.objects.filter(service_id=release.service_id).exists():
        return outcome(CheckState.NOT_APPLICABLE, "There is no environment yet.")
    head, chains = head_of(release), chain_hashes(release.service_id)
    if head not in chains:
        return outcome(CheckState.FAIL, f"{head or 'Its revision'} is not in the chain any more.", "gone")
    pending = list(pending_revisions(release))
    judged = pending or list(carried_revisions(release))
    verdicts = _verdicts(release, judged, chains)
    states = {revision.revision_id: verdicts.get(revision.revision_id, "") for revision in judged}
    if not pending and not (states and set(states.values()) <= set(_BACK)):
        return outcome(CheckState.NOT_APPLICABLE, "No environment has to get a revision for it.")
    refused = [name for name, verdict in states.items() if verdict and verdict not in _BACK]
    if refused:
        return outcome(CheckState.FAIL, f"There is no way back from {_named(refused)}, by its rehearsal.", states)
    never = [name for name, verdict in states.items() if not verdict]
    if never:
        told = f"{_named(never)}: not rehearsed with these bytes in {DAYS} days. An environment's page does it."
        return outcome(CheckState.MISSING, told, states)
    lossy = [name for name, verdict in states.items() if verdict == Verdict.LOSSY]
    told = f"{counted(len(judged), 'revision')} rehearsed there and back"
    return outcome(CheckState.PASS, f"{told}; lossy: {_named(lossy)}." if lossy else f"{told}.", lossy)


def _verdicts(release: Release, pending: Sequence[Revision], chains: Mapping[str, str]) -> dict[str, str]:
    """The newest of each that was made with the bytes and the chain as they stand, in any environment."""
    wanted = {one.revision_id: (one.checksum, one.down_checksum, chains[one.revision_id]) for one in pending}
    since = timezone.now() - timedelta(days=DAYS)
    parts = RevisionRehearsal.objects.filter(
        environment__service_id=release.service_id, revision_id__in=wanted, finished_at__gte=since
    ).order_by("id")
    rows = parts.values_list("revision_id", "checksum", "down_checksum", "chain", "verdict")
    return {name: verdict for name, *bytes_, verdict in rows if tuple(bytes_) == wanted[name]}


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"
