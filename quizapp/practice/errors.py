"""Refusals of practice."""

from __future__ import annotations

from quizapp.core.errors import Invalid


class AnswerMissing(Invalid):
    """Nothing was chosen."""

    code = "practice_answer_missing"
