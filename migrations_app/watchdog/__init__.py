"""Restarts of the web processes under a policy. Standard library alone: it works when nothing else here does."""
