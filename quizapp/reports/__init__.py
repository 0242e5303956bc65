"""Figures that open to their records."""
