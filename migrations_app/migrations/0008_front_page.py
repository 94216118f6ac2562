"""What the front page reads: runs by their end, and what the last check of the audit chain found."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("migrations_app", "0007_matrix_tallies")]

    operations = [
        migrations.AddIndex(
            "run",
            models.Index(fields=["-finished_at"], condition=models.Q(finished_at__isnull=False), name="run_by_end"),
        ),
        migrations.CreateModel(
            "AuditCheck",
            [
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("checked_at", models.DateTimeField()),
                ("took_ms", models.BigIntegerField()),
                ("ok", models.BooleanField()),
                ("checked", models.BigIntegerField()),
                ("head_seq", models.BigIntegerField()),
                ("head_hash", models.CharField(max_length=64)),
                ("sentence", models.CharField(max_length=500)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="audit_check_is_one"),
                ]
            },
        ),
    ]
