"""The forms of surveys."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DecimalField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from quizapp.core.errors import DomainError
from quizapp.surveys.models import Design, FrameKind, Outcome, Survey
from quizapp.surveys.services.drawing import MOST_RESULT
from quizapp.surveys.services.planning import MOST_SEED, Numbers, Planned, numbers_of
from quizapp.ui.words import words_for

#: Characters of a pasted table.
MOST_TEXT = 60_000
#: "Whoever likes": can be chosen, so that its refusal can be read.
OPEN = "open"


class SurveyForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What the forms here share."""

    def show(self, error: DomainError) -> bool:
        """Put a service's refusal at its field; False when it belongs to none."""
        name = error.data.get("field")
        if not isinstance(name, str) or name not in self:
            return False
        self[name].errors = [*self[name].errors, words_for(error)]
        return True


class EmptyForm(SurveyForm):
    """A button alone."""


class DrawForm(SurveyForm):
    """What came out, where the list was announced."""

    came_out = StringField(_l("开出来的号码"), validators=[Length(max=MOST_RESULT)])


class PlanForm(SurveyForm):
    """A plan. Shares are typed as per cent."""

    title = StringField(_l("调查名称"), validators=[InputRequired(_l("请填写名称")), Length(max=60)])
    unit_id = RadioField(_l("估计哪里的人"), choices=[], validate_choice=False)
    unit_query = StringField(_l("估计哪里的人"), name="unit_id_query", validators=[Length(max=60)])
    delivery_id = SelectField(_l("抽到的人答哪次测验"), validators=[InputRequired(_l("请选择一次测验"))])
    design = RadioField(
        _l("怎么抽"),
        choices=[
            SelectChoice(Design.SIMPLE.value, _l("从全部人里直接抽")),
            SelectChoice(Design.STRATIFIED.value, _l("每个下级单位按人数抽")),
            SelectChoice(Design.TWO_STAGE.value, _l("先抽单位，再抽人")),
            SelectChoice(Design.STRATIFIED_TWO_STAGE.value, _l("每个下级单位里先抽单位，再抽人")),
            SelectChoice(OPEN, _l("谁愿意来谁来")),
        ],
        default=Design.STRATIFIED.value,
    )
    frame_kind = RadioField(
        _l("人从哪里来"),
        choices=[
            SelectChoice(FrameKind.ROSTER.value, _l("系统里的名册")),
            SelectChoice(FrameKind.UNITS.value, _l("只知道各单位多少人")),
        ],
        default=FrameKind.ROSTER.value,
    )
    unit_list = TextAreaField(_l("各单位人数"), validators=[Optional(), Length(max=MOST_TEXT)])
    rate = DecimalField(_l("估计比例大约是多少"), places=None, validators=[Optional()])
    margin = DecimalField(
        _l("误差不超过"), places=None, validators=[InputRequired(_l("请填写这一项"))], default=Decimal(3)
    )
    confidence = SelectField(
        _l("把握"), choices=[SelectChoice(one, f"{one}%") for one in ("95", "90", "99")], default="95"
    )
    response = DecimalField(
        _l("预计多少人会答"), places=None, validators=[InputRequired(_l("请填写这一项"))], default=Decimal(60)
    )
    per_unit = IntegerField(_l("每个单位抽几人"), validators=[Optional()], default=15)
    likeness = DecimalField(_l("同一单位的人有多像"), places=None, validators=[Optional()], default=Decimal("0.05"))
    seed = StringField(_l("公开的种子"), validators=[InputRequired(_l("请填写这一项")), Length(max=MOST_SEED)])

    def offer(self, deliveries: Sequence[tuple[str, str]]) -> None:
        """Set the tests that can be chosen."""
        self.delivery_id.choices = [SelectChoice("", _l("请选择")), *(SelectChoice(*one) for one in deliveries)]

    def planned(self) -> Planned:
        """What the form says."""
        standard = Numbers(margin=0.03)
        return Planned(
            title=self.title.data or "",
            unit_id=int(self.unit_id.data) if (self.unit_id.data or "").isdecimal() else 0,
            delivery_id=int(self.delivery_id.data) if (self.delivery_id.data or "").isdecimal() else 0,
            design=self.design.data,
            frame_kind=self.frame_kind.data,
            numbers=Numbers(
                rate=float(self.rate.data) / 100 if self.rate.data is not None else None,
                margin=float(self.margin.data or 0) / 100,
                confidence=int(self.confidence.data) / 100,
                response=float(self.response.data or 0) / 100,
                per_unit=self.per_unit.data if self.per_unit.data is not None else standard.per_unit,
                likeness=float(self.likeness.data) if self.likeness.data is not None else standard.likeness,
            ),
            seed=self.seed.data or "",
            unit_list=self.unit_list.data or "",
        )


def plan_data(survey: Survey, unit_list: str) -> dict[str, Any]:
    """A kept plan as the form's fields."""
    numbers = numbers_of(survey)
    return {
        "title": survey.title,
        "unit_id": str(survey.unit_id),
        "delivery_id": str(survey.delivery_id),
        "design": survey.design,
        "frame_kind": survey.frame_kind,
        "unit_list": unit_list,
        "rate": round(numbers.rate * 100, 6) if numbers.rate is not None else None,
        "margin": round(numbers.margin * 100, 6),
        "confidence": f"{numbers.confidence * 100:.0f}",
        "response": round(numbers.response * 100, 6),
        "per_unit": numbers.per_unit,
        "likeness": numbers.likeness,
        "seed": survey.seed,
    }


class OutcomeForm(SurveyForm):
    """What became of an invitation."""

    outcome = SelectField(_l("情况"), choices=[SelectChoice(outcome.value) for outcome in Outcome])


class WeightingForm(SurveyForm):
    """What is known of the population, and how far weights may differ."""

    margins = TextAreaField(_l("已知的人口数"), validators=[Optional(), Length(max=MOST_TEXT)])
    cap = DecimalField(
        _l("权重最多是平均的几倍"),
        validators=[Optional(), NumberRange(min=1, max=100, message=_l("请填写 1.5 到 20 之间的数，或留空"))],
    )
