"""Whether a release is ready: gates of checks, evidence with an age, signatures under exactly that evidence."""
