"""What the database itself refuses about gates: a changed row, one's own release, a cutover past a gate that blocks.

The code judges first and says why; these triggers hold whatever the code forgets, and whoever writes rows without it.
"""

from django.db import migrations

# Rows that are only ever added.
KEPT = (
    "gatecatalogue",
    "evidenceartefact",
    "gateevidence",
    "gatesignature",
    "signaturewithdrawal",
    "gatewaiver",
    "waiverdecision",
    "breakglass",
    "breakglassanswer",
    "cutovergate",
)

REFUSE = """
CREATE FUNCTION gate_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$body$;
"""

KEEP = """
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON migrations_app_{table}
    FOR EACH ROW EXECUTE FUNCTION gate_refuse();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON migrations_app_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION gate_refuse();
ALTER TABLE migrations_app_{table} ENABLE ALWAYS TRIGGER {table}_no_change;
ALTER TABLE migrations_app_{table} ENABLE ALWAYS TRIGGER {table}_no_truncate;
"""

BEGIN = """
CREATE FUNCTION release_begin() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
BEGIN
    INSERT INTO migrations_app_releasestate (release_id, status, version, changed_at)
    VALUES (NEW.id, 'draft', 1, NEW.created_at);
    RETURN NULL;
END
$body$;
CREATE TRIGGER release_begin AFTER INSERT ON migrations_app_release
    FOR EACH ROW EXECUTE FUNCTION release_begin();
"""

NO_BEGIN = """
DROP TRIGGER release_begin ON migrations_app_release;
DROP FUNCTION release_begin();
"""

# Whatever comes in about a release waits for a cutover that is being created, and the reverse.
LOCK = """
CREATE FUNCTION gate_lock(release bigint, made timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
BEGIN
    PERFORM FROM migrations_app_releasestate s WHERE s.release_id = release FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'release % has no state', release USING ERRCODE = 'check_violation';
    END IF;
    IF made > clock_timestamp() + interval '1 second' THEN
        RAISE EXCEPTION 'a row of the future was refused' USING ERRCODE = 'check_violation';
    END IF;
END
$body$;

CREATE FUNCTION gateevidence_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
BEGIN
    PERFORM gate_lock(NEW.release_id, NEW.at);
    RETURN NEW;
END
$body$;

CREATE FUNCTION gatesignature_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
BEGIN
    PERFORM gate_lock(NEW.release_id, NEW.at);
    IF EXISTS (SELECT FROM migrations_app_release r WHERE r.id = NEW.release_id AND r.created_by_id = NEW.by_id)
       OR EXISTS (SELECT FROM migrations_app_cutover c
                   WHERE c.release_id = NEW.release_id AND c.requested_by_id = NEW.by_id) THEN
        RAISE EXCEPTION 'nobody signs their own release or run' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION signaturewithdrawal_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
DECLARE
    signed migrations_app_gatesignature;
BEGIN
    SELECT * INTO signed FROM migrations_app_gatesignature s WHERE s.id = NEW.signature_id;
    PERFORM gate_lock(signed.release_id, NEW.at);
    IF NEW.by_id <> signed.by_id THEN
        RAISE EXCEPTION 'a signature is withdrawn by whoever gave it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION gatewaiver_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
BEGIN
    PERFORM gate_lock(NEW.release_id, NEW.requested_at);
    RETURN NEW;
END
$body$;

CREATE FUNCTION waiverdecision_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
DECLARE
    asked migrations_app_gatewaiver;
    author integer;
    made text[];
BEGIN
    SELECT * INTO asked FROM migrations_app_gatewaiver w WHERE w.id = NEW.waiver_id;
    PERFORM gate_lock(asked.release_id, NEW.at);
    SELECT r.created_by_id INTO author FROM migrations_app_release r WHERE r.id = asked.release_id;
    SELECT coalesce(array_agg(d.verb::text ORDER BY d.id), '{}') INTO made
      FROM migrations_app_waiverdecision d WHERE d.waiver_id = NEW.waiver_id;
    IF (NEW.by_id = asked.requested_by_id) <> (NEW.verb = 'withdraw') THEN
        RAISE EXCEPTION 'a waiver is decided by another person than asked for it' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.verb = 'approve' AND (NEW.by_id = author OR asked.expires_at <= clock_timestamp()) THEN
        RAISE EXCEPTION 'a waiver of one''s own release, or one that is over, is not approved'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT (made = '{}' AND NEW.verb <> 'revoke' OR made = '{approve}' AND NEW.verb IN ('revoke', 'withdraw')) THEN
        RAISE EXCEPTION 'a waiver that is decided is not decided again' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$body$;

CREATE FUNCTION breakglass_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
BEGIN
    PERFORM gate_lock(NEW.release_id, NEW.asked_at);
    RETURN NEW;
END
$body$;

CREATE FUNCTION breakglassanswer_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
DECLARE
    asked migrations_app_breakglass;
BEGIN
    SELECT * INTO asked FROM migrations_app_breakglass g WHERE g.id = NEW.glass_id;
    PERFORM gate_lock(asked.release_id, NEW.at);
    IF NEW.granted AND (NEW.by_id = asked.asked_by_id OR asked.expires_at <= clock_timestamp()) THEN
        RAISE EXCEPTION 'the glass is broken by two people, and in time' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$body$;
"""

