"""Issuing, revoking, looking up, on both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.certificates import queries
from quizapp.certificates.earning import Why
from quizapp.certificates.errors import (
    CertificateRevoked,
    CertificateUnknown,
    NotEarned,
    NumberMistyped,
    RevokeReasonNeeded,
    StillValid,
)
from quizapp.certificates.models import Certificate
from quizapp.certificates.numbers import parse_number, typed_code
from quizapp.certificates.queries import Found
from quizapp.certificates.services import issue_again, issue_certificates, look_up, revoke
from quizapp.certificates.validity import CertificateState
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission, Role
from quizapp.trainings.models import AttendanceState
from tests.certificates.support import add_session, attend, make_attended_run, make_run, staff_of
from tests.conftest import START
from tests.factories import make_person, make_unit

ACTOR = staff_of(None)


def issued(db: Session) -> list[Certificate]:
    return list(db.scalars(select(Certificate).order_by(Certificate.id)))


def test_a_run_is_issued_at_once_and_once(either_db: Session) -> None:
    db = either_db
    with transaction(db):
        unit = make_unit(db, name="临江区应急管理局")
        below = make_unit(db, unit, name="紫兴社区")
        run = make_run(db, unit)
        first, last = add_session(db, run), add_session(db, run, 8)
        both = make_person(db, name="李建国", unit_id=below.id)
        attend(db, both, first, last, unit_path=below.path)
        attend(db, make_person(db, name="王秀兰"), first)
        attend(db, make_person(db, name=" "), first, last)
        attend(db, make_person(db, name="张伟"), first, last, state=AttendanceState.STRUCK)
        attend(db, make_person(db, name="并入的人", merged_into_id=both.id), first, last)
        add_session(db, run, 9, cancelled_at=1)
    people = {one.name: one for one in queries.candidates(db, run, queries.run_sessions(db, run.id))}
    assert {name: one.standing.why for name, one in people.items()} == {
        "李建国": (),
        "王秀兰": (Why.MISSED,),
        " ": (Why.NO_NAME,),
    }
    for expected in (1, 0):
        with transaction(db):
            assert issue_certificates(db, run=run, actor=ACTOR, now=START + timedelta(days=10)) == expected
    (one,) = issued(db)
    assert one.number == f"2026-{one.id:06d}-{one.number[-1]}"
    assert parse_number(one.number) == one.number
    assert len(one.check_code) == 26
    assert (one.course_title, one.run_title, one.issuer) == ("公民安全素质培训", "2026 年第 3 期", "临江区应急管理局")
    assert (one.unit_id, one.unit_path, one.hours_tenths) == (below.id, below.path, 80)
    assert (one.issued_on, one.valid_until) == (date(2026, 12, 3), date(2027, 12, 1))
    assert (one.issued_by, one.person_id) == (7, both.id)
    (event,) = db.scalars(select(AuditEvent))
    assert (event.action, event.object_id, event.details) == ("certificates_issued", run.id, {"count": 1})


def test_hours_and_check_out_decide_where_the_run_says_so(either_db: Session) -> None:
    db = either_db
    with transaction(db):
        run = make_run(db, hours_needed_tenths=80, certificate_months=None)
        sessions = [
            add_session(db, run),
            add_session(db, run, 1, check_out=True),
            add_session(db, run, 2),
            add_session(db, run, 3, closed_at=None),
        ]
        enough, left_early, short = (make_person(db, name=name) for name in ("甲一", "乙一", "丙一"))
        attend(db, enough, sessions[0])
        attend(db, enough, sessions[1], checked_out_at=sessions[1].ends_at)
        attend(db, left_early, *sessions[:2])
        attend(db, short, sessions[0], sessions[3])
    with transaction(db):
        assert issue_certificates(db, run=run, actor=ACTOR, now=START) == 1
    assert [(one.person_id, one.valid_until) for one in issued(db)] == [(enough.id, None)]
    with transaction(db):
        sessions[3].closed_at = to_ms(START)
    with transaction(db):
        assert issue_certificates(db, run=run, actor=ACTOR, now=START) == 1
    assert {one.person_id for one in issued(db)} == {enough.id, short.id}


def test_a_revoked_one_stays_revoked_until_another_is_issued_by_hand(either_db: Session) -> None:
    db = either_db
    with transaction(db):
        run = make_attended_run(db, names=("李建国", "王秀兰"))
    with transaction(db):
        issue_certificates(db, run=run, actor=ACTOR, now=START)
    first = issued(db)[0]
    with transaction(db), pytest.raises(StillValid):
        issue_again(db, certificate=first, actor=ACTOR, now=START)
    with pytest.raises(RevokeReasonNeeded), transaction(db):
        revoke(db, certificate=first, reason=" \n ", actor=ACTOR, now=START)
    with transaction(db):
        revoke(db, certificate=first, reason=" 名字\n写错 ", actor=ACTOR, now=START)
    assert (first.revoke_reason, first.revoked_by, first.revoked_at) == ("名字 写错", 7, to_ms(START))
    with pytest.raises(CertificateRevoked), transaction(db):
        revoke(db, certificate=first, reason="再来", actor=ACTOR, now=START)
    with transaction(db):
        assert issue_certificates(db, run=run, actor=ACTOR, now=START) == 0
    numbers = set()
    for _ in range(2):
        with transaction(db):
            numbers.add(issue_again(db, certificate=first, actor=ACTOR, now=START).number)
    assert len(numbers) == 1
    assert numbers.isdisjoint({first.number})
    assert len(issued(db)) == 3
    actions = [event.action for event in db.scalars(select(AuditEvent).order_by(AuditEvent.id))]
    assert actions == ["certificates_issued", "certificate_revoked", "certificate_issued_again"]
    event = db.scalars(select(AuditEvent).where(AuditEvent.action == "certificate_revoked")).one()
    assert "写错" not in str(event.details)  # the log holds no typed words


def test_who_no_longer_fulfils_the_rule_gets_no_other(either_db: Session) -> None:
    db = either_db
    with transaction(db):
        run = make_attended_run(db)
    with transaction(db):
        issue_certificates(db, run=run, actor=ACTOR, now=START)
    (one,) = issued(db)
    with transaction(db):
        revoke(db, certificate=one, reason="代签", actor=ACTOR, now=START)
        (session,) = queries.run_sessions(db, run.id)
        session.closed_at = None
    with pytest.raises(NotEarned), transaction(db):
        issue_again(db, certificate=one, actor=ACTOR, now=START)


def test_python_and_sql_agree_on_the_state(either_db: Session) -> None:
    db = either_db
    today = date(2026, 11, 23)
    with transaction(db):
        run = make_attended_run(db, names=("甲", "乙", "丙", "丁", "戊"))
    with transaction(db):
        issue_certificates(db, run=run, actor=ACTOR, now=START)
        days = (None, today, today - timedelta(days=1), today + timedelta(days=1), today - timedelta(days=1))
        for one, day in zip(issued(db), days, strict=True):
            one.valid_until = day
        issued(db)[4].revoked_at = 1
    rows = issued(db)
    states = [one.state(today) for one in rows]
    assert [state.value for state in states] == ["valid", "valid", "expired", "valid", "revoked"]
    for state in CertificateState:
        found = queries.list_certificates(db, Found(run.id, state=state), today=today)
        assert [one.id for one in found] == [one.id for one, its in zip(rows, states, strict=True) if its is state]
    assert queries.count_states(db, run.id, today=today) == {"valid": 3, "expired": 1, "revoked": 1}


def test_the_list_is_searched_by_name_and_number(either_db: Session) -> None:
    db = either_db
    with transaction(db):
        run = make_attended_run(db, names=("李建国", "欧阳 娜", "100%"))
        other = make_attended_run(db, names=("李建军",))
    with transaction(db):
        for each in (run, other):
            issue_certificates(db, run=each, actor=ACTOR, now=START)

    def names(text: str) -> list[str]:
        found = queries.list_certificates(db, Found(run.id, text), today=date(2026, 11, 23))
        return [one.person.name for one in found]

    assert names("李") == ["李建国"]
    assert names("欧阳娜") == ["欧阳 娜"]
    assert names("%") == ["100%"]
    assert names("  ") == ["李建国", "欧阳 娜", "100%"]
    assert names("·") == names("")
    number = issued(db)[1].number
    assert names(number) == names(number.replace("-", "")) == names(number.lower()) == ["欧阳 娜"]


def test_a_typed_number_needs_the_code_beside_it(either_db: Session) -> None:
    db = either_db
    with transaction(db):
        run = make_attended_run(db, names=("李建国", "王秀兰"))
    with transaction(db):
        issue_certificates(db, run=run, actor=ACTOR, now=START)
    first, second = issued(db)
    assert look_up(db, number=first.number.lower(), code=typed_code(first.check_code).lower()).id == first.id
    for number, code in ((first.number, typed_code(second.check_code)), (first.number, ""), ("2031-000001-W", "x")):
        with pytest.raises((CertificateUnknown, NumberMistyped)):
            look_up(db, number=number, code=code)


def test_the_scope_stands_in_the_query(either_db: Session) -> None:
    db = either_db
    with transaction(db):
        top = make_unit(db)
        here, there = make_unit(db, top), make_unit(db, top)
        run = make_attended_run(db, here)
    with transaction(db):
        issue_certificates(db, run=run, actor=ACTOR, now=START)
    (one,) = issued(db)
    for unit, role, permission, allowed in (
        (here, Role.COORDINATOR, Permission.ISSUE_CERTIFICATES, True),
        (top, Role.COORDINATOR, Permission.ISSUE_CERTIFICATES, True),
        (here, Role.TRAINER, Permission.RUN_SESSIONS, True),
        (here, Role.TRAINER, Permission.ISSUE_CERTIFICATES, False),
        (there, Role.COORDINATOR, Permission.ISSUE_CERTIFICATES, False),
    ):
        scope = staff_of(unit, role).scope
        if allowed:
            assert queries.get_run(db, scope, run.id, permission).id == run.id
            assert queries.get_certificate(db, scope, one.id, permission).id == one.id
        else:
            with pytest.raises(NotFound):
                queries.get_run(db, scope, run.id, permission)
            with pytest.raises(NotFound):
                queries.get_certificate(db, scope, one.id, permission)
    assert queries.get_own_certificate(db, one.person_id, one.id).id == one.id
    for person_id in (one.person_id + 1, None):
        with pytest.raises(NotFound):
            queries.get_own_certificate(db, person_id, one.id)
