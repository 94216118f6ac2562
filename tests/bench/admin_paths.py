"""Where the admin's lists are; apart from their registration, which only the admin's own server may do."""

from __future__ import annotations

LEDGER, RUNS = "/admin/migrations_app/ledgerentry/", "/admin/migrations_app/run/"
PAGE = 50
