"""Item banks."""
