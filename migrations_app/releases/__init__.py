"""Releases of a service: which schemas each can work with, and where one would refuse to start."""
