"""Operational drills: rollbacks practised by people, with their steps, checks, interventions and follow-ups."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('migrations_app', '0012_schema_readings'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Drill',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('scenario', models.CharField(max_length=20)),
                ('trigger_reason', models.CharField(max_length=500)),
                ('status', models.CharField(choices=[('ready', 'ready'), ('running', 'running'), ('finished', 'finished'), ('abandoned', 'abandoned')], default='ready', max_length=10)),
                ('result', models.CharField(blank=True, choices=[('', 'no result'), ('passed', 'passed'), ('with_interventions', 'passed with interventions'), ('failed', 'failed')], default='', max_length=20)),
                ('end_reason', models.CharField(blank=True, max_length=500)),
                ('step', models.IntegerField(default=0)),
                ('resting', models.BooleanField(default=True)),
                ('lap', models.IntegerField(default=0)),
                ('version', models.BigIntegerField(default=1)),
                ('limit_s', models.PositiveIntegerField(default=900)),
                ('recovery_ms', models.BigIntegerField(null=True)),
                ('from_release', models.CharField(blank=True, max_length=200)),
                ('to_release', models.CharField(blank=True, max_length=200)),
                ('head_revision', models.CharField(blank=True, max_length=200)),
                ('schema_rev', models.CharField(blank=True, max_length=200)),
                ('runbook_rev', models.CharField(blank=True, max_length=200)),
                ('runbook_updated', models.BooleanField(default=False)),
                ('runbook_link', models.CharField(blank=True, max_length=500)),
                ('issues_found', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('environment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='drills', to='migrations_app.environment')),
                ('operator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='DrillCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('side', models.CharField(choices=[('before', 'before'), ('after', 'after')], max_length=6)),
                ('kind', models.CharField(choices=[('health', 'health'), ('smoke', 'smoke'), ('csv_header', 'CSV header')], max_length=10)),
                ('name', models.CharField(max_length=200)),
                ('expected', models.CharField(blank=True, max_length=1000)),
                ('got', models.CharField(blank=True, max_length=1000)),
                ('passed', models.BooleanField()),
                ('measured', models.BooleanField(default=False)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('drill', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='checks', to='migrations_app.drill')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='DrillFollowUp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(max_length=500)),
                ('owner', models.CharField(max_length=150)),
                ('due', models.DateField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('done_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('drill', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='follow_ups', to='migrations_app.drill')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='DrillIntervention',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.IntegerField()),
                ('seconds', models.PositiveIntegerField()),
                ('what', models.CharField(max_length=500)),
                ('note', models.CharField(blank=True, max_length=1000)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('drill', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='interventions', to='migrations_app.drill')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='DrillStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.IntegerField()),
                ('name', models.CharField(max_length=100)),
                ('planned_s', models.PositiveIntegerField()),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('held_ms', models.BigIntegerField(default=0)),
                ('saved_at', models.DateTimeField(null=True)),
                ('commands', models.TextField(blank=True)),
                ('output', models.TextField(blank=True)),
                ('note', models.TextField(blank=True)),
                ('drill', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='migrations_app.drill')),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.AddIndex(
            model_name='drill',
            index=models.Index(fields=['environment', '-id'], name='drill_by_environment'),
        ),
        migrations.AddIndex(
            model_name='drill',
            index=models.Index(fields=['scenario', '-id'], name='drill_by_scenario'),
        ),
        migrations.AddIndex(
            model_name='drill',
            index=models.Index(condition=models.Q(('status', 'finished')), fields=['environment', '-finished_at'], name='drill_by_end'),
        ),
        migrations.AddConstraint(
            model_name='drill',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['ready', 'running'])), fields=('environment',), name='one_open_drill_per_environment'),
        ),
        migrations.AddConstraint(
            model_name='drillstep',
            constraint=models.UniqueConstraint(fields=('drill', 'number'), name='drill_step_once'),
        ),
    ]
