"""The page on which a delivery is published, and the one on which it is changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types
from wtforms.validators import InputRequired, NumberRange, Optional

from quizapp.core.clock import LOCAL_ZONE, from_ms, local_date
from quizapp.core.errors import DomainError
from quizapp.quizzes.models import PROFILE_FIELDS, Delivery, FieldDemand, QuizBlueprint, Reveal
from quizapp.quizzes.services.audience import AudienceLine
from quizapp.quizzes.services.delivery_values import DEFAULT_PAPERS, LIMITS

DEMANDS = [
    SelectChoice(FieldDemand.OFF.value, _l("不问")),
    SelectChoice(FieldDemand.OPTIONAL.value, _l("可不填")),
    SelectChoice(FieldDemand.REQUIRED.value, _l("必填")),
]
REVEALS = [
    SelectChoice(Reveal.AFTER_CLOSE.value, _l("先看成绩，截止后看解析")),
    SelectChoice(Reveal.AT_ONCE.value, _l("成绩和每题解析")),
    SelectChoice(Reveal.SCORE_ONLY.value, _l("只看成绩")),
]
#: What is asked unless said otherwise: a name makes a first attempt countable, a unit gives it its row.
DEFAULT_FIELDS = {"name": "required", "unit": "required", "birth_year": "optional"}
#: Written for the residents, so in Chinese whatever the coordinator reads.
DEFAULT_PURPOSE = "统计各单位的参与和合格情况，改进科普和培训"
#: What browsers send from a datetime-local box; the first is how it is filled.
_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
_WHOLE = _l("请填写整数")
_MISSING = _l("请填写这一项")


def _number(label: Any, name: str, *, required: bool = False, factor: int = 1) -> IntegerField:
    low, high = (limit // factor for limit in LIMITS[name])
    bounds = NumberRange(low, high, _l("请填写 %(low)s 到 %(high)s 之间的整数", low=low, high=high))
    first = InputRequired(_WHOLE) if required else Optional()
    return IntegerField(label, validators=[first, bounds])


class ChangeForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What may change after the first start."""

    closes_at = DateTimeLocalField(_l("截止"), format=_FORMATS, validators=[InputRequired(_l("请选择截止时间"))])
    reveal = RadioField(_l("答完看什么"), choices=REVEALS, default=Reveal.AFTER_CLOSE.value)
    #: The lines of the audience, "unit" or "unit-industry", each with a tick that keeps it.
    audience = SelectMultipleField(_l("谁来答"), choices=[], validate_choice=False)
    #: One more line.
    audience_unit = RadioField(_l("加一个单位"), choices=[], validate_choice=False)
    audience_industry = SelectField(_l("只要这个行业的人"), choices=[], validate_choice=False)
    #: What the editor saw: the delivery's revision, and the values that this page showed.
    revision = HiddenField("")
    base = HiddenField("")

    def show(self, refusal: DomainError, words: str) -> bool:
        """Put a service's refusal at its field; False when it belongs to none."""
        name = {"time_limit_s": "minutes"}.get(str(refusal.data.get("field")), str(refusal.data.get("field")))
        if name not in self:
            return False
        self[name].errors = [*self[name].errors, words]
        return True

    def lines(self) -> list[AudienceLine]:
        """The ticked lines of the audience, and the one that was chosen but not added yet."""
        added = [f"{self.audience_unit.data}-{self.audience_industry.data or ''}"] if self.audience_unit.data else []
        found = [line for text in [*(self.audience.data or []), *added] if (line := parse_line(text)) is not None]
        return list(dict.fromkeys(found))

    def take_added(self) -> None:
        """Put the chosen unit among the lines, and empty the picker."""
        self.audience.data = [line_text(line) for line in self.lines()]
        self.audience_unit.data = self.audience_industry.data = None
        self.audience_unit.raw_data = self.audience_industry.raw_data = None

    def changes(self) -> dict[str, Any]:
        """What the service takes."""
        return {"closes_at": _instant(self.closes_at.data), "reveal": self.reveal.data, "audience": self.lines()}

    #: The fields whose values two editors are held against each other by.
    @property
    def compared(self) -> list[str]:
        """Names of the fields that hold a value of the delivery."""
        return [name for name in self._fields if name not in NOT_VALUES]

    def values(self) -> dict[str, Any]:
        """The field values as JSON has them: what is kept in `base`, and compared."""
        return {name: _plain(self[name].data) for name in self.compared}

    def put(self, name: str, value: Any) -> None:
        """Set a field as if the page had been opened with it."""
        if isinstance(self[name], DateTimeLocalField) and value is not None:
            value = datetime.fromisoformat(value)
        self[name].data, self[name].raw_data = value, None


