"""Count what was written before environments kept their counts."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("migrations_app", "0004_ledger_counts")]

    operations = [
        migrations.RunSQL(
            """
            UPDATE migrations_app_environment e
               SET ledger_rows = l.standing, receipts_seen = e.head_seq
              FROM (SELECT environment_id, count(*) AS standing FROM migrations_app_ledgerentry
                     WHERE superseded_at IS NULL GROUP BY environment_id) l
             WHERE l.environment_id = e.id
            """,
            migrations.RunSQL.noop,
        )
    ]
