"""A large fleet's history made straight in the control database: for measuring pages, never for working with.

Its environments have no target. Receipts, runs and logs are what years of work would have left behind.
"""