class DeliveryForm(ChangeForm):
    """A new delivery, or one that nobody has started yet."""

    blueprint = SelectField(_l("测验"))
    #: The blueprint whose figures the page shows: another choice brings its own.
    blueprint_shown = HiddenField("")
    unit_id = RadioField(_l("由谁举办"), choices=[], validate_choice=False)
    #: The delivery that this one is a copy of.
    copied_from = HiddenField("")
    title = StringField(_l("名称"), validators=[InputRequired(_MISSING)])
    title_en = StringField(_l("英文名称"), validators=[Optional()])
    opens_at = DateTimeLocalField(_l("开始"), format=_FORMATS, validators=[InputRequired(_l("请选择开始时间"))])
    minutes = _number(_l("时限"), "time_limit_s", factor=60)
    tries = _number(_l("次数"), "tries")
    pass_score = IntegerField(_l("合格线"), validators=[InputRequired(_WHOLE)])
    paper_count = _number(_l("平行卷"), "paper_count", required=True)
    capacity = _number(_l("名额"), "capacity")
    guests = BooleanField(_l("没有账号的人也能扫海报答题（游客）"))
    name = SelectField(_l("姓名"), choices=DEMANDS)
    phone = SelectField(_l("手机号"), choices=DEMANDS)
    unit = SelectField(_l("单位或社区"), choices=DEMANDS)
    industry = SelectField(_l("行业"), choices=DEMANDS)
    birth_year = SelectField(_l("出生年份"), choices=DEMANDS)
    sex = SelectField(_l("性别"), choices=DEMANDS)
    education = SelectField(_l("文化程度"), choices=DEMANDS)
    key_group = SelectField(_l("重点人群"), choices=DEMANDS)
    keeper = StringField(_l("谁保管数据"), validators=[InputRequired(_MISSING)])
    contact = StringField(_l("咨询电话或地址"), validators=[InputRequired(_MISSING)])
    purpose = StringField(_l("数据用来做什么"), validators=[InputRequired(_MISSING)])
    retention_months = _number(_l("保存多久"), "retention_months", required=True)

    def fields(self) -> dict[str, str]:
        """Profile field → demand."""
        return {name: self[name].data for name in PROFILE_FIELDS}

    def time_limit(self) -> int | None:
        """The time limit in seconds."""
        return self.minutes.data * 60 if self.minutes.data else None

    def window(self) -> tuple[datetime | None, datetime | None]:
        """Beginning and end, as far as they are typed."""
        opens_at, closes_at = self.opens_at.data, self.closes_at.data
        return _instant(opens_at) if opens_at else None, _instant(closes_at) if closes_at else None

    def changes(self) -> dict[str, Any]:
        """What the service takes."""
        return {
            **super().changes(),
            "blueprint_code": self.blueprint.data,
            "unit_id": int(self.unit_id.data),
            "title": self.title.data,
            "title_en": self.title_en.data or None,
            "opens_at": _instant(self.opens_at.data),
            "time_limit_s": self.time_limit(),
            "tries": self.tries.data,
            "pass_score": self.pass_score.data,
            "paper_count": self.paper_count.data,
            "capacity": self.capacity.data,
            "guests": self.guests.data,
            "fields": self.fields(),
            **{name: self[name].data for name in ("keeper", "contact", "purpose", "retention_months")},
        }

    def take_figures(self, shown: QuizBlueprint | None, chosen: QuizBlueprint) -> bool:
        """After another blueprint was chosen: title, time limit and pass score that nobody touched become its own.

        True when the page has shown other figures than those now standing.
        """
        before = blueprint_defaults(shown) if shown is not None else {}
        changed = False
        for name, value in blueprint_defaults(chosen).items():
            if self[name].data in (before.get(name), None, "") and self[name].data != value:
                self[name].data, changed = value, True
                self[name].raw_data = [str(value)]
        self.blueprint_shown.data = chosen.code
        self.blueprint_shown.raw_data = [chosen.code]
        return changed


