"""The values of a delivery in words: what another editor changed, what can no longer change."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session
from wtforms import BooleanField, DateTimeLocalField, RadioField, SelectField

from quizapp.core.clock import LOCAL_ZONE
from quizapp.organisation.models import OrgUnit
from quizapp.quizzes.forms.deliveries import ChangeForm, DeliveryForm, parse_line
from quizapp.quizzes.models import Delivery
from quizapp.quizzes.views.delivery_forms import lines_words
from quizapp.quizzes.views.delivery_words import blueprint_title
from quizapp.quizzes.views.starting import asked_words
from quizapp.ui.filters import format_duration, format_moment, format_number


def value_words(db: Session, form: ChangeForm, name: str, value: Any) -> str:
    """One value as people read it; `form` has the field with its choices."""
    field = form[name]
    if name == "audience":
        return lines_words(db, [line for text in value or [] if (line := parse_line(str(text))) is not None])
    if name == "unit_id":
        unit = db.get(OrgUnit, int(value)) if str(value or "").isdecimal() else None
        return unit.name if unit else str(_("没有选"))
    if isinstance(field, BooleanField):
        return str(_("勾选") if value else _("不勾选"))
    if isinstance(field, SelectField | RadioField):
        return next((str(choice[1]) for choice in field.choices or () if choice[0] == value), str(value))
    if isinstance(field, DateTimeLocalField) and value:
        with suppress(ValueError):  # a base that no page of ours has shown
            return format_moment(datetime.fromisoformat(value).replace(tzinfo=LOCAL_ZONE), end=name == "closes_at")
    return str(_("空着")) if value in (None, "") else str(value)


def changed_words(
    db: Session, form: ChangeForm, name: str, before: Any, after: Any, mine: Any | None
) -> dict[str, Any]:
    """What another changed: label, before, after; `mine` where this editor typed something else."""
    return {
        "label": str(form[name].label.text),
        "before": value_words(db, form, name, before),
        "after": value_words(db, form, name, after),
        "mine": None if mine is None else value_words(db, form, name, mine),
        "id": form[name].id,
    }


def late_words(names: list[str]) -> str:
    """The labels of values that the service names, in one line."""
    form = DeliveryForm(formdata=None)
    fields = {"time_limit_s": _("时限"), "blueprint_code": _("测验"), "fields": _("问答题人什么")}
    return str(_("、")).join(fields.get(name) or str(form[name].label.text) for name in names)


def fixed_facts(delivery: Delivery) -> list[tuple[str, str]]:
    """What stands since the first start."""
    return [
        (_("测验"), blueprint_title(delivery.blueprint.title)),
        (_("名称"), delivery.title),
        (_("由谁举办"), delivery.unit.name),
        (_("开始"), format_moment(delivery.opens_at)),
        (_("时限"), format_duration(delivery.time_limit_s) if delivery.time_limit_s else _("不限时")),
        (_("次数"), _("%(tries)s 次", tries=delivery.tries) if delivery.tries else _("不限次")),
        (_("合格线"), _("%(score)s 分", score=delivery.pass_score)),
        (_("平行卷"), _("%(papers)s 份", papers=delivery.paper_count)),
        (
            _("名额"),
            _("%(places)s 人", places=format_number(delivery.capacity)) if delivery.capacity else _("不限名额"),
        ),
        (_("没有账号的人"), _("也能答") if delivery.guests else _("不能答")),
        (_("问答题人什么"), asked_words(delivery)),
        (_("谁保管数据"), str(delivery.notice.get("keeper") or "")),
    ]
