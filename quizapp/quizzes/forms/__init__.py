"""Shapes of what is typed, one module per page family."""
