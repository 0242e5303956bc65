"""Running the product: server, first start, checks."""
