"""`manage.py gates self`: green on an installation that runs, and red for each fault that is really made."""
