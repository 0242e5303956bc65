"""The forms of a list: a decision, a note, a check-out, a line of a paper sheet, a photo."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from quizapp.trainings.forms.attendees import check_phone
from quizapp.trainings.forms.base import TrainingForm


class DecisionForm(TrainingForm):
    """Confirm, strike or undo; the buttons say which."""

    action = HiddenField("")
    reason = RadioField(
        _l("划掉的原因"),
        choices=[
            SelectChoice("proxy", _l("代签")),
            SelectChoice("mistake", _l("记错")),
            SelectChoice("other", _l("其他")),
        ],
        validate_choice=False,
    )


class NoteForm(TrainingForm):
    """Something beside a name."""

    note = StringField(_l("备注"), validators=[Optional(), Length(max=200)])


class CheckOutForm(TrainingForm):
    """The time of a check-out; empty takes it away."""

    checked_out = StringField(_l("签退时间"), validators=[Optional()])

    def validate_checked_out(self, field: Any) -> None:
        """A time of day."""
        self.time = parse_time(field.data)


class BackFillForm(TrainingForm):
    """One line of a paper sheet."""

    #: Random, one for each line: what arrives twice is one.
    ticket = HiddenField("", validators=[Length(max=40)])
    #: Who it is among those who were found: a key, or "new".
    person = HiddenField("")
    name = StringField(_l("姓名"), validators=[InputRequired(_l("请填写姓名")), Length(max=40)])
    unit_id = SelectField(_l("新人的单位"), validators=[Optional()], validate_choice=False)
    phone = StringField(_l("手机号"), validators=[Optional(), Length(max=30)])
    arrived = StringField(_l("到场时间"), validators=[Optional()])
    evidence_id = SelectField(_l("佐证"), validators=[Optional()], validate_choice=False)

    def validate_phone(self, field: Any) -> None:
        """Eleven digits, however typed, or nothing."""
        check_phone(field.data)

    def validate_arrived(self, field: Any) -> None:
        """A time of day, or nothing."""
        self.time = parse_time(field.data)

    def number(self, name: str) -> int | None:
        """The key in a choice, None where nothing was chosen."""
        text = self[name].data or ""
        return int(text) if text.isdecimal() else None


class EvidenceForm(TrainingForm):
    """A photo of the sheet, or of the room."""

    kind = RadioField(
        _l("照片"),
        choices=[SelectChoice("sheet", _l("纸质签到表")), SelectChoice("photo", _l("现场照片"))],
        default="sheet",
    )
    photo = FileField(_l("选一张照片"), validators=[FileRequired(_l("请选一张照片"))])


def parse_time(text: str) -> time:
    """A typed time of day. Raises ValidationError."""
    digits = text.strip().replace("：", ":")
    if digits.isascii() and digits.isdecimal() and len(digits) in (3, 4):
        digits = f"{digits[:-2]:0>2}:{digits[-2:]}"
    try:
        value = time.fromisoformat(digits)
    except ValueError as error:
        raise ValidationError(_("时间写成 14:00 这样")) from error
    if value.tzinfo is not None:
        raise ValidationError(_("时间写成 14:00 这样"))
    return value


def offer(field: Any, choices: Iterable[tuple[str, str]]) -> None:
    """Fill a choice that depends on the session."""
    field.choices = [SelectChoice(value, label) for value, label in choices]
