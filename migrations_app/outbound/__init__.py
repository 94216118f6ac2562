"""Asking addresses that people typed: one GET to a place that was looked up once and is allowed, and nothing else."""
