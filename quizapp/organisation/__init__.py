"""Units, industries, people."""
