"""Whom a delivery is for.

Without a line of audience everybody who scans the poster is welcome. With lines, the unit decides that an account has or somebody
declares: it must be a unit of a line or lie below one, in today's tree; where a line names an industry, the industry decides too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, false, or_
from sqlalchemy.orm import Session

from quizapp.core.scope import Actor, Permission, below
from quizapp.organisation.models import Industry, OrgUnit, Person
from quizapp.quizzes.errors import AudienceForeign, OutsideAudience
from quizapp.quizzes.models import Delivery, DeliveryAudience


@dataclass(frozen=True)
class AudienceLine:
    """A unit with all below it; of one industry alone where one is given."""

    unit_id: int
    industry_id: int | None = None


def lines_of(delivery: Delivery) -> tuple[AudienceLine, ...]:
    """The audience as plain values, in the order in which it was made."""
    if not delivery.limited:
        return ()
    return tuple(AudienceLine(line.unit_id, line.industry_id) for line in delivery.audience)


def admits(lines: Iterable[AudienceLine], unit: OrgUnit | None, industry_id: int | None) -> bool:
    """Whether somebody of this unit and industry is meant; no lines mean everybody."""
    lines = tuple(lines)
    if not lines:
        return True
    if unit is None:
        return False
    # a path names the unit and all above it: /1/7/31/
    above = {int(part) for part in unit.path.strip("/").split("/")}
    return any(line.unit_id in above and line.industry_id in (None, industry_id) for line in lines)


def check_audience(delivery: Delivery, unit: OrgUnit | None, industry_id: int | None) -> None:
    """Raise OutsideAudience where somebody who wants to start is not meant."""
    if delivery.limited and not admits(lines_of(delivery), unit, industry_id):
        raise OutsideAudience


def check_visitor(db: Session, delivery: Delivery, actor: Actor) -> None:
    """Raise OutsideAudience for an account whose unit is known and not meant, before it fills anything in."""
    if not delivery.limited or actor.person_id is None:
        return
    person = db.get(Person, actor.person_id)
    unit = db.get(OrgUnit, person.unit_id) if person is not None and person.unit_id is not None else None
    if person is None or unit is None:
        return  # the form asks
    lines = lines_of(delivery)
    if person.industry_id is None:
        lines = tuple(AudienceLine(line.unit_id) for line in lines)
    if not admits(lines, unit, person.industry_id):
        raise OutsideAudience


def in_reach(delivery: Delivery, unit: OrgUnit) -> bool:
    """Whether a taker may choose this unit: one of the audience, or, without one, of the unit that offers the delivery."""
    if delivery.limited:
        return admits((AudienceLine(line.unit_id) for line in lines_of(delivery)), unit, None)
    return unit.path.startswith(delivery.unit.path)


def tops_of(delivery: Delivery) -> list[OrgUnit]:
    """The open units at which a taker's choice begins, none of them below another."""
    if not delivery.limited:
        return [delivery.unit]
    units = {line.unit_id: line.unit for line in delivery.audience if line.unit.closed_at is None}
    paths = [unit.path for unit in units.values()]
    return [u for u in units.values() if not any(u.path != path and u.path.startswith(path) for path in paths)]


def reach_condition(delivery: Delivery) -> ColumnElement[bool]:
    """The same as SQL over the units."""
    return or_(*(below(OrgUnit.path, unit.path) for unit in tops_of(delivery)), false())


def own_lines(db: Session, lines: Iterable[AudienceLine], actor: Actor) -> tuple[AudienceLine, ...]:
    """Those of the lines that lie within an actor's own grant."""
    return tuple(line for line in lines if _is_own(db.get(OrgUnit, line.unit_id), actor))


def checked_lines(
    db: Session, wanted: Iterable[AudienceLine], *, before: Iterable[AudienceLine] = (), actor: Actor
) -> tuple[AudienceLine, ...]:
    """The audience that results when an actor wants these lines: each once, what lies outside the own grant as it stood `before`.

    Raises AudienceForeign for a new line with a unit that is closed, unknown or outside the actor's grant, or an unknown industry.
    """
    before, wanted = tuple(before), tuple(dict.fromkeys(wanted))
    mine = own_lines(db, before, actor)
    kept = [line for line in before if line not in mine or line in wanted]
    new = [line for line in wanted if line not in before]
    for line in new:
        unit = db.get(OrgUnit, line.unit_id)
        known = line.industry_id is None or db.get(Industry, line.industry_id) is not None
        if not known or unit is None or unit.closed_at is not None or not _is_own(unit, actor):
            raise AudienceForeign(field="audience")
    return (*kept, *new)


def store_lines(db: Session, delivery_id: int, lines: Iterable[AudienceLine]) -> None:
    """Put these lines in the place of those that stand; the caller holds the delivery and sets its `limited`."""
    db.execute(delete(DeliveryAudience).where(DeliveryAudience.delivery_id == delivery_id))
    db.add_all(
        DeliveryAudience(delivery_id=delivery_id, unit_id=line.unit_id, industry_id=line.industry_id) for line in lines
    )
    db.flush()


def _is_own(unit: OrgUnit | None, actor: Actor) -> bool:
    return unit is not None and (actor.system or actor.scope.covers(Permission.MANAGE_DELIVERIES, unit.path))