#: The fields that hold no value of the delivery.
NOT_VALUES = frozenset(
    {"csrf_token", "revision", "base", "audience_unit", "audience_industry", "blueprint_shown", "copied_from"}
)


def parse_line(text: str) -> AudienceLine | None:
    """A line of the audience from its field: "12" or "12-3"."""
    unit, _dash, industry = text.partition("-")
    if not (unit.isdecimal() and len(unit) < 12 and (not industry or (industry.isdecimal() and len(industry) < 12))):
        return None
    return AudienceLine(int(unit), int(industry) if industry else None)


def line_text(line: AudienceLine) -> str:
    """The same the other way."""
    return f"{line.unit_id}-{line.industry_id}" if line.industry_id is not None else str(line.unit_id)


def delivery_data(delivery: Delivery, lines: Iterable[AudienceLine]) -> dict[str, Any]:
    """A form's data of a delivery as it stands; `lines`: those of its audience that the editor may change."""
    limit = delivery.time_limit_s
    names = ("title", "title_en", "tries", "pass_score", "paper_count", "capacity", "reveal", "guests")
    return {
        **{name: getattr(delivery, name) for name in names},
        **{name: delivery.notice.get(name) for name in ("keeper", "contact", "purpose", "retention_months")},
        **{name: delivery.fields.get(name, FieldDemand.OFF.value) for name in PROFILE_FIELDS},
        "title_en": delivery.title_en or "",
        "blueprint": delivery.blueprint.code,
        "blueprint_shown": delivery.blueprint.code,
        "unit_id": str(delivery.unit_id),
        "minutes": limit // 60 if limit else None,
        "opens_at": local_time(delivery.opens_at),
        "closes_at": local_time(delivery.closes_at),
        "audience": [line_text(line) for line in lines],
        "revision": str(delivery.revision),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(second=0, microsecond=0).isoformat()
    if isinstance(value, list):
        return sorted(value)
    return value.strip() if isinstance(value, str) else value


def blueprint_defaults(blueprint: QuizBlueprint) -> dict[str, Any]:
    """What a blueprint says of a delivery."""
    return {
        "title": blueprint.title["zh"],
        "title_en": blueprint.title.get("en", ""),
        "minutes": blueprint.rules.get("minutes"),
        "pass_score": blueprint.rules["pass_score"],
    }


def default_values(
    blueprint: QuizBlueprint, *, unit_id: int | None, keeper: str, contact: str, now: datetime
) -> dict[str, Any]:
    """A page that can be published as it stands: open from now on for thirty days."""
    first = now.astimezone(LOCAL_ZONE).replace(tzinfo=None, second=0, microsecond=0)
    last = datetime.combine(local_date(now) + timedelta(days=30), time.min)
    return {
        **blueprint_defaults(blueprint),
        "blueprint": blueprint.code,
        "blueprint_shown": blueprint.code,
        "unit_id": str(unit_id) if unit_id is not None else None,
        "opens_at": first,
        "closes_at": last,
        "tries": 2,
        "paper_count": DEFAULT_PAPERS,
        "guests": True,
        "reveal": Reveal.AFTER_CLOSE.value,
        **{name: DEFAULT_FIELDS.get(name, FieldDemand.OFF.value) for name in PROFILE_FIELDS},
        "keeper": keeper,
        "contact": contact,
        "purpose": DEFAULT_PURPOSE,
        "retention_months": 36,
    }


def local_time(milliseconds: int) -> datetime:
    """An instant as a datetime-local box shows it."""
    return from_ms(milliseconds).astimezone(LOCAL_ZONE).replace(tzinfo=None)


def _instant(local: datetime | None) -> datetime:
    """What was typed in a datetime-local box, as an instant; the form has seen to it that something was."""
    if local is None:
        raise ValueError("the form was not validated")
    return local.replace(tzinfo=LOCAL_ZONE).astimezone(UTC)
