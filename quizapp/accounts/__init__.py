"""Sign-in, roles, grants."""
