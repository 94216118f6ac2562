"""The audit log by request and by time."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models.fields.json import KeyTransform


class Migration(migrations.Migration):
    dependencies = [("migrations_app", "0009_narrower_lists")]

    operations = [
        migrations.AddIndex(
            "auditentry",
            models.Index(KeyTransform("request_id", "data"), models.F("seq"), name="audit_by_request"),
        ),
        migrations.AddIndex("auditentry", models.Index(fields=["at"], name="audit_by_time")),
    ]
