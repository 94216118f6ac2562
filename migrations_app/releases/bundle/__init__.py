"""A release with everything that speaks for it, as one file that is checked on a machine with nothing but Python."""
