"""The domain: everything that is still true without a browser."""

__version__ = "0.1.0"
