"""What Prometheus is told: a file for each family, read from the control database or from what web processes tell."""
