"""Operational drills: a scenario of the decision matrix practised by people, timed by the database's clock."""
