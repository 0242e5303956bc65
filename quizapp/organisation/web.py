"""What forms with a unit picker share: reading the choice, searching without scripts, the words for kinds of unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from wtforms import Field

from quizapp.organisation.models import JobRole, KeyGroup, OrgUnit, Residence, UnitKind
from quizapp.organisation.queries import UnitHit, ancestors_of, find_open_unit, search_units

KIND_WORDS = {
    UnitKind.CITY: _l("市"),
    UnitKind.DISTRICT: _l("区县"),
    UnitKind.DEPARTMENT: _l("部门"),
    UnitKind.STREET: _l("街道乡镇"),
    UnitKind.COMMUNITY: _l("社区"),
    UnitKind.ENTERPRISE: _l("企业"),
    UnitKind.SCHOOL: _l("学校"),
    UnitKind.WORK_TEAM: _l("班组"),
}

RESIDENCE_WORDS = {
    Residence.URBAN: _l("城镇"),
    Residence.RURAL: _l("乡村"),
}

JOB_ROLE_WORDS = {
    JobRole.HEAD: _l("负责人"),
    JobRole.SAFETY_OFFICER: _l("安全员"),
    JobRole.MARKET_MANAGER: _l("市场管理人员"),
    JobRole.CREW: _l("班组成员"),
    JobRole.SPECIAL_OPERATOR: _l("特种作业人员"),
    JobRole.HOTEL_STAFF: _l("宾馆从业人员"),
    JobRole.ENTERTAINMENT_STAFF: _l("娱乐场所从业人员"),
    JobRole.DRIVER: _l("驾驶员"),
    JobRole.COMMUNITY_STAFF: _l("社区工作者"),
    JobRole.WORKER: _l("职工"),
    JobRole.RESIDENT: _l("居民"),
    JobRole.PUPIL: _l("学生"),
}


#: In the order of a list.
KEY_GROUP_WORDS = {
    KeyGroup.YOUTH: _l("青少年"),
    KeyGroup.FARMER: _l("农民"),
    KeyGroup.INDUSTRIAL_WORKER: _l("产业工人"),
    KeyGroup.ELDERLY: _l("老年人"),
    KeyGroup.OFFICIAL: _l("领导干部和公务员"),
    KeyGroup.OTHER: _l("都不是"),
}


def job_role_word(job_role: str | None) -> str:
    """What somebody does at work, in the page's language; empty where it is not known."""
    return str(JOB_ROLE_WORDS[JobRole(job_role)]) if job_role else ""


def key_group_word(key_group: str | None) -> str:
    """The key group in the page's language; empty where it is not known, a code of before as it stands."""
    if not key_group:
        return ""
    return str(KEY_GROUP_WORDS[KeyGroup(key_group)]) if key_group in set(KeyGroup) else key_group


def kind_word(unit: OrgUnit) -> str:
    """What a unit is, in the page's language."""
    return str(KIND_WORDS[UnitKind(unit.kind)])


def hit_data(hit: UnitHit) -> dict[str, Any]:
    """A found unit as the picker and the JSON search show it."""
    return {
        "id": hit.unit.id,
        "name": hit.unit.name,
        "path": hit.parent or "",
        "parent": hit.parent or "",
        "kind": kind_word(hit.unit),
        "matched": hit.matched,
    }


@dataclass(frozen=True)
class PickedUnit:
    """What a form's unit picker holds: the chosen unit, or a search that was asked for without scripts."""

    unit_id: int | None
    chosen: dict[str, Any] | None
    searching: bool
    query: str
    results: list[dict[str, Any]]

    @classmethod
    def read(cls, db: Session, field: Field) -> PickedUnit:
        """Read the picker of a form field. An unknown or closed unit counts as none."""
        text = str(field.data or "")
        unit = find_open_unit(db, int(text)) if text.isdecimal() and len(text) < 12 else None
        searching = f"{field.name}_search" in request.form
        query = request.form.get(f"{field.name}_query", "")[:60]
        if searching:
            unit = None
        return cls(
            unit_id=unit.id if unit else None,
            chosen={"id": unit.id, "name": unit.name, "path": " › ".join(u.name for u in ancestors_of(db, unit))}
            if unit
            else None,
            searching=searching,
            query=query,
            results=[hit_data(hit) for hit in search_units(db, query)] if searching else [],
        )
