"""The session form, the check-in form, and the form by which a trainer writes somebody down."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, StringField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from quizapp.core.clock import LOCAL_ZONE
from quizapp.core.errors import DomainError
from quizapp.core.phones import PhoneInvalid, normalize_phone
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


def _check_phone(text: str) -> None:
    try:
        normalize_phone(text)
    except PhoneInvalid as error:
        raise ValidationError(
            _("手机号要有 11 位，现在是 %(digits)s 位", digits=error.data["digits"])
            if error.data["digits"] != 11
            else _("手机号以 1 开头，请再看一遍")
        ) from error


class CheckInForm(TrainingForm):
    """Name and phone of somebody who came."""

    name = StringField(_l("姓名"), validators=[InputRequired(_l("请填写姓名")), Length(max=40)])
    phone = StringField(_l("手机号"), validators=[InputRequired(_l("请填写手机号")), Length(max=30)])

    def validate_phone(self, field: Any) -> None:
        """Eleven digits, however typed."""
        _check_phone(field.data)


class WalkInForm(TrainingForm):
    """Somebody whom the trainer writes down; the number may be missing."""

    #: Random, one for each form: a double press means the same person.
    ticket = HiddenField(validators=[Length(max=40)])
    name = StringField(_l("姓名"), validators=[InputRequired(_l("请填写姓名")), Length(max=40)])
    phone = StringField(_l("手机号"), validators=[Optional(), Length(max=30)])

    def validate_phone(self, field: Any) -> None:
        """Eleven digits, however typed, or nothing."""
        _check_phone(field.data)


class EmptyForm(TrainingForm):
    """A button alone."""
