"""Programs that a look starts in a process of its own, where they break what they break; each prints a line of JSON."""
