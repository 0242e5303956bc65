"""What the forms of trainings share."""

from __future__ import annotations

from flask_wtf import FlaskForm

from quizapp.core.errors import DomainError
from quizapp.ui.words import words_for


class TrainingForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What the forms here share."""

    def show(self, error: DomainError) -> bool:
        """Put a service's refusal at its field; False when it belongs to none."""
        name = error.data.get("field")
        if not isinstance(name, str) or name not in self:
            return False
        self[name].errors = [*self[name].errors, words_for(error)]
        return True


class EmptyForm(TrainingForm):
    """A button alone."""
