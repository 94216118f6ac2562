"""A clone is only handed out when its schema is the original's, object by object."""

from __future__ import annotations

from migrations_app.engine.clone.server import APPLICATION
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.compare import compare
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.fingerprint import CatalogueObject, catalogue, hash_of

NAMED = 5


def prove_equal(expected: tuple[CatalogueObject, ...], dsn: Dsn) -> str:
    """The clone's fingerprint, asked through its own address, which proves that as well."""
    with open_session(dsn, application_name=APPLICATION) as conn:
        objects = catalogue(conn)
    differences = compare(expected, objects)
    if differences:
        named = ", ".join(f"{one.sign} {one.kind} {one.name}" for one in differences[:NAMED])
        more = f" and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
        raise Refused(
            "clone_differs",
            f"The clone does not have the target's schema: {named}{more}.",
            not_done="The clone was removed again, and nothing was changed in the target.",
            next_step="If the target was changed just now, begin again; else rehearse on a restored backup.",
        )
    return str(hash_of(objects))
