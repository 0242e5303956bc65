"""What a typed code is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from quizapp.core.tokens import check_character, normalize_code
from quizapp.portal.errors import CodeLength, CodeMistyped, PosterCodeUnknown
from quizapp.portal.queries import find_code

POSTER_LENGTH = 8
RECEIPT_LENGTH = 12


class CodeKind(StrEnum):
    """What a code opens."""

    DELIVERY = "delivery"
    SESSION = "session"
    RECEIPT = "receipt"


@dataclass(frozen=True)
class Recognised:
    """A code as it is stored, and its kind."""

    kind: CodeKind
    code: str


def recognise_code(db: Session, text: str) -> Recognised:
    """Tell a poster, a session and a receipt code apart by length and check character.

    Raises CodeLength, CodeMistyped or PosterCodeUnknown. A receipt code is not looked up here: that needs the limits of its own page.
    """
    code = normalize_code(text)
    if len(code) == RECEIPT_LENGTH:
        if check_character(code[:-1]) != code[-1]:
            raise CodeMistyped(field="code")
        return Recognised(CodeKind.RECEIPT, code)
    if len(code) != POSTER_LENGTH:
        raise CodeLength(field="code", count=len(code))
    found = find_code(db, code)
    if found is None:
        raise PosterCodeUnknown(field="code")
    return Recognised(CodeKind(found[0]), code)
