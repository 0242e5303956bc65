"""Running the product: server, first start, backup and restore, the doctor, files at the root."""
