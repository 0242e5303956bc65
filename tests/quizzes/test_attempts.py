"""Starting, submitting, closing, moving and claiming attempts, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.accounts.models import Account
from quizapp.audit.models import AuditEvent
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.scope import Actor
from quizapp.core.tokens import Keys, digest
from quizapp.organisation.models import Industry, Person
from quizapp.quizzes.errors import (
    AlreadyClaimed,
    AttemptClosed,
    CodeUnknown,
    ConsentNeeded,
    DeliveryEnded,
    DeliveryFull,
    DeliveryNotOpen,
    FieldMissing,
    GuardianNeeded,
    SignInForDelivery,
    TriesUsedUp,
    UnitOutside,
)
from quizapp.quizzes.models import Attempt, Delivery, Response
from quizapp.quizzes.queries.taking import PaperCache
from quizapp.quizzes.services.moving import (
    TRANSFER_MS,
    claim_attempt,
    find_by_receipt,
    make_transfer_code,
    take_over,
)
from quizapp.quizzes.services.starting import Profile, receipt_code, start_attempt
from quizapp.quizzes.services.submitting import close_if_over, overdue_attempts, submit_attempt
from tests.conftest import START
from tests.factories import make_delivery, make_unit
from tests.quizzes.support import begin

NOW = to_ms(START)
PHONE = "13800000001"


def account(db: Session, keys: Keys, name: str = "周敏", phone: str = PHONE) -> Actor:
    with transaction(db):
        person = Person(
            name=name,
            phone_hash=keys.phone_hash(phone),
            phone_encrypted=keys.encrypt_phone(phone),
            source="account",
            created_at=START,
        )
        db.add(person)
        db.flush()
        row = Account(phone_hash=keys.phone_hash(phone), person_id=person.id, created_at=START)
        db.add(row)
        db.flush()
    return Actor(account_id=row.id, person_id=person.id, name=name)


def delivery(db: Session, **values: object) -> Delivery:
    with transaction(db):
        return make_delivery(db, **values)


def answer(db: Session, attempt: Attempt, answers: dict[int, str]) -> None:
    with transaction(db):
        for position, text in answers.items():
            db.add(Response(attempt_id=attempt.id, position=position, answer=text, sequence=position, saved_at=NOW))


def submit(db: Session, attempt: Attempt, now_ms: int = NOW) -> Attempt:
    with transaction(db):
        return submit_attempt(db, attempt.id, papers=PaperCache(), now_ms=now_ms)


def recorded_moves(db: Session) -> list[tuple[int | None, int | None, int | None]]:
    """The moves of a first flag in the log: (unit, attempt before, attempt after)."""
    rows = db.scalars(select(AuditEvent).where(AuditEvent.action == "first_attempt_moved").order_by(AuditEvent.id))
    return [(row.unit_id, row.details["before"], row.details["after"]) for row in rows]


def test_an_attempt_keeps_a_snapshot_of_the_day(either_db: Session, keys: Keys) -> None:
    db = either_db
    made = delivery(
        db, fields={"unit": "required", "birth_year": "required", "sex": "optional", "key_group": "required"}
    )
    with transaction(db):
        unit = make_unit(db, made.unit)
    attempt = begin(db, made, keys, unit_id=unit.id, birth_year=1958, sex="female", key_group="elderly").attempt
    assert (attempt.unit_id, attempt.unit_path, attempt.unit_known) == (unit.id, unit.path, "self_declared")
    assert (attempt.age_band, attempt.sex, attempt.identity_level) == ("60-69", "female", "none")
    assert attempt.key_group == "elderly"
    assert attempt.deadline_at == NOW + 1800_000
    assert attempt.accepts_until == attempt.deadline_at + 30_000
    assert not attempt.is_first  # nobody knows who this is: person-times only


@pytest.mark.parametrize(("source", "known"), [("roster", "roster"), ("account", "account")])
def test_a_signed_in_snapshot_is_filled_from_what_is_known_of_the_person(
    either_db: Session, keys: Keys, source: str, known: str
) -> None:
    db = either_db
    made = delivery(db)
    actor = account(db, keys)
    with transaction(db):
        unit = make_unit(db, made.unit)
        industry = Industry(code="i1", name="建筑", name_en="Building")
        db.add(industry)
        db.flush()
        person = db.get_one(Person, actor.person_id)
        person.source, person.unit_id, person.industry_id = source, unit.id, industry.id
        person.birth_year, person.sex, person.education, person.key_group = (
            1990,
            "male",
            "university",
            "industrial_worker",
        )
    attempt = begin(db, made, keys, actor=actor).attempt
    db.expire_all()
    assert (attempt.unit_id, attempt.unit_path, attempt.unit_known) == (unit.id, unit.path, known)
    assert (attempt.industry_id, attempt.age_band, attempt.sex) == (industry.id, "30-39", "male")
    assert (attempt.education, attempt.key_group, attempt.identity_level) == (
        "university",
        "industrial_worker",
        "signed_in",
    )
    stated = begin(db, made, keys, actor=actor, unit_id=made.unit_id, sex="female", key_group="farmer").attempt
    assert (stated.unit_known, stated.sex, stated.key_group) == ("self_declared", "female", "farmer")


def test_a_match_by_name_and_phone_fills_nothing_in(either_db: Session, keys: Keys) -> None:
    db = either_db
    made = delivery(db)
    actor = account(db, keys, "李国")
    with transaction(db):
        person = db.get_one(Person, actor.person_id)
        person.unit_id, person.birth_year, person.sex = made.unit_id, 1990, "male"
        person.education, person.key_group = "university", "industrial_worker"
    attempt = begin(db, made, keys, name="李国", phone=PHONE).attempt
    assert (attempt.person_id, attempt.identity_level) == (actor.person_id, "matched")
    assert (attempt.unit_id, attempt.unit_path, attempt.unit_known) == (None, None, "none")
    assert (attempt.age_band, attempt.sex, attempt.education, attempt.key_group) == (None, None, None, None)


def test_the_deadline_is_never_after_the_window(either_db: Session, keys: Keys) -> None:
    made = delivery(either_db, closes_at=NOW + 60_000)
    assert begin(either_db, made, keys).attempt.deadline_at == NOW + 60_000


def test_the_same_form_sent_twice_is_one_attempt_with_the_same_secret(either_db: Session, keys: Keys) -> None:
    made = delivery(either_db)
    first = begin(either_db, made, keys, ticket="t" * 22)
    second = begin(either_db, made, keys, ticket="t" * 22)
    assert (first.attempt.id, first.secret) == (second.attempt.id, second.secret)
    assert digest(first.secret) == bytes(first.attempt.secret_hash)


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"opens_at": NOW + 1}, DeliveryNotOpen),
        ({"closes_at": NOW}, DeliveryEnded),
        ({"capacity": 0}, DeliveryFull),
        ({"guests": False}, SignInForDelivery),
    ],
)
def test_nobody_starts_outside_what_the_delivery_allows(
    db: Session, keys: Keys, values: dict[str, object], refusal: type[Exception]
) -> None:
    made = delivery(db, **values)
    with pytest.raises(refusal):
        begin(db, made, keys)
    assert db.scalars(select(Attempt)).all() == []


def test_what_a_delivery_demands_must_be_given(db: Session, keys: Keys) -> None:
    made = delivery(db, fields={"name": "required", "phone": "required", "unit": "required"})
    other = make_unit(db)
    db.commit()

    def start(**profile: object) -> None:
        begin(db, made, keys, **{"name": "李国", "phone": PHONE, "unit_id": made.unit_id, **profile})

    for missing in ("name", "phone", "unit_id"):
        with pytest.raises(FieldMissing):
            start(**{missing: None})
    with pytest.raises(UnitOutside):
        start(unit_id=other.id)
    with pytest.raises(GuardianNeeded):
        start(under_14=True)
    with pytest.raises(ConsentNeeded), transaction(db):
        start_attempt(
            db,
            delivery=made,
            profile=Profile(name="李国", phone=PHONE, unit_id=made.unit_id),
            actor=Actor(),
            device_hash=None,
            ticket="x" * 22,
            keys=keys,
            now=START,
        )
    start(unit_id=None, unit_unlisted=True)
    start(phone=None, under_14=True, guardian=True)
    assert len(db.scalars(select(Attempt)).all()) == 2


def test_a_child_keeps_no_phone_number(db: Session, keys: Keys) -> None:
    made = delivery(db, fields={"name": "optional", "phone": "optional"})
    begin(db, made, keys, name="小明", phone=PHONE, under_14=True, guardian=True)
    assert db.scalars(select(Person).where(Person.phone_hash.is_not(None))).all() == []


def test_name_and_phone_are_one_person_whose_earliest_attempt_is_the_first(either_db: Session, keys: Keys) -> None:
    made = delivery(either_db)
    first = begin(either_db, made, keys, name="李国", phone=PHONE).attempt
    second = begin(either_db, made, keys, name="李国", phone=PHONE, now=START + timedelta(minutes=1)).attempt
    assert first.person_id == second.person_id
    assert (first.is_first, second.is_first, second.try_number) == (True, False, 2)


def test_a_match_by_name_and_phone_uses_up_no_tries_but_an_account_does(either_db: Session, keys: Keys) -> None:
    made = delivery(either_db, tries=1)
    for _ in range(2):
        begin(either_db, made, keys, name="李国", phone=PHONE)
    actor = account(either_db, keys, "李国")
    begin(either_db, made, keys, actor=actor)
    with pytest.raises(TriesUsedUp):
        begin(either_db, made, keys, actor=actor)


def test_two_of_a_family_on_one_phone_have_their_own_tries(either_db: Session, keys: Keys) -> None:
    made = delivery(either_db, tries=1)
    begin(either_db, made, keys, device="phone", name="爷爷")
    begin(either_db, made, keys, device="phone", name="奶奶")
    with pytest.raises(TriesUsedUp):
        begin(either_db, made, keys, device="phone", name="爷爷")


def test_a_signed_in_attempt_takes_the_flag_from_an_unproved_match_of_another_browser(
    either_db: Session, keys: Keys
) -> None:
    made = delivery(either_db)
    actor = account(either_db, keys, "李国")
    typed = begin(either_db, made, keys, device="library", name="李国", phone=PHONE).attempt
    assert typed.person_id == actor.person_id
    own = begin(either_db, made, keys, actor=actor, device="own", now=START + timedelta(minutes=5)).attempt
    either_db.expire_all()
    assert (typed.is_first, own.is_first) == (False, True)
    assert recorded_moves(either_db) == [(made.unit_id, typed.id, own.id)]


def test_a_signed_in_attempt_leaves_the_flag_to_an_earlier_one_of_the_same_browser(
    either_db: Session, keys: Keys
) -> None:
    made = delivery(either_db)
    actor = account(either_db, keys, "李国")
    typed = begin(either_db, made, keys, device="own", name="李国", phone=PHONE).attempt
    own = begin(either_db, made, keys, actor=actor, device="own", now=START + timedelta(minutes=5)).attempt
    either_db.expire_all()
    assert (typed.is_first, own.is_first) == (True, False)


def test_a_second_try_draws_the_paper_with_the_least_overlap(either_db: Session, keys: Keys) -> None:
    made = delivery(either_db, papers=2)
    first = begin(either_db, made, keys, name="李国", phone=PHONE).attempt
    # both papers of the factory hold the same items: make the other one different
    from quizapp.quizzes.models import Paper, PaperItem
    from tests.factories import make_items

    db = either_db
    with transaction(db):
        other = db.scalars(select(Paper).where(Paper.delivery_id == made.id, Paper.id != first.paper_id)).one()
        fresh = make_items(db, 5)
        for row, version in zip(
            db.scalars(select(PaperItem).where(PaperItem.paper_id == other.id).order_by(PaperItem.position)),
            fresh,
            strict=True,
        ):
            row.item_version_id = version.id
    for minute in range(1, 4):
        again = begin(db, made, keys, name=f"人{minute}", phone=PHONE).attempt
        second = begin(db, made, keys, name=f"人{minute}", phone=PHONE, now=START + timedelta(minutes=1)).attempt
        assert {again.paper_id, second.paper_id} == {first.paper_id, other.id}


def test_a_submit_scores_once_and_sent_again_is_the_same(either_db: Session, keys: Keys) -> None:
    made = delivery(either_db)
    attempt = begin(either_db, made, keys).attempt
    answer(either_db, attempt, {1: "b", 2: "t", 3: "a", 4: "b"})
    closed = submit(either_db, attempt)
    assert (closed.state, closed.score, closed.right_count, closed.answered_count, closed.passed) == (
        "submitted",
        60,
        3,
        4,
        True,
    )
    again = submit(either_db, attempt, NOW + 99_000)
    assert (again.closed_at, again.score) == (NOW, 60)


def test_a_part_of_a_multiple_choice_is_no_point(db: Session, keys: Keys) -> None:
    attempt = begin(db, delivery(db), keys).attempt
    answer(db, attempt, {3: "a"})
    assert submit(db, attempt).score == 0


def test_an_attempt_left_alone_is_scored_at_its_deadline_with_what_was_saved(either_db: Session, keys: Keys) -> None:
    db = either_db
    made = delivery(db)
    left = begin(db, made, keys, name="李国", phone=PHONE).attempt
    answer(db, left, {1: "b"})
    after = left.accepts_until + 1
    assert overdue_attempts(db, after - 1) == []
    assert overdue_attempts(db, after) == [left.id]
    with transaction(db):
        closed = close_if_over(db, left.id, papers=PaperCache(), now_ms=after)
    assert (closed.state, closed.score, closed.passed, closed.closed_at) == ("expired", 20, False, left.deadline_at)


def test_an_empty_attempt_left_alone_is_void_and_the_next_one_becomes_first(either_db: Session, keys: Keys) -> None:
    db = either_db
    made = delivery(db)
    empty = begin(db, made, keys, name="李国", phone=PHONE).attempt
    second = begin(db, made, keys, name="李国", phone=PHONE, now=START + timedelta(minutes=1)).attempt
    with transaction(db):
        close_if_over(db, empty.id, papers=PaperCache(), now_ms=empty.accepts_until + 1)
    db.expire_all()
    assert (empty.state, empty.is_first, second.is_first) == ("void", False, True)
    assert recorded_moves(db) == [(made.unit_id, empty.id, second.id)]


def test_a_transfer_code_moves_the_attempt_once(either_db: Session, keys: Keys) -> None:
    db = either_db
    made = delivery(db)
    started = begin(db, made, keys)
    with transaction(db):
        code = make_transfer_code(db, started.attempt, keys=keys, now_ms=NOW)
    with transaction(db):
        moved, secret = take_over(db, delivery_id=made.id, code=f" {code.lower()} ", keys=keys, now_ms=NOW)
    assert bytes(moved.secret_hash) == digest(secret)
    assert bytes(moved.reader_hash or b"") == digest(started.secret)
    with pytest.raises(CodeUnknown), transaction(db):
        take_over(db, delivery_id=made.id, code=code, keys=keys, now_ms=NOW)


def test_a_transfer_code_ends_after_ten_minutes_and_belongs_to_one_delivery(db: Session, keys: Keys) -> None:
    made, other = delivery(db), delivery(db)
    started = begin(db, made, keys)
    with transaction(db):
        code = make_transfer_code(db, started.attempt, keys=keys, now_ms=NOW)
    for delivery_id, now in ((made.id, NOW + TRANSFER_MS + 1), (other.id, NOW)):
        with pytest.raises(CodeUnknown), transaction(db):
            take_over(db, delivery_id=delivery_id, code=code, keys=keys, now_ms=now)
    submit(db, started.attempt)
    with pytest.raises(AttemptClosed), transaction(db):
        make_transfer_code(db, started.attempt, keys=keys, now_ms=NOW)


def test_a_receipt_opens_a_result_only_with_the_right_phone_tail(either_db: Session, keys: Keys) -> None:
    db = either_db
    made = delivery(db)
    with_phone = begin(db, made, keys, name="李国", phone=PHONE).attempt
    without = begin(db, made, keys).attempt
    code = receipt_code(keys, with_phone.public_id)
    assert find_by_receipt(db, code=code.lower(), phone_tail="0001", keys=keys).id == with_phone.id
    assert find_by_receipt(db, code=receipt_code(keys, without.public_id), phone_tail="", keys=keys).id == without.id
    for wrong_code, tail in ((code, ""), (code, "0002"), (code[:-1] + ("0" if code[-1] != "0" else "1"), "0001")):
        with pytest.raises(CodeUnknown):
            find_by_receipt(db, code=wrong_code, phone_tail=tail, keys=keys)


def test_a_claim_changes_the_person_and_never_the_snapshot(either_db: Session, keys: Keys) -> None:
    db = either_db
    made = delivery(db)
    guest = begin(db, made, keys, name="李国", phone="13900000009", unit_id=made.unit_id).attempt
    stranger = guest.person_id
    actor = account(db, keys, "周敏")
    with transaction(db):
        claim_attempt(db, attempt_id=guest.id, actor=actor, now_ms=NOW)
    db.expire_all()
    assert (guest.person_id, guest.account_id, guest.is_first) == (actor.person_id, actor.account_id, True)
    assert guest.person_id != stranger
    assert (guest.unit_id, guest.unit_known, guest.identity_level) == (made.unit_id, "self_declared", "matched")
    with pytest.raises(AlreadyClaimed), transaction(db):
        claim_attempt(db, attempt_id=guest.id, actor=account(db, keys, "另一人", "13900000010"), now_ms=NOW)


def test_a_claim_of_a_later_attempt_leaves_the_first_where_it_is(either_db: Session, keys: Keys) -> None:
    db = either_db
    made = delivery(db)
    actor = account(db, keys, "周敏")
    own = begin(db, made, keys, actor=actor).attempt
    guest = begin(db, made, keys, name="李国", phone="13900000009", now=START + timedelta(minutes=1)).attempt
    with transaction(db):
        claim_attempt(db, attempt_id=guest.id, actor=actor, now_ms=NOW)
    db.expire_all()
    assert (own.is_first, guest.is_first) == (True, False)
