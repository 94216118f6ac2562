"""Django's admin over the ledger and the runs: the columns, order, window and filters of our lists, all else as it
comes."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from dashboard.urls import urlpatterns as ours
from migrations_app.models import LedgerEntry, Run
from tests.bench.admin_paths import PAGE


@admin.register(LedgerEntry)
class LedgerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = [
        "seq", "revision_id", "phase", "direction", "environment", "applied_at", "operator", "run", "checksum",
    ]  # fmt: skip
    list_filter = ["environment__service", "environment", "direction"]
    search_fields = ["revision_id", "operator"]
    list_select_related = ["environment__service", "run"]
    list_per_page = PAGE


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = [
        "id", "status", "direction", "environment", "to_revision", "steps_done", "steps_total", "requested_by",
        "created_at",
    ]  # fmt: skip
    list_filter = ["service", "environment", "status"]
    list_select_related = ["service", "environment", "requested_by"]
    list_per_page = PAGE


urlpatterns = [path("admin/", admin.site.urls), *ours]
