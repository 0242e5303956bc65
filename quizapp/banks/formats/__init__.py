"""File formats of the banks."""
