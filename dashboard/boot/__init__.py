"""The boot gate at the edge: answered by threads and connections of its own, whatever the rest of the process does."""
