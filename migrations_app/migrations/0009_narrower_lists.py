"""Indexes for lists narrowed to one operator or to what went backward; those that a longer one begins with go."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.models.deletion import CASCADE, PROTECT


def _unindexed(
    model: str, column: str, index: str, to: str, related_name: str, on_delete: object = PROTECT
) -> Operation:
    """By hand, for Django would check the foreign key of every row again."""
    field = models.ForeignKey(to, on_delete=on_delete, related_name=related_name, db_index=False)  # type: ignore[arg-type]
    table = f"migrations_app_{model}"
    return migrations.RunSQL(
        f"DROP INDEX IF EXISTS {table}_{column}_id_{index}",
        f"CREATE INDEX IF NOT EXISTS {table}_{column}_id_{index} ON {table} ({column}_id)",
        state_operations=[migrations.AlterField(model, column, field)],
    )


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("migrations_app", "0008_front_page"),
    ]

    operations = [
        migrations.AddIndex(
            "ledgerentry", models.Index(fields=["operator", "-applied_at", "-id"], name="ledger_by_operator")
        ),
        migrations.AddIndex(
            "ledgerentry",
            models.Index(
                fields=["-applied_at", "-id"], condition=models.Q(direction="down"), name="ledger_backward"
            ),
        ),
        migrations.AddIndex(
            "run", models.Index(fields=["-id"], condition=models.Q(direction="down"), name="run_backward")
        ),
        _unindexed("environment", "service", "8ffcc48c", "migrations_app.service", "environments"),
        _unindexed("revision", "service", "73b1f8da", "migrations_app.service", "revisions"),
        _unindexed("appliedrevision", "environment", "62fb0357", "migrations_app.environment", "applied"),
        _unindexed("ledgerentry", "environment", "ed28fb13", "migrations_app.environment", "ledger"),
        _unindexed("run", "environment", "49b1b5ae", "migrations_app.environment", "runs"),
        _unindexed("run", "service", "5e1f20dd", "migrations_app.service", "runs"),
        _unindexed("run", "requested_by", "68881072", settings.AUTH_USER_MODEL, "+"),
        _unindexed("runstep", "run", "0417a7af", "migrations_app.run", "steps", CASCADE),
        _unindexed("stepattempt", "step", "e7a7fd24", "migrations_app.runstep", "attempts", CASCADE),
        _unindexed("runlogline", "run", "03074f74", "migrations_app.run", "log", CASCADE),
    ]
