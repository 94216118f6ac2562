"""Releases: registered once, and held against what stands in each environment."""
