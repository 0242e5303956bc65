"""What a unit's liaison may see: coming sessions that are open to their people, and their people."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, or_, select, union
from sqlalchemy.orm import Session, aliased, joinedload

from quizapp.core.errors import NotFound
from quizapp.core.phones import PhoneInvalid, normalize_phone
from quizapp.core.scope import Permission, Scope
from quizapp.core.tokens import Keys
from quizapp.organisation.models import OrgUnit, Person, PersonSource, name_key
from quizapp.trainings.models import (
    AudienceRule,
    Registration,
    RegistrationMode,
    RegistrationVia,
    TrainingSession,
)
from quizapp.trainings.queries.registrations import (
    STANDING,
    Places,
    may_register,
    of_own_units,
    open_for_registration,
    places_of,
)


@dataclass(frozen=True)
class OpenSession:
    """A session that takes registrations, how full it is, and how many of one's own people are in or wait."""

    session: TrainingSession
    places: Places
    own: int


@dataclass(frozen=True)
class Candidate:
    """One of a liaison's people before a session."""

    person: Person
    unit: OrgUnit | None
    #: Standing or cancelled; None where there never was one.
    registration: Registration | None

    @property
    def standing(self) -> bool:
        """Whether they have a place or wait."""
        return self.registration is not None and self.registration.state in STANDING


@dataclass(frozen=True)
class Choice:
    """How the list is narrowed: a part of the name or a whole phone number, a unit with all below, a state ("", "none", "standing")."""

    text: str = ""
    unit_path: str | None = None
    state: str = ""


def coming_open_sessions(db: Session, scope: Scope, now_ms: int, *, limit: int = 100) -> list[OpenSession]:
    """Sessions that take registrations now from people of the reader's units, the next first."""
    sessions = db.scalars(
        select(TrainingSession)
        .options(joinedload(TrainingSession.unit))
        .where(open_for_registration(now_ms), _open_to(scope))
        .order_by(TrainingSession.starts_at, TrainingSession.id)
        .limit(limit)
    ).all()
    own = _own_counts(db, scope, [session.id for session in sessions])
    return [OpenSession(session, places_of(db, session), own.get(session.id, 0)) for session in sessions]


def get_open_session(db: Session, scope: Scope, session_id: int) -> TrainingSession:
    """A session that takes registrations of the reader's people, or did. Raises NotFound."""
    found = db.scalar(
        select(TrainingSession)
        .options(joinedload(TrainingSession.unit))
        .where(
            TrainingSession.id == session_id,
            TrainingSession.registration != RegistrationMode.CLOSED,
            _open_to(scope),
        )
    )
    if found is None:
        raise NotFound
    return found


def _open_to(scope: Scope) -> ColumnElement[bool]:
    """Open to everybody, or to a unit that is one's own, above one's own, or below."""
    grants = scope.with_permission(Permission.REGISTER_OTHERS)
    unit = aliased(OrgUnit)
    touches: list[ColumnElement[bool]] = [AudienceRule.unit_id.is_(None)] if grants else [false()]
    for grant in grants:
        if grant.path is None:
            touches.append(AudienceRule.unit_id.is_not(None))
        else:
            parts = grant.path.strip("/").split("/")
            above = ["/" + "/".join(parts[: depth + 1]) + "/" for depth in range(len(parts))]
            touches += [unit.path.in_(above), unit.path.startswith(grant.path, autoescape=True)]
    named = exists(
        select(AudienceRule.id)
        .outerjoin(unit, unit.id == AudienceRule.unit_id)
        .where(AudienceRule.session_id == TrainingSession.id, or_(*touches))
        .correlate(TrainingSession)
    )
    return or_(TrainingSession.registration == RegistrationMode.ANYONE, named)


def _own_counts(db: Session, scope: Scope, session_ids: list[int]) -> dict[int, int]:
    rows = db.execute(
        select(Registration.session_id, func.count())
        .join(OrgUnit, OrgUnit.id == Registration.unit_id)
        .where(Registration.session_id.in_(session_ids), Registration.state.in_(STANDING), of_own_units(scope))
        .group_by(Registration.session_id)
    )
    return dict(rows.all())


