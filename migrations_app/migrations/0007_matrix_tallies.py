"""What the matrix would have to count in 300,000 rows is counted when it changes, by triggers.

A trigger, not the code that writes: whoever changes what is applied, the counts are those of the rows.
"""

from __future__ import annotations

from django.db import migrations, models

# Before each row: do the bytes that stand applied equal those of the chain?
MATCH = """
CREATE FUNCTION migrations_app_applied_match() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    NEW.match := coalesce((
        SELECT CASE WHEN r.checksum = NEW.checksum THEN 'same' ELSE 'other' END
          FROM migrations_app_environment e
          JOIN migrations_app_revision r ON r.service_id = e.service_id AND r.revision_id = NEW.revision_id
         WHERE e.id = NEW.environment_id), 'unknown');
    RETURN NEW;
END
$body$;
CREATE TRIGGER applied_match BEFORE INSERT OR UPDATE OF environment_id, revision_id, checksum
    ON migrations_app_appliedrevision FOR EACH ROW EXECUTE FUNCTION migrations_app_applied_match();
"""

# After each statement: the environment's count and version. The order of the rows keeps two writers from waiting
# for each other in a circle.
TALLY = """
CREATE FUNCTION migrations_app_applied_tally() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO migrations_app_appliedtally AS t (environment_id, applied, version)
        SELECT environment_id, count(*) FILTER (WHERE match <> 'unknown'), 1
          FROM new_rows GROUP BY environment_id ORDER BY environment_id
            ON CONFLICT (environment_id)
            DO UPDATE SET applied = t.applied + excluded.applied, version = t.version + 1;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO migrations_app_appliedtally AS t (environment_id, applied, version)
        SELECT environment_id, -count(*) FILTER (WHERE match <> 'unknown'), 1
          FROM old_rows GROUP BY environment_id ORDER BY environment_id
            ON CONFLICT (environment_id)
            DO UPDATE SET applied = t.applied + excluded.applied, version = t.version + 1;
    ELSE
        INSERT INTO migrations_app_appliedtally AS t (environment_id, applied, version)
        SELECT environment_id, sum(one) FILTER (WHERE match <> 'unknown'), 1
          FROM (SELECT environment_id, match, 1 AS one FROM new_rows
                UNION ALL SELECT environment_id, match, -1 FROM old_rows) rows
         GROUP BY environment_id ORDER BY environment_id
            ON CONFLICT (environment_id)
            DO UPDATE SET applied = t.applied + coalesce(excluded.applied, 0), version = t.version + 1;
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER applied_tally_insert AFTER INSERT ON migrations_app_appliedrevision
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION migrations_app_applied_tally();
CREATE TRIGGER applied_tally_update AFTER UPDATE ON migrations_app_appliedrevision
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION migrations_app_applied_tally();
CREATE TRIGGER applied_tally_delete AFTER DELETE ON migrations_app_appliedrevision
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION migrations_app_applied_tally();
"""

# After each statement on the chain: its version, and what was applied before its revision was uploaded.
CHAIN = """
CREATE FUNCTION migrations_app_chain_tally() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO migrations_app_chaintally AS t (service_id, version)
        SELECT DISTINCT service_id, 1 FROM old_rows ORDER BY service_id
            ON CONFLICT (service_id) DO UPDATE SET version = t.version + 1;
        UPDATE migrations_app_appliedrevision a SET match = 'unknown'
          FROM old_rows r, migrations_app_environment e
         WHERE a.revision_id = r.revision_id AND e.id = a.environment_id AND e.service_id = r.service_id;
        RETURN NULL;
    END IF;
    INSERT INTO migrations_app_chaintally AS t (service_id, version)
    SELECT DISTINCT service_id, 1 FROM new_rows ORDER BY service_id
        ON CONFLICT (service_id) DO UPDATE SET version = t.version + 1;
    UPDATE migrations_app_appliedrevision a
       SET match = CASE WHEN r.checksum = a.checksum THEN 'same' ELSE 'other' END
      FROM new_rows r, migrations_app_environment e
     WHERE a.revision_id = r.revision_id AND e.id = a.environment_id AND e.service_id = r.service_id
       AND a.match <> CASE WHEN r.checksum = a.checksum THEN 'same' ELSE 'other' END;
    RETURN NULL;
END
$body$;
CREATE TRIGGER chain_tally_insert AFTER INSERT ON migrations_app_revision
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION migrations_app_chain_tally();
CREATE TRIGGER chain_tally_update AFTER UPDATE ON migrations_app_revision
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION migrations_app_chain_tally();
CREATE TRIGGER chain_tally_delete AFTER DELETE ON migrations_app_revision
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION migrations_app_chain_tally();
"""

