"""Forms of the banks."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired


class SheetForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """A spreadsheet of items to check."""

    file = FileField(_l("表格文件"), validators=[FileRequired(_l("请选择一个文件"))])
