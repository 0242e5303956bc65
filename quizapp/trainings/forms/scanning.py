"""Admitting a helper's phone, and handing a phone's file in."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from quizapp.core.errors import DomainError
from quizapp.trainings.forms.base import TrainingForm
from quizapp.ui.words import words_for


class HelperForm(TrainingForm):
    """What the trainer calls the helper's phone."""

    label = StringField(_l("叫它什么"), validators=[InputRequired(_l("请填写一个名字，比如“二号门”")), Length(max=40)])


class ScanFileForm(TrainingForm):
    """A file that a scanning phone saved."""

    file = FileField(_l("扫码记录文件"), validators=[FileRequired(_l("请选一个文件"))])

    def refuse(self, error: DomainError) -> None:
        """Say at the field why the file was not taken."""
        self.file.errors = [words_for(error)]
