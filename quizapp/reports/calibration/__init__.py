"""Difficulty and discrimination of the questions of a bank, from all its tests, kept by a job."""
