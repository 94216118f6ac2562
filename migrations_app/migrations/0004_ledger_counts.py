"""Each environment keeps its own counts, so that no page has to count the ledger."""

from __future__ import annotations

from django.db import migrations, models


def _count(name: str) -> migrations.AddField:
    return migrations.AddField("environment", name, models.IntegerField(default=0, db_default=0))


class Migration(migrations.Migration):
    dependencies = [("migrations_app", "0003_ledger_beginnings")]

    operations = [
        migrations.AddField("environment", "receipts_seen", models.BigIntegerField(default=0, db_default=0)),
        _count("found_twice"),
        _count("found_out_of_order"),
        _count("found_changed"),
        migrations.AddField("environment", "ledger_rows", models.BigIntegerField(default=0, db_default=0)),
        migrations.AddIndex(
            "ledgerentry", models.Index(fields=["environment", "-applied_at", "-id"], name="ledger_by_environment")
        ),
        migrations.RemoveIndex("ledgerentry", "ledger_revision"),
        migrations.AddIndex(
            "ledgerentry",
            models.Index(fields=["revision_id"], name="ledger_revision", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddIndex(
            "ledgerentry",
            models.Index(fields=["superseded_at"], condition=~models.Q(superseded_at=None), name="ledger_superseded"),
        ),
    ]
