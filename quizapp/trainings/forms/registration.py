"""The forms of registration: a guest's, an account's, and those by which staff register others."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from quizapp.trainings.forms.attendees import NamedForm
from quizapp.trainings.forms.base import TrainingForm

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)


class AccountRegistrationForm(TrainingForm):
    """One press; the address only where a mail server is set."""

    email = StringField(_l("邮箱"), validators=[Optional(), Length(max=120)])

    def validate_email(self, field: Any) -> None:
        """An address as mail servers take it."""
        if not _ADDRESS.fullmatch(field.data.strip()):
            raise ValidationError(_("邮箱写成 name@example.com 这样"))

    def address(self) -> str | None:
        """The typed address."""
        return (self.email.data or "").strip() or None if "email" in self else None


class GuestRegistrationForm(AccountRegistrationForm, NamedForm):
    """Name and phone of somebody who will come."""

    #: Random, one for each form: sent twice, because the first reply was lost, it is one registration with one link.
    ticket = HiddenField("", validators=[Length(max=40)])
    consent = BooleanField(
        _l("我已看过上面的说明，同意这样使用"), validators=[InputRequired(_l("请先看数据说明并勾选同意"))]
    )


class RegisterOtherForm(NamedForm):
    """Name and phone of somebody whom the trainer registers."""


class NewPersonForm(NamedForm):
    """Somebody of the liaison's unit who is not on the list."""

    unit_id = SelectField(_l("单位"), validators=[InputRequired(_l("请选择单位"))])
    job_role = SelectField(_l("岗位"), validators=[Optional()])
