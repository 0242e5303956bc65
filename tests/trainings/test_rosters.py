"""The roster of a session: by rules, by hand, and how much of it came."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, insert, select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.scope import Actor, Grant, Role, Scope
from quizapp.core.tokens import Keys
from quizapp.organisation.models import Industry, JobRole, OrgUnit, Person
from quizapp.trainings.errors import (
    AttendeeNameNeeded,
    AttendeePhoneNeeded,
    RosterCame,
    RosterFrozen,
    RosterNotKept,
)
from quizapp.trainings.models import AudienceRule, RemovalReason, RosterEntry
from quizapp.trainings.queries import rosters as queries
from quizapp.trainings.queries.rosters import RosterFilter
from quizapp.trainings.services import close_session
from quizapp.trainings.services.rosters import add_by_hand, refresh_roster, remove_entry
from tests.conftest import START
from tests.factories import make_attendance, make_person, make_session, make_unit


def trainer_of(unit: OrgUnit | None) -> Actor:
    return Actor(account_id=7, name="陈立新", scope=Scope((Grant(Role.TRAINER, unit.path if unit else None),)))


class District:
    """Two streets, one with two communities; a session of the first with a roster."""

    def __init__(self, db: Session) -> None:
        self.db = db
        self.industry = Industry(code="hotel", name="宾馆", name_en="Hotels")
        db.add(self.industry)
        db.flush()
        self.street = make_unit(db, name="东岸街道")
        self.left = make_unit(db, self.street, name="紫兴社区")
        self.right = make_unit(db, self.street, name="绿洲社区", industry_id=self.industry.id)
        self.far = make_unit(db, name="西岸街道")
        self.session = make_session(db, self.street, kind="joint")
        self.trainer = trainer_of(self.street)

    def person(self, name: str, unit: OrgUnit, **values: Any) -> Person:
        return make_person(self.db, name=name, unit_id=unit.id, **{"source": "roster", **values})

    def rule(self, **values: Any) -> None:
        self.db.add(AudienceRule(session_id=self.session.id, **values))
        self.db.flush()

    def refresh(self, actor: Actor | None = None) -> int:
        return refresh_roster(self.db, session=self.session, actor=actor or self.trainer, now=START)

    def names(self, wanted: RosterFilter = queries.EVERYBODY) -> list[str]:
        return [row.person.name for row in queries.list_roster(self.db, self.session.id, wanted)]

    def add(self, keys: Keys, **values: Any) -> tuple[RosterEntry, bool]:
        values = {"name": "李建国", "phone": None, "unit_id": None, "job_role": None, **values}
        return add_by_hand(self.db, session=self.session, keys=keys, actor=self.trainer, now=START, **values)


@pytest.fixture
def district(either_db: Session) -> District:
    with transaction(either_db):
        return District(either_db)


def test_rules_name_people_by_unit_industry_and_job_role(district: District) -> None:
    d = district
    with transaction(d.db):
        d.person("安全员甲", d.left, job_role="safety_officer")
        d.person("安全员乙", d.right, job_role="safety_officer")
        d.person("职工丙", d.right, job_role="worker")
        d.person("职工丁", d.left, job_role="worker", industry_id=d.industry.id)
        d.person("外人", d.far, job_role="safety_officer")
        d.person("住户", d.left, source="account")
        d.person("打字的", d.left, source="typed", job_role="safety_officer")
        d.person("并掉的", d.left, job_role="safety_officer", merged_into_id=1)
        assert d.refresh() == 0  # no rule: nobody
        d.rule(unit_id=d.street.id, job_role="safety_officer")
        assert queries.count_audience(d.db, d.session.id, d.trainer.scope) == (2, 2)
        assert d.refresh() == 2
        assert d.refresh() == 0
        d.rule(industry_id=d.industry.id, job_role="worker")
        assert d.refresh() == 2  # of the unit's industry, and of one's own
        assert sorted(d.names()) == ["安全员乙", "安全员甲", "职工丁", "职工丙"]
        d.rule()
        assert queries.count_audience(d.db, d.session.id, d.trainer.scope) == (5, 1)
        # everybody, but only where the trainer runs sessions
        assert d.refresh() == 1
        assert "外人" not in d.names()
        assert d.refresh(trainer_of(None)) == 1
    entry = d.db.scalars(select(RosterEntry).join(Person).where(Person.name == "职工丙")).one()
    assert (entry.unit_path, entry.job_role, entry.source, entry.added_by) == (d.right.path, "worker", "rule", 7)


def test_a_refresh_only_adds_and_does_not_bring_back_who_was_taken_off(district: District, keys: Keys) -> None:
    d = district
    with transaction(d.db):
        d.rule(unit_id=d.left.id)
        first, second, third = (d.person(name, d.left) for name in ("甲", "乙", "丙"))
        assert d.refresh() == 3
        first.unit_id = d.far.id
        make_attendance(d.db, d.session.id, second.id)
        second.unit_id = d.far.id
        row = next(row for row in queries.list_roster(d.db, d.session.id, RosterFilter()) if row.person.id == third.id)
        remove_entry(d.db, session=d.session, row=row, reason=RemovalReason.LEFT, actor=d.trainer, now=START)
        d.person("丁", d.left)
        assert d.refresh() == 1
        assert sorted(d.names()) == ["丁", "乙", "甲"]
        # a hand brings them back, and may take them off again
        entry, again = d.add(keys, name="丙", unit_id=d.left.id)
        assert (entry.person_id, again) == (third.id, False)
        remove_entry(
            d.db, session=d.session, row=queries.get_entry(d.db, d.session.id, entry.id),
            reason=RemovalReason.MISTAKE, actor=d.trainer, now=START,
        )  # fmt: skip
        assert d.refresh() == 0
    logged = d.db.scalars(select(AuditEvent).where(AuditEvent.action == "roster_entry_removed")).first()
    assert logged is not None
    assert logged.details == {"code": d.session.code, "person_id": third.id, "reason": "left"}


def test_whoever_came_is_not_taken_off(district: District, keys: Keys) -> None:
    d = district
    with transaction(d.db):
        entry, _ = d.add(keys, phone="13800001234")
        make_attendance(d.db, d.session.id, entry.person_id)
        row = queries.get_entry(d.db, d.session.id, entry.id)
        with pytest.raises(RosterCame):
            remove_entry(d.db, session=d.session, row=row, reason=RemovalReason.LEFT, actor=d.trainer, now=START)
        with pytest.raises(NotFound):
            queries.get_entry(d.db, make_session(d.db, d.far).id, entry.id)


def test_a_hand_adds_one_person_once(district: District, keys: Keys) -> None:
    d = district
    with transaction(d.db):
        entry, again = d.add(keys, phone="138 0000 1234", unit_id=d.left.id, job_role=JobRole.DRIVER)
        assert (again, entry.source, entry.job_role, entry.unit_path) == (False, "by_hand", "driver", d.left.path)
        same, again = d.add(keys, name="李 建国", phone="+8613800001234")
        assert (same.id, again) == (entry.id, True)
        with pytest.raises(AttendeeNameNeeded):
            d.add(keys, name=" ")
        with pytest.raises(AttendeePhoneNeeded):
            d.add(keys)
        with pytest.raises(NotFound):
            d.add(keys, unit_id=d.far.id)


def test_a_closed_session_and_one_without_roster_take_nobody(district: District, keys: Keys) -> None:
    d = district
    with transaction(d.db):
        lecture = make_session(d.db, d.street, kind="lecture")
        with pytest.raises(RosterNotKept):
            refresh_roster(d.db, session=lecture, actor=d.trainer, now=START)
        close_session(d.db, session=d.session, actor=d.trainer, now=START)
        with pytest.raises(RosterFrozen):
            d.refresh()
        with pytest.raises(RosterFrozen):
            d.add(keys, phone="13800001234")


def test_coverage_counts_who_came_of_the_roster_by_unit(district: District) -> None:
    d = district
    with transaction(d.db):
        d.rule()
        people = [d.person(f"左{n}", d.left) for n in range(3)] + [d.person("右", d.right)]
        d.refresh()
        loose = make_person(d.db, name="没单位", source="roster")
        d.db.add(RosterEntry(session_id=d.session.id, person_id=loose.id, source="by_hand", added_at=0))
        make_attendance(d.db, d.session.id, people[0].id)
        make_attendance(d.db, d.session.id, people[1].id, state="struck")
        make_attendance(d.db, d.session.id, people[3].id)
        make_attendance(d.db, d.session.id, make_person(d.db, name="外来").id)
        make_attendance(d.db, make_session(d.db, d.street).id, people[2].id)
    whole = queries.coverage(d.db, d.session.id)
    assert (whole.rostered, whole.came, whole.share) == (5, 2, 0.4)
    rows = queries.coverage_by_unit(d.db, d.session.id)
    assert [(row.unit.name if row.unit else None, row.rostered, row.came) for row in rows] == [
        ("紫兴社区", 3, 1),
        ("绿洲社区", 1, 1),
        (None, 1, 0),
    ]
    assert queries.coverage(d.db, make_session(d.db, d.street).id).share is None


def test_the_roster_is_searched_and_filtered(district: District, keys: Keys) -> None:
    d = district
    with transaction(d.db):
        d.add(keys, name="李建国", phone="13800001234", unit_id=d.left.id)
        entry, _ = d.add(keys, name="王秀兰", phone="13800001235", unit_id=d.right.id)
        d.add(keys, name="李%", phone="13800001236")
        make_attendance(d.db, d.session.id, entry.person_id)
    assert d.names(RosterFilter(text="李")) == ["李%", "李建国"] or d.names(RosterFilter(text="李")) == [
        "李建国",
        "李%",
    ]
    assert d.names(RosterFilter(text="%")) == ["李%"]
    assert d.names(RosterFilter(phone_hash=keys.phone_hash("13800001235"))) == ["王秀兰"]
    assert d.names(RosterFilter(unit_id=d.left.id)) == ["李建国"]
    assert d.names(RosterFilter(unit_id=0)) == ["李%"]
    assert d.names(RosterFilter(came=True)) == ["王秀兰"]
    assert len(d.names(RosterFilter(came=False))) == 2
    assert queries.count_roster(d.db, d.session.id, RosterFilter(text="李")) == 2
    assert len(queries.list_roster(d.db, d.session.id, RosterFilter(), limit=2, offset=2)) == 1


def test_two_thousand_people_are_added_by_a_few_statements(either_db: Session) -> None:
    """A rule that names a district is not a loop."""
    with transaction(either_db):
        d = District(either_db)
        people = [
            {"name": f"人{n}", "name_key": f"人{n}", "source": "roster", "unit_id": d.left.id, "created_at": START}
            for n in range(2000)
        ]
        either_db.execute(insert(Person), people)
        d.rule(unit_id=d.street.id)
        statements: list[str] = []
        event.listen(either_db.get_bind(), "before_cursor_execute", lambda *args: statements.append(args[2]))
        assert d.refresh() == 2000
        assert len(statements) < 12
