"""Refusals of the gathering pages."""

from __future__ import annotations

from quizapp.core.errors import Invalid, NotFound


class CodeLength(Invalid):
    """Neither a poster code nor a receipt code: `count` characters."""

    code = "code_length"


class CodeMistyped(Invalid):
    """Twelve characters whose check character does not fit."""

    code = "code_mistyped"


class PosterCodeUnknown(NotFound):
    """No test and no session has this code."""

    code = "poster_code_unknown"
