"""Forms of the banks."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, TextAreaField
from wtforms.validators import Length, Optional

#: Characters of a note.
LONGEST_NOTE = 300


class SheetForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """A spreadsheet of items to check."""

    file = FileField(_l("表格文件"), validators=[FileRequired(_l("请选择一个文件"))])


class LookForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What a reviewer found, and on what: the version and the flags that stood on the page."""

    note = TextAreaField(
        _l("为什么没问题"), validators=[Optional(), Length(max=LONGEST_NOTE, message=_l("说明最多 300 个字"))]
    )
    version = HiddenField(_l("版本"))
    flags = HiddenField(_l("问题"))

    @property
    def seen_version(self) -> int:
        """The number of the version; 0, which none has, for anything else."""
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

    @property
    def seen_flags(self) -> list[str]:
        """The codes of the flags."""
        return str(self.flags.data or "").split(",")
