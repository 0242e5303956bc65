"""The session form."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from quizapp.core.clock import LOCAL_ZONE
from quizapp.trainings.forms.base import TrainingForm


class SessionForm(TrainingForm):
    """Title, place, unit and time of a session; the times are of the local day."""

    title = StringField(_l("名称"), validators=[InputRequired(_l("请填写名称")), Length(max=60)])
    place = StringField(_l("地点"), validators=[InputRequired(_l("请填写地点")), Length(max=60)])
    unit_id = RadioField(_l("主办单位"), choices=[], validate_choice=False)
    unit_query = StringField(_l("主办单位"), name="unit_id_query", validators=[Length(max=60)])
    day = StringField(_l("日期"), validators=[InputRequired(_l("请选择日期"))])
    begins = StringField(_l("开始"), validators=[InputRequired(_l("请填写开始时间"))])
    ends = StringField(_l("结束"), validators=[InputRequired(_l("请填写结束时间"))])

    def validate_unit_id(self, field: Any) -> None:
        """One of the units that were found."""
        if not (field.data or "").isdecimal():
            raise ValidationError(_("请选择单位"))

    def validate_day(self, field: Any) -> None:
        """A day as browsers send it, 2026-11-27."""
        self.day_value = _parsed(date.fromisoformat, field.data, _("日期写成 2026-11-27 这样"))

    def validate_begins(self, field: Any) -> None:
        """A time of day, 14:00."""
        self.begins_value = _parsed(time.fromisoformat, field.data, _("时间写成 14:00 这样"))

    def validate_ends(self, field: Any) -> None:
        """A time of day, 15:30."""
        self.ends_value = _parsed(time.fromisoformat, field.data, _("时间写成 15:30 这样"))

    @property
    def starts_at(self) -> datetime:
        """The begin (after a successful validation)."""
        return datetime.combine(self.day_value, self.begins_value, LOCAL_ZONE)

    @property
    def ends_at(self) -> datetime:
        """The end (after a successful validation)."""
        return datetime.combine(self.day_value, self.ends_value, LOCAL_ZONE)


def _parsed(parse: Any, text: str, message: str) -> Any:
    try:
        value = parse(text.strip())
    except ValueError as error:
        raise ValidationError(message) from error
    if getattr(value, "tzinfo", None) is not None:
        raise ValidationError(message)
    return value
