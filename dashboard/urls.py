"""Every address. A page that does not exist has none; state changes are POST only."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from dashboard.api.api import api
from dashboard.pages import (
    audit,
    audit_chain,
    banners,
    environment_edit,
    environments,
    find,
    history,
    history_compare,
    history_export,
    history_receipt,
    home,
    matrix,
    matrix_cell,
    revisions,
    run_list,
    run_log,
    runs,
    services,
    session,
    start,
    style,
    tokens,
)

handler500 = "dashboard.outage.server_error"

urlpatterns = [
    # First what is asked for most, for they are tried in turn.
    path("runs/<int:pk>/live", runs.run_live, name="run_live"),
    path("runs/live", run_list.run_list_live, name="run_list_live"),
    path("home/live", home.home_live, name="home_live"),
    path("api/v1/", api.urls),
    path("", home.home, name="home"),
    path("banners", banners.banners, name="banners"),
    path("find", find.find_page, name="find"),
    path("find.json", find.find_json, name="find_json"),
    path("matrix", matrix.matrix, name="matrix"),
    path("matrix/window", matrix.matrix_window, name="matrix_window"),
    path("matrix/diff", matrix_cell.matrix_diff, name="matrix_diff"),
    path("matrix/<str:service>/<str:revision_id>/<str:environment>", matrix_cell.matrix_cell, name="matrix_cell"),
    path(
        "matrix/<str:service>/<str:revision_id>/<str:environment>/remark",
        matrix_cell.matrix_remark,
        name="matrix_remark",
    ),
    path("history", history.history, name="history"),
    path("history/compare", history_compare.history_compare, name="history_compare"),
    path("history/export.<str:kind>", history_export.history_export, name="history_export"),
    path("history/<int:pk>", history_receipt.history_receipt, name="history_receipt"),
    path("runs", run_list.run_list, name="runs"),
    path("runs/histogram", run_list.run_histogram, name="run_histogram"),
    path("runs/cancel", run_list.run_cancel_many, name="run_cancel_many"),
    path("runs/<int:pk>", runs.run, name="run"),
    path("runs/<int:pk>/log", run_log.run_log, name="run_log"),
    path("runs/<int:pk>/log/tail", run_log.run_log_tail, name="run_log_tail"),
    path("runs/<int:pk>/log.txt", run_log.run_log_raw, name="run_log_raw"),
    path("runs/<int:pk>/resolve", runs.run_resolve, name="run_resolve"),
    path("runs/<int:pk>/<slug:verb>", runs.run_control, name="run_control"),
    path("services", services.service_list, name="services"),
    path("add-service", services.service_add, name="service_add"),
    path("services/<str:service>", services.service, name="service"),
    path("services/<str:service>/add-environment", environments.environment_add, name="environment_add"),
    path("services/<str:service>/environments/<str:environment>", environments.environment, name="environment"),
    path(
        "services/<str:service>/environments/<str:environment>/run",
        start.environment_run,
        name="environment_run",
    ),
    path(
        "services/<str:service>/environments/<str:environment>/confirm",
        start.environment_confirm,
        name="environment_confirm",
    ),
    path(
        "services/<str:service>/environments/<str:environment>/check",
        environments.environment_check,
        name="environment_check",
    ),
    path(
        "services/<str:service>/environments/<str:environment>/accept-target",
        environments.environment_accept,
        name="environment_accept",
    ),
    path(
        "services/<str:service>/environments/<str:environment>/edit",
        environment_edit.environment_edit,
        name="environment_edit",
    ),
    path(
        "services/<str:service>/environments/<str:environment>/prove",
        environment_edit.environment_prove,
        name="environment_prove",
    ),
    path(
        "services/<str:service>/environments/<str:environment>/remove",
        environment_edit.environment_remove,
        name="environment_remove",
    ),
    path("services/<str:service>/revisions", revisions.revision_list, name="revision_list"),
    path("services/<str:service>/upload", revisions.revision_upload, name="revision_upload"),
    path("services/<str:service>/revisions/<str:revision_id>", revisions.revision, name="revision"),
    path("revisions", matrix.revisions_entry, name="revisions"),
    path("audit", audit.audit, name="audit"),
    path("audit/export", audit_chain.audit_export, name="audit_export"),
    path("audit/verify", audit.audit_verify, name="audit_verify"),
    path("tokens", tokens.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke", tokens.token_revoke, name="token_revoke"),
    path("login", LoginView.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("theme", session.theme, name="theme"),
    path("style", style.style, name="style"),
]
