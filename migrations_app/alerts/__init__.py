"""Rules over what was observed, told with their arithmetic."""
