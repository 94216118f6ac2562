"""One settings file; what differs between machines comes from the environment (see dashboard/env.py)."""

from __future__ import annotations

import sys

from django.core.exceptions import ImproperlyConfigured

from dashboard import env
from dashboard.logging import logging_config

BASE_DIR = env.BASE_DIR
LOCKSTEP_DATA_DIR = env.data_dir()
env.load_runtime_env()

# These need no database, no Redis and no secret: they bring them along or do without.
STANDALONE = len(sys.argv) > 1 and (
    sys.argv[1] in ("up", "check", "makemigrations", "collectstatic", "assets", "help")
    or sys.argv[1:3] in (["revisions", "check"], ["verify_audit", "--bundle"])
)

DEBUG = env.flag("LOCKSTEP_DEBUG")
SECRET_KEY = env.text("LOCKSTEP_SECRET_KEY") or ("standalone-commands-sign-nothing" if STANDALONE else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "LOCKSTEP_SECRET_KEY is not set. Set it to 50 or more random characters, or LOCKSTEP_SECRET_KEY_FILE to a "
        "file with them; `manage.py up` makes one by itself."
    )
LOCKSTEP_CREDENTIALS_KEY = env.text("LOCKSTEP_CREDENTIALS_KEY")
ALLOWED_HOSTS = [
    host.strip() for host in env.text("LOCKSTEP_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",") if host.strip()
]
CSRF_TRUSTED_ORIGINS = [o for o in env.text("LOCKSTEP_TRUSTED_ORIGINS").split(",") if o]
USE_TLS = env.flag("LOCKSTEP_TLS")  # true when a proxy in front speaks HTTPS

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_rq",
    "migrations_app",
    "dashboard",
]
MIDDLEWARE = [
    "dashboard.middleware.RequestId",
    "dashboard.api.outside.ApiErrors",
    "django.middleware.security.SecurityMiddleware",
    "dashboard.middleware.SecurityHeaders",
    "dashboard.bundles.Bundles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "dashboard.signin.Authentication",
    "dashboard.polls.Unchanged",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "dashboard.middleware.CompressLarge",
    "django.middleware.csrf.CsrfViewMiddleware",
    "dashboard.signin.SignInFirst",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.middleware.NotAllowed",
    "dashboard.middleware.NamedErrors",
]
ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.frame.frame",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
        },
    }
]

_database = env.database("LOCKSTEP_DATABASE_URL")
if _database is None and not STANDALONE:
    raise ImproperlyConfigured(
        "LOCKSTEP_DATABASE_URL is not set and no embedded server is running here. "
        "Set it to postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or start `manage.py up`."
    )
_options = (_database or {"OPTIONS": {}})["OPTIONS"]
DATABASES = {
    "default": {
        **(_database or {"ENGINE": "django.db.backends.postgresql", "NAME": "lockstep"}),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**_options, "connect_timeout": 5, "application_name": "lockstep"},
    }
}
# The pools belong to web processes alone: a pool must not cross the fork of a job process.
WEB_POOL = env.flag("LOCKSTEP_WEB_POOL")
BOOT_GATE_POOL = 2 if WEB_POOL else 0  # connections of the boot gate's own, see dashboard/boot/pool.py
HEALTH_CONNECTIONS = 2 if WEB_POOL else 0  # see dashboard/health/own.py
if WEB_POOL:
    from dashboard.pooled.patience import STATEMENT_S, PatientConnection

    DATABASES["default"]["ENGINE"] = "dashboard.pooled"
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = False  # see dashboard/pooled/base.py
    DATABASES["default"]["OPTIONS"] = {
        **_options,
        "connect_timeout": 5,
        "application_name": "lockstep-web",
        "prepare_threshold": 1,  # see migrations_app/prepared.py
        "options": f"-c statement_timeout={STATEMENT_S}s",
        # Attempts to connect again are spaced ever wider, so they are given up soon and the next request begins anew.
        # No `max_waiting`: those who gave up count there too, and who is turned away tries no connection, so that a
        # long outage would never end. The threads of the web server are the limit.
        "pool": {
            "min_size": 1,
            "max_size": 6,
            "timeout": 2,
            "reconnect_timeout": 1.0,
            "connection_class": PatientConnection,
        },
    }

# When a web process leaves its database alone for a while, see migrations_app/health/breaker.py.
CIRCUIT_BREAKER_ENABLED = env.flag("CIRCUIT_BREAKER_ENABLED", default=True)
CIRCUIT_BREAKER_WINDOW_SIZE = env.count("CIRCUIT_BREAKER_WINDOW_SIZE", 10)
CIRCUIT_BREAKER_FAILURE_THRESHOLD = env.count(
    "CIRCUIT_BREAKER_FAILURE_THRESHOLD", min(5, CIRCUIT_BREAKER_WINDOW_SIZE), most=CIRCUIT_BREAKER_WINDOW_SIZE
)
CIRCUIT_BREAKER_FAILURE_RATE = env.number("CIRCUIT_BREAKER_FAILURE_RATE", 0.5, most=1)
CIRCUIT_BREAKER_RECOVERY_TIMEOUT = env.number("CIRCUIT_BREAKER_RECOVERY_TIMEOUT", 30, most=3600)
DB_POOL_EXHAUSTED_RETRY_AFTER_SECONDS = env.count("DB_POOL_EXHAUSTED_RETRY_AFTER_SECONDS", 5, most=3600)

