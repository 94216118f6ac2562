"""Kills, stops and cuts on purpose, then counts: nothing applied twice, lost, out of order or left half-made."""
