"""The one field of the code page."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from quizapp.accounts.passwords import MOST


class CodeForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """A poster code, a session code or a receipt code."""

    code = StringField(
        _l("码"), validators=[InputRequired(_l("请填写码")), Length(max=40, message=_l("码有 8 位或 12 位"))]
    )


class PasswordAgainForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """The password, typed once more before something that cannot be taken back or must not fall into other hands."""

    password = PasswordField(_l("再输一次密码"), validators=[InputRequired(_l("请填写密码")), Length(max=MOST)])
    not_before = HiddenField("")
