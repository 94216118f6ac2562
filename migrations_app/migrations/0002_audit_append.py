"""The audit chain's only door, and the triggers that keep its rows as they were written."""

from __future__ import annotations

from django.db import migrations

# The function is created with its table's schema spelled out, because SECURITY DEFINER runs with a search path
# that holds no schema a caller could put something in. 7061, 1 is locks.AUDIT_APPEND.
#  1 take the lock (kept until COMMIT)   2 read the head   3 take clock and number
#  4 hash the head's hash and the row    5 insert
CREATE = r"""
DO $create$
DECLARE
    here text := current_schema();
BEGIN
    EXECUTE format($sql$
        CREATE FUNCTION %1$I.audit_append(entry_body text) RETURNS %1$I.migrations_app_auditentry
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
        DECLARE
            head %1$I.migrations_app_auditentry;
            entry %1$I.migrations_app_auditentry;
        BEGIN
            IF current_setting('transaction_isolation') <> 'read committed' THEN
                RAISE EXCEPTION 'audit_append needs READ COMMITTED, this transaction is %%',
                    upper(current_setting('transaction_isolation'))
                    USING ERRCODE = 'feature_not_supported';
            END IF;
            PERFORM pg_advisory_xact_lock(7061, 1);
            SELECT * INTO head FROM %1$I.migrations_app_auditentry ORDER BY seq DESC LIMIT 1;
            entry.seq := coalesce(head.seq, 0) + 1;
            entry.at := clock_timestamp();
            entry.body := entry_body;
            entry.prev_hash := coalesce(head.hash, decode(repeat('00', 32), 'hex'));
            entry.hash := sha256(entry.prev_hash || convert_to(
                entry.seq || '|' || (extract(epoch FROM entry.at) * 1000000)::bigint || '|' || entry.body, 'UTF8'));
            INSERT INTO %1$I.migrations_app_auditentry (seq, at, body, prev_hash, hash)
                VALUES (entry.seq, entry.at, entry.body, entry.prev_hash, entry.hash) RETURNING * INTO entry;
            RETURN entry;
        END
        $body$;

        CREATE FUNCTION %1$I.audit_refuse() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        BEGIN
            RAISE EXCEPTION 'audit entries are never changed: %% refused', TG_OP
                USING ERRCODE = 'insufficient_privilege';
        END
        $body$;

        REVOKE ALL ON FUNCTION %1$I.audit_append(text) FROM PUBLIC;
        CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON %1$I.migrations_app_auditentry
            FOR EACH ROW EXECUTE FUNCTION %1$I.audit_refuse();
        CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %1$I.migrations_app_auditentry
            FOR EACH STATEMENT EXECUTE FUNCTION %1$I.audit_refuse();
        ALTER TABLE %1$I.migrations_app_auditentry ENABLE ALWAYS TRIGGER audit_no_change;
        ALTER TABLE %1$I.migrations_app_auditentry ENABLE ALWAYS TRIGGER audit_no_truncate;
    $sql$, here);
END
$create$;
"""

DROP = """
DROP TRIGGER audit_no_truncate ON migrations_app_auditentry;
DROP TRIGGER audit_no_change ON migrations_app_auditentry;
DROP FUNCTION audit_refuse();
DROP FUNCTION audit_append(text);
"""


class Migration(migrations.Migration):
    dependencies = [("migrations_app", "0001_first")]
    operations = [migrations.RunSQL(CREATE, DROP)]
