"""Programs that a look starts in a process of its own: what they break, they break there. Each prints one line of JSON."""
