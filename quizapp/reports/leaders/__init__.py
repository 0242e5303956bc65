"""The grid of the roles that see aggregates only: fixed, made by a job on last night's state, stored."""
