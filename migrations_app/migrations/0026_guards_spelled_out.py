"""Guards look up no name outside of pg_catalog, and a release's state is not emptied away.

A search path with a schema in which others may create is a way in: a function or operator whose arguments fit better
than PostgreSQL's own is taken, whatever stands first, and runs with the rights of whoever the guard runs for.
"""

from django.db import migrations

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

# Each is created once more from its own text, with tables and guards named by their schema.
SPELL_OUT = r"""
DO $fix$
DECLARE
    named text := '(?<![.\w])(migrations_app_\w+|auth_user|gate_lock|cutover_refuse|cutover_check_\w+)\M';
    guard regprocedure;
BEGIN
    FOR guard IN SELECT p.oid FROM pg_proc p
                  WHERE p.pronamespace = current_schema()::regnamespace AND p.proname = ANY('{%s}') LOOP
        EXECUTE regexp_replace(
            regexp_replace(pg_get_functiondef(guard), named, quote_ident(current_schema()) || '.\1', 'g'),
            'SET search_path TO [^\n]*', 'SET search_path TO pg_catalog, pg_temp');
    END LOOP;
END
$fix$;
"""

KEEP_STATES = """
CREATE TRIGGER releasestate_no_truncate BEFORE TRUNCATE ON migrations_app_releasestate
    FOR EACH STATEMENT EXECUTE FUNCTION gate_refuse();
ALTER TABLE migrations_app_releasestate ENABLE ALWAYS TRIGGER releasestate_no_truncate;
"""


class Migration(migrations.Migration):
    dependencies = [("migrations_app", "0025_web_process")]

    operations = [
        migrations.RunSQL(SPELL_OUT % ",".join(GUARDS), migrations.RunSQL.noop),
        migrations.RunSQL(KEEP_STATES, "DROP TRIGGER releasestate_no_truncate ON migrations_app_releasestate;"),
    ]
