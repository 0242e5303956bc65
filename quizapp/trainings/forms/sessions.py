"""The session form, and the one by which its audience gets a rule."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Self

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    DecimalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from quizapp.core.clock import LOCAL_ZONE
from quizapp.organisation.models import JobRole
from quizapp.organisation.web import JOB_ROLE_WORDS
from quizapp.trainings.forms.base import TrainingForm
from quizapp.trainings.forms.words import KIND_CHOICES
from quizapp.trainings.models import CodeMode, RegistrationMode, SessionKind
from quizapp.trainings.services import MARGIN, SessionPlan

MINUTE = timedelta(minutes=1)
#: What browsers send from a datetime-local box; the first is how it is filled.
_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]


class SessionForm(TrainingForm):
    """What a trainer decides about a session; the times are of the local day."""

    title = StringField(_l("名称"), validators=[InputRequired(_l("请填写名称")), Length(max=60)])
    kind = RadioField(_l("类型"), choices=KIND_CHOICES, default=SessionKind.LECTURE.value)
    place_id = SelectField(_l("选场地"), default="")
    place = StringField(_l("地点"), validators=[Length(max=60)])
    unit_id = RadioField(_l("主办单位"), choices=[], validate_choice=False)
    unit_query = StringField(_l("主办单位"), name="unit_id_query", validators=[Length(max=60)])
    day = StringField(_l("日期"), validators=[InputRequired(_l("请选择日期"))])
    begins = StringField(_l("开始"), validators=[InputRequired(_l("请填写开始时间"))])
    ends = StringField(_l("结束"), validators=[InputRequired(_l("请填写结束时间"))])

    subject = StringField(_l("讲什么"), validators=[Optional(), Length(max=120)])
    trainers = SelectMultipleField(_l("老师"), coerce=int)
    run_id = SelectField(_l("属于哪一期"), default="")
    capacity = IntegerField(_l("名额"), validators=[Optional()])
    registration = RadioField(
        _l("怎么报名"),
        choices=[
            SelectChoice(RegistrationMode.CLOSED.value, _l("不用报名")),
            SelectChoice(RegistrationMode.AUDIENCE.value, _l("对象里的人")),
            SelectChoice(RegistrationMode.ANYONE.value, _l("谁都可以")),
        ],
        default=RegistrationMode.CLOSED.value,
    )
    registration_until = DateTimeLocalField(_l("报名截止"), format=_FORMATS, validators=[Optional()])
    code_mode = RadioField(
        _l("签到码"),
        choices=[
            SelectChoice(CodeMode.ROTATING.value, _l("投屏动态码")),
            SelectChoice(CodeMode.POSTER.value, _l("固定海报码")),
        ],
        default=CodeMode.ROTATING.value,
    )
    opens_before = IntegerField(_l("提前签到"), validators=[Optional()], default=MARGIN // MINUTE)
    closes_after = IntegerField(_l("延后签到"), validators=[Optional()], default=MARGIN // MINUTE)
    check_out = BooleanField(_l("结束时也要签退"))
    hours = DecimalField(_l("学时"), validators=[Optional()])
    full_names = BooleanField(_l("投影上显示全名"))
    #: Names the conflicts that were seen and put up with.
    anyway = HiddenField("", validators=[Length(max=40)])

    #: The fields behind "more": where one is at fault, the page shows them.
    MORE = (
        "subject",
        "trainers",
        "run_id",
        "capacity",
        "registration",
        "registration_until",
        "code_mode",
        "opens_before",
        "closes_after",
        "check_out",
        "hours",
        "full_names",
    )

    def validate_place(self, field: Any) -> None:
        """In words where no kept place is chosen."""
        if not (field.data or "").strip() and not self.place_id.data:
            raise ValidationError(_("请填写地点"))

    def validate_unit_id(self, field: Any) -> None:
        """One of the units that were found."""
        if not (field.data or "").isdecimal():
            raise ValidationError(_("请选择单位"))

    def validate_day(self, field: Any) -> None:
        """A day as browsers send it, 2026-11-27."""
        self.day_value = _parsed(date.fromisoformat, field.data, _("日期写成 2026-11-27 这样"))

    def validate_begins(self, field: Any) -> None:
        """A time of day, 14:00."""
        self.begins_value = _parsed(time.fromisoformat, field.data, _("时间写成 14:00 这样"))

    def validate_ends(self, field: Any) -> None:
        """A time of day, 15:30."""
        self.ends_value = _parsed(time.fromisoformat, field.data, _("时间写成 15:30 这样"))

    @property
    def more_at_fault(self) -> bool:
        """Whether a field behind "more" has an error."""
        return any(self[name].errors for name in self.MORE)

    def plan(self, unit_id: int) -> SessionPlan:
        """What the form says (after a successful validation)."""
        until = self.registration_until.data
        return SessionPlan(
            title=(self.title.data or "").strip(),
            unit_id=unit_id,
            starts_at=datetime.combine(self.day_value, self.begins_value, LOCAL_ZONE),
            ends_at=datetime.combine(self.day_value, self.ends_value, LOCAL_ZONE),
            place=self.place.data or "",
            place_id=int(self.place_id.data) if self.place_id.data else None,
            subject=(self.subject.data or "").strip(),
            kind=SessionKind(self.kind.data),
            run_id=int(self.run_id.data) if self.run_id.data else None,
            capacity=self.capacity.data,
            opens_before=_margin(self.opens_before.data),
            closes_after=_margin(self.closes_after.data),
            code_mode=CodeMode(self.code_mode.data),
            check_out=self.check_out.data,
            hours_tenths=round((self.hours.data or 0) * 10),
            registration=RegistrationMode(self.registration.data),
            registration_until=until.replace(tzinfo=LOCAL_ZONE) if until is not None else None,
            full_names=self.full_names.data,
            trainers=tuple(self.trainers.data or ()) or None,
        )

    @classmethod
    def of(cls, plan: SessionPlan) -> Self:
        """The form filled with a plan."""
        starts, ends = plan.starts_at.astimezone(LOCAL_ZONE), plan.ends_at.astimezone(LOCAL_ZONE)
        until = plan.registration_until
        return cls(
            data={
                "title": plan.title,
                "kind": plan.kind.value,
                "place_id": str(plan.place_id or ""),
                "place": plan.place,
                "unit_id": str(plan.unit_id),
                "day": f"{starts:%Y-%m-%d}",
                "begins": f"{starts:%H:%M}",
                "ends": f"{ends:%H:%M}" if ends.date() == starts.date() else "23:59",
                "subject": plan.subject,
                "trainers": list(plan.trainers or ()),
                "run_id": str(plan.run_id or ""),
                "capacity": plan.capacity,
                "registration": plan.registration.value,
                "registration_until": until.astimezone(LOCAL_ZONE).replace(tzinfo=None) if until else None,
                "code_mode": plan.code_mode.value,
                "opens_before": plan.opens_before // MINUTE,
                "closes_after": plan.closes_after // MINUTE,
                "check_out": plan.check_out,
                "hours": tenths(plan.hours_tenths) or None,
                "full_names": plan.full_names,
            }
        )


class AudienceForm(TrainingForm):
    """One rule of a session's audience."""

    unit_id = RadioField(_l("单位"), choices=[], validate_choice=False)
    unit_query = StringField(_l("单位"), name="unit_id_query", validators=[Length(max=60)])
    industry_id = SelectField(_l("行业"), default="")
    job_role = SelectField(
        _l("岗位"),
        default="",
        choices=[SelectChoice("", _l("所有岗位")), *(SelectChoice(r.value, w) for r, w in JOB_ROLE_WORDS.items())],
    )

    @property
    def role(self) -> JobRole | None:
        """The chosen job role."""
        return JobRole(self.job_role.data) if self.job_role.data else None


def tenths(value: int | None) -> float | int | None:
    """Tenths as they are typed: 15 → 1.5, 20 → 2."""
    if value is None:
        return None
    return value // 10 if value % 10 == 0 else value / 10


def _margin(minutes: int | None) -> timedelta:
    """What stands around a session; the usual where nothing was typed."""
    return MARGIN if minutes is None else minutes * MINUTE


def _parsed(parse: Any, text: str, message: str) -> Any:
    try:
        value = parse(text.strip())
    except ValueError as error:
        raise ValidationError(message) from error
    if getattr(value, "tzinfo", None) is not None:
        raise ValidationError(message)
    return value
