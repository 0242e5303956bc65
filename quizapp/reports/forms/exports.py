"""How a table shall be exported."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types
from wtforms.validators import InputRequired, Optional

from quizapp.reports.exports import Format, Reason

REASONS = {
    Reason.REPORT: _l("写报告、总结"),
    Reason.CHECK: _l("核对名单"),
    Reason.ENQUIRY: _l("回答本人询问或投诉"),
    Reason.AUDIT: _l("接受检查、审计"),
    Reason.HANDOVER: _l("工作交接"),
}


class ExportForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """Kind of file, and whether people's records go along, and why."""

    format = RadioField(
        _l("文件"),
        choices=[SelectChoice(Format.XLSX.value, "Excel"), SelectChoice(Format.CSV.value, "CSV")],
        default=Format.XLSX.value,
        validators=[InputRequired(_l("请选一种文件"))],
    )
    records = BooleanField(_l("附上明细"))
    reason = SelectField(
        _l("用途"),
        choices=[
            SelectChoice("", _l("请选择")),
            *(SelectChoice(reason.value, word) for reason, word in REASONS.items()),
        ],
        validators=[Optional()],
    )

    def __init__(self, *args: Any, may_have_records: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_have_records:
            del self.records
            del self.reason

    def reason_code(self) -> Reason | bool | None:
        """None: no records are wanted. False: they are, without a reason."""
        if "records" not in self or not self.records.data:
            return None
        return Reason(self.reason.data) if self.reason.data else False
