"""What a card does: one attempt of whom it was made for, and what becomes of invitations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.accounts.erasing import erase_person
from quizapp.core.db import transaction
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import Keys, new_secret
from quizapp.organisation.merging import merge_people, undo_merge
from quizapp.organisation.models import Person
from quizapp.quizzes.errors import DeliveryEnded
from quizapp.quizzes.models import AttemptState, IdentityLevel
from quizapp.surveys.errors import CardTakenBack, CardUsed, InvitationAnswered, SurveyClosed
from quizapp.surveys.models import Outcome, Survey, SurveyInvitation
from quizapp.surveys.queries import find_invitation, places_of
from quizapp.surveys.services.answering import attempt_of
from quizapp.surveys.services.drawing import card_secret
from quizapp.surveys.services.inviting import close_survey, note_outcome
from tests.conftest import START
from tests.factories import make_attempt, make_person, make_unit
from tests.surveys.support import answer, make_district, make_survey, make_test, start


@pytest.fixture
def drawn(either_db: Session, keys: Keys) -> tuple[Session, Survey, list[SurveyInvitation]]:
    with transaction(either_db):
        top, _streets = make_district(either_db, streets=2, each=20)
        survey = make_survey(either_db, top, make_test(either_db, top), keys=keys, margin=0.2)
    rows = either_db.scalars(select(SurveyInvitation).order_by(SurveyInvitation.number)).all()
    return either_db, survey, list(rows)


def test_a_card_starts_one_proved_attempt_of_its_person(
    drawn: tuple[Session, Survey, list[SurveyInvitation]], keys: Keys
) -> None:
    db, survey, (one, *_rest) = drawn
    ticket = new_secret()
    started = start(db, one, keys, ticket=ticket)
    attempt = started.attempt
    assert (attempt.person_id, attempt.identity_level, attempt.is_first) == (one.person_id, IdentityLevel.INVITED, True)
    assert (attempt.unit_id, attempt.unit_known, attempt.account_id) == (int(one.home), "roster", None)
    assert start(db, one, keys, ticket=ticket).secret == started.secret  # the form was sent twice
    with pytest.raises(CardUsed):
        start(db, one, keys)
    assert [place.invitation.id for place in places_of(db, survey) if place.attempt] == [one.id]


def test_an_empty_attempt_that_was_voided_leaves_the_card_open(
    drawn: tuple[Session, Survey, list[SurveyInvitation]], keys: Keys
) -> None:
    db, _survey, (one, *_rest) = drawn
    first = start(db, one, keys).attempt
    with transaction(db):
        first.state, first.is_first = AttemptState.VOID, False
    again = start(db, one, keys, now=START + timedelta(hours=1)).attempt
    assert again.id != first.id
    assert again.is_first
    assert one.attempt_id == again.id


def test_who_answered_while_signed_in_is_counted_once(
    drawn: tuple[Session, Survey, list[SurveyInvitation]], keys: Keys
) -> None:
    db, survey, (one, other, *_rest) = drawn
    with transaction(db):
        done = make_attempt(
            db, survey.delivery, person_id=one.person_id, identity_level=IdentityLevel.SIGNED_IN, score=80
        )
        # somebody who typed this name and phone number proves nothing
        make_attempt(db, survey.delivery, person_id=other.person_id, identity_level=IdentityLevel.MATCHED, score=100)
    assert {place.invitation.id for place in places_of(db, survey) if place.answered} == {one.id}
    with pytest.raises(CardUsed):
        start(db, one, keys)
    found = attempt_of(db, survey, one)
    assert found is not None
    assert found.id == done.id
    assert start(db, other, keys).attempt.is_first  # takes the flag from the unproved match


def test_outcomes_and_the_end_of_a_survey(drawn: tuple[Session, Survey, list[SurveyInvitation]], keys: Keys) -> None:
    db, survey, (refuses, moved, answers, late, *_rest) = drawn

    def note(one: SurveyInvitation, outcome: Outcome) -> None:
        with transaction(db):
            note_outcome(db, survey=survey, invitation=one, outcome=outcome, actor=SYSTEM, now=START)

    note(refuses, Outcome.REFUSED)
    note(moved, Outcome.INELIGIBLE)
    answer(db, answers, keys, 80)
    with pytest.raises(InvitationAnswered):
        note(answers, Outcome.UNREACHABLE)
    with pytest.raises(CardTakenBack):
        start(db, moved, keys)
    start(db, refuses, keys)  # came after all
    assert refuses.outcome == Outcome.INVITED
    with pytest.raises(DeliveryEnded):
        start(db, late, keys, now=START + timedelta(days=60))
    with transaction(db):
        close_survey(db, survey=survey, actor=SYSTEM, now=START)
    with pytest.raises(CardTakenBack):
        start(db, late, keys)
    with pytest.raises(SurveyClosed):
        note(late, Outcome.REFUSED)


def test_a_place_of_a_list_answers_without_a_name(either_db: Session, keys: Keys) -> None:
    db = either_db
    with transaction(db):
        top = make_unit(db, kind="district")
        communities = [make_unit(db, top, name=f"社区{number}") for number in range(10)]
        lines = "\n".join(f"{one.code},300" for one in communities)
        survey = make_survey(
            db, top, make_test(db, top), keys=keys, design="two_stage", frame_kind="units", unit_list=lines, margin=0.2
        )
    one = db.scalars(select(SurveyInvitation).where(SurveyInvitation.number == 1)).one()
    attempt = answer(db, one, keys, 60)
    assert (attempt.person_id, attempt.is_first, attempt.unit_id) == (None, False, int(one.home))
    assert attempt.identity_level == IdentityLevel.INVITED
    assert [place.invitation.id for place in places_of(db, survey) if place.answered] == [one.id]
    with pytest.raises(CardUsed):
        start(db, one, keys)


def test_merging_and_erasing_keep_the_sample(drawn: tuple[Session, Survey, list[SurveyInvitation]], keys: Keys) -> None:
    db, survey, (one, other, *_rest) = drawn
    answer(db, one, keys, 80)
    assert one.person_id is not None
    with transaction(db):
        kept = make_person(db, source="roster", unit_id=int(one.home))
        merge = merge_people(db, kept_id=kept.id, merged_id=one.person_id, actor=SYSTEM, now=START)
    db.refresh(one)
    assert one.person_id == kept.id
    with transaction(db):
        undo_merge(db, merge=merge, actor=SYSTEM, now=START)
    db.refresh(one)
    assert one.person_id not in (None, kept.id)
    # both were drawn: two places of the sample were theirs
    with transaction(db):
        merge_people(db, kept_id=int(other.person_id or 0), merged_id=int(one.person_id or 0), actor=SYSTEM, now=START)
    assert sum(place.answered for place in places_of(db, survey)) == 1
    weight, stratum = other.weight, other.stratum
    with transaction(db):
        erase_person(db, person_id=int(other.person_id or 0), ledger=None, actor=SYSTEM, now=START)
    db.expire_all()
    assert (other.secret_hash, other.weight, other.stratum) == (None, weight, stratum)
    assert find_invitation(db, card_secret(keys, survey.id, other.number)) is None
    assert db.get_one(Person, other.person_id).erased_at is not None
