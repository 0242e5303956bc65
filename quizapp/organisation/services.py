"""Units and industries: create, edit, close. `identify` and `age_band` stand in `people` and are offered here."""

from __future__ import annotations

import secrets
import unicodedata
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor
from quizapp.organisation.errors import CodeTaken, IndustryClosed, NameNeeded, UnitClosed
from quizapp.organisation.models import Industry, OrgUnit, Residence, UnitKind
from quizapp.organisation.people import Identified, age_band, clean_name, identify
from quizapp.organisation.tree import check_not_merged, check_reach, hold_unit

__all__ = [
    "Identified",
    "age_band",
    "clean_name",
    "close_industry",
    "close_unit",
    "create_industry",
    "create_unit",
    "edit_industry",
    "edit_unit",
    "identify",
    "initials_of",
    "reopen_industry",
    "reopen_unit",
]


def initials_of(name: str) -> str:
    """The pinyin initials of a name, lower case, other letters and digits kept, at most 60.

    >>> initials_of("紫兴社区A座")
    'zxsqaz'
    """
    from pypinyin import Style, lazy_pinyin  # the dictionary is large: only whoever names a unit loads it

    folded = unicodedata.normalize("NFKC", name).lower()
    parts = lazy_pinyin(folded, style=Style.FIRST_LETTER, errors="default")
    return "".join(c for part in parts for c in part if c.isalnum())[:60]


def create_unit(
    db: Session,
    *,
    parent: OrgUnit | None,
    name: str,
    kind: UnitKind,
    code: str | None = None,
    name_en: str | None = None,
    industry: Industry | None = None,
    residence: Residence | None = None,
    actor: Actor,
    now: datetime,
) -> OrgUnit:
    """A new unit below `parent` (None: at the top, which takes a grant over all units). Without a code it gets one from its key.

    Raises NameNeeded, CodeTaken, UnitClosed (the parent), IndustryClosed, Forbidden.
    """
    if parent is not None:
        parent = hold_unit(db, parent.id)
        if parent is None:
            raise NotFound
    check_reach(actor, parent)
    if parent is not None and parent.closed_at is not None:
        raise UnitClosed(field="parent")
    _check_industry(industry)
    label = _name(name)
    placeholder = f"new-{secrets.token_hex(8)}"
    unit = OrgUnit(
        parent_id=parent.id if parent else None,
        path=placeholder,
        name=label,
        name_en=clean_name(name_en) or None,
        code=_code(code) or placeholder,
        initials=initials_of(label),
        kind=kind.value,
        industry_id=industry.id if industry else None,
        residence=residence,
        created_at=now,
    )
    _insert(db, unit)
    unit.path = f"{parent.path if parent else '/'}{unit.id}/"
    if unit.code == placeholder:
        unit.code = f"U{unit.id}"
    _flush_code(db)
    record(
        db,
        actor=actor,
        action="unit_created",
        object_type="org_unit",
        object_id=unit.id,
        unit_id=unit.id,
        details={"parent_id": unit.parent_id, "kind": unit.kind},
        now=now,
    )
    return unit


def edit_unit(
    db: Session,
    *,
    unit: OrgUnit,
    name: str,
    kind: UnitKind,
    code: str,
    name_en: str | None = None,
    industry: Industry | None = None,
    residence: Residence | None = None,
    actor: Actor,
    now: datetime,
) -> OrgUnit:
    """Rename a unit or change its kind, code, industry or residence. Its place in the tree stays.

    Raises NameNeeded, CodeTaken, IndustryClosed.
    """
    check_reach(actor, unit)
    if industry is not None and industry.id != unit.industry_id:
        _check_industry(industry)
    label = _name(name)
    values = {
        "name": label,
        "name_en": clean_name(name_en) or None,
        "kind": kind.value,
        "code": _code(code) or unit.code,
        "industry_id": industry.id if industry else None,
        "residence": residence,
    }
    changed = [field for field, value in values.items() if getattr(unit, field) != value]
    if not changed:
        return unit
    for field in changed:
        setattr(unit, field, values[field])
    if "name" in changed:
        unit.initials = initials_of(label)
    _flush_code(db)
    _record_unit(db, actor, "unit_edited", unit, {"fields": changed}, now)
    return unit


