"""Looks at health: a table with a partition for each day, which Django's own operations cannot make, and its summary."""

import django.db.models.functions.datetime
from django.db import migrations, models

SAMPLES = """
CREATE TABLE migrations_app_healthsample (
    place bigint NOT NULL,
    slot timestamptz NOT NULL,
    at timestamptz NOT NULL DEFAULT statement_timestamp(),
    status varchar(10) NOT NULL CHECK (status IN ('healthy', 'degraded', 'unhealthy', 'missed')),
    reason varchar(63) NOT NULL,
    saturation double precision CHECK (saturation BETWEEN 0 AND 1),
    took_ms integer NOT NULL CHECK (took_ms >= 0),
    note varchar(300) NOT NULL,
    PRIMARY KEY (place, slot)
) PARTITION BY RANGE (slot)
"""


class Migration(migrations.Migration):

    dependencies = [
        ("migrations_app", "0028_cutover_targets"),
    ]

    operations = [
        migrations.RunSQL(
            SAMPLES,
            "DROP TABLE migrations_app_healthsample",
            state_operations=[
                migrations.CreateModel(
                    name="HealthSample",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "place", "slot", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("place", models.BigIntegerField()),
                        ("slot", models.DateTimeField()),
                        ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ("status", models.CharField(max_length=10)),
                        ("reason", models.CharField(blank=True, max_length=63)),
                        ("saturation", models.FloatField(null=True)),
                        ("took_ms", models.PositiveIntegerField(default=0)),
                        ("note", models.CharField(blank=True, max_length=300)),
                    ],
                ),
            ],
        ),
        migrations.CreateModel(
            name="HealthBucket",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "place", "begins", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("place", models.BigIntegerField()),
                ("begins", models.DateTimeField()),
                ("looks", models.PositiveSmallIntegerField()),
                ("degraded", models.PositiveSmallIntegerField()),
                ("reason", models.CharField(blank=True, max_length=63)),
                ("saturation", models.FloatField(null=True)),
                ("took_ms", models.PositiveIntegerField(null=True)),
            ],
        ),
    ]
