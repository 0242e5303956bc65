"""Blueprints, deliveries, papers, attempts, scoring."""
