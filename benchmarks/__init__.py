"""Measurements of quizapp against raw floors: `make bench`. README.md says what is compared with what."""
