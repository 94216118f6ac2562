"""Failed starts are counted beside their rows, which are swept: a count for metrics may only grow."""

from django.db import migrations, models

SO_FAR = """
INSERT INTO migrations_app_bootfailure (phase, reason, count)
SELECT phase, left(COALESCE(reasons->0->>0, 'none'), 63), count(*)
  FROM migrations_app_bootattempt WHERE outcome <> 'allow' GROUP BY 1, 2
"""


class Migration(migrations.Migration):
    dependencies = [("migrations_app", "0030_alerts")]

    operations = [
        migrations.CreateModel(
            name="BootFailure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("phase", models.CharField(max_length=63)),
                ("reason", models.CharField(max_length=63)),
                ("count", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("phase", "reason"), name="boot_failure_counted_once"),
                ],
            },
        ),
        migrations.RunSQL(SO_FAR, migrations.RunSQL.noop),
    ]
