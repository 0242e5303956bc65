"""Looking a certificate up by what is printed on it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from quizapp.certificates.models import Certificate
from quizapp.certificates.numbers import check_typed, parse_number
from quizapp.certificates.queries import find_by_number


def look_up(db: Session, *, number: str, code: str) -> Certificate:
    """The certificate of a typed number and check code. Raises NumberMistyped, CertificateUnknown (whichever of the two is wrong)."""
    found = find_by_number(db, parse_number(number))
    check_typed(found.check_code if found else None, code)
    assert found is not None  # noqa: S101 # nothing that can be typed fits where there is none; tells the type checker
    return found
