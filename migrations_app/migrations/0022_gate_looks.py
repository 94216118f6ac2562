"""Workers look at checks: a list of what is asked for and under way."""
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('migrations_app', '0021_gate_guards'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='GateLook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gate_key', models.CharField(max_length=63)),
                ('check_key', models.CharField(max_length=63)),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('error', models.CharField(blank=True, max_length=1000)),
                ('token', models.BigIntegerField(default=0)),
                ('attempt', models.IntegerField(default=0)),
                ('lease_until', models.DateTimeField(null=True)),
                ('worker', models.CharField(blank=True, max_length=120)),
                ('asked_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('release', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='looks', to='migrations_app.release')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['release', 'gate_key', 'check_key', '-id'], name='look_by_check')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('release', 'gate_key', 'check_key'), name='one_open_look_per_check')],
            },
        ),
    ]
