"""Releases, catalogues, gates of cutovers and artefacts take no row by hand either."""

from django.db import migrations

# table: the action that tells of its rows, the row's number in the entry, and what is compared of it (see 0024).
TOLD = {
    "release": (
        "release.register",
        "release",
        "schema_rev=schema_rev schema_rev_min=schema_rev_min schema_rev_max=schema_rev_max index_hash=index_hash "
        "secrets_rev=secrets_rev commit=commit artefacts=artefacts head_revision=head_revision by=created_by_id",
    ),
    "gatecatalogue": ("catalogue.edit", "number", "version=version sha256=sha256"),
}

# The first catalogue of all comes with the product: nobody has saved it, so no entry tells of it.
NEEDS_ENTRY = {"release": "true", "gatecatalogue": "NEW.version <> 1 OR NEW.service_id IS NOT NULL"}

DEMAND = """
CREATE CONSTRAINT TRIGGER {table}_told AFTER INSERT ON migrations_app_{table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ({needs}) EXECUTE FUNCTION entry_demanded({arguments});
ALTER TABLE migrations_app_{table} ENABLE ALWAYS TRIGGER {table}_told;
"""

# A cutover's entry holds its gates as they stood; this transaction's entries are the newest ones (see 0024).
CUTOVER_GATES = """
DO $make$
BEGIN
    EXECUTE format($function$
CREATE FUNCTION cutovergate_guard() RETURNS trigger LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    proof jsonb := jsonb_build_array(NEW.gate_key, NEW.state, NEW.evidence_hash, to_jsonb(NEW)->'signers');
    entry record;
BEGIN
    FOR entry IN SELECT e.xmin, e.data FROM %1$I.migrations_app_auditentry e ORDER BY e.seq DESC LOOP
        EXIT WHEN age(entry.xmin) > age(pg_current_xact_id()::xid);
        IF entry.data->>'action' = 'cutover.start' AND entry.data->'after'->>'cutover' = NEW.cutover_id::text
           AND EXISTS (SELECT FROM jsonb_array_elements(entry.data->'after'->'gates') one WHERE one = proof) THEN
            RETURN NULL;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'a gate of a cutover that its entry in the audit log does not tell of was refused'
        USING ERRCODE = 'insufficient_privilege';
END
$body$$function$, current_schema());
END
$make$;
CREATE CONSTRAINT TRIGGER cutovergate_told AFTER INSERT ON migrations_app_cutovergate
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cutovergate_guard();
ALTER TABLE migrations_app_cutovergate ENABLE ALWAYS TRIGGER cutovergate_told;
"""

NO_CUTOVER_GATES = """
DROP TRIGGER cutovergate_told ON migrations_app_cutovergate;
DROP FUNCTION cutovergate_guard();
"""

# NOT VALID: what lies there already is the verifier's to tell of, and does not keep anybody from this version.
OWN_HASH = """
ALTER TABLE migrations_app_evidenceartefact ADD CONSTRAINT evidenceartefact_own_hash
    CHECK (sha256 = pg_catalog.encode(pg_catalog.sha256(content), 'hex')) NOT VALID;
"""


def demands() -> str:
    return "".join(
        DEMAND.format(
            table=table,
            needs=NEEDS_ENTRY[table],
            arguments=", ".join(f"'{one}'" for one in (action, number, *same.split())),
        )
        for table, (action, number, same) in TOLD.items()
    )


class Migration(migrations.Migration):
    dependencies = [("migrations_app", "0026_guards_spelled_out")]

    operations = [
        migrations.RunSQL(
            demands(), "".join(f"DROP TRIGGER {table}_told ON migrations_app_{table};" for table in reversed(TOLD))
        ),
        migrations.RunSQL(CUTOVER_GATES, NO_CUTOVER_GATES),
        migrations.RunSQL(
            OWN_HASH, "ALTER TABLE migrations_app_evidenceartefact DROP CONSTRAINT evidenceartefact_own_hash;"
        ),
    ]
