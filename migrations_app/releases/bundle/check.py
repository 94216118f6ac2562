"""Check a release's bundle on the standard library alone: every hash anew, every row against its audit entry.

`python -m migrations_app.releases.bundle.check FILE [--anchor SEQ:HASH] [--chain FILE]` exits 0 when all of it fits,
else 1 with the first thing that does not.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from migrations_app.audit.body import canonical as as_recorded
from migrations_app.audit.chain import Anchor, Link, digest
from migrations_app.audit.export import Unreadable, links_of, verify_file
from migrations_app.releases.bundle.kinds import Broken, Json
from migrations_app.releases.bundle.people import look_at_people

FORMAT = "lockstep release bundle 1"
SEAL = "release.bundle"
_BOUND = (
    "release_id", "schema_rev", "schema_rev_min", "schema_rev_max", "index_hash", "secrets_rev", "commit", "artefacts",
    "head_revision",
)  # fmt: skip


class NoBundle(ValueError):
    """The file is not a bundle at all."""


def check_file(path: Path, anchors: Collection[Anchor] = (), chain: Path | None = None) -> str:
    """What was shown, in a sentence. Raises NoBundle, Broken, OSError."""
    bundle = read(path.read_bytes())
    try:
        return check(bundle, anchors, chain)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, Unreadable):
            raise Broken(f"The chain cannot be read: {error}") from None
        raise NoBundle(f"It is no bundle: {type(error).__name__} at {str(error)[:80]}.") from None


def read(data: bytes) -> Json:
    """Raises NoBundle."""
    try:
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        bundle = json.loads(data, object_pairs_hook=_once, parse_constant=_no_number)
    except (OSError, EOFError, ValueError, RecursionError):
        raise NoBundle("It is no bundle: neither JSON nor JSON packed with gzip.") from None
    if not isinstance(bundle, dict) or bundle.get("format") != FORMAT:
        raise NoBundle(f"It is no bundle of this version, which has the format {FORMAT!r}.")
    return bundle


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Of two values under one name another reader may take the first."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number in JSON")


def check(bundle: Json, anchors: Collection[Anchor] = (), chain: Path | None = None) -> str:
    document, proof = bundle["document"], bundle["proof"]
    seal = _link(proof["seal"])
    for step in (_entries_hold, _revisions_hold, _artefacts_hold, _catalogue_holds, _gates_hold, look_at_people):
        step(document)
    _sealed(document, seal)
    _in_order(document, proof, seal)
    anchored = _anchored(document, seal, anchors)
    if chain is not None:
        _in_chain(document, seal, chain, anchors)
    return _sentence(document, seal, chain, anchored)


def canonical(content: object) -> str:
    """As releases.gates.catalogue has it."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_of(content: object) -> str:
    return _sha256(canonical(content).encode("utf-8", "surrogatepass"))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _link(entry: Json) -> Link:
    prev_hash, own_hash = bytes.fromhex(entry["prev_hash"]), bytes.fromhex(entry["hash"])
    return Link(int(entry["seq"]), int(entry["at_us"]), str(entry["body"]), prev_hash, own_hash)


def _entries_hold(document: Json) -> None:
    """Each is what its hash says, about this release, and later than the one before."""
    about = f"release:{document['release']['service']}/{document['release']['release_id']}"
    about = json.loads(as_recorded({"object": about}))["object"]
    last = 0
    for link in map(_link, document["entries"]):
        if digest(link.prev_hash, link.seq, link.at_us, link.body) != link.hash:
            raise Broken(f"Entry number {link.seq} of the audit log is not what was written: its hash differs.")
        if link.seq <= last:
            raise Broken(f"Entry number {link.seq} of the audit log stands after {last}: the order was changed.")
        found = json.loads(link.body)["object"]
        if found != about:
            raise Broken(f"Entry number {link.seq} of the audit log is about {found[:80]}, not about {about}.")
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
    body = json.loads(seal.body)
    if body["action"] != SEAL or body["after"]["entries"] != len(document["entries"]):
        raise Broken(f"Entry number {seal.seq} of the audit log is no seal of this bundle.")
    if body["after"]["sha256"] != sha256_of(document):
        raise Broken(f"The bundle was changed since it was made: the seal, entry number {seal.seq}, has another hash.")


def _in_order(document: Json, proof: Json, seal: Link) -> None:
    """From the first entry to the seal every number is there, and names the hash before it.

    A bundle with very many entries of others between leaves all of their links out, and says how many.
    """
    own = [int(one["seq"]) for one in document["entries"]]
    between = seal.seq - min(own, default=seal.seq) - len(own)
    if proof["links_left_out"] not in (0, between) or (proof["links_left_out"] and proof["links"]):
        raise Broken(f"The bundle says that it leaves {proof['links_left_out']!r:.20} links of the audit log out.")
    if proof["links_left_out"]:
        return
    stand = {int(seq): (before, itself) for seq, before, itself in proof["links"]}
    stand |= {int(one["seq"]): (one["prev_hash"], one["hash"]) for one in document["entries"]}
    stand[seal.seq] = seal.prev_hash.hex(), seal.hash.hex()
    first = min(stand)
    if len(stand) != seal.seq - first + 1 or max(stand) != seal.seq:
        raise Broken(f"Links of the audit log between number {first} and {seal.seq} are missing.")
    for seq in range(first + 1, seal.seq + 1):
        if stand[seq][0] != stand[seq - 1][1]:
            raise Broken(f"Entry number {seq} of the audit log does not follow from number {seq - 1}.")


def _anchored(document: Json, seal: Link, anchors: Collection[Anchor]) -> bool:
    """Whether an anchor was of an entry that the bundle has whole; of others it can say nothing."""
    whole = {int(one["seq"]): str(one["hash"]) for one in document["entries"]} | {seal.seq: seal.hash.hex()}
    for anchor in anchors:
        if whole.get(anchor.seq, anchor.hash) != anchor.hash:
            raise Broken(f"Entry number {anchor.seq} is not the one that was anchored: the bundle is of another chain.")
    return any(anchor.seq == seal.seq for anchor in anchors)


def _in_chain(document: Json, seal: Link, chain: Path, anchors: Collection[Anchor]) -> None:
    """The chain itself, as the audit page gives it: it holds, and has these very entries."""
    verdict = verify_file(chain, anchors)
    if not verdict.ok:
        raise Broken(f"The chain does not hold: {verdict.sentence}")
    wanted = {link.seq: link.hash for link in map(_link, document["entries"])} | {seal.seq: seal.hash}
    with chain.open(encoding="utf-8") as lines:
        for link in links_of(lines):
            if wanted.pop(link.seq, link.hash) != link.hash:
                raise Broken(f"Entry number {link.seq} of the bundle is another one than in the chain.")
    if wanted:
        raise Broken(f"Entry number {min(wanted)} of the bundle is not in the chain: it ends before, or begins later.")


def _sentence(document: Json, seal: Link, chain: Path | None, anchored: bool) -> str:
    release = document["release"]
    counts = f"{len(document['evidence'])} reports, {len(document['signatures'])} signatures"
    told = f"Release {release['release_id']} of {release['service']} is as it was bundled: {counts}"
    told += f", {len(document['entries'])} audit entries. {document['verdict']['sentence']} Seal {seal.seq}:"
    told += f"{seal.hash.hex()}, "
    if chain is not None:
        return told + "which is in the chain."
    return told + ("which was anchored." if anchored else "to be compared with the chain or an anchor kept elsewhere.")


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
