"""Surveys of a population: a planned sample, its draw, invitations by card, the response, and the estimate with its error."""
