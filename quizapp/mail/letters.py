"""What a mail says: features register by kind how it is composed, in the language of whoever gets it.

@composes("session_reminder")
def reminder(question: Question, _: Words) -> Letter | None: ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from gettext import NullTranslations

from babel.support import Translations
from sqlalchemy.orm import Session

from quizapp.ui.build import TRANSLATIONS


@dataclass(frozen=True)
class Letter:
    """A mail's words."""

    subject: str
    text: str


@dataclass(frozen=True)
class Words:
    """The words of one language; called with a Chinese message id and its values."""

    language: str

    def __call__(self, message: str, **values: object) -> str:
        text: str = _catalogue(self.language).gettext(message)
        return text % values if values else text

    @property
    def english(self) -> bool:
        """Whether it is English."""
        return self.language == "en"


@dataclass(frozen=True)
class Question:
    """What a composer is asked."""

    db: Session
    #: Key of the row that the mail is about.
    about_id: int
    #: Which occasion.
    mark: int
    #: The address of this installation, without a slash at its end.
    public_url: str
    now: datetime


#: None says that there is nothing to say any more.
Composer = Callable[[Question, Words], Letter | None]

COMPOSERS: dict[str, Composer] = {}


def composes(kind: str) -> Callable[[Composer], Composer]:
    """Register how a kind of mail is composed."""

    def register(function: Composer) -> Composer:
        COMPOSERS[kind] = function
        return function

    return register


@cache
def _catalogue(language: str) -> NullTranslations:
    return Translations.load(str(TRANSLATIONS), ["en" if language == "en" else "zh_Hans_CN"])
