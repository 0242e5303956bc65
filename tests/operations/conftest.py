"""Databases with the question banks in them: a server that starts on a copy has nothing to load."""

from __future__ import annotations

from tests.bank_templates import postgres_template, sqlite_template  # noqa: F401 # fixtures
