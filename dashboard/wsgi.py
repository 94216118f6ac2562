"""The door for gunicorn."""

from __future__ import annotations

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
application = get_wsgi_application()
# Every page's module, which Django would otherwise load in the first reader's time.
import_module(settings.ROOT_URLCONF)
