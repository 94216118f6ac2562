"""The boot gate: whether a service may start on what stands in its environment, and how its starts went."""
