"""Check a release's bundle on the standard library alone: every hash anew, every row against its audit entry.

`python -m migrations_app.releases.bundle.check FILE [--anchor SEQ:HASH] [--chain FILE]` exits 0 when all of it fits,
else 1 with the first thing that does not. Whoever makes a bundle up can make all of that fit: only an anchor of the
seal itself that was kept elsewhere, or the chain, shows that it is the one that was made.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from migrations_app.audit.body import canonical as as_recorded
from migrations_app.audit.chain import Anchor, Link, digest
from migrations_app.audit.export import link_from
from migrations_app.releases.bundle import shape
from migrations_app.releases.bundle.kinds import Broken, Json
from migrations_app.releases.bundle.people import look_at_people
from migrations_app.releases.bundle.proof import in_chain, look_at_order, seal_anchored
from migrations_app.releases.bundle.unpack import NoBundle, load, parse
from migrations_app.releases.bundle.verdict import look_at_verdict

SEAL = "release.bundle"
_BOUND = (
    "release_id", "schema_rev", "schema_rev_min", "schema_rev_max", "index_hash", "secrets_rev", "commit", "artefacts",
    "head_revision",
)  # fmt: skip
_UNKNOWN = "and only an anchor of it that was kept elsewhere, or the chain, shows that it is the one that was made."


def check_file(
    path: Path, anchors: Collection[Anchor] = (), chain: Path | None = None, noted: Collection[Anchor] = ()
) -> str:
    """What was shown, in a sentence. `anchors` were given for this bundle, and without a chain one is of its seal;
    `noted` are all those that an installation keeps, of whatever entry. Raises NoBundle, Broken, OSError.
    """
    bundle = load(path)
    try:
        return _legible(check(bundle, anchors, chain, noted))
    except Broken as broken:
        raise Broken(_legible(str(broken))) from None
    except (RecursionError, MemoryError):
        raise NoBundle("It is no bundle: it is nested too deeply.") from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise NoBundle(_legible(f"It is no bundle: {type(error).__name__} at {str(error)[:80]}.")) from None


def _legible(sentence: str) -> str:
    """What somebody wrote into a file neither steers the terminal nor stops there for want of a letter."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in sentence)


def check(
    bundle: Json, anchors: Collection[Anchor] = (), chain: Path | None = None, noted: Collection[Anchor] = ()
) -> str:
    shape.look_at_shape(bundle)
    document, proof = bundle["document"], bundle["proof"]
    seal = link_from(proof["seal"])
    for step in (_entries_hold, _revisions_hold, _artefacts_hold, _catalogue_holds, _gates_hold):
        step(document)
    look_at_people(document)
    look_at_verdict(document)
    _sealed(document, seal)
    look_at_order(document, proof, seal)
    anchored = seal_anchored(document, proof, seal, anchors, noted, alone=chain is None)
    if chain is not None:
        shown = in_chain(document, proof, seal, chain, anchors, noted)
    else:
        shown = "which was anchored." if anchored else ""
    return _sentence(document, proof, seal, chain is not None, shown)


