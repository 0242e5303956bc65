"""The fields that a delivery asks for, and the typed codes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from quizapp.core.errors import DomainError
from quizapp.core.phones import PhoneInvalid, normalize_phone
from quizapp.organisation.models import Education, KeyGroup, Sex
from quizapp.organisation.web import KEY_GROUP_WORDS
from quizapp.quizzes.models import PROFILE_FIELDS, Delivery, FieldDemand
from quizapp.quizzes.services.starting import Profile

#: Oldest year of birth that can be typed.
FIRST_YEAR = 1900

SEXES = [SelectChoice("female", _l("女")), SelectChoice("male", _l("男"))]
EDUCATIONS = [
    SelectChoice("primary", _l("小学及以下")),
    SelectChoice("junior", _l("初中")),
    SelectChoice("senior", _l("高中、中专")),
    SelectChoice("college", _l("大专")),
    SelectChoice("university", _l("本科及以上")),
]


KEY_GROUPS = [SelectChoice(code.value, word) for code, word in KEY_GROUP_WORDS.items()]


class ProfileForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What is asked before an attempt starts; fields that the delivery does not ask are removed."""

    ticket = HiddenField("")
    #: "yes" or "no": asked before name and phone.
    under_14 = RadioField(
        _l("答题的人满 14 岁了吗"),
        choices=[SelectChoice("no", _l("满 14 岁")), SelectChoice("yes", _l("不满 14 岁"))],
        validate_choice=False,
    )
    guardian = BooleanField(_l("我是监护人，同意孩子参加"))
    name = StringField(_l("姓名"), validators=[Optional(), Length(max=40)])
    phone = StringField(_l("手机号"), validators=[Optional(), Length(max=30)])
    unit_id = RadioField(_l("单位或社区"), choices=[], validate_choice=False)
    unit_query = StringField(_l("单位或社区"), name="unit_id_query", validators=[Length(max=60)])
    industry_id = SelectField(_l("行业"), choices=[], validate_choice=False)
    birth_year = StringField(_l("出生年份"), validators=[Optional(), Length(max=10)])
    sex = RadioField(_l("性别"), choices=SEXES, validate_choice=False)
    education = RadioField(_l("文化程度"), choices=EDUCATIONS, validate_choice=False)
    key_group = RadioField(_l("您属于哪一类重点人群"), choices=KEY_GROUPS, validate_choice=False)
    consent = BooleanField(_l("我已看过上面的说明，同意这样使用"))

    @classmethod
    def for_delivery(
        cls, delivery: Delivery, industries: list[tuple[str, str]], today: date, without: Collection[str] = ()
    ) -> ProfileForm:
        """The form of one delivery, `without` some of its fields."""
        form = cls()
        form._today = today
        form._demands = {
            name: FieldDemand.OFF if name in without else delivery.fields.get(name, FieldDemand.OFF)
            for name in PROFILE_FIELDS
        }
        form.industry_id.choices = [SelectChoice("", _("请选择")), *(SelectChoice(*one) for one in industries)]
        if not form.asks("name") and not form.asks("phone"):
            del form.under_14
            del form.guardian
        for name in ("name", "phone", "birth_year", "sex", "education", "key_group"):
            if not form.asks(name):
                delattr(form, name)
        if not form.asks("unit"):
            del form.unit_id
            del form.unit_query
        if not form.asks("industry"):
            del form.industry_id
        for name in ("name", "phone", "unit_id", "birth_year", "sex", "education", "key_group", "industry_id"):
            if name in form:
                form[name].flags.optional = not form.required(name.removesuffix("_id"))
        return form

    def asks(self, name: str) -> bool:
        """Whether the delivery asks this field."""
        return bool(self._demands[name] != FieldDemand.OFF)

    def required(self, name: str) -> bool:
        """Whether it must be given."""
        return bool(self._demands[name] == FieldDemand.REQUIRED)

    @property
    def is_under_14(self) -> bool:
        """Whether the taker said to be a child."""
        return "under_14" in self and self.under_14.data == "yes"

    def validate(self, extra_validators: Any = None) -> bool:
        """Shape and, for required fields, presence: each error stands at its field."""
        valid = bool(super().validate(extra_validators))
        for name, message in self._missing():
            self[name].errors = [*self[name].errors, message]
            valid = False
        return valid

    def _missing(self) -> list[tuple[str, str]]:
        missing = []
        words = {
            "name": _l("请填写姓名") if not self.is_under_14 else _l("请填写姓名，可以用昵称"),
            "phone": _l("请填写手机号"),
            "unit": _l("请选择单位，或选“我不在名单里”"),
            "industry": _l("请选择行业"),
            "birth_year": _l("请填写出生年份，例如 1968"),
            "sex": _l("请选择性别"),
            "education": _l("请选择文化程度"),
            "key_group": _l("请选择一类，都不属于就选“都不是”"),
        }
        if "under_14" in self and self.under_14.data not in ("yes", "no"):
            missing.append(("under_14", _l("请选择是否满 14 岁")))
        for name, message in words.items():
            field = {"unit": "unit_id", "industry": "industry_id"}.get(name, name)
            if not self.required(name) or (name == "phone" and self.is_under_14):
                continue
            if not (self[field].data or "").strip() and not self[field].errors:
                missing.append((field, message))
        if self.is_under_14 and not self.guardian.data:
            missing.append(("guardian", _l("不满 14 岁要由监护人同意")))
        if not self.consent.data:
            missing.append(("consent", _l("请先看数据说明并勾选同意")))
        return missing

    def validate_phone(self, field: Any) -> None:
        """Eleven digits, however typed."""
        if self.is_under_14:
            return
        try:
            normalize_phone(field.data)
        except PhoneInvalid as error:
            raise ValidationError(
                _("手机号要有 11 位，现在是 %(digits)s 位", digits=error.data["digits"])
                if error.data["digits"] != 11
                else _("手机号以 1 开头，请再看一遍")
            ) from error

    def validate_birth_year(self, field: Any) -> None:
        """A year in which somebody living was born."""
        text = "".join(c for c in field.data if not c.isspace())
        if not text.isdecimal() or not FIRST_YEAR <= int(text) <= self._today.year:
            raise ValidationError(_("出生年份是四位数字，例如 1968"))

    def profile(self) -> Profile:
        """The stated profile (after a successful validation)."""

        def text(name: str) -> str | None:
            return (self[name].data or "").strip() or None if name in self else None

        def code(name: str, codes: type[StrEnum]) -> str | None:
            found = text(name)
            return found if found in set(codes) else None  # what the page does not offer is nothing

        unit, industry, year, phone = text("unit_id"), text("industry_id"), text("birth_year"), text("phone")
        return Profile(
            name=text("name"),
            phone=normalize_phone(phone) if phone and not self.is_under_14 else None,
            unit_id=int(unit) if unit and unit.isdecimal() else None,
            unit_unlisted=unit == "none",
            industry_id=int(industry) if industry and industry.isdecimal() else None,
            birth_year=int(year) if year else None,
            sex=code("sex", Sex),
            education=code("education", Education),
            key_group=code("key_group", KeyGroup),
            under_14=self.is_under_14,
            guardian="guardian" in self and bool(self.guardian.data),
            consent=bool(self.consent.data),
        )

    def show(self, error: DomainError) -> bool:
        """Put a service's refusal at its field; False when it belongs to none."""
        from quizapp.ui.words import words_for

        name = {"unit": "unit_id", "industry": "industry_id"}.get(str(error.data.get("field")), error.data.get("field"))
        if not isinstance(name, str) or name not in self:
            return False
        self[name].errors = [*self[name].errors, words_for(error)]
        return True


class ContinueForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """The one-time code of "go on in another browser"."""

    code = StringField(_l("续答码"), validators=[InputRequired(_l("请填写续答码")), Length(max=40)])


class ReceiptForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """A receipt code, and the phone's last four digits where one was given."""

    code = StringField(_l("凭证码"), validators=[InputRequired(_l("请填写凭证码")), Length(max=40)])
    phone_tail = StringField(_l("手机号后 4 位（当时填了才要）"), validators=[Optional(), Length(max=20)])