def close_unit(db: Session, *, unit: OrgUnit, actor: Actor, now: datetime) -> OrgUnit:
    """Close a unit: it takes no new people, all its records and the units below stay. Twice is harmless."""
    check_reach(actor, unit)
    db.refresh(unit, with_for_update=True)  # whoever is about to start there with it as their unit is waited for
    if unit.closed_at is None:
        unit.closed_at = now
        _record_unit(db, actor, "unit_closed", unit, {}, now)
    return unit


def reopen_unit(db: Session, *, unit: OrgUnit, actor: Actor, now: datetime) -> OrgUnit:
    """Take the closing back. Raises UnitIsMerged: a merge is taken back as a whole."""
    check_reach(actor, unit)
    check_not_merged(db, unit)
    if unit.closed_at is not None:
        unit.closed_at = None
        _record_unit(db, actor, "unit_reopened", unit, {}, now)
    return unit


def create_industry(db: Session, *, code: str, name: str, name_en: str, actor: Actor, now: datetime) -> Industry:
    """A new industry; it takes a grant over all units. Raises NameNeeded, CodeTaken, Forbidden."""
    check_reach(actor, None)
    industry = Industry(code=_code(code), name=_name(name), name_en=clean_name(name_en) or _name(name))
    if not industry.code:
        raise NameNeeded(field="code")
    _insert(db, industry)
    _record_industry(db, actor, "industry_created", industry, {"code": industry.code}, now)
    return industry


def edit_industry(
    db: Session, *, industry: Industry, code: str, name: str, name_en: str, actor: Actor, now: datetime
) -> Industry:
    """Rename an industry or change its code. Raises NameNeeded, CodeTaken, Forbidden."""
    check_reach(actor, None)
    values = {
        "code": _code(code) or industry.code,
        "name": _name(name),
        "name_en": clean_name(name_en) or _name(name),
    }
    changed = [field for field, value in values.items() if getattr(industry, field) != value]
    if not changed:
        return industry
    for field in changed:
        setattr(industry, field, values[field])
    _flush_code(db)
    _record_industry(db, actor, "industry_edited", industry, {"fields": changed}, now)
    return industry


def close_industry(db: Session, *, industry: Industry, actor: Actor, now: datetime) -> Industry:
    """Close an industry: it is offered for nothing new. Twice is harmless."""
    check_reach(actor, None)
    if industry.closed_at is None:
        industry.closed_at = now
        _record_industry(db, actor, "industry_closed", industry, {}, now)
    return industry


def reopen_industry(db: Session, *, industry: Industry, actor: Actor, now: datetime) -> Industry:
    """Take the closing back."""
    check_reach(actor, None)
    if industry.closed_at is not None:
        industry.closed_at = None
        _record_industry(db, actor, "industry_reopened", industry, {}, now)
    return industry


def _check_industry(industry: Industry | None) -> None:
    if industry is not None and industry.closed_at is not None:
        raise IndustryClosed(field="industry_id")


def _name(text: str) -> str:
    label = clean_name(text)
    if not label:
        raise NameNeeded(field="name")
    return label


def _code(text: str | None) -> str:
    return "".join(unicodedata.normalize("NFKC", text or "").split())


def _insert(db: Session, row: OrgUnit | Industry) -> None:
    """Insert under the unique code; a savepoint keeps the transaction usable when the code is taken."""
    try:
        with db.begin_nested():
            db.add(row)
            db.flush()
    except IntegrityError as error:
        raise CodeTaken(field="code") from error


def _flush_code(db: Session) -> None:
    try:
        with db.begin_nested():
            db.flush()
    except IntegrityError as error:
        raise CodeTaken(field="code") from error


def _record_unit(
    db: Session, actor: Actor, action: str, unit: OrgUnit, details: dict[str, object], now: datetime
) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="org_unit",
        object_id=unit.id,
        unit_id=unit.id,
        details=details,
        now=now,
    )
    db.flush()


def _record_industry(
    db: Session, actor: Actor, action: str, industry: Industry, details: dict[str, object], now: datetime
) -> None:
    record(db, actor=actor, action=action, object_type="industry", object_id=industry.id, details=details, now=now)
