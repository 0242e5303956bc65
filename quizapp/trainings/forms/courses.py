"""The forms of courses, runs and kept places."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DecimalField, IntegerField, RadioField, StringField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from quizapp.trainings.forms.base import TrainingForm
from quizapp.trainings.forms.words import KIND_CHOICES
from quizapp.trainings.models import SessionKind
from quizapp.trainings.services import RunPlan


class UnitForm(TrainingForm):
    """A form about something of a unit."""

    unit_id = RadioField(_l("主办单位"), choices=[], validate_choice=False)
    unit_query = StringField(_l("主办单位"), name="unit_id_query", validators=[Length(max=60)])

    def validate_unit_id(self, field: Any) -> None:
        """One of the units that were found."""
        if not (field.data or "").isdecimal():
            raise ValidationError(_("请选择单位"))


class CourseForm(UnitForm):
    """A course."""

    title = StringField(_l("名称"), validators=[InputRequired(_l("请填写名称")), Length(max=60)])
    subject = StringField(_l("讲什么"), validators=[Optional(), Length(max=120)])
    kind = RadioField(_l("类型"), choices=KIND_CHOICES, default=SessionKind.JOINT.value)

    def values(self) -> dict[str, Any]:
        """What the services take."""
        return {
            "title": (self.title.data or "").strip(),
            "subject": (self.subject.data or "").strip(),
            "kind": SessionKind(self.kind.data),
        }


class RunForm(TrainingForm):
    """A run of a course."""

    title = StringField(_l("名称"), validators=[InputRequired(_l("请填写名称")), Length(max=60)])
    hours = DecimalField(_l("发证要满多少学时"), validators=[Optional()])
    certificate_months = IntegerField(_l("证书有效期"), validators=[Optional()])

    def plan(self) -> RunPlan:
        """What the form says."""
        hours = self.hours.data
        return RunPlan(
            (self.title.data or "").strip(),
            round(hours * 10) if hours is not None else None,
            self.certificate_months.data,
        )


class PlaceForm(UnitForm):
    """A kept place."""

    name = StringField(_l("名称"), validators=[InputRequired(_l("请填写名称")), Length(max=60)])
    address = StringField(_l("怎么走"), validators=[Optional(), Length(max=120)])
    capacity = IntegerField(_l("容纳"), validators=[Optional()])

    def values(self) -> dict[str, Any]:
        """What the services take."""
        return {"name": self.name.data or "", "address": self.address.data or "", "capacity": self.capacity.data}
