"""A cutover holds to the targets that were judged; who has it go on may hold it to those that were judged then."""

from django.db import migrations, models

KEEP_CUTOVER = """
CREATE OR REPLACE FUNCTION cutover_keep() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    course text[] := '{{status,sentence,ended_at,version,acting_id,back_since,back_reason{more}}}';
BEGIN
    IF TG_OP <> 'UPDATE' OR to_jsonb(NEW) - course <> to_jsonb(OLD) - course THEN
        RAISE EXCEPTION 'how a cutover began never changes: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$body$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("migrations_app", "0027_told_as_well"),
    ]

    operations = [
        migrations.AddField(
            model_name="cutover",
            name="targets_hash",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.RunSQL(KEEP_CUTOVER.format(more=",targets_hash"), KEEP_CUTOVER.format(more="")),
    ]
