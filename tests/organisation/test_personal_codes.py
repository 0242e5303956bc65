"""Personal codes: one for each person, checked without asking anybody, taken back when lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.core.scope import Actor
from quizapp.core.tokens import ALPHABET, check_character, group_code
from quizapp.organisation.models import PersonalCode
from quizapp.organisation.personal_codes import (
    card_text,
    codes_of,
    find_code,
    issue_code,
    kept_person,
    read_code,
    replace_code,
)
from tests.conftest import START
from tests.factories import make_person

bodies = st.text(ALPHABET, min_size=11, max_size=11)


@given(bodies)
def test_a_code_is_read_however_it_is_written(body: str) -> None:
    code = body + check_character(body)
    for text in (code, card_text(code), group_code(code), card_text(code).lower(), f" {group_code(code).lower()} "):
        assert read_code(text) == code


@given(bodies, st.integers(0, 11), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_no_code(body: str, place: int, other: str) -> None:
    code = body + check_character(body)
    wrong = code[:place] + other + code[place + 1 :]
    assert (read_code(wrong) is None) == (wrong != code)


@pytest.mark.parametrize("text", ["", "你好", "https://example.org/000000000000", "0" * 11, "0" * 13, "0000/0000/0000"])
def test_other_texts_are_no_codes(text: str) -> None:
    assert read_code(text) is None


def test_a_person_keeps_one_code(either_db: Session) -> None:
    person = make_person(either_db)
    code = issue_code(either_db, person, now=START)
    assert read_code(code) == code
    assert issue_code(either_db, person, now=START) == code
    assert codes_of(either_db, [person.id, 0]) == {person.id: code}


def test_a_lost_code_is_taken_back(either_db: Session) -> None:
    person = make_person(either_db)
    lost = issue_code(either_db, person, now=START)
    new = replace_code(either_db, person, actor=Actor(account_id=3), now=START)
    assert new != lost
    assert issue_code(either_db, person, now=START) == new
    row = find_code(either_db, lost)
    assert row is not None
    assert row.revoked_at == START
    event = either_db.scalars(select(AuditEvent).where(AuditEvent.action == "personal_code_replaced")).one()
    assert event.object_id == person.id
    assert either_db.scalars(select(PersonalCode.person_id)).all() == [person.id, person.id]


def test_the_code_of_somebody_merged_stands_for_who_was_kept(either_db: Session) -> None:
    first, second, third = (make_person(either_db) for _ in range(3))
    first.merged_into_id, second.merged_into_id = second.id, third.id
    either_db.flush()
    assert kept_person(either_db, first).id == third.id
    assert kept_person(either_db, third).id == third.id