GUARDED = (
    "gateevidence",
    "gatesignature",
    "signaturewithdrawal",
    "gatewaiver",
    "waiverdecision",
    "breakglass",
    "breakglassanswer",
)

GUARD = """
CREATE TRIGGER {table}_guard BEFORE INSERT ON migrations_app_{table}
    FOR EACH ROW EXECUTE FUNCTION {table}_guard();
ALTER TABLE migrations_app_{table} ENABLE ALWAYS TRIGGER {table}_guard;
"""

# What the catalogue demands of each gate, once more at the end of the transaction: state, signatures and evidence.
# What Lockstep itself knows (facts) and whether the signed set is what stands is judged in the code alone.
CUTOVER = """
CREATE FUNCTION cutover_refuse(why text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    RAISE EXCEPTION 'no cutover: %', why USING ERRCODE = 'check_violation';
END
$body$;

CREATE FUNCTION cutover_check_evidence(release bigint, gate jsonb) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
DECLARE
    item jsonb;
    newest migrations_app_gateevidence;
BEGIN
    FOR item IN SELECT jsonb_array_elements(gate->'checks') LOOP
        CONTINUE WHEN NOT coalesce((item->>'on')::boolean, true) OR coalesce(item->>'kind', 'posted') = 'fact'
            OR NOT (coalesce((item->>'blocks')::boolean, true)
                    OR nullif(item->>'blocks_from', '')::date <= (clock_timestamp() AT TIME ZONE 'UTC')::date);
        CONTINUE WHEN coalesce((item->>'waivable')::boolean, true) AND EXISTS (
            SELECT FROM migrations_app_gatewaiver w JOIN migrations_app_waiverdecision d ON d.waiver_id = w.id
             WHERE w.release_id = release AND w.gate_key = gate->>'key' AND w.check_key = item->>'key'
               AND w.expires_at > clock_timestamp() AND d.verb = 'approve'
               AND NOT EXISTS (SELECT FROM migrations_app_waiverdecision o
                                WHERE o.waiver_id = w.id AND o.verb <> 'approve'));
        SELECT * INTO newest FROM migrations_app_gateevidence e
         WHERE e.release_id = release AND e.gate_key = gate->>'key' AND e.check_key = item->>'key'
         ORDER BY e.id DESC LIMIT 1;
        IF newest.id IS NULL OR newest.status <> 'pass'
           OR newest.at <= clock_timestamp() - make_interval(hours => coalesce((item->>'max_age_hours')::int, 24)) THEN
            PERFORM cutover_refuse(format('%s/%s is not shown', gate->>'key', item->>'key'));
        END IF;
    END LOOP;
END
$body$;

CREATE FUNCTION cutover_check_gate(cutover migrations_app_cutover, author integer, gate jsonb) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
DECLARE
    proof migrations_app_cutovergate;
    wanted integer := coalesce((gate->>'signatures')::int, 1);
    signers integer[];
    role text;
BEGIN
    SELECT * INTO proof FROM migrations_app_cutovergate g WHERE g.cutover_id = cutover.id AND g.gate_key = gate->>'key';
    IF proof.id IS NULL OR proof.state NOT IN ('pass', 'not_applicable', 'waived') THEN
        PERFORM cutover_refuse(format('the gate %s does not pass', gate->>'key'));
    END IF;
    FOREACH role IN ARRAY ARRAY[''] || ARRAY(SELECT jsonb_array_elements_text(coalesce(gate->'roles', '[]'))) LOOP
        SELECT array_agg(DISTINCT s.by_id) INTO signers FROM migrations_app_gatesignature s
         WHERE s.release_id = cutover.release_id AND s.gate_key = gate->>'key'
           AND s.evidence_hash = proof.evidence_hash AND s.expires_at > clock_timestamp()
           AND s.by_id NOT IN (author, cutover.requested_by_id) AND (role = '' OR s.roles ? role)
           AND EXISTS (SELECT FROM auth_user u WHERE u.id = s.by_id AND u.is_active)
           AND NOT EXISTS (SELECT FROM migrations_app_signaturewithdrawal w WHERE w.signature_id = s.id);
        IF coalesce(cardinality(signers), 0) < (CASE WHEN role = '' THEN wanted ELSE least(wanted, 1) END) THEN
            PERFORM cutover_refuse(format('signatures of the gate %s are missing', gate->>'key'));
        END IF;
    END LOOP;
    PERFORM cutover_check_evidence(cutover.release_id, gate);
END
$body$;

CREATE FUNCTION cutover_guard() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
DECLARE
    author integer;
    gates jsonb;
    gate jsonb;
BEGIN
    PERFORM gate_lock(NEW.release_id, NEW.started_at);
    IF NEW.glass_id IS NOT NULL THEN
        IF NOT EXISTS (SELECT FROM migrations_app_breakglass g
                         JOIN migrations_app_breakglassanswer a ON a.glass_id = g.id
                        WHERE g.id = NEW.glass_id AND g.release_id = NEW.release_id AND a.granted
                          AND a.by_id <> g.asked_by_id) THEN
            PERFORM cutover_refuse('the glass was not broken by two people');
        END IF;
        RETURN NULL;
    END IF;
    SELECT r.created_by_id, c.content->'gates' INTO author, gates FROM migrations_app_release r
      JOIN migrations_app_releasestate s ON s.release_id = r.id
      LEFT JOIN migrations_app_gatecatalogue c ON c.id = s.catalogue_id WHERE r.id = NEW.release_id;
    IF gates IS NULL THEN
        PERFORM cutover_refuse('the release has no catalogue');
    END IF;
    FOR gate IN SELECT jsonb_array_elements(gates) LOOP
        IF coalesce((gate->>'on')::boolean, true) THEN
            PERFORM cutover_check_gate(NEW, author, gate);
        END IF;
    END LOOP;
    RETURN NULL;
END
$body$;

CREATE CONSTRAINT TRIGGER cutover_guard AFTER INSERT ON migrations_app_cutover
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cutover_guard();
ALTER TABLE migrations_app_cutover ENABLE ALWAYS TRIGGER cutover_guard;

CREATE FUNCTION cutover_keep() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF TG_OP <> 'UPDATE'
       OR (NEW.id, NEW.service_id, NEW.release_id, NEW.glass_id, NEW.requested_by_id, NEW.started_at)
          IS DISTINCT FROM (OLD.id, OLD.service_id, OLD.release_id, OLD.glass_id, OLD.requested_by_id, OLD.started_at)
    THEN
        RAISE EXCEPTION 'whose cutover it is never changes: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER cutover_keep BEFORE UPDATE OR DELETE ON migrations_app_cutover
    FOR EACH ROW EXECUTE FUNCTION cutover_keep();
ALTER TABLE migrations_app_cutover ENABLE ALWAYS TRIGGER cutover_keep;

CREATE FUNCTION releasestate_keep() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF TG_OP <> 'UPDATE' OR NEW.release_id <> OLD.release_id
       OR OLD.catalogue_id IS NOT NULL AND NEW.catalogue_id IS DISTINCT FROM OLD.catalogue_id THEN
        RAISE EXCEPTION 'a release keeps its state and the catalogue it began with: % refused', TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER releasestate_keep BEFORE UPDATE OR DELETE ON migrations_app_releasestate
    FOR EACH ROW EXECUTE FUNCTION releasestate_keep();
ALTER TABLE migrations_app_releasestate ENABLE ALWAYS TRIGGER releasestate_keep;
"""

