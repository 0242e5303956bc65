"""A person is erased: what says who they are is gone, every figure stands, a restore brings nobody back."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

import quizapp.parts  # noqa: F401
from quizapp.accounts.erasing import erase_person, export_person, family_of, people_with_phone
from quizapp.accounts.errors import AccountErased, LastAdministrator, LinkInvalid, SignInFailed
from quizapp.accounts.models import Account, AccountGrant, AccountSession, RecoveryCode, SecondFactor, SetUpLink
from quizapp.accounts.queries import find_actor, find_set_up
from quizapp.accounts.services import create_grant, make_set_up_link, restore_account, verify_sign_in
from quizapp.audit.models import AuditEvent
from quizapp.audit.services import record
from quizapp.core.clock import to_ms
from quizapp.core.db import Base, transaction
from quizapp.core.erasure_ledger import NAME, LedgerUnusable, append, read
from quizapp.core.errors import NotFound
from quizapp.core.registry import Restoring
from quizapp.core.scope import SYSTEM, Actor, Role
from quizapp.core.tokens import Keys, digest
from quizapp.files.models import FileKind
from quizapp.files.services import keep_file
from quizapp.mail.models import OutgoingMail
from quizapp.operations import ledger
from quizapp.operations.backup.archive import BackupRefused
from quizapp.organisation.errors import PersonErased
from quizapp.organisation.merging import merge_people, undo_merge
from quizapp.organisation.models import Person, PersonMerge
from quizapp.organisation.personal_codes import issue_code
from quizapp.portal.own_data import JSON_NAME, PAGE_NAME, make_zip
from quizapp.practice.models import DailyResult, PracticeAnswer, WrongBookEntry
from quizapp.quizzes.models import Attempt, Response, TransferCode
from quizapp.quizzes.rescoring.models import ExtraTime
from quizapp.surveys.models import Survey, SurveyInvitation
from quizapp.trainings.errors import SessionClosed
from quizapp.trainings.models import (
    CalendarFeed,
    Registration,
    RosterEntry,
    RosterRemoval,
    SessionEvidence,
    TrainingSession,
)
from quizapp.trainings.queries.numbers import numbers_of
from quizapp.trainings.services import keep_evidence, remove_evidence
from tests.conftest import START
from tests.factories import (
    PASSWORD,
    make_account,
    make_attempt,
    make_attendance,
    make_certificate,
    make_person,
    make_registration,
    make_run,
    make_session,
)
from tests.reports.test_figures import District, add, make_district, scope_of, table_of

PHONE = "13800001234"
NAME_OF_ALL = "欧阳明月"
KINDS = {
    "person", "personal_code", "account", "grant", "log", "attempt", "practice_answer", "wrong_book", "daily_result",
    "extra_time", "sign_in", "attendance", "registration", "roster", "roster_removal", "certificate",
    "survey_invitation",
}  # fmt: skip
LATER = START + timedelta(days=1)


@dataclass
class Known:
    """A resident of whom everything is kept that can be, with one row merged into theirs."""

    district: District
    account_id: int
    person_id: int
    merged_id: int
    session_id: int
    coming_id: int


@pytest.fixture
def known(either_db: Session, keys: Keys) -> Known:
    db = either_db
    with transaction(db):
        d = make_district(db)
        add(db, d.delivery, d.left, 20, 5)
        account = make_account(db, phone=PHONE, keys=keys, name=NAME_OF_ALL, unit=d.left)
        person = db.get_one(Person, account.person_id)
        person.birth_year, person.sex, person.rostered_on = 1988, "female", START.date()
        merged = make_person(
            db, name=NAME_OF_ALL, phone_hash=keys.phone_hash(PHONE), device_hash=b"d", unit_id=d.left.id
        )
        attempt = make_attempt(
            db, d.delivery, d.left, person_id=person.id, account_id=account.id, secret_hash=digest("s"),
            reader_hash=b"r", device_hash=b"d", receipt_hash=b"receipt", age_band="30-39", sex="female", score=80,
        )  # fmt: skip
        make_attempt(db, d.delivery, d.left, person_id=merged.id, device_hash=b"d", receipt_hash=b"other", passed=False)
        db.add(Response(attempt_id=attempt.id, position=1, answer="b", sequence=1, saved_at=0))
        db.add(TransferCode(code_hash=b"t", attempt_id=attempt.id, expires_at=0))
        db.add(SetUpLink(secret_hash=b"l", account_id=account.id, expires_at=LATER, created_at=START))
        db.add(CalendarFeed(account_id=account.id, secret_hash=b"c", made_at=0))
        item = db.scalar(text("SELECT min(id) FROM item"))
        db.add(WrongBookEntry(account_id=account.id, item_id=item, wrong_at=0))
        session = make_session(db, d.left)
        make_attendance(
            db, session.id, person.id, device_hash=b"d", right_hash=b"x", note="欧阳说来晚了", unit_id=d.left.id
        )
        coming = make_session(db, d.left, starts_at=to_ms(START + timedelta(days=9)), capacity=1)
        booked = make_registration(
            db, coming.id, person.id, email_encrypted=keys.seal(b"a@b.cn", "mail"), secret_hash=b"q"
        )
        make_registration(db, coming.id, make_person(db).id, state="waiting", queued_at=to_ms(START) + 1)
        mail = {"kind": "session_tomorrow", "about_id": booked.id, "mark": 0, "public_id": "m", "state": "waiting"}
        db.add(OutgoingMail(**mail, address_encrypted=b"a", language="zh", created_at=START, due_at=LATER))
        photo = keep_file(
            db, b"jpeg", kind=FileKind.EVIDENCE, media_type="image/jpeg", name="p", expires_at=LATER, keys=keys,
            actor=SYSTEM, now=START,
        )  # fmt: skip
        db.add(SessionEvidence(session_id=session.id, kind="photo", file_id=photo.id, added_at=0))
        db.add(
            PracticeAnswer(
                account_id=account.id, round_key="r", item_id=item, item_version_id=1, answer="b", right=True, at_ms=0
            )
        )
        db.add(DailyResult(account_id=account.id, day=START.date(), answered=10, right=8))
        db.add(RosterEntry(session_id=session.id, person_id=person.id, source="rule", added_at=0))
        db.add(RosterRemoval(session_id=coming.id, person_id=person.id, reason="left", removed_at=0))
        db.add(AccountGrant(account_id=account.id, role="trainer", unit_id=d.left.id, granted_at=START))
        survey = Survey(
            unit_id=d.top.id, title="抽样调查", delivery_id=d.delivery.id, design="simple", frame_kind="roster", plan={},
            seed="3 8 1 2026-11-22", drawn_at=START, created_at=START,
        )  # fmt: skip
        db.add(survey)
        db.flush()
        db.add(
            SurveyInvitation(
                survey_id=survey.id, number=1, person_id=person.id, stratum="", home=str(d.left.id), weight=2.0,
                populations=[2], secret_hash=b"card",
            )
        )  # fmt: skip
        db.add(ExtraTime(delivery_id=d.delivery.id, person_id=person.id, seconds=600, given_by=7, given_at=0))
        db.add(
            AccountSession(
                secret_hash=b"e", account_id=account.id, epoch=0, device="firefox/linux", created_at=START, seen_at=START,
                expires_at=LATER,
            )
        )  # fmt: skip
        db.add(SecondFactor(account_id=account.id, secret_sealed=b"f", enrolled_at=START))
        db.add(RecoveryCode(account_id=account.id, code_hash=b"g"))
        record(db, actor=Actor(account_id=account.id), action="signed_in", object_type="account", now=START)
        make_certificate(db, make_run(db, d.left), person.id, revoke_reason="欧阳明月 没有来", revoked_at=1)
        issue_code(db, person, now=START)
        merge_people(db, kept_id=person.id, merged_id=merged.id, actor=SYSTEM, now=START)
    return Known(d, account.id, person.id, merged.id, session.id, coming.id)


def erase(db: Session, person_id: int, folder: Path | None, now: datetime = START) -> Any:
    with transaction(db):
        return erase_person(db, person_id=person_id, ledger=folder, actor=Actor(account_id=7), now=now)


def figures(db: Session, known: Known) -> list[object]:
    """Everything that a coordinator of the district reads."""
    scope = scope_of(known.district.top)
    tables: list[object] = [table_of(db, scope), table_of(db, scope, unit_id=known.district.left.id)]
    tables += [table_of(db, scope, delivery_id=known.district.delivery.id, sex="female")]
    return tables


def everything(db: Session) -> str:
    """All that stands in the database, as text."""
    found = []
    for table in Base.metadata.sorted_tables:
        rows = db.execute(select(table)).all()
        found += [repr(tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)) for row in rows]
    return "\n".join(found)


def test_the_figures_of_a_district_are_the_same_cell_by_cell(either_db: Session, known: Known, tmp_path: Path) -> None:
    before, arrived = figures(either_db, known), numbers_of(either_db, known.session_id)
    erase(either_db, known.person_id, tmp_path)
    assert figures(either_db, known) == before
    assert numbers_of(either_db, known.session_id) == arrived


def test_nothing_that_says_who_it_is_stays_anywhere(
    either_db: Session, known: Known, tmp_path: Path, keys: Keys
) -> None:
    secrets = [
        NAME_OF_ALL,
        "欧阳",
        repr(keys.phone_hash(PHONE)),
        "b'receipt'",
        "b'other'",
        "b'd'",
        "b'q'",
        "b'c'",
        "b'l'",
        "b'card'",
    ]
    code = either_db.scalar(text("SELECT code FROM personal_code"))
    text_before = everything(either_db)
    assert all(secret in text_before for secret in [*secrets, code])
    done = erase(either_db, known.merged_id, tmp_path)  # whichever of the rows is named
    assert done.person_ids == (known.person_id, known.merged_id)
    assert done.account_ids == (known.account_id,)
    text_after = everything(either_db)
    assert [secret for secret in [*secrets, code] if secret in text_after] == []
    for person in either_db.scalars(select(Person).where(Person.id.in_(done.person_ids))):
        assert (person.name, person.name_key, person.phone_encrypted, person.phone_hash) == ("", "", None, None)
        assert (person.birth_year, person.sex, person.erased_at) == (None, None, START)
    details = either_db.scalars(select(AuditEvent.details).where(AuditEvent.action == "person_erased")).one()
    assert details == {"persons": [known.person_id, known.merged_id], "accounts": [known.account_id]}
    [entry] = read(tmp_path)
    assert (entry.at, entry.person_ids) == (START, done.person_ids)
    assert not erase(either_db, known.person_id, tmp_path).changed
    assert len(read(tmp_path)) == 1


def test_the_account_is_closed_the_place_goes_on_and_photos_are_marked(
    either_db: Session, known: Known, tmp_path: Path, keys: Keys
) -> None:
    db = either_db
    epoch = db.get_one(Account, known.account_id).session_epoch
    assert find_actor(db, known.account_id, epoch) is not None
    erase(db, known.person_id, tmp_path)
    assert find_actor(db, known.account_id, epoch) is find_actor(db, known.account_id, epoch + 1) is None
    with pytest.raises(SignInFailed):
        verify_sign_in(db, keys=keys, login=PHONE, password=PASSWORD)
    states = db.scalars(select(Registration.state).where(Registration.session_id == known.coming_id).order_by("id"))
    assert list(states) == ["cancelled", "registered"]
    assert db.scalars(select(OutgoingMail.state)).all() == ["dropped"]
    assert db.scalars(select(SessionEvidence.look_since)).all() == [to_ms(START)]
    assert db.scalars(select(Attempt.person_id).where(Attempt.account_id == known.account_id)).all() == [
        known.person_id
    ]


def test_an_erased_account_gets_no_link_no_grant_and_is_not_restored(
    either_db: Session, known: Known, tmp_path: Path
) -> None:
    db = either_db
    account = db.get_one(Account, known.account_id)
    with transaction(db):
        old = make_set_up_link(db, account=account, actor=SYSTEM, now=START)
    erase(db, known.person_id, tmp_path)
    with pytest.raises(LinkInvalid):
        find_set_up(db, old, START)
    values: dict[str, Any] = {"account": account, "actor": SYSTEM, "now": START}
    for act in (
        lambda: make_set_up_link(db, **values),
        lambda: restore_account(db, **values),
        lambda: create_grant(db, role=Role.TRAINER, unit=None, industry=None, **values),
    ):
        with pytest.raises(AccountErased), transaction(db):
            act()
    assert db.get_one(Account, known.account_id).suspended_at is not None


def test_an_erasure_ends_the_undo_of_a_merge(either_db: Session, known: Known, tmp_path: Path) -> None:
    erase(either_db, known.person_id, tmp_path)
    merge = either_db.scalars(select(PersonMerge)).one()
    with pytest.raises(PersonErased), transaction(either_db):
        undo_merge(either_db, merge=merge, actor=SYSTEM, now=START)


def test_the_last_administrator_and_somebody_unknown_are_refused(either_db: Session, tmp_path: Path) -> None:
    with transaction(either_db):
        account = make_account(either_db, (Role.ADMINISTRATOR, None))
    with pytest.raises(LastAdministrator):
        erase(either_db, account.person_id, tmp_path)
    with pytest.raises(NotFound):
        erase(either_db, 10**6, tmp_path)
    assert read(tmp_path) == []
    with transaction(either_db):
        make_account(either_db, (Role.ADMINISTRATOR, None))
    assert erase(either_db, account.person_id, tmp_path).changed


def test_without_a_ledger_nobody_is_erased(either_db: Session, known: Known, tmp_path: Path) -> None:
    with pytest.raises(LedgerUnusable):
        erase(either_db, known.person_id, tmp_path / "not there")
    assert either_db.get_one(Person, known.person_id).name == NAME_OF_ALL


def test_a_person_reads_all_that_is_known_of_them_and_of_nobody_else(
    either_db: Session, known: Known, keys: Keys
) -> None:
    with transaction(either_db):
        sections = export_person(either_db, person_id=known.person_id, keys=keys, actor=SYSTEM, now=START)
    found = {section.kind: section.rows for section in sections}
    assert [row["name"] for row in found["person"]] == [NAME_OF_ALL, NAME_OF_ALL]
    assert found["person"][0]["phone"] == PHONE
    assert [(row["score"], len(row["answers"])) for row in found["attempt"]] == [(80, 1), (None, 0)]
    counts = {kind: len(rows) for kind, rows in found.items()}
    twice = ("person", "attempt")
    assert counts == {kind: 2 if kind in twice else 1 for kind in KINDS}
    for language, word in (("zh", "出生年"), ("en", "Year of birth")):
        with zipfile.ZipFile(io.BytesIO(make_zip(sections, language=language, now=START))) as archive:
            page = archive.read(PAGE_NAME).decode()
            data = json.loads(archive.read(JSON_NAME))
        assert page.count("<h2>") == len(counts)
        assert all(text in page for text in (NAME_OF_ALL, PHONE, word, "2026-11-23 10:00"))
        assert data["attempt"][0]["answers"][0]["answer"] == "b"
        assert {kind: len(rows) for kind, rows in data.items() if kind != "made_at"} == counts
    assert either_db.scalars(select(AuditEvent.action).where(AuditEvent.action == "person_exported")).all()


def test_a_number_finds_who_stands_for_it_today(either_db: Session, known: Known, keys: Keys) -> None:
    assert [person.id for person in people_with_phone(either_db, PHONE, keys)] == [known.person_id]
    assert family_of(either_db, known.merged_id) == (known.person_id, known.merged_id)


def restored(folder: Path, keys: Keys, begun_at: datetime) -> Restoring:
    return Restoring(begun_at, folder, keys, LATER)


def test_what_an_older_backup_brings_back_is_erased_again(
    either_db: Session, known: Known, tmp_path: Path, keys: Keys
) -> None:
    append(tmp_path, person_ids=[known.person_id, known.merged_id], now=START)  # erased after the backup was made
    append(tmp_path, person_ids=[10**6], now=START)  # somebody who came and went after it
    before = figures(either_db, known)
    with transaction(either_db):
        assert ledger.apply(either_db, restored(tmp_path, keys, START - timedelta(hours=1))) == 1
    assert NAME_OF_ALL not in everything(either_db)
    assert figures(either_db, known) == before
    with transaction(either_db):
        assert ledger.apply(either_db, restored(tmp_path, keys, START - timedelta(hours=1))) == 0


def test_a_line_older_than_the_backup_erases_nobody(
    either_db: Session, known: Known, tmp_path: Path, keys: Keys
) -> None:
    append(tmp_path, person_ids=[known.person_id], now=START)
    with transaction(either_db):
        assert ledger.apply(either_db, restored(tmp_path, keys, START + timedelta(hours=1))) == 0
    assert either_db.get_one(Person, known.person_id).name == NAME_OF_ALL


def test_a_ledger_that_was_cut_off_goes_on_and_a_broken_one_is_refused(db: Session, tmp_path: Path, keys: Keys) -> None:
    append(tmp_path, person_ids=[2, 1], now=START)
    path = tmp_path / NAME
    assert (os.stat(path).st_mode & 0o777) == 0o600
    with path.open("ab") as file:
        file.write(b'{"at": 17, "pers')  # the machine stopped here
    assert [entry.person_ids for entry in read(tmp_path)] == [(1, 2)]
    append(tmp_path, person_ids=[3], now=LATER)
    assert [(entry.at, entry.person_ids) for entry in read(tmp_path)] == [(START, (1, 2)), (LATER, (3,))]
    path.write_bytes(path.read_bytes().replace(b"persons", b"people", 1))
    with pytest.raises(LedgerUnusable):
        read(tmp_path)
    with pytest.raises(BackupRefused):
        ledger.apply(db, restored(tmp_path, keys, START))


def test_somebody_looks_at_the_photos_also_of_a_session_that_is_closed(
    either_db: Session, known: Known, tmp_path: Path
) -> None:
    erase(either_db, known.person_id, tmp_path)
    session = either_db.get_one(TrainingSession, known.session_id)
    with transaction(either_db):
        session.closed_at = to_ms(START)
        photo = either_db.scalars(select(SessionEvidence)).one()
        keep_evidence(either_db, session=session, evidence=photo, actor=SYSTEM, now=START)
    assert photo.look_since is None
    with pytest.raises(SessionClosed), transaction(either_db):
        remove_evidence(either_db, session=session, evidence=photo, actor=SYSTEM, now=START)
    with transaction(either_db):
        photo.look_since = to_ms(START)
        remove_evidence(either_db, session=session, evidence=photo, actor=SYSTEM, now=START)
    assert either_db.scalars(select(SessionEvidence.file_id)).all() == [None]
