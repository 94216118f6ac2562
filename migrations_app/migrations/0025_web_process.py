"""What each web process tells of itself, so that any of them can tell of all."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("migrations_app", "0024_audit_doors"),
    ]

    operations = [
        migrations.CreateModel(
            name="WebProcess",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, unique=True)),
                ("worker_pid", models.IntegerField()),
                ("started_at", models.DateTimeField()),
                ("sampled_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("pool", models.JSONField(null=True)),
                ("breaker", models.JSONField()),
                ("route_cache", models.JSONField()),
                ("contract", models.CharField(max_length=64)),
            ],
        ),
    ]