# What web, workers, scheduler and watchdog agree about, and when the web processes may be restarted.
RUNTIME_CONTRACT, RESTART_RULES = env.runtime_contract(), env.restart_rules()

# From where on what health measures is told as a warning, see migrations_app/health/thresholds.py.
RESILIENCE = {
    name: env.number(f"RESILIENCE_{name.upper()}", default)
    for name, default in (
        ("degraded_alert_seconds", 300),
        ("pool_saturation_warning", 0.90),
        ("pool_saturation_critical", 1.0),
        ("restart_churn_window_seconds", 600),
        ("restart_churn_threshold", 3),
    )
}
HEALTH_MEMO_TTL_SECONDS = env.number_or_off("HEALTH_MEMO_TTL_SECONDS", 5)
# Who sees all of /health without signing in.
HEALTH_ALLOW = env.networks("LOCKSTEP_HEALTH_ALLOW")

REDIS_URL = env.redis_url("LOCKSTEP_REDIS_URL")
# Whether what a web process has drawn is kept (l1) and shared with the others through Redis (l2).
ROUTE_CACHE = env.choice(
    "LOCKSTEP_ROUTE_CACHE", ("l1+l2", "l1-only", "none"), "l1+l2" if WEB_POOL and REDIS_URL else "l1-only"
)
RQ_QUEUES = {
    "runs": {
        "URL": REDIS_URL or "redis://127.0.0.1:6379/0",
        "SERIALIZER": "rq.serializers.JSONSerializer",
        "DEFAULT_TIMEOUT": -1,
        "REDIS_CLIENT_KWARGS": {"socket_connect_timeout": 2},
    }
}
RQ_SHOW_ADMIN_LINK = False

LOCKSTEP_LEASE_SECONDS = env.number("LOCKSTEP_LEASE_SECONDS", 15)
LOCKSTEP_BEAT_SECONDS = env.number("LOCKSTEP_BEAT_SECONDS", 3)
LOCKSTEP_STALE_SECONDS = env.number("LOCKSTEP_STALE_SECONDS", 90)
LOCKSTEP_RECONCILE_SECONDS = env.number("LOCKSTEP_RECONCILE_SECONDS", 2)
LOCKSTEP_LOCK_WINDOW_SECONDS = env.number("LOCKSTEP_LOCK_WINDOW_SECONDS", 1800)

# Addresses of servers where clones of targets are made, one for each major version; nobody else's database lives there.
LOCKSTEP_REHEARSAL_SERVERS = env.text("LOCKSTEP_REHEARSAL_SERVERS").split()
# Where the administrator keeps a smoke check for each service, named like it; empty: there are none.
LOCKSTEP_SMOKE_DIR = env.text("LOCKSTEP_SMOKE_DIR")
# Where the administrator keeps the programs that checks of gates may run, by their name; empty: there are none.
LOCKSTEP_CHECKS_DIR = env.text("LOCKSTEP_CHECKS_DIR")
# Hosts for checks and the webhook that are inside, speak http or listen on another port: host or host:port.
LOCKSTEP_OUTBOUND_HOSTS = env.text("LOCKSTEP_OUTBOUND_HOSTS").split()

# Where the head of the audit log is noted once a day, outside the database.
LOCKSTEP_ANCHOR_FILE = env.text("LOCKSTEP_ANCHOR_FILE") or str(LOCKSTEP_DATA_DIR / "audit-anchors.txt")
LOCKSTEP_ANCHOR_WEBHOOK = env.text("LOCKSTEP_ANCHOR_WEBHOOK")

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTHENTICATION_BACKENDS = ["dashboard.signin.Backend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

SESSION_ENGINE = "dashboard.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = USE_TLS
SESSION_COOKIE_NAME = "__Host-session" if USE_TLS else "lockstep_session"
CSRF_COOKIE_NAME = "__Host-csrf" if USE_TLS else "lockstep_csrf"
CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if USE_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = USE_TLS
SECURE_SSL_REDIRECT = USE_TLS
# Whoever watches the process itself asks it without the proxy.
SECURE_REDIRECT_EXEMPT = [r"^(health|livez|readyz)$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if USE_TLS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
# Above the upload page's own limit, so that its sentence is what people read.
DATA_UPLOAD_MAX_NUMBER_FILES = 2000

LANGUAGE_CODE = "en-gb"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Served from where they lie: no collecting step that could be forgotten.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

LOGGING_CONFIG = None
logging_config()
