"""Releases get a state, gates, evidence, signatures, exemptions and cutovers."""
import datetime
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('migrations_app', '0018_step_forecasts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='EvidenceArtefact',
            fields=[
                ('sha256', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('content', models.BinaryField()),
                ('size', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.AddField(
            model_name='release',
            name='artefacts',
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name='release',
            name='chain',
            field=models.CharField(blank=True, db_default='', max_length=64),
        ),
        migrations.AddField(
            model_name='release',
            name='commit',
            field=models.CharField(blank=True, db_default='', max_length=200),
        ),
        migrations.AddField(
            model_name='release',
            name='head_revision',
            field=models.CharField(blank=True, db_default='', max_length=200),
        ),
        migrations.CreateModel(
            name='BreakGlass',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('blockers', models.JSONField(default=list)),
                ('blockers_hash', models.CharField(max_length=64)),
                ('reason', models.CharField(max_length=500)),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('expires_at', models.DateTimeField()),
                ('asked_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='glass', to='migrations_app.release')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='BreakGlassAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('granted', models.BooleanField()),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('glass', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='answer', to='migrations_app.breakglass')),
            ],
        ),
        migrations.CreateModel(
            name='Cutover',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('running', 'running'), ('halted', 'halted'), ('rolling_back', 'rolling back'), ('done', 'done'), ('cancelled', 'given up'), ('rolled_back', 'rolled back')], default='running', max_length=12)),
                ('sentence', models.CharField(blank=True, max_length=1000)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('revisions_hash', models.CharField(blank=True, max_length=64)),
                ('back_since', models.DateTimeField(null=True)),
                ('back_reason', models.CharField(blank=True, max_length=500)),
                ('acting', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('planned_from', models.DateTimeField(null=True)),
                ('planned_until', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ended_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('glass', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='cutover', to='migrations_app.breakglass')),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cutovers', to='migrations_app.release')),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='cutovers', to='migrations_app.service')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['service', '-id'], name='cutover_by_service')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status__in', ['halted', 'rolling_back', 'running'])), fields=('service',), name='one_open_cutover_per_service'), models.CheckConstraint(condition=models.Q(('planned_until', None), ('planned_from__lt', models.F('planned_until')), _connector='OR'), name='cutover_window_has_an_order')],
            },
        ),
        migrations.CreateModel(
            name='CutoverGate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gate_key', models.CharField(max_length=63)),
                ('state', models.CharField(max_length=14)),
                ('evidence_hash', models.CharField(max_length=64)),
                ('signers', models.JSONField(default=list)),
                ('cutover', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='gates', to='migrations_app.cutover')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('cutover', 'gate_key'), name='cutover_gate_once')],
            },
        ),
        migrations.CreateModel(
            name='CutoverStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ordinal', models.PositiveIntegerField()),
                ('status', models.CharField(choices=[('pending', 'pending'), ('running', 'running'), ('done', 'done'), ('nothing', 'nothing to apply'), ('failed', 'failed'), ('rolled_back', 'rolled back')], default='pending', max_length=12)),
                ('from_revision', models.CharField(blank=True, max_length=200)),
                ('to_revision', models.CharField(blank=True, max_length=200)),
                ('sentence', models.CharField(blank=True, max_length=1000)),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('back_run', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='cutover_way_back', to='migrations_app.run')),
                ('cutover', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='migrations_app.cutover')),
                ('environment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='migrations_app.environment')),
                ('run', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='cutover_step', to='migrations_app.run')),
            ],
            options={
                'ordering': ['ordinal'],
                'constraints': [models.UniqueConstraint(fields=('cutover', 'ordinal'), name='cutover_step_once'), models.UniqueConstraint(fields=('cutover', 'environment'), name='cutover_environment_once')],
            },
        ),
        migrations.CreateModel(
            name='EnvironmentRelease',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('until', models.DateTimeField(null=True)),
                ('cutover', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='migrations_app.cutover')),
                ('environment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='releases', to='migrations_app.environment')),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='places', to='migrations_app.release')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['environment', '-id'], name='release_by_environment')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('until', None)), fields=('environment',), name='one_release_per_environment')],
            },
        ),
        migrations.CreateModel(
            name='Freeze',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=500)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('lifted_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='freezes', to='migrations_app.service')),
            ],
            options={
                'ordering': ['starts_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('starts_at__lt', models.F('ends_at'))), name='freeze_has_an_order')],
            },
        ),
        migrations.CreateModel(
            name='GateCatalogue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('content', models.JSONField()),
                ('sha256', models.CharField(max_length=64)),
                ('note', models.CharField(max_length=500)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('service', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='catalogues', to='migrations_app.service')),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(fields=('service', 'version'), name='catalogue_version_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='GateEvidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gate_key', models.CharField(max_length=63)),
                ('check_key', models.CharField(max_length=63)),
                ('status', models.CharField(choices=[('pass', 'passes'), ('fail', 'fails')], max_length=4)),
                ('source', models.CharField(choices=[('posted', 'reported by a build'), ('http', 'asked of an address'), ('command', 'run by a worker'), ('sql', 'asked of a target'), ('fact', 'known to Lockstep'), ('manual', 'looked at by a person')], max_length=8)),
                ('producer', models.CharField(max_length=200)),
                ('summary', models.CharField(max_length=2000)),
                ('detail', models.JSONField(blank=True, default=dict)),
                ('commit', models.CharField(blank=True, max_length=200)),
                ('identity', models.CharField(max_length=64)),
                ('artefact_name', models.CharField(blank=True, max_length=300)),
                ('artefact_sha256', models.CharField(blank=True, max_length=64)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('artefact', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='migrations_app.evidenceartefact')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('release', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='migrations_app.release')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['release', 'gate_key', 'check_key', '-id'], name='evidence_by_check')],
            },
        ),
        migrations.CreateModel(
            name='GateSignature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gate_key', models.CharField(max_length=63)),
                ('roles', models.JSONField(default=list)),
                ('evidence_hash', models.CharField(max_length=64)),
                ('parts', models.JSONField(default=dict)),
                ('comment', models.CharField(blank=True, max_length=1000)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('expires_at', models.DateTimeField()),
                ('by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('release', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to='migrations_app.release')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['release', 'gate_key', '-id'], name='signature_by_gate')],
            },
        ),
        migrations.CreateModel(
            name='GateWaiver',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gate_key', models.CharField(max_length=63)),
                ('check_key', models.CharField(max_length=63)),
                ('reason', models.CharField(max_length=500)),
                ('requested_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('expires_at', models.DateTimeField()),
                ('release', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='waivers', to='migrations_app.release')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['release', 'gate_key', 'check_key', '-id'], name='waiver_by_check')],
                'constraints': [models.CheckConstraint(condition=models.Q(('expires_at__lte', django.db.models.expressions.CombinedExpression(models.F('requested_at'), '+', models.Value(datetime.timedelta(days=7)))), ('expires_at__gt', models.F('requested_at'))), name='waiver_ends_within_a_week')],
            },
        ),
        migrations.CreateModel(
            name='ReleaseState',
            fields=[
                ('release', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='state', serialize=False, to='migrations_app.release')),
                ('status', models.CharField(choices=[('draft', 'draft'), ('collecting', 'collecting'), ('ready', 'ready'), ('cutting_over', 'cutting over'), ('live', 'live'), ('superseded', 'superseded'), ('rolled_back', 'rolled back')], default='draft', max_length=12)),
                ('version', models.PositiveIntegerField(default=1)),
                ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('catalogue', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='migrations_app.gatecatalogue')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('status', 'ready'), _negated=True), name='ready_is_never_stored')],
            },
        ),
        migrations.CreateModel(
            name='SignatureWithdrawal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=500)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('signature', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='withdrawal', to='migrations_app.gatesignature')),
            ],
        ),
        migrations.CreateModel(
            name='WaiverDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verb', models.CharField(choices=[('approve', 'approved'), ('decline', 'declined'), ('withdraw', 'withdrawn'), ('revoke', 'revoked')], max_length=8)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('waiver', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='migrations_app.gatewaiver')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('waiver', 'verb'), name='waiver_decided_once')],
            },
        ),
    ]
