"""A restored backup to rehearse on, and which ground a rehearsal had."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('migrations_app', '0014_releases'),
    ]

    operations = [
        migrations.AddField(
            model_name='environment',
            name='backup_key_id',
            field=models.CharField(blank=True, db_default='', max_length=63),
        ),
        migrations.AddField(
            model_name='environment',
            name='backup_kind',
            field=models.CharField(blank=True, choices=[('stored', 'stored encrypted'), ('env', 'environment variable'), ('file', 'file')], db_default='', max_length=8),
        ),
        migrations.AddField(
            model_name='environment',
            name='backup_name',
            field=models.CharField(blank=True, db_default='', max_length=300),
        ),
        migrations.AddField(
            model_name='environment',
            name='backup_reference',
            field=models.CharField(blank=True, db_default='', max_length=500),
        ),
        migrations.AddField(
            model_name='environment',
            name='backup_sealed',
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name='rehearsal',
            name='ground',
            field=models.CharField(choices=[('target', 'the target'), ('backup', 'the restored backup')], db_default='target', default='target', max_length=6),
        ),
    ]
