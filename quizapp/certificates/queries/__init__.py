"""Reading runs and certificates; each module is a part of it."""

from __future__ import annotations

from quizapp.certificates.queries.certificates import (
    Found,
    certificates_of_person,
    count_certificates,
    count_states,
    find_by_check_code,
    find_by_number,
    get_certificate,
    get_own_certificate,
    is_state,
    list_certificates,
)
from quizapp.certificates.queries.runs import Candidate, RunDays, candidates, get_run, run_days, run_sessions

__all__ = [
    "Candidate",
    "Found",
    "RunDays",
    "candidates",
    "certificates_of_person",
    "count_certificates",
    "count_states",
    "find_by_check_code",
    "find_by_number",
    "get_certificate",
    "get_own_certificate",
    "get_run",
    "is_state",
    "list_certificates",
    "run_days",
    "run_sessions",
]
