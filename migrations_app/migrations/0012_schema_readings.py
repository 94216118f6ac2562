"""Readings of schemas, what differs from what receipts left, and how each environment stands in that."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('migrations_app', '0011_rehearsals'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SchemaContent',
            fields=[
                ('fingerprint', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('logical', models.CharField(max_length=64)),
                ('shape', models.CharField(max_length=64)),
                ('size', models.IntegerField()),
                ('objects_read', models.JSONField()),
                ('used_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='SchemaDefinition',
            fields=[
                ('sha256', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('definition', models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name='SchemaReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('head_seq', models.BigIntegerField()),
                ('head_revision', models.CharField(blank=True, max_length=200)),
                ('server_version_num', models.IntegerField()),
                ('source', models.CharField(choices=[('run', 'after a run'), ('schedule', 'on schedule'), ('person', 'asked for')], max_length=8)),
                ('taken_at', models.DateTimeField()),
                ('seen_until', models.DateTimeField()),
                ('agrees', models.BooleanField(null=True)),
                ('content', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='readings', to='migrations_app.schemacontent')),
                ('environment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='readings', to='migrations_app.environment')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SchemaState',
            fields=[
                ('environment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='schema', serialize=False, to='migrations_app.environment')),
                ('read_at', models.DateTimeField(null=True)),
                ('tried_at', models.DateTimeField(null=True)),
                ('failure', models.CharField(blank=True, max_length=500)),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('clean_at', models.DateTimeField(null=True)),
                ('half_done', models.CharField(blank=True, max_length=200)),
                ('expected', models.CharField(blank=True, max_length=80)),
                ('expected_by', models.CharField(blank=True, choices=[('', 'nothing yet'), ('receipt', 'the newest receipt'), ('reading', 'the first reading at this revision'), ('accepted', 'what a person accepted')], default='', max_length=8)),
                ('expected_after', models.CharField(blank=True, max_length=80)),
                ('expected_major', models.IntegerField(null=True)),
                ('expected_since', models.DateTimeField(null=True)),
                ('drift_blocks', models.BooleanField(null=True)),
                ('watched', models.BooleanField(db_default=False, default=False)),
                ('reading', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='migrations_app.schemareading')),
            ],
        ),
        migrations.CreateModel(
            name='SchemaDrift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'open'), ('ignored', 'ignored'), ('accepted', 'accepted'), ('carried', 'carried into a receipt'), ('gone', 'gone')], default='open', max_length=8)),
                ('found_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('last_clean_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('head_seq', models.BigIntegerField()),
                ('head_revision', models.CharField(blank=True, max_length=200)),
                ('server_version_num', models.IntegerField()),
                ('expected', models.CharField(max_length=80)),
                ('expected_by', models.CharField(choices=[('', 'nothing yet'), ('receipt', 'the newest receipt'), ('reading', 'the first reading at this revision'), ('accepted', 'what a person accepted')], max_length=8)),
                ('differences', models.IntegerField(null=True)),
                ('summary', models.CharField(blank=True, max_length=500)),
                ('changed_by', models.JSONField(default=list)),
                ('ignore_until', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('decided_at', models.DateTimeField(null=True)),
                ('baseline', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='migrations_app.schemacontent')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('environment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='drifts', to='migrations_app.environment')),
                ('found', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='migrations_app.schemacontent')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['environment', '-id'], name='drift_by_environment')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['ignored', 'open'])), fields=('environment',), name='one_standing_drift_per_environment')],
            },
        ),
        migrations.AddIndex(
            model_name='schemareading',
            index=models.Index(fields=['environment', '-id'], name='reading_by_environment'),
        ),
    ]
