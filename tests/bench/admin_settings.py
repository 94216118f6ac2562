"""Lockstep's settings with Django's own admin beside it: for the comparison of lists, nothing else."""

from __future__ import annotations

from dashboard.settings import *  # noqa: F403
from dashboard.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "django.contrib.admin"]
ROOT_URLCONF = "tests.bench.admin_urls"
