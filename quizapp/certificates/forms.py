"""The forms of certificates: shapes, no rules."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from quizapp.trainings.forms import EmptyForm, TrainingForm

__all__ = ["CheckForm", "EmptyForm", "RevokeForm"]


class CheckForm(TrainingForm):
    """What is printed on a certificate, for who cannot scan."""

    number = StringField(_l("编号"), validators=[InputRequired(_l("请填写编号")), Length(max=40)])
    code = StringField(_l("校验码"), validators=[InputRequired(_l("请填写校验码")), Length(max=40)])


class RevokeForm(TrainingForm):
    """Why a certificate is revoked."""

    reason = StringField(_l("撤销的原因"), validators=[InputRequired(_l("请填写原因")), Length(max=200)])
