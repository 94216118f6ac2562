"""A plan carried over environments: a release's cutover, one run after the other, and its way back."""
