"""What is typed where results change afterwards."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, IntegerField, SelectMultipleField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from quizapp.core.errors import DomainError
from quizapp.quizzes.services.extending import MOST_MINUTES
from quizapp.ui.words import words_for


class AfterwardsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """A form that shows a service's refusal at its field."""

    def show(self, error: DomainError) -> bool:
        """Put a refusal at the field that it names; False where it names none."""
        name = error.data.get("field")
        if not isinstance(name, str) or name not in self:
            return False
        self[name].errors = [*self[name].errors, words_for(error)]
        return True


class ReasonForm(AfterwardsForm):
    """Why."""

    reason = TextAreaField(
        _l("理由"), validators=[InputRequired(_l("请写明理由，另一个人要看着它决定")), Length(max=300)]
    )


class CorrectionForm(ReasonForm):
    """Which answers are right. Of several choices a second answer can be right too."""

    accepted = SelectMultipleField(_l("算对的答案"), validate_choice=False)
    also = SelectMultipleField(_l("另一种也算对的答案"), validate_choice=False)


class ExtendForm(AfterwardsForm):
    """The later end."""

    closes_at = DateTimeLocalField(
        _l("新的截止时间"),
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        validators=[InputRequired(_l("请选择截止时间"))],
    )


class ExtraTimeForm(AfterwardsForm):
    """How many minutes."""

    minutes = IntegerField(
        _l("延时"),
        validators=[InputRequired(_l("延时填整数分钟")), NumberRange(1, MOST_MINUTES, _l("延时填 1 到 1440 分钟"))],
    )
