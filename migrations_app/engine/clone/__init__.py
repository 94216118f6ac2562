"""Throw-away copies of a target: made, traced, removed."""
