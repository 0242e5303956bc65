"""Whom a session is for: its audience rules."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.services import record
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor, Permission
from quizapp.organisation.models import Industry, JobRole, OrgUnit
from quizapp.trainings.errors import AudienceTooWide, AudienceTwice
from quizapp.trainings.models import AudienceRule, TrainingSession
from quizapp.trainings.services.sessions import check_not_closed


def add_audience_rule(
    db: Session,
    *,
    session: TrainingSession,
    unit_id: int | None,
    industry_id: int | None,
    job_role: JobRole | None,
    actor: Actor,
    now: datetime,
) -> AudienceRule:
    """Say that people of a unit and all below, of an industry, with a job role are meant too; an empty part means all.

    Raises CheckInClosed (SessionCancelled), AudienceTooWide (every unit, by somebody who is not responsible for all), NotFound (a unit
    outside the actor's scope, an unknown industry), AudienceTwice.
    """
    db.refresh(session, with_for_update=True)
    check_not_closed(session)
    if unit_id is None:
        if not actor.scope.covers(Permission.RUN_SESSIONS, None):
            raise AudienceTooWide(field="unit_id")
    else:
        unit = db.get(OrgUnit, unit_id)
        if unit is None or not actor.scope.covers(Permission.RUN_SESSIONS, unit.path):
            raise NotFound
    if industry_id is not None and db.get(Industry, industry_id) is None:
        raise NotFound
    wanted = (unit_id, industry_id, job_role.value if job_role else None)
    for rule in db.scalars(select(AudienceRule).where(AudienceRule.session_id == session.id)):
        if (rule.unit_id, rule.industry_id, rule.job_role) == wanted:
            raise AudienceTwice(field="unit_id")
    rule = AudienceRule(session_id=session.id, unit_id=unit_id, industry_id=industry_id, job_role=wanted[2])
    db.add(rule)
    db.flush()
    _record(db, session, "audience_widened", rule.id, actor, now)
    return rule


def drop_audience_rule(db: Session, *, session: TrainingSession, rule_id: int, actor: Actor, now: datetime) -> None:
    """Take a rule away. Raises NotFound for one that the session does not have, CheckInClosed."""
    db.refresh(session, with_for_update=True)
    check_not_closed(session)
    rule = db.get(AudienceRule, rule_id)
    if rule is None or rule.session_id != session.id:
        raise NotFound
    db.delete(rule)
    db.flush()
    _record(db, session, "audience_narrowed", rule_id, actor, now)


def copy_audience(db: Session, *, source: TrainingSession, target: TrainingSession, actor: Actor) -> int:
    """Give a session the rules of another one, as far as they lie in the actor's scope. Returns how many."""
    rules = db.execute(
        select(AudienceRule, OrgUnit.path)
        .outerjoin(OrgUnit, OrgUnit.id == AudienceRule.unit_id)
        .where(AudienceRule.session_id == source.id)
        .order_by(AudienceRule.id)
    ).all()
    own = [rule for rule, path in rules if actor.scope.covers(Permission.RUN_SESSIONS, path)]
    db.add_all(
        AudienceRule(session_id=target.id, unit_id=rule.unit_id, industry_id=rule.industry_id, job_role=rule.job_role)
        for rule in own
    )
    db.flush()
    return len(own)


def _record(db: Session, session: TrainingSession, action: str, rule_id: int, actor: Actor, now: datetime) -> None:
    record(
        db,
        actor=actor,
        action=action,
        object_type="training_session",
        object_id=session.id,
        unit_id=session.unit_id,
        details={"rule_id": rule_id},
        now=now,
    )
