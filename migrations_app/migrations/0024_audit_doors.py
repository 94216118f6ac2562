"""Only a true append gets into the audit log, and no row about gates without its entry there; anchors get a table."""

import django.db.models.functions.datetime
from django.db import migrations, models

# 7061, 1 is locks.AUDIT_APPEND: audit_append holds it already, whoever inserts by hand waits here for those before.
FOLLOWS = """
CREATE FUNCTION audit_follows() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
DECLARE
    head migrations_app_auditentry;
BEGIN
    PERFORM pg_advisory_xact_lock(7061, 1);
    SELECT * INTO head FROM migrations_app_auditentry ORDER BY seq DESC LIMIT 1;
    IF NEW.seq IS DISTINCT FROM coalesce(head.seq, 0) + 1
       OR NEW.prev_hash IS DISTINCT FROM coalesce(head.hash, decode(repeat('00', 32), 'hex'))
       OR NEW.hash IS DISTINCT FROM sha256(NEW.prev_hash || convert_to(
            NEW.seq || '|' || (extract(epoch FROM NEW.at) * 1000000)::bigint || '|' || NEW.body, 'UTF8')) THEN
        RAISE EXCEPTION 'an audit entry follows from the one before: INSERT refused'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF abs(extract(epoch FROM clock_timestamp() - NEW.at)) > 1 THEN
        RAISE EXCEPTION 'an audit entry is of this moment: INSERT refused' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER audit_follows BEFORE INSERT ON migrations_app_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_follows();
ALTER TABLE migrations_app_auditentry ENABLE ALWAYS TRIGGER audit_follows;
"""

NO_FOLLOWS = """
DROP TRIGGER audit_follows ON migrations_app_auditentry;
DROP FUNCTION audit_follows();
"""

# A transaction's entries are the newest ones, because it holds the chain's lock from its first one on: the search ends
# at the first entry that is older. A subtransaction's number is above its transaction's, so `age` is at most as high.
# Arguments: actions, the name of the row's number in the entry, then `name=column` of what has to be equal.
DEMANDED = """
CREATE FUNCTION entry_demanded() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
DECLARE
    made jsonb := pg_catalog.to_jsonb(NEW);
    entry record;
    pair text;
    same boolean;
BEGIN
    FOR entry IN SELECT e.xmin, e.data FROM migrations_app_auditentry e ORDER BY e.seq DESC LOOP
        EXIT WHEN age(entry.xmin) > age(pg_current_xact_id()::xid);
        CONTINUE WHEN NOT entry.data->>'action' = ANY(string_to_array(TG_ARGV[0], ' '))
            OR entry.data->'after'->>TG_ARGV[1] IS DISTINCT FROM made->>'id';
        same := true;
        FOREACH pair IN ARRAY TG_ARGV[2:] LOOP
            same := same AND entry.data->'after'->>split_part(pair, '=', 1)
                IS NOT DISTINCT FROM made->>split_part(pair, '=', 2);
        END LOOP;
        IF same THEN
            RETURN NULL;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'a row of % without its entry in the audit log was refused', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$body$;
"""

# table: the actions that tell of its rows, the row's number in the entry, and what the database compares of it.
TOLD = {
    "gateevidence": (
        "evidence.record",
        "evidence",
        "release=release_id gate=gate_key check=check_key status=status identity=identity artefact_sha256=artefact_sha256 by=by_id",
    ),
    "gatesignature": ("gate.sign", "signature", "release=release_id gate=gate_key evidence_hash=evidence_hash by=by_id"),
    "signaturewithdrawal": ("gate.withdraw", "withdrawal", "signature=signature_id by=by_id"),
    "gatewaiver": ("waiver.ask", "waiver", "release=release_id gate=gate_key check=check_key by=requested_by_id"),
    "waiverdecision": (
        "waiver.approve waiver.decline waiver.withdraw waiver.revoke",
        "decision",
        "waiver=waiver_id verb=verb by=by_id",
    ),
    "breakglass": ("glass.ask", "glass", "release=release_id blockers_hash=blockers_hash by=asked_by_id"),
    "breakglassanswer": ("glass.break glass.decline", "answer", "glass=glass_id granted=granted by=by_id"),
    "cutover": ("cutover.start", "cutover", "release=release_id glass=glass_id by=requested_by_id"),
}

