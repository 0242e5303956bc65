"""The page that asks once more before something is taken back or given up."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template

from quizapp.surveys.models import Survey


@dataclass(frozen=True)
class Question:
    """What would be done, what follows from it, and the words of both buttons."""

    #: Also what the button says that does it.
    title: str
    warning: str
    follows: str
    busy: str
    leave: str
    #: Names and values of what it is about.
    facts: tuple[tuple[str, str], ...]
    helper: str | None = None


def ask(survey: Survey, question: Question) -> str:
    """The page; its form goes to its own address."""
    return render_template("surveys/ask.html", survey=survey, question=question)