def canonical(content: object) -> str:
    """As releases.gates.catalogue has it."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_of(content: object) -> str:
    return _sha256(canonical(content).encode("utf-8", "surrogatepass"))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _body(link: Link) -> Json:
    try:
        body = parse(link.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Broken(f"Entry number {link.seq} of the audit log has a body that cannot be read.")
    return body


def _entries_hold(document: Json) -> None:
    """Each is what its hash says, about this release, and later than the one before."""
    about = f"release:{document['release']['service']}/{document['release']['release_id']}"
    about = json.loads(as_recorded({"object": about}))["object"]
    last = 0
    for link in map(link_from, document["entries"]):
        if digest(link.prev_hash, link.seq, link.at_us, link.body) != link.hash:
            raise Broken(f"Entry number {link.seq} of the audit log is not what was written: its hash differs.")
        if link.seq <= last:
            raise Broken(f"Entry number {link.seq} of the audit log stands after {last}: the order was changed.")
        found = _body(link)["object"]
        if found != about:
            raise Broken(f"Entry number {link.seq} of the audit log is about {found!s:.80}, not about {about}.")
        last = link.seq


def _revisions_hold(document: Json) -> None:
    """Their SQL has the checksums, and the chain of these is what the gates looked at."""
    chain = {name: tuple(checksums) for name, *checksums in document["revisions"]["chain"]}
    for row in document["revisions"]["rows"]:
        kept = []
        for name, checksum in (("up", "checksum"), ("down", "down_checksum"), ("verify", "verify_checksum")):
            sql = row[name]
            if row[checksum] != ("" if sql is None else _checksum(sql)):
                raise Broken(f"Revision {row['revision_id']} has a {name} file that its checksum does not fit.")
            kept.append(row[checksum])
        if chain.get(row["revision_id"]) != tuple(kept):
            raise Broken(f"Revision {row['revision_id']} is not the one that stands in the chain.")
    found = _chain_hash(document["revisions"]["chain"], document["revisions"]["head"])
    for gate in document["verdict"]["gates"]:
        if gate["parts"]["revisions"] != found:
            raise Broken("The revisions are not those that the gates were judged with: their chain has another hash.")


def _chain_hash(chain: Sequence[Sequence[str]], head: str) -> str:
    """As rehearsals.chains and releases.gates.reading have it."""
    last, hashes = "", {}
    for name, up, _, _ in chain:
        last = hashes[name] = _sha256(json.dumps([last, name, up]).encode())
    last = hashes.get(head, "")
    return _sha256(json.dumps([last, *[[down, verify] for _, _, down, verify in chain]]).encode())


def _checksum(sql: str) -> str:
    """As engine.sql.checksum has it."""
    return "sha256:v1:" + _sha256(sql.encode().replace(b"\r\n", b"\n"))


def _artefacts_hold(document: Json) -> None:
    kept = set()
    for row in document["artefacts"]:
        kept.add(row["sha256"])
        if row["content"] is None:
            continue
        content = base64.b64decode(row["content"], validate=True)
        if _sha256(content) != row["sha256"] or len(content) != row["size"]:
            raise Broken(f"The artefact {row['sha256'][:12]}… is not what was attached: its hash differs.")
    for row in document["evidence"]:
        if row["artefact_size"] is not None and row["artefact_sha256"] not in kept:
            raise Broken(f"The artefact of evidence {row['evidence']} was attached, and the bundle lacks it.")


def _catalogue_holds(document: Json) -> None:
    catalogue = document["catalogue"]
    if sha256_of(catalogue["content"]) != catalogue["sha256"]:
        raise Broken(f"The catalogue is not version {catalogue['version']}: its hash differs.")


def _gates_hold(document: Json) -> None:
    """What was signed is the hash of the parts; what the gates looked at is this release, these reports."""
    release = document["release"]
    told = {name: release[name] for name in _BOUND}
    bound = sha256_of({**told, "id": release["id"]})
    for gate in document["verdict"]["gates"]:
        if sha256_of(gate["parts"]) != gate["evidence_hash"]:
            raise Broken(f"The evidence hash of the gate {gate['gate']} is not that of its parts.")
        if gate["parts"]["release"] != bound:
            raise Broken("The release is not the one that the gates were judged with: its values have another hash.")
    for signature in document["signatures"]:
        if sha256_of(signature["parts"]) != signature["evidence_hash"]:
            raise Broken(f"What signature {signature['signature']} was given for is not what its hash is of.")
    for report in document["evidence"]:
        if sha256_of(report["detail"]) != report["detail_sha256"]:
            raise Broken(f"What evidence {report['evidence']} measured is not what was recorded: its hash differs.")


def _sealed(document: Json, seal: Link) -> None:
    """The seal is the audit entry of the making; it holds the hash of all of this."""
    if digest(seal.prev_hash, seal.seq, seal.at_us, seal.body) != seal.hash:
        raise Broken(f"The seal, entry number {seal.seq} of the audit log, is not what was written: its hash differs.")
    body = _body(seal)
    if body["action"] != SEAL or body["after"]["entries"] != len(document["entries"]):
        raise Broken(f"Entry number {seal.seq} of the audit log is no seal of this bundle.")
    if body["after"]["sha256"] != sha256_of(document):
        raise Broken(f"The bundle was changed since it was made: the seal, entry number {seal.seq}, has another hash.")


def _sentence(document: Json, proof: Json, seal: Link, compared: bool, shown: str) -> str:
    """What nothing from elsewhere was held against only agrees with itself, however whole it is."""
    release = document["release"]
    called = f"elease {release['release_id']} of {release['service']}"
    told = f"R{called} is as it was bundled" if shown else f"The bundle of r{called} agrees with itself"
    told += f": {len(document['evidence'])} reports, {len(document['signatures'])} signatures"
    told += f", {len(document['entries'])} audit entries. {_of_others(proof, compared)}"
    told += f"{document['verdict']['sentence']} Seal {seal.seq}:{seal.hash.hex()}"
    return f"{told}, {shown or _UNKNOWN}"


def _of_others(proof: Json, compared: bool) -> str:
    """What is not in the bundle cannot be recomputed from it, so nobody should take it for checked."""
    if proof["links_left_out"]:
        return f"{proof['links_left_out']:,} entries of others between are left out, their hashes too. "
    many = len(proof["links"])
    if not many:
        return ""
    known = "1 entry of others between is" if many == 1 else f"{many:,} entries of others between are"
    return f"{known} known by {'hashes that the chain has too' if compared else 'hashes alone'}. "


def main(arguments: Sequence[str] | None = None, say: Callable[..., object] = print) -> int:
    parser = argparse.ArgumentParser(description="Check the bundle of a release.")
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--anchor", type=Anchor.parse, action="append", default=[], help="SEQ:HASH noted outside the database"
    )
    parser.add_argument("--chain", type=Path, help="the audit log as it was downloaded, to find the entries in")
    options = parser.parse_args(arguments)
    try:
        say(check_file(options.file, options.anchor, options.chain))
    except (OSError, NoBundle) as error:
        say(f"The file cannot be checked: {error}", file=sys.stderr)
        return 1
    except Broken as broken:
        say(str(broken), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
