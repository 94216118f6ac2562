"""Indexes for lists of runs and for what one run's page looks up; they hold nothing new."""

from django.conf import settings
from django.db import migrations, models
from django.db.models.fields.json import KeyTransform


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("migrations_app", "0005_ledger_counts_fill"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["created_at"], name="run_by_time"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["service", "-id"], name="run_by_service"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["requested_by", "-id"], name="run_by_person"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("status__in", ["cancelled", "failed", "rolled_back"])),
                fields=["status", "-id"],
                name="run_ended_otherwise",
            ),
        ),
        migrations.AddIndex(
            model_name="runstep",
            index=models.Index(
                fields=["revision_id", "run"],
                name="step_by_revision",
                opclasses=["varchar_pattern_ops", "int8_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(KeyTransform("object", "data"), models.F("seq"), name="audit_by_object"),
        ),
    ]
