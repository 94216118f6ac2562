"""The servers Lockstep brings along: PostgreSQL and Redis from wheels, as ordinary children.

Nothing here needs Django, so tests, benchmarks and `manage.py up` start servers the same way.
"""
