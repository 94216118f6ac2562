"""Who did what in a bundle: every row has its audit entry, and nobody did alone what takes another person."""

from __future__ import annotations

import json
from collections.abc import Iterator

from migrations_app.releases.bundle.kinds import (
    KINDS,
    OF_ACTION,
    Broken,
    Json,
    difference,
    no_entry,
    no_row,
    told_twice,
)

# What an entry calls otherwise than the bundle's release.
_COLUMNS = {"release": "id", "at": "created_at"}
_GREEN = {"pass", "not_applicable", "waived"}


def look_at_people(document: Json) -> None:
    """Raises Broken."""
    _registered(document)
    _rows_are_told(document)
    _nobody_signed_their_own(document)
    _nobody_decided_alone(document)
    _cutovers_passed(document)


def _registered(document: Json) -> None:
    release = document["release"]
    told = [(seq, body) for seq, body in _bodies(document) if body["action"] == "release.register"]
    if len(told) != 1:
        raise Broken(f"The audit log tells {len(told)} times that the release was registered, and not once.")
    seq, body = told[0]
    for key, value in {**body["after"], "by_name": body["actor"]}.items():
        if release[_COLUMNS.get(key, key)] != value:
            raise Broken(f"The release is not what was registered: its {key} is another in entry number {seq}.")


def _rows_are_told(document: Json) -> None:
    """Every row has one entry that says the same, and every entry its row."""
    rows = {(kind.list, row[kind.number]): row for kind in KINDS for row in document[kind.list]}
    seen = set()
    for seq, body in _bodies(document):
        kind = OF_ACTION.get(body["action"])
        if kind is None:
            continue
        place = kind.list, body["after"].get(kind.number)
        if place in seen:
            raise Broken(told_twice(kind, place[1], seq))
        row = rows.get(place)
        if row is None:
            raise Broken(no_row(kind, place[1], seq))
        seen.add(place)
        told = {key: value for key, value in row.items() if key not in kind.beside}
        if why := difference(kind, told, seq, body["after"]):
            raise Broken(why)
        if row["by_name"] != body["actor"]:
            raise Broken(f"{kind.called(place[1])} is by {row['by_name']}, and entry number {seq} by {body['actor']}.")
    for kind in KINDS:
        for row in document[kind.list]:
            if (kind.list, row[kind.number]) not in seen:
                raise Broken(no_entry(kind, row[kind.number]))


def _bodies(document: Json) -> Iterator[tuple[int, Json]]:
    for entry in document["entries"]:
        yield entry["seq"], json.loads(entry["body"])


def _nobody_signed_their_own(document: Json) -> None:
    author = document["release"]["by"]
    for signature in document["signatures"]:
        if signature["by"] == author:
            raise Broken(f"Signature {signature['signature']} is by the author of the release, {signature['by_name']}.")
    given = {one["signature"]: one["by"] for one in document["signatures"]}
    for withdrawal in document["withdrawals"]:
        if given[withdrawal["signature"]] != withdrawal["by"]:
            raise Broken(f"Withdrawal {withdrawal['withdrawal']} is not by whoever had signed.")


def _nobody_decided_alone(document: Json) -> None:
    author = document["release"]["by"]
    asked = {one["waiver"]: one["by"] for one in document["waivers"]}
    for decision in document["decisions"]:
        if decision["verb"] == "approve" and decision["by"] in (asked[decision["waiver"]], author):
            raise Broken(f"Exemption {decision['waiver']} was approved by whoever asked for it, or by the author.")
    broke = {one["glass"]: one["by"] for one in document["glass"]}
    for answer in document["answers"]:
        if answer["granted"] and answer["by"] == broke[answer["glass"]]:
            raise Broken(f"Glass {answer['glass']} was broken by one person alone.")


def _cutovers_passed(document: Json) -> None:
    """Each gate was green and signed by others, or two people broke the glass."""
    granted = {one["glass"] for one in document["answers"] if one["granted"]}
    for cutover in document["cutovers"]:
        if cutover["glass"] is not None:
            if cutover["glass"] not in granted:
                raise Broken(f"Cutover {cutover['cutover']} was begun over a glass that nobody granted.")
            continue
        for gate, state, _, _ in cutover["gates"]:
            if state not in _GREEN:
                raise Broken(f"Cutover {cutover['cutover']} was begun while the gate {gate} was {state}.")