DEMAND = """
CREATE CONSTRAINT TRIGGER {table}_told AFTER INSERT ON migrations_app_{table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION entry_demanded({arguments});
ALTER TABLE migrations_app_{table} ENABLE ALWAYS TRIGGER {table}_told;
"""

KEEP_ANCHORS = """
CREATE TRIGGER auditanchor_no_change BEFORE UPDATE OR DELETE ON migrations_app_auditanchor
    FOR EACH ROW EXECUTE FUNCTION gate_refuse();
CREATE TRIGGER auditanchor_no_truncate BEFORE TRUNCATE ON migrations_app_auditanchor
    FOR EACH STATEMENT EXECUTE FUNCTION gate_refuse();
ALTER TABLE migrations_app_auditanchor ENABLE ALWAYS TRIGGER auditanchor_no_change;
ALTER TABLE migrations_app_auditanchor ENABLE ALWAYS TRIGGER auditanchor_no_truncate;
"""

NO_KEEP_ANCHORS = """
DROP TRIGGER auditanchor_no_truncate ON migrations_app_auditanchor;
DROP TRIGGER auditanchor_no_change ON migrations_app_auditanchor;
"""


# How a cutover began is told in the audit log; its course changes the row.
KEEP_CUTOVER = """
CREATE OR REPLACE FUNCTION cutover_keep() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    course text[] := '{status,sentence,ended_at,version,acting_id,back_since,back_reason}';
BEGIN
    IF TG_OP <> 'UPDATE' OR to_jsonb(NEW) - course <> to_jsonb(OLD) - course THEN
        RAISE EXCEPTION 'how a cutover began never changes: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$body$;
"""

# A temporary table hides one of the same name unless pg_temp is named last; then a guard would look at a forgery.
GUARDS = (
    "audit_follows",
    "entry_demanded",
    "gate_lock",
    "gateevidence_guard",
    "gatesignature_guard",
    "signaturewithdrawal_guard",
    "gatewaiver_guard",
    "waiverdecision_guard",
    "breakglass_guard",
    "breakglassanswer_guard",
    "cutover_guard",
    "cutover_check_gate",
    "cutover_check_evidence",
    "release_begin",
)
NO_SHADOWS = """
DO $fix$
DECLARE
    guard regprocedure;
BEGIN
    FOR guard IN SELECT p.oid FROM pg_proc p
                  WHERE p.pronamespace = current_schema()::regnamespace AND p.proname = ANY('{%s}') LOOP
        EXECUTE format('ALTER FUNCTION %%s SET search_path = %%I, pg_temp', guard, current_schema());
    END LOOP;
END
$fix$;
""" % ",".join(GUARDS)


def demands() -> str:
    return "".join(
        DEMAND.format(table=table, arguments=", ".join(f"'{one}'" for one in (actions, number, *same.split())))
        for table, (actions, number, same) in TOLD.items()
    )


class Migration(migrations.Migration):
    dependencies = [("migrations_app", "0023_boot")]

    operations = [
        migrations.CreateModel(
            name="AuditAnchor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.BigIntegerField()),
                ("hash", models.CharField(max_length=64)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("file_ok", models.BooleanField()),
                ("webhook_ok", models.BooleanField(null=True)),
                ("note", models.CharField(blank=True, max_length=500)),
            ],
            options={"ordering": ["-id"], "indexes": [models.Index(fields=["-at"], name="anchor_by_time")]},
        ),
        migrations.RunSQL(KEEP_ANCHORS, NO_KEEP_ANCHORS),
        migrations.RunSQL(FOLLOWS, NO_FOLLOWS),
        migrations.RunSQL(DEMANDED, "DROP FUNCTION entry_demanded();"),
        migrations.RunSQL(
            demands(), "".join(f"DROP TRIGGER {table}_told ON migrations_app_{table};" for table in reversed(TOLD))
        ),
        migrations.RunSQL(KEEP_CUTOVER, migrations.RunSQL.noop),
        migrations.RunSQL(NO_SHADOWS, migrations.RunSQL.noop),
    ]
