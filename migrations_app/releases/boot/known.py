"""What a caller of the gate says, what Lockstep knows, and what is decided: plain values, without a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from migrations_app.releases.contracts import Place
from migrations_app.releases.schema_chain import SchemaChain

# A report that is older says nothing about now.
REPORT_COUNTS = timedelta(seconds=60)
# A node that is silent for longer is taken for gone.
MEMBER_FOR = timedelta(minutes=10)
RETRY_S = 5


@dataclass(frozen=True)
class Asked:
    """An empty text is what the caller did not say."""

    release_id: str = ""
    schema_rev: str = ""
    index_hash: str = ""
    secrets_rev: str = ""
    node: str = ""
    probes_ok: bool | None = None


@dataclass(frozen=True)
class Declared:
    """A registered release."""

    release_id: str
    schema_rev: str
    schema_rev_min: str
    schema_rev_max: str
    index_hash: str
    secrets_rev: str


@dataclass(frozen=True)
class OpenRun:
    id: int
    status: str
    ends_at: int | None  # the place in the chain that it leads to; None: that is no revision of the chain
    progress: str  # another text whenever it has moved


@dataclass(frozen=True)
class Half:
    """A revision of which a part stands in the target, without a receipt."""

    revision: str
    run: int | None  # the one that left it so; None: that is not known
    direction: str | None  # of the last run that did anything; None: there is none


@dataclass(frozen=True)
class Node:
    """A member other than the one that asks."""

    node: str
    release_id: str
    index_hash: str
    probes_ok: bool | None
    silent_s: float


@dataclass(frozen=True)
class Known:
    """All of it by one statement, at one moment."""

    service: str
    environment: str
    place: Place
    compared_s: float | None  # since its target was last compared; None: never
    secrets: tuple[str, ...]  # the expected set, and the next one
    chain: SchemaChain
    release: Declared | None
    run: OpenRun | None
    planned: tuple[int, ...]  # the places that an open cutover will lead this environment to
    nodes: tuple[Node, ...]
    half: Half | None = None  # looked at while no run is open


@dataclass(frozen=True)
class Reason:
    """One thing that does not hold. `unknown`: nobody can tell; `hopeless`: nothing that is planned will change it."""

    code: str
    phase: str
    sentence: str
    clears: str
    unknown: bool = False
    hopeless: bool = False


@dataclass(frozen=True)
class Decision:
    """`allow` with nothing against it; else every reason, the earliest phase first."""

    reasons: tuple[Reason, ...] = ()
    retry_after: int = RETRY_S
    waiting_for: int | None = None  # the open run after which it could start
    progress: str = ""
    hopeless: bool = False

    @property
    def allow(self) -> bool:
        return not self.reasons

    @property
    def told(self) -> bool:
        """Something is known to be wrong, whatever else cannot be told."""
        return any(not reason.unknown for reason in self.reasons)