def _within_reach(session: TrainingSession, scope: Scope) -> ColumnElement[bool]:
    """The condition on `Person`: on the roster of one's own unit or at home there by account and open to the session, or registered for
    one's own unit by a liaison (then under the name and number that the liaison typed)."""
    at_home = (
        select(Person.id)
        .join(OrgUnit, OrgUnit.id == Person.unit_id)
        .where(
            of_own_units(scope),
            Person.merged_into_id.is_(None),
            Person.source.in_((PersonSource.ROSTER, PersonSource.ACCOUNT)),
            Person.name != "",
            may_register(session),
        )
    )
    sent = (
        select(Registration.person_id)
        .join(OrgUnit, OrgUnit.id == Registration.unit_id)
        .where(
            Registration.session_id == session.id,
            Registration.state.in_(STANDING),
            Registration.via == RegistrationVia.LIAISON,
            of_own_units(scope),
        )
    )
    return Person.id.in_(union(at_home, sent).scalar_subquery())


def _candidates(
    session: TrainingSession, scope: Scope, choice: Choice, keys: Keys | None
) -> Select[Person, OrgUnit, Registration]:
    home, sent_for = aliased(OrgUnit), aliased(OrgUnit)
    own_home = scope.condition(Permission.REGISTER_OTHERS, home.path, home.industry_id)
    # of somebody at home elsewhere, the unit that they were registered for is all that is said
    shown_id = case((own_home, home.id), else_=sent_for.id)
    statement = (
        select(Person, OrgUnit, Registration)
        .outerjoin(home, home.id == Person.unit_id)
        .outerjoin(Registration, and_(Registration.person_id == Person.id, Registration.session_id == session.id))
        .outerjoin(sent_for, sent_for.id == Registration.unit_id)
        .outerjoin(OrgUnit, OrgUnit.id == shown_id)
        .where(_within_reach(session, scope))
    )
    if choice.text:
        terms: list[ColumnElement[bool]] = [Person.name_key.contains(name_key(choice.text), autoescape=True)]
        if keys is not None:
            with suppress(PhoneInvalid):
                terms.append(Person.phone_hash.in_(keys.phone_hashes(normalize_phone(choice.text))))
        statement = statement.where(or_(*terms))
    if choice.unit_path is not None:
        statement = statement.where(OrgUnit.path.startswith(choice.unit_path, autoescape=True))
    if choice.state == "standing":
        statement = statement.where(Registration.state.in_(STANDING))
    elif choice.state == "none":
        statement = statement.where(or_(Registration.id.is_(None), Registration.state.not_in(STANDING)))
    return statement


def count_candidates(db: Session, session: TrainingSession, scope: Scope, choice: Choice, keys: Keys) -> int:
    """How many the list has."""
    found = _candidates(session, scope, choice, keys).with_only_columns(Person.id).subquery()
    return db.scalar(select(func.count()).select_from(found)) or 0


def list_candidates(
    db: Session,
    session: TrainingSession,
    scope: Scope,
    choice: Choice,
    keys: Keys,
    *,
    limit: int = 50,
    offset: int = 0,
) -> list[Candidate]:
    """One's own people, by unit and name, with what they are registered as."""
    rows = db.execute(
        _candidates(session, scope, choice, keys)
        .order_by(OrgUnit.path, Person.name_key, Person.id)
        .limit(limit)
        .offset(offset)
    )
    return [Candidate(*row) for row in rows]


def get_candidates(db: Session, session: TrainingSession, scope: Scope, person_ids: list[int]) -> list[Candidate]:
    """The chosen people, in the order of the list. Raises NotFound when one of them is not within reach."""
    rows = db.execute(
        _candidates(session, scope, Choice(), None)
        .where(Person.id.in_(person_ids))
        .order_by(OrgUnit.path, Person.name_key, Person.id)
    )
    found = [Candidate(*row) for row in rows]
    if {candidate.person.id for candidate in found} != set(person_ids):
        raise NotFound
    return found


def units_of_liaison(db: Session, scope: Scope, *, limit: int = 300) -> list[OrgUnit]:
    """The open units whose people one registers, in the order of the tree."""
    return list(
        db.scalars(
            select(OrgUnit).where(of_own_units(scope), OrgUnit.closed_at.is_(None)).order_by(OrgUnit.path).limit(limit)
        )
    )
