"""Reads, one module per page family."""
