"""Django's PostgreSQL backend, for the pool of a web process."""
