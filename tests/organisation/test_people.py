"""Who is one person."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quizapp.core.db import Database, transaction
from quizapp.core.tokens import Keys
from quizapp.organisation.models import Person, PersonSource, name_key
from quizapp.organisation.people import AGE_BANDS, Identified, age_band, identify
from tests.conftest import START

PHONE = "13800001234"


def who(db: Session, keys: Keys, **typed: Any) -> Identified:
    values: dict[str, Any] = {
        "name": None,
        "phone": None,
        "device_hash": None,
        "unit_id": None,
        "industry_id": None,
        "birth_year": None,
        "sex": None,
        "education": None,
    }
    with transaction(db):
        return identify(db, keys=keys, now=START, **{**values, **typed})


def test_name_and_phone_find_the_same_person_again(either_db: Session, keys: Keys) -> None:
    first = who(either_db, keys, name="李国强", phone=PHONE)
    again = who(either_db, keys, name=" 李 国强　", phone=PHONE, device_hash=b"x" * 32)
    assert first.level == again.level == "matched"
    assert first.person_id == again.person_id is not None
    person = either_db.get_one(Person, first.person_id)
    assert (person.source, person.name) == ("typed", "李国强")
    assert keys.decrypt_phone(person.phone_encrypted or b"") == PHONE


def test_the_same_phone_with_another_name_is_another_person(either_db: Session, keys: Keys) -> None:
    assert (
        who(either_db, keys, name="李国强", phone=PHONE).person_id
        != who(either_db, keys, name="王芳", phone=PHONE).person_id
    )


def test_somebody_on_a_roster_comes_before_an_account_and_before_a_typed_person(db: Session, keys: Keys) -> None:
    for source in (PersonSource.TYPED, PersonSource.ACCOUNT, PersonSource.ROSTER):
        with transaction(db):
            db.add(Person(name="李国强", source=source.value, phone_hash=keys.phone_hash(PHONE), created_at=START))
    found = db.get_one(Person, who(db, keys, name="李国强", phone=PHONE).person_id)
    assert found.source == PersonSource.ROSTER


def test_a_match_fills_nothing_in(db: Session, keys: Keys) -> None:
    first = who(db, keys, name="李国强", phone=PHONE)
    who(db, keys, name="李国强", phone=PHONE, birth_year=1960, sex="male", education="senior")
    person = db.get_one(Person, first.person_id)
    db.refresh(person)
    assert (person.birth_year, person.sex, person.education) == (None, None, None)


def test_a_name_on_the_same_device_is_known_again_without_a_phone(either_db: Session, keys: Keys) -> None:
    first = who(either_db, keys, name="Li Ming", device_hash=b"d" * 32)
    assert first.level == "device"
    assert who(either_db, keys, name="LI MING", device_hash=b"d" * 32) == first
    assert who(either_db, keys, name="Li Ming", device_hash=b"e" * 32).person_id != first.person_id
    assert who(either_db, keys, name="Wang", device_hash=b"d" * 32).person_id != first.person_id


@pytest.mark.parametrize(
    "typed",
    [{}, {"name": "李"}, {"device_hash": b"d" * 32}, {"phone": PHONE}, {"name": " 　", "phone": PHONE}],
    ids=["nothing", "name", "device", "phone", "blank name"],
)
def test_one_mark_alone_says_nothing(db: Session, keys: Keys, typed: dict[str, Any]) -> None:
    assert who(db, keys, **typed) == Identified(None, "none")
    assert db.scalar(select(func.count()).select_from(Person)) == 0


@pytest.mark.race
@pytest.mark.postgres
@pytest.mark.parametrize(
    "typed", [{"phone": PHONE}, {"device_hash": b"d" * 32}], ids=["name and phone", "name and device"]
)
def test_eight_phones_at_once_make_one_person(postgres_database: Database, keys: Keys, typed: dict[str, Any]) -> None:
    barrier = threading.Barrier(8)
    found: list[int | None] = []

    def start() -> None:
        with postgres_database.session() as db:
            barrier.wait()
            found.append(who(db, keys, name="李国强", **typed).person_id)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    with postgres_database.session() as db:
        assert db.scalar(select(func.count()).select_from(Person)) == 1


@given(st.text(max_size=40))
def test_the_key_of_a_name_is_its_own_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@given(st.integers(1900, 2100), st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_a_band_holds_the_age(year: int, day: date) -> None:
    band = age_band(year, day)
    age = day.year - year
    if age == 18:  # perhaps 17 still: nobody is an adult who may not be one
        age = 17
    if band is None:
        assert age < 0 or age > 120
    else:
        first = next(low for low, code in AGE_BANDS if code == band)
        later = [low for low, _ in AGE_BANDS if low > first]
        assert first <= age < min(later, default=200)


def test_an_unknown_year_has_no_band() -> None:
    assert age_band(None, date(2026, 1, 1)) is None
