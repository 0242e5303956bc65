"""The check-in form, and the form by which a trainer writes somebody down."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional, StopValidation, ValidationError

from quizapp.core.phones import PhoneInvalid, normalize_phone
from quizapp.trainings.forms.base import TrainingForm


def check_phone(text: str) -> None:
    try:
        normalize_phone(text)
    except PhoneInvalid as error:
        raise ValidationError(
            _("手机号要有 11 位，现在是 %(digits)s 位", digits=error.data["digits"])
            if error.data["digits"] != 11
            else _("手机号以 1 开头，请再看一遍")
        ) from error


class NeededWithoutCode(InputRequired):
    """A field that must be filled in by whoever gives no personal code."""

    def __call__(self, form: Any, field: Any) -> None:
        """Stop without a word where a code is given."""
        if form.personal_code.data:
            field.errors[:] = []
            raise StopValidation
        super().__call__(form, field)


class NamedForm(TrainingForm):
    """Name and phone of somebody."""

    name = StringField(_l("姓名"), validators=[InputRequired(_l("请填写姓名")), Length(max=40)])
    phone = StringField(_l("手机号"), validators=[InputRequired(_l("请填写手机号")), Length(max=30)])

    def validate_phone(self, field: Any) -> None:
        """Eleven digits, however typed."""
        check_phone(field.data)


class CheckInForm(TrainingForm):
    """Name and phone of somebody who came, or the personal code; the unit may be left out."""

    name = StringField(_l("姓名"), validators=[NeededWithoutCode(_l("请填写姓名")), Length(max=40)])
    phone = StringField(_l("手机号"), validators=[NeededWithoutCode(_l("请填写手机号")), Length(max=30)])
    unit_id = StringField(_l("单位"), validators=[Optional()])
    personal_code = StringField(_l("个人码"), validators=[Optional(), Length(max=40)])

    def validate_phone(self, field: Any) -> None:
        """Eleven digits, however typed."""
        if not self.personal_code.data:
            check_phone(field.data)


class WalkInForm(TrainingForm):
    """Somebody whom the trainer writes down; the number may be missing."""

    #: Random, one for each form: a double press means the same person.
    ticket = HiddenField("", validators=[Length(max=40)])
    name = StringField(_l("姓名"), validators=[InputRequired(_l("请填写姓名")), Length(max=40)])
    phone = StringField(_l("手机号"), validators=[Optional(), Length(max=30)])
    unit_id = SelectField(_l("单位"), validators=[Optional()], validate_choice=False)

    def validate_phone(self, field: Any) -> None:
        """Eleven digits, however typed, or nothing."""
        check_phone(field.data)
