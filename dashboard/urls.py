"""Every address. A page that does not exist has none; state changes are POST only."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from dashboard.api.api import api
from dashboard.pages import (
    audit,
    environments,
    find,
    history,
    home,
    matrix,
    revisions,
    runs,
    services,
    session,
    style,
    tokens,
)

urlpatterns = [
    path("api/v1/", api.urls),
    path("", home.home, name="home"),
    path("home/live", home.home_live, name="home_live"),
    path("find", find.find_page, name="find"),
    path("find.json", find.find_json, name="find_json"),
    path("matrix", matrix.matrix, name="matrix"),
    path("history", history.history, name="history"),
    path("runs", runs.run_list, name="runs"),
    path("runs/<int:pk>", runs.run, name="run"),
    path("runs/<int:pk>/live", runs.run_live, name="run_live"),
    path("runs/<int:pk>/log", runs.run_log, name="run_log"),
    path("runs/<int:pk>/log/tail", runs.run_log_tail, name="run_log_tail"),
    path("runs/<int:pk>/log.txt", runs.run_log_raw, name="run_log_raw"),
    path("runs/<int:pk>/resolve", runs.run_resolve, name="run_resolve"),
    path("runs/<int:pk>/<slug:verb>", runs.run_control, name="run_control"),
    path("services", services.service_list, name="services"),
    path("add-service", services.service_add, name="service_add"),
    path("services/<str:service>", services.service, name="service"),
    path("services/<str:service>/add-environment", environments.environment_add, name="environment_add"),
    path("services/<str:service>/environments/<str:environment>", environments.environment, name="environment"),
    path(
        "services/<str:service>/environments/<str:environment>/run",
        environments.environment_run,
        name="environment_run",
    ),
    path(
        "services/<str:service>/environments/<str:environment>/check",
        environments.environment_check,
        name="environment_check",
    ),
    path("services/<str:service>/revisions", revisions.revision_list, name="revision_list"),
    path("services/<str:service>/upload", revisions.revision_upload, name="revision_upload"),
    path("services/<str:service>/revisions/<str:revision_id>", revisions.revision, name="revision"),
    path("revisions", matrix.revisions_entry, name="revisions"),
    path("audit", audit.audit, name="audit"),
    path("audit/verify", audit.audit_verify, name="audit_verify"),
    path("tokens", tokens.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke", tokens.token_revoke, name="token_revoke"),
    path("login", LoginView.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("theme", session.theme, name="theme"),
    path("style", style.style, name="style"),
]
