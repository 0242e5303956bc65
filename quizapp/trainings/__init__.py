"""Training sessions and check-in."""
