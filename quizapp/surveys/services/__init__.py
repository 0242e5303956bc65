"""What is done with surveys, one module per use case."""
