"""The forms of a roster: somebody by hand, and why somebody is taken off."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types
from wtforms.validators import InputRequired, Length, Optional

from quizapp.organisation.web import JOB_ROLE_WORDS
from quizapp.trainings.forms.attendees import check_phone
from quizapp.trainings.forms.base import TrainingForm
from quizapp.trainings.models import RemovalReason

REASON_WORDS = {
    RemovalReason.MOVED: _l("调到别处"),
    RemovalReason.LEFT: _l("离职"),
    RemovalReason.EXCUSED: _l("请假，改参加别的场次"),
    RemovalReason.MISTAKE: _l("列错了"),
}


class RosterEntryForm(TrainingForm):
    """One person for the roster; a phone number or a unit says who it is."""

    name = StringField(_l("姓名"), validators=[InputRequired(_l("请填写姓名")), Length(max=40)])
    phone = StringField(_l("手机号"), validators=[Optional(), Length(max=30)])
    unit_id = RadioField(_l("单位"), choices=[], validate_choice=False, validators=[Optional()])
    job_role = SelectField(
        _l("岗位"),
        choices=[
            SelectChoice("", _l("不说")),
            *(SelectChoice(role.value, word) for role, word in JOB_ROLE_WORDS.items()),
        ],
    )

    def validate_phone(self, field: Any) -> None:
        """Eleven digits, however typed, or nothing."""
        check_phone(field.data)


class RemovalForm(TrainingForm):
    """Why somebody is taken off."""

    reason = RadioField(
        _l("为什么移出"),
        choices=[SelectChoice(reason.value, word) for reason, word in REASON_WORDS.items()],
        validators=[InputRequired(_l("请选一个原因"))],
    )