DROP = """
DROP TRIGGER releasestate_keep ON migrations_app_releasestate;
DROP FUNCTION releasestate_keep();
DROP TRIGGER cutover_keep ON migrations_app_cutover;
DROP FUNCTION cutover_keep();
DROP TRIGGER cutover_guard ON migrations_app_cutover;
DROP FUNCTION cutover_guard();
DROP FUNCTION cutover_check_gate(migrations_app_cutover, integer, jsonb);
DROP FUNCTION cutover_check_evidence(bigint, jsonb);
DROP FUNCTION cutover_refuse(text);
"""

DROP_GUARD = """
DROP TRIGGER {table}_guard ON migrations_app_{table};
DROP FUNCTION {table}_guard();
"""

DROP_KEEP = """
DROP TRIGGER {table}_no_truncate ON migrations_app_{table};
DROP TRIGGER {table}_no_change ON migrations_app_{table};
"""


def each(statement: str, tables: tuple[str, ...]) -> str:
    return "".join(statement.format(table=table) for table in tables)


class Migration(migrations.Migration):

    dependencies = [("migrations_app", "0020_release_states")]

    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION gate_refuse();"),
        migrations.RunSQL(each(KEEP, KEPT), each(DROP_KEEP, KEPT)),
        migrations.RunSQL(BEGIN, NO_BEGIN),
        migrations.RunSQL(LOCK, "DROP FUNCTION gate_lock(bigint, timestamptz);"),
        migrations.RunSQL(each(GUARD, GUARDED), each(DROP_GUARD, GUARDED)),
        migrations.RunSQL(CUTOVER, DROP),
    ]
