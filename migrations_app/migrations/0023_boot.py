"""What nodes report, how services started, and the set of secrets that an environment expects."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("migrations_app", "0022_gate_looks"),
    ]

    operations = [
        migrations.AddField(
            model_name='environment',
            name='secrets_rev',
            field=models.CharField(blank=True, db_default='', max_length=200),
        ),
        migrations.AddField(
            model_name='environment',
            name='secrets_rev_next',
            field=models.CharField(blank=True, db_default='', max_length=200),
        ),
        migrations.CreateModel(
            name='BootAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('node', models.CharField(blank=True, max_length=200)),
                ('boot', models.CharField(max_length=100)),
                ('release_id', models.CharField(blank=True, max_length=200)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('phase', models.CharField(max_length=63)),
                ('outcome', models.CharField(choices=[('allow', 'allowed'), ('refused', 'refused'), ('gave_up', 'gave up')], max_length=8)),
                ('reasons', models.JSONField(default=list)),
                ('tries', models.PositiveIntegerField(default=1)),
                ('first_request_ok', models.BooleanField(null=True)),
                ('environment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='boots', to='migrations_app.environment')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['environment', '-id'], name='boot_by_environment')],
                'constraints': [models.UniqueConstraint(fields=('environment', 'boot'), name='boot_once_per_environment')],
            },
        ),
        migrations.CreateModel(
            name='NodeReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('node', models.CharField(max_length=200)),
                ('release_id', models.CharField(blank=True, max_length=200)),
                ('schema_rev', models.CharField(blank=True, max_length=200)),
                ('index_hash', models.CharField(blank=True, max_length=200)),
                ('secrets_rev', models.CharField(blank=True, max_length=200)),
                ('probes_ok', models.BooleanField(null=True)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('retired_at', models.DateTimeField(null=True)),
                ('environment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='nodes', to='migrations_app.environment')),
            ],
            options={
                'ordering': ['node'],
                'constraints': [models.UniqueConstraint(fields=('environment', 'node'), name='node_once_per_environment')],
            },
        ),
    ]
