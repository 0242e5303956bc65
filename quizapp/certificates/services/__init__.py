"""What is done with certificates; each module is a part of it."""

from __future__ import annotations

from quizapp.certificates.services.checking import look_up
from quizapp.certificates.services.issuing import issue_again, issue_certificates
from quizapp.certificates.services.printing import (
    KEPT,
    TASK,
    ask_for_file,
    keep_pdf,
    note_export,
    page_of,
    pages_of_run,
)
from quizapp.certificates.services.revoking import revoke

__all__ = [
    "KEPT",
    "TASK",
    "ask_for_file",
    "issue_again",
    "issue_certificates",
    "keep_pdf",
    "look_up",
    "note_export",
    "page_of",
    "pages_of_run",
    "revoke",
]
