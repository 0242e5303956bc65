"""The one field of the code page."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length


class CodeForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """A poster code, a session code or a receipt code."""

    code = StringField(
        _l("码"), validators=[InputRequired(_l("请填写码")), Length(max=40, message=_l("码有 8 位或 12 位"))]
    )
