"""The ledger of an environment may begin anew: rows without receipts are kept, superseded."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("migrations_app", "0002_audit_append")]

    operations = [
        migrations.AddField("environment", "differs_from", models.BigIntegerField(null=True)),
        migrations.AddField("environment", "ledger_epoch", models.IntegerField(db_default=1, default=1)),
        migrations.AddField("ledgerentry", "superseded_at", models.DateTimeField(null=True)),
        # The narrower constraint first, so that no moment is without one.
        migrations.AddConstraint(
            "ledgerentry",
            models.UniqueConstraint(
                fields=["environment", "seq"],
                condition=models.Q(superseded_at=None),
                name="standing_ledger_seq_once",
            ),
        ),
        migrations.RemoveConstraint("ledgerentry", "ledger_seq_once"),
    ]
