"""What people upload: checked, encrypted, kept for a term."""
