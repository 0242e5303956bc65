"""The shape of what is typed about units and industries."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types
from wtforms.validators import InputRequired, Length, Optional

from quizapp.core.errors import DomainError
from quizapp.organisation.web import KIND_WORDS, RESIDENCE_WORDS
from quizapp.ui.words import words_for


class OrganisationForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """A form that shows a service's refusal at its field."""

    def show(self, error: DomainError) -> None:
        """Put a refusal at the field that it names, or at the top."""
        name = error.data.get("field")
        if isinstance(name, str) and name in self:
            self[name].errors = [*self[name].errors, words_for(error)]
        else:
            self.form_errors.append(words_for(error))


class FileForm(OrganisationForm):
    """A file of people or units."""

    file = FileField(_l("表格文件"), validators=[FileRequired(_l("请选择一个文件"))])


class UnitForm(OrganisationForm):
    """A unit."""

    name = StringField(_l("名称"), validators=[InputRequired(_l("请填写名称")), Length(max=120)])
    name_en = StringField(_l("英文名称"), validators=[Optional(), Length(max=120)])
    kind = SelectField(_l("类型"), choices=[SelectChoice(kind.value, word) for kind, word in KIND_WORDS.items()])
    code = StringField(_l("单位码"), validators=[Optional(), Length(max=40)])
    residence = SelectField(
        _l("城乡"),
        choices=[
            SelectChoice("", _l("和上级一样")),
            *(SelectChoice(code.value, word) for code, word in RESIDENCE_WORDS.items()),
        ],
        filters=[lambda value: value or ""],
    )
    industry_id = SelectField(_l("行业"), validators=[Optional()])


class PickUnitForm(OrganisationForm):
    """One unit, to move or to merge another into."""

    unit_id = StringField(_l("单位"), validators=[Length(max=12)])


class IndustryForm(OrganisationForm):
    """An industry."""

    name = StringField(_l("名称"), validators=[InputRequired(_l("请填写名称")), Length(max=80)])
    name_en = StringField(_l("英文名称"), validators=[Optional(), Length(max=80)])
    code = StringField(_l("代码"), validators=[InputRequired(_l("请填写代码")), Length(max=40)])
