"""Sums of attempts by delivery, day or month, unit and group: kept by a job, always equal to the records."""
