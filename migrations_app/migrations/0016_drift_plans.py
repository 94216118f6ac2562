"""Which revision was uploaded to end a drift, and the states that follow from it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('migrations_app', '0015_backups'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='schemadrift',
            name='one_standing_drift_per_environment',
        ),
        migrations.AddField(
            model_name='schemadrift',
            name='planned_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='schemadrift',
            name='planned_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='schemadrift',
            name='revision_checksum',
            field=models.CharField(blank=True, db_default='', max_length=80),
        ),
        migrations.AddField(
            model_name='schemadrift',
            name='revision_id',
            field=models.CharField(blank=True, db_default='', max_length=200),
        ),
        migrations.AddField(
            model_name='schemadrift',
            name='way',
            field=models.CharField(blank=True, choices=[('adopt', 'adopts it'), ('revert', 'takes it back')], db_default='', max_length=6),
        ),
        migrations.AlterField(
            model_name='schemadrift',
            name='state',
            field=models.CharField(choices=[('open', 'open'), ('ignored', 'ignored'), ('adopting', 'adoption planned'), ('reverting', 'revert planned'), ('adopted', 'adopted by a revision'), ('reverted', 'reverted by a revision'), ('accepted', 'accepted'), ('carried', 'carried into a receipt'), ('gone', 'gone')], default='open', max_length=9),
        ),
        migrations.AddConstraint(
            model_name='schemadrift',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['adopting', 'ignored', 'open', 'reverting'])), fields=('environment',), name='one_standing_drift_per_environment'),
        ),
    ]
