"""Finding people in the scope, those who may stand there twice, and the merges that were done."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from quizapp.core.errors import NotFound
from quizapp.core.phones import PhoneInvalid, normalize_phone
from quizapp.core.scope import Permission, Scope, below
from quizapp.core.tokens import Keys
from quizapp.organisation.models import Industry, OrgUnit, Person, PersonMerge, PersonSource, name_key
from quizapp.organisation.queries import search_own_units

#: People, groups and merges on one page at most.
MOST_ROWS = 50
#: Who is proposed to stay: somebody on a roster before the owner of an account, before somebody who only typed.
_RANK: dict[str, int] = {PersonSource.ROSTER: 0, PersonSource.ACCOUNT: 1, PersonSource.TYPED: 2, PersonSource.DEVICE: 3}


@dataclass(frozen=True)
class KnownPerson:
    """Somebody with their unit and industry of today."""

    person: Person
    unit: OrgUnit | None
    industry: Industry | None = None


@dataclass(frozen=True)
class Suspects:
    """People of one name who may be one; the reasons are "phone" (the same number) and "unit" (the same unit)."""

    people: tuple[KnownPerson, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class DoneMerge:
    """A merge with its two people."""

    merge: PersonMerge
    kept: Person
    merged: Person


def in_reach(scope: Scope) -> ColumnElement[bool]:
    """The condition that a person, joined to the unit where there is one, lies in the scope. Without a unit it takes a grant over all."""
    return scope.condition(Permission.MERGE_PEOPLE, OrgUnit.path, Person.industry_id)


def find_people(
    db: Session, scope: Scope, *, keys: Keys, text: str, unit_text: str = "", limit: int = MOST_ROWS
) -> list[KnownPerson]:
    """People by a part of the name or the whole phone number, in units of a name and all below; nothing where nothing was typed.

    One more than `limit` may come: there are more.
    """
    typed, unit_typed = text.strip(), unit_text.strip()
    if not typed and not unit_typed:
        return []
    query = _standing(scope).order_by(Person.name_key, Person.id).limit(limit + 1)
    if typed:
        query = query.where(_named(typed, keys))
    if unit_typed:
        units = [row.unit for row in search_own_units(db, scope, unit_typed, Permission.MERGE_PEOPLE)]
        query = query.where(or_(false(), *(below(OrgUnit.path, unit.path) for unit in units)))
    return [KnownPerson(*row) for row in db.execute(query)]


def get_person(db: Session, scope: Scope, person_id: int) -> KnownPerson:
    """Somebody in the scope, merged or not. Raises NotFound."""
    row = db.execute(_people().where(Person.id == person_id, in_reach(scope))).first()
    if row is None:
        raise NotFound
    return KnownPerson(*row)


def proposed_order(first: KnownPerson, second: KnownPerson) -> tuple[KnownPerson, KnownPerson]:
    """Who is proposed to stay, and the other: by how they came to be known, then the older row."""
    kept, merged = sorted((first, second), key=lambda one: (_RANK[one.person.source], one.person.id))
    return kept, merged


def find_suspects(db: Session, scope: Scope, limit: int = MOST_ROWS) -> list[Suspects]:
    """People of the same name with the same phone number, then those of the same name in the same unit."""
    reasons: dict[frozenset[int], list[str]] = {}
    for reason, column in (("phone", Person.phone_hash), ("unit", Person.unit_id)):
        doubles = (
            select(Person.name_key, column)
            .outerjoin(OrgUnit, OrgUnit.id == Person.unit_id)
            .where(_counts_alone(), in_reach(scope), column.is_not(None))
            .group_by(Person.name_key, column)
            .having(func.count() > 1)
            .order_by(Person.name_key)
            .limit(limit)
            .subquery()
        )
        alike = and_(Person.name_key == doubles.c.name_key, column == doubles.c[column.key])
        rows = db.execute(
            select(Person.id, Person.name_key, column)
            .join(doubles, alike)
            .outerjoin(OrgUnit, OrgUnit.id == Person.unit_id)
            .where(_counts_alone(), in_reach(scope))
        )
        groups: dict[tuple[object, ...], set[int]] = {}
        for person_id, key, value in rows:
            groups.setdefault((key, value), set()).add(person_id)
        for people in groups.values():
            reasons.setdefault(frozenset(people), []).append(reason)
    chosen = list(reasons.items())[:limit]
    ids = {person_id for people, _ in chosen for person_id in people}
    known = {
        row.Person.id: KnownPerson(*row) for row in db.execute(_people().where(Person.id.in_(ids), in_reach(scope)))
    }
    return [Suspects(tuple(known[i] for i in sorted(people)), tuple(why)) for people, why in chosen]


def list_merges(db: Session, scope: Scope, *, before_id: int | None = None, limit: int = MOST_ROWS) -> list[DoneMerge]:
    """The merges of people who both lie in the scope, the newest first. One more than `limit` may come: there are more."""
    query = _merges(scope).order_by(PersonMerge.id.desc()).limit(limit + 1)
    if before_id is not None:
        query = query.where(PersonMerge.id < before_id)
    return [DoneMerge(*row) for row in db.execute(query)]


def get_merge(db: Session, scope: Scope, merge_id: int) -> DoneMerge:
    """One of them. Raises NotFound."""
    row = db.execute(_merges(scope).where(PersonMerge.id == merge_id)).first()
    if row is None:
        raise NotFound
    return DoneMerge(*row)


def _people() -> Select[Person, OrgUnit, Industry]:
    return (
        select(Person, OrgUnit, Industry)
        .outerjoin(OrgUnit, OrgUnit.id == Person.unit_id)
        .outerjoin(Industry, Industry.id == Person.industry_id)
    )


def _standing(scope: Scope) -> Select[Person, OrgUnit, Industry]:
    return _people().where(_counts_alone(), in_reach(scope))


def _counts_alone() -> ColumnElement[bool]:
    """Neither merged nor erased."""
    return and_(Person.merged_into_id.is_(None), Person.name != "")


def _named(typed: str, keys: Keys) -> ColumnElement[bool]:
    try:
        return Person.phone_hash.in_(keys.phone_hashes(normalize_phone(typed)))
    except PhoneInvalid:
        return Person.name_key.contains(name_key(typed), autoescape=True)


def _merges(scope: Scope) -> Select[PersonMerge, Person, Person]:
    kept, merged = aliased(Person), aliased(Person)
    reach: Select[int] = select(Person.id).outerjoin(OrgUnit, OrgUnit.id == Person.unit_id).where(in_reach(scope))
    return (
        select(PersonMerge, kept, merged)
        .join(kept, kept.id == PersonMerge.kept_id)
        .join(merged, merged.id == PersonMerge.merged_id)
        .where(PersonMerge.kept_id.in_(reach), PersonMerge.merged_id.in_(reach))
    )
