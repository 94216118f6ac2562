"""Lockstep's own database against this version: its migrations, and the tables and columns that they leave."""

from __future__ import annotations

from django.apps import apps
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models import Model

OURS = "migrations_app"


def unwritten() -> list[str]:
    """Changes of models that no migration makes."""
    loader = MigrationLoader(connection)
    found = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(graph=loader.graph)
    return [one.describe() for migration in found.get(OURS, []) for one in migration.operations]


def unlike() -> tuple[list[str], list[str]]:
    """Migrations on disk that the database lacks, and those it has that are not on disk; of all apps."""
    loader = MigrationLoader(connection)
    on_disk, applied = set(loader.disk_migrations), set(loader.applied_migrations)
    apps_here = {app for app, _ in on_disk}
    strange = {one for one in applied - on_disk if one[0] in apps_here}
    return _names(on_disk - applied), _names(strange)


def head() -> str:
    """The newest of Lockstep's own migrations."""
    return max(name for app, name in MigrationLoader(connection).disk_migrations if app == OURS)


def without_way_back() -> tuple[int, list[str]]:
    """How many migrations there are, and those of them that cannot be taken back."""
    ours = {name: one for (app, name), one in MigrationLoader(connection).disk_migrations.items() if app == OURS}
    stuck = [name for name, one in ours.items() if not all(step.reversible for step in one.operations)]
    return len(ours), sorted(stuck)


def differences() -> list[str]:
    """Tables and columns that are missing, and columns that nobody here knows."""
    broken: list[str] = []
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model in _models():
            table = model._meta.db_table
            if table not in tables:
                broken.append(f"The control database has no table {table}.")
                continue
            found = {column.name for column in connection.introspection.get_table_description(cursor, table)}
            wanted = {str(field.column) for field in model._meta.local_concrete_fields}
            broken += [f"{table} lacks the column {name}." for name in sorted(wanted - found)]
            broken += [
                f"{table} has a column {name} that this version does not know." for name in sorted(found - wanted)
            ]
    return broken


def count() -> int:
    return len(_models())


def _models() -> list[type[Model]]:
    return [one for one in apps.get_app_config(OURS).get_models(include_auto_created=True) if one._meta.managed]


def _names(found: set[tuple[str, str]]) -> list[str]:
    return sorted(f"{app}.{name}" for app, name in found)
