"""The pages on which two records of one person are found, laid side by side, merged and taken apart."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.core.db import transaction
from quizapp.core.registry import MERGE_PERSON
from quizapp.core.scope import Role
from quizapp.core.tokens import Keys
from quizapp.organisation.merge_words import FACT_WORDS
from quizapp.organisation.models import OrgUnit, Person, PersonMerge
from quizapp.trainings.models import Attendance
from tests.accounts.pages import send, sign_in
from tests.conftest import START, FakeClock
from tests.factories import make_account, make_attendance, make_person, make_session, make_unit

PHONE = "13800001111"


@pytest.fixture
def keys(client: FlaskClient) -> Keys:
    """The keys of the application, so that numbers are found."""
    found: Keys = client.application.extensions["quizapp"].keys
    return found


@pytest.fixture
def place(db: Session) -> tuple[OrgUnit, OrgUnit]:
    """A street and a foreign one, with a coordinator each and one for everything."""
    with transaction(db):
        own, foreign = make_unit(db, name="滨江街道"), make_unit(db, name="城西街道")
        make_account(db, (Role.COORDINATOR, own), username="own", unit=own)
        make_account(db, (Role.COORDINATOR, None), username="all")
        return own, foreign


@pytest.fixture
def own(client: FlaskClient, place: tuple[OrgUnit, OrgUnit]) -> FlaskClient:
    sign_in(client, "own")
    return client


def add(db: Session, keys: Keys, unit: OrgUnit | None, name: str, phone: str | None = None, **values: object) -> int:
    with transaction(db):
        return make_person(
            db,
            name=name,
            unit_id=unit.id if unit else None,
            phone_hash=keys.phone_hash(phone) if phone else None,
            phone_encrypted=keys.encrypt_phone(phone) if phone else None,
            **values,
        ).id


def test_people_are_found_by_name_phone_and_unit(
    own: FlaskClient, db: Session, keys: Keys, place: tuple[OrgUnit, OrgUnit]
) -> None:
    street, foreign = place
    with transaction(db):
        community = make_unit(db, street, name="紫兴社区")
    add(db, keys, community, "李建国", PHONE)
    add(db, keys, street, "李建 军")
    add(db, keys, foreign, "李建设", PHONE)
    add(db, keys, None, "李建平", PHONE)
    for asked, names in {
        "q=李 建": {"李建国", "李建 军"},
        f"q={PHONE[:3]} {PHONE[3:7]} {PHONE[7:]}": {"李建国"},
        "unit=紫兴": {"李建国"},
        "q=李&unit=滨江": {"李建国", "李建 军"},
        "unit=城西": set(),
    }.items():
        page = own.get(f"/people?{asked}").text
        assert {n for n in ("李建国", "李建 军", "李建设", "李建平") if n in page} == names, asked
        assert PHONE not in page.replace(f'value="{PHONE}"', "")
    assert "138****1111" in own.get("/people?q=李建国").text
    assert "没有查到人" in own.get("/people?q=1380000").text


def test_a_grant_over_everything_sees_people_without_a_unit(
    client: FlaskClient, db: Session, keys: Keys, place: object
) -> None:
    sign_in(client, "all")
    add(db, keys, None, "李建平", PHONE)
    assert "李建平" in client.get("/people?q=李建").text


def test_possible_duplicates_are_listed_with_their_reasons(
    own: FlaskClient, db: Session, keys: Keys, place: tuple[OrgUnit, OrgUnit]
) -> None:
    street, foreign = place
    assert "没有疑似重复的人" in own.get("/people").text
    first, second = add(db, keys, street, "李国", PHONE), add(db, keys, street, "李 国", PHONE, source="roster")
    for _ in range(3):
        add(db, keys, street, "王芳")
        add(db, keys, foreign, "赵强")
    add(db, keys, street, "赵强")
    page = own.get("/people").text
    assert f"/people/merge?person={first}&amp;person={second}" in page
    assert page.count("同名，手机号也相同") == 1
    assert page.count("同名，同一单位") == 2
    assert "/people?q=%E7%8E%8B%E8%8A%B3" in page  # three of a name: one chooses two of them
    assert "赵强" not in page


def test_who_is_on_a_roster_is_proposed_to_stay(
    own: FlaskClient, db: Session, keys: Keys, place: tuple[OrgUnit, OrgUnit]
) -> None:
    typed, rostered = add(db, keys, place[0], "李囯", PHONE), add(db, keys, place[0], "李国", source="roster")
    page = own.get(f"/people/merge?person={typed}&person={rostered}").text
    assert "“李国”留下" in page
    assert "两人的姓名不同" in page
    other = own.get(f"/people/merge?person={typed}&person={rostered}&keep={typed}").text
    assert "“李囯”留下" in other


@pytest.mark.parametrize(
    "chosen", ["", "person=1", "person=1&person=1", "person=1&person=2&person=3", "person=x&person=2"]
)
def test_it_takes_exactly_two(own: FlaskClient, chosen: str) -> None:
    reply = own.get(f"/people/merge?{chosen}&q=李", follow_redirects=True)
    assert reply.request.path == "/people"
    assert "请正好勾选两个人" in reply.text


def test_two_are_merged_and_taken_apart(
    own: FlaskClient, db: Session, keys: Keys, place: tuple[OrgUnit, OrgUnit]
) -> None:
    kept, merged = add(db, keys, place[0], "李国", PHONE), add(db, keys, place[0], "李国")
    with transaction(db):
        both, alone = make_session(db, place[0]), make_session(db, place[0])
        for person in (kept, merged):
            make_attendance(db, both.id, person)
        make_attendance(db, alone.id, merged)
    page = f"/people/merge?person={kept}&person={merged}"
    text = own.get(page).text
    assert "移过去 1 次签到" in text
    assert "有 1 场两人都签到了，只算一次" in text
    reply = send(own, "/people/merge", page, person=[kept, merged], keep=kept)
    assert reply.status_code == 303
    done = own.get(reply.location).text
    assert "已合并。30 天内可以撤销。" in done
    assert "移过去 1 次签到" in done
    assert "138****1111" in done
    merge = db.scalars(select(PersonMerge)).one()
    db.rollback()
    assert "李国" in own.get("/people/merges").text
    assert own.get("/people?q=李国").text.count('name="person"') == 1
    undone = send(own, f"/people/merges/{merge.id}/undo", reply.location)
    assert undone.status_code == 303
    assert "已撤销，两人又分开了。" in own.get(undone.location).text
    db.rollback()
    assert set(db.scalars(select(Attendance.person_id))) == {kept, merged}
    assert db.scalars(select(Person.merged_into_id).where(Person.id == merged)).one() is None


def test_two_accounts_are_refused_before_and_at_the_button(
    own: FlaskClient, db: Session, place: tuple[OrgUnit, OrgUnit]
) -> None:
    with transaction(db):
        people = [make_account(db, unit=place[0]).person_id for _ in range(2)]
    page = f"/people/merge?person={people[0]}&person={people[1]}"
    text = own.get(page).text
    assert text.count("账号不能合并") == 1
    assert ">合并</span>" not in text
    reply = send(own, "/people/merge", page, person=people)
    assert reply.status_code == 409
    assert reply.text.count("账号不能合并") == 1


def test_a_merge_that_is_over_says_why(
    own: FlaskClient, db: Session, keys: Keys, place: tuple[OrgUnit, OrgUnit], clock: FakeClock
) -> None:
    kept, merged, third = (add(db, keys, place[0], "李国") for _ in range(3))
    page = f"/people/merge?person={kept}&person={merged}"
    first = send(own, "/people/merge", page, person=[kept, merged], keep=kept).location
    again = own.get(page).text
    second = send(own, "/people/merge", f"/people/merge?person={kept}&person={third}", person=[kept, third], keep=kept)
    assert "其中一人已经并入别人" in again
    assert ">合并</span>" not in again
    assert "先撤销后一次" in own.get(first).text
    reply = send(own, f"{first}/undo", second.location)
    assert reply.status_code == 409
    assert "在这之后又合并过" in reply.text
    wrong = send(own, "/people/merge", page, person=[merged, third])
    assert wrong.status_code == 409
    assert "其中一人已经并入别人" in wrong.text
    clock.now = START + timedelta(days=30, hours=1)
    late = own.get(second.location).text
    assert "不能再撤销" in late
    assert "撤销这次合并" not in late


def test_foreign_people_are_not_there(
    own: FlaskClient, db: Session, keys: Keys, place: tuple[OrgUnit, OrgUnit]
) -> None:
    here, there, nowhere = (add(db, keys, unit, "李国") for unit in (place[0], place[1], None))
    for other in (there, nowhere):
        assert own.get(f"/people/merge?person={here}&person={other}").status_code == 404
    assert own.get("/people/merges/99").status_code == 404


def test_every_kind_of_rows_has_its_words(
    own: FlaskClient, db: Session, keys: Keys, place: tuple[OrgUnit, OrgUnit]
) -> None:
    pair = add(db, keys, place[0], "李国"), add(db, keys, place[0], "李国")
    kinds = {fact.kind for part in MERGE_PERSON.values() for fact in part.preview(db, *pair)}
    assert kinds == set(FACT_WORDS), "write the words of a new kind into organisation/merge_words.py"
