"""Asking addresses that people typed: one request to a place that was looked up once and is allowed, no more."""
