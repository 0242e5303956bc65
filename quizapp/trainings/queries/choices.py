"""What a trainer chooses from."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from quizapp.core.scope import below
from quizapp.organisation.models import OrgUnit
from quizapp.trainings.models import Attendance, Registration, RosterEntry, TrainingSession

#: Units in one choice; where a session's unit has more below it, those of its own people and the nearest ones stand there.
MOST_UNITS = 400


def units_at(db: Session, session: TrainingSession) -> Sequence[OrgUnit]:
    """The units that people at a session may come from: of its roster, registrations and attendances, and those below its own."""
    seen = [
        select(table.unit_id).where(table.session_id == session.id, table.unit_id.is_not(None))
        for table in (RosterEntry, Registration, Attendance)
    ]
    own = below(OrgUnit.path, session.unit.path)
    of_its_people = or_(*(OrgUnit.id.in_(statement) for statement in seen))
    return db.scalars(
        select(OrgUnit)
        .where(OrgUnit.closed_at.is_(None), or_(own, of_its_people))
        .order_by(of_its_people.desc(), OrgUnit.path)
        .limit(MOST_UNITS)
    ).all()
