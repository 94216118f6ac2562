"""Releases that were registered before they had a state get one; their catalogue is chosen when they begin."""

from django.db import migrations

FILL = """
INSERT INTO migrations_app_releasestate (release_id, status, version, changed_at)
SELECT r.id, 'draft', 1, r.created_at FROM migrations_app_release r
 WHERE NOT EXISTS (SELECT FROM migrations_app_releasestate s WHERE s.release_id = r.id);
"""


class Migration(migrations.Migration):

    dependencies = [("migrations_app", "0019_gates")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
