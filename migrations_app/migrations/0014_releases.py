"""Releases with the schemas they can work with, and the trigger that keeps them as they were registered."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

CREATE = """
CREATE FUNCTION release_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    RAISE EXCEPTION 'releases are never changed: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$body$;
CREATE TRIGGER release_no_change BEFORE UPDATE OR DELETE ON migrations_app_release
    FOR EACH ROW EXECUTE FUNCTION release_refuse();
CREATE TRIGGER release_no_truncate BEFORE TRUNCATE ON migrations_app_release
    FOR EACH STATEMENT EXECUTE FUNCTION release_refuse();
ALTER TABLE migrations_app_release ENABLE ALWAYS TRIGGER release_no_change;
ALTER TABLE migrations_app_release ENABLE ALWAYS TRIGGER release_no_truncate;
"""

DROP = """
DROP TRIGGER release_no_truncate ON migrations_app_release;
DROP TRIGGER release_no_change ON migrations_app_release;
DROP FUNCTION release_refuse();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('migrations_app', '0013_drills'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Release',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('release_id', models.CharField(max_length=200)),
                ('schema_rev', models.CharField(max_length=200)),
                ('schema_rev_min', models.CharField(max_length=200)),
                ('schema_rev_max', models.CharField(max_length=200)),
                ('index_hash', models.CharField(blank=True, max_length=200)),
                ('secrets_rev', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='releases', to='migrations_app.service')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['service', '-id'], name='release_by_service')],
                'constraints': [models.UniqueConstraint(fields=('service', 'release_id'), name='release_id_once')],
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