FILL = """
UPDATE migrations_app_appliedrevision a
   SET match = CASE WHEN r.id IS NULL THEN 'unknown' WHEN r.checksum = a.checksum THEN 'same' ELSE 'other' END
  FROM migrations_app_appliedrevision b
  JOIN migrations_app_environment e ON e.id = b.environment_id
  LEFT JOIN migrations_app_revision r ON r.service_id = e.service_id AND r.revision_id = b.revision_id
 WHERE a.id = b.id AND (r.id IS NULL OR r.checksum <> b.checksum);
INSERT INTO migrations_app_appliedtally (environment_id, applied, version)
SELECT environment_id, count(*) FILTER (WHERE match <> 'unknown'), 1
  FROM migrations_app_appliedrevision GROUP BY environment_id;
INSERT INTO migrations_app_chaintally (service_id, version)
SELECT DISTINCT service_id, 1 FROM migrations_app_revision;
"""

DROP = """
DROP TRIGGER chain_tally_delete ON migrations_app_revision;
DROP TRIGGER chain_tally_update ON migrations_app_revision;
DROP TRIGGER chain_tally_insert ON migrations_app_revision;
DROP FUNCTION migrations_app_chain_tally();
DROP TRIGGER applied_tally_delete ON migrations_app_appliedrevision;
DROP TRIGGER applied_tally_update ON migrations_app_appliedrevision;
DROP TRIGGER applied_tally_insert ON migrations_app_appliedrevision;
DROP FUNCTION migrations_app_applied_tally();
DROP TRIGGER applied_match ON migrations_app_appliedrevision;
DROP FUNCTION migrations_app_applied_match();
"""


class Migration(migrations.Migration):
    dependencies = [("migrations_app", "0006_run_lists")]

    operations = [
        migrations.AddField(
            "appliedrevision",
            "match",
            models.CharField(
                max_length=7,
                choices=[("same", "the same bytes"), ("other", "other bytes"), ("unknown", "no revision of the chain")],
                default="same",
                db_default="same",
            ),
        ),
        migrations.CreateModel(
            "AppliedTally",
            [
                (
                    "environment",
                    models.OneToOneField(
                        "migrations_app.environment",
                        on_delete=models.CASCADE,
                        primary_key=True,
                        related_name="tally",
                        serialize=False,
                    ),
                ),
                ("applied", models.IntegerField()),
                ("version", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            "ChainTally",
            [
                (
                    "service",
                    models.OneToOneField(
                        "migrations_app.service",
                        on_delete=models.CASCADE,
                        primary_key=True,
                        related_name="chain",
                        serialize=False,
                    ),
                ),
                ("version", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        # The narrower index last, so that no moment is without one.
        migrations.AddIndex(
            "appliedrevision",
            models.Index(fields=["revision_id", "environment"], include=["checksum"], name="applied_by_revision"),
        ),
        migrations.RemoveIndex("appliedrevision", "applied_revision"),
        migrations.AddIndex(
            "appliedrevision",
            models.Index(fields=["environment"], condition=models.Q(match="other"), name="applied_other_bytes"),
        ),
        migrations.AddIndex(
            "runstep",
            models.Index(
                fields=["run"], condition=models.Q(status__in=["failed", "unknown"]), name="run_step_stopped"
            ),
        ),
        migrations.RunSQL(MATCH + TALLY + CHAIN, DROP),
    ]
