"""Which locks are held; the control database of the same server takes some of its own for a moment."""

ADVISORY_LOCKS = """SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
