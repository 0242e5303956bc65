"""Files of people onto a roster: read, shown, taken in as a whole or not at all."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import quizapp.tasks  # noqa: F401 # fills the registry of tasks
from quizapp.audit.models import AuditEvent
from quizapp.config import Settings
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Actor, Grant, Permission, Role, Scope
from quizapp.core.tables import TableUnreadable
from quizapp.core.tokens import Keys
from quizapp.files.models import StoredFile
from quizapp.jobs.models import Job
from quizapp.jobs.worker import run_pending
from quizapp.organisation.imports.batches import (
    ROSTER,
    ImportFaulty,
    ImportMoved,
    ask_to_apply,
    choose_columns,
    drop_batch,
    receive_file,
)
from quizapp.organisation.imports.reach import reach_of
from quizapp.organisation.models import ImportBatch, ImportState, Industry, OrgUnit, Person
from quizapp.trainings.models import RosterEntry, TrainingSession
from quizapp.trainings.services import close_session
from tests.conftest import START, FakeClock, make_settings
from tests.factories import make_person, make_session, make_unit
from tests.sheets import make_csv, make_xlsx

HEADS = ["姓名", "手机号", "单位", "单位码", "岗位", "出生年份", "性别", "行业", "重点人群"]


@dataclass
class Desk:
    """A trainer of one street, with a session that has a roster."""

    database: Database
    settings: Settings
    keys: Keys
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        with self.database.session() as db, transaction(db):
            self.street = make_unit(db, name="东岸街道", kind="street", code="EB")
            self.left = make_unit(db, self.street, name="紫兴社区", code="ZX")
            self.right = make_unit(db, self.street, name="绿洲社区", code="LZ")
            self.far = make_unit(db, name="西岸街道", kind="street", code="WB")
            self.foreign = make_unit(db, self.far, name="远山社区", code="YS")
            db.add(Industry(code="hotel", name="宾馆", name_en="Hotels"))
            self.session_id = make_session(db, self.street, kind="joint").id
        scope = Scope((Grant(Role.TRAINER, self.street.path),))
        self.actor = Actor(account_id=1, name="陈立新", scope=scope)
        self.reach = reach_of(scope, Permission.RUN_SESSIONS)

    def bring(self, content: bytes, after: ImportBatch | None = None, **values: Any) -> ImportBatch:
        """Upload a file and have it read."""
        with self.database.session() as db, transaction(db):
            batch = receive_file(
                db,
                content,
                kind=ROSTER,
                target_id=self.session_id,
                unit_id=self.street.id,
                reach=self.reach,
                after=db.get(ImportBatch, after.id) if after else None,
                keys=self.keys,
                actor=self.actor,
                now=self.clock(),
                **values,
            )
        run_pending(self)
        return self.again(batch)

    def rows(self, *rows: list[Any], after: ImportBatch | None = None) -> ImportBatch:
        return self.bring(make_xlsx([HEADS, *rows]), after)

    def again(self, batch: ImportBatch) -> ImportBatch:
        with self.database.session() as db:
            return db.get_one(ImportBatch, batch.id)

    def apply(self, batch: ImportBatch, *, run: bool = True) -> ImportBatch:
        with self.database.session() as db, transaction(db):
            ask_to_apply(db, db.get_one(ImportBatch, batch.id), reach=self.reach, actor=self.actor, now=self.clock())
        if run:
            run_pending(self)
        return self.again(batch)

    def entries(self) -> list[tuple[str, str | None, str | None]]:
        """(name, unit, source) of the roster."""
        with self.database.session() as db:
            rows = db.execute(
                select(Person.name, OrgUnit.name, RosterEntry.source)
                .join(RosterEntry, RosterEntry.person_id == Person.id)
                .outerjoin(OrgUnit, OrgUnit.id == RosterEntry.unit_id)
                .order_by(RosterEntry.id)
            )
            return [tuple(row) for row in rows]

    def count(self, model: type[Any]) -> int:
        with self.database.session() as db:
            return db.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def desk(either_database: Database, tmp_path: Path, keys: Keys) -> Desk:
    return Desk(either_database, make_settings(tmp_path, either_database), keys)


def person_of(db: Session, name: str) -> Person:
    return db.scalars(select(Person).where(Person.name == name)).one()


def test_a_file_is_read_shown_and_taken_in(desk: Desk) -> None:
    batch = desk.rows(
        ["李建国", 13800001234, "紫兴社区", "", "安全员", "1980-05-06", "男", "宾馆", "工人"],
        ["王秀兰", "+86 139 0000 5678", "", "lz", "", "", "", ""],
        ["周敏", "", "绿洲社区", "", "", "", "", ""],
    )
    assert (batch.state, batch.faults) == (ImportState.READ, [])
    assert {name: batch.summary[name] for name in ("rows", "new", "known", "on_roster", "faulty")} == {
        "rows": 3, "new": 3, "known": 0, "on_roster": 0, "faulty": 0,
    }  # fmt: skip
    assert desk.entries() == []
    assert desk.count(Person) == 0
    batch = desk.apply(batch)
    assert (batch.state, batch.summary["added"], batch.file_id) == (ImportState.APPLIED, 3, None)
    assert desk.entries() == [
        ("李建国", "紫兴社区", "import"),
        ("王秀兰", "绿洲社区", "import"),
        ("周敏", "绿洲社区", "import"),
    ]
    assert desk.count(StoredFile) == 0
    with desk.database.session() as db:
        person = person_of(db, "李建国")
        assert (person.source, person.job_role, person.birth_year, person.sex) == (
            "roster",
            "safety_officer",
            1980,
            "male",
        )
        assert (person.key_group, person_of(db, "周敏").key_group) == ("industrial_worker", None)
        assert person.industry_id is not None
        assert str(person.rostered_on) == "2026-11-23"
        assert person.phone_hash == desk.keys.phone_hash("13800001234")
        assert desk.keys.decrypt_phone(person.phone_encrypted or b"") == "13800001234"
        assert person_of(db, "周敏").phone_hash is None
        entry = db.scalars(select(RosterEntry).where(RosterEntry.person_id == person.id)).one()
        assert (entry.unit_path, entry.import_id) == (desk.left.path, batch.id)
        events = db.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        assert [event.action for event in events] == ["import_received", "import_applied"]


def test_every_bad_row_is_told_and_nothing_is_taken_in(desk: Desk) -> None:
    with desk.database.session() as db, transaction(db):
        make_unit(db, desk.street, name="绿洲社区", code="LZ2")
        closed = make_unit(db, desk.street, name="旧社区", code="OLD")
        closed.closed_at = START
        db.add(Industry(code="old", name="旧行业", name_en="Old", closed_at=START))
    batch = desk.rows(
        ["", "13800001234", "", "", "", "", "", ""],
        ["李一", "1380000123", "", "", "", "", "", ""],
        ["李二", "23800001234", "", "", "", "", "", ""],
        ["李三", "1.38E+10", "", "", "", "", "", ""],
        ["李四", "", "", "", "", "", "", ""],
        ["李五", "", "没有的社区", "", "", "", "", ""],
        ["李六", "", "绿洲社区", "", "", "", "", ""],
        ["李七", "", "", "NO", "", "", "", ""],
        ["李八", "", "旧社区", "", "", "", "", ""],
        ["李九", "", "紫兴社区", "LZ", "", "", "", ""],
        ["李十", "13800001234", "", "", "宇航员", "八零", "未知", "没有", "宇航员"],
        ["13900005678", "13900005678", "", "", "", "", "", "旧行业"],
        ["李" * 41, "13900005678", "远山社区", "", "", "", "", ""],
        ["好人", "13900005679", "紫兴社区", "", "", "", "", ""],
    )
    assert [(row, field, code) for row, field, code, _ in batch.faults] == [
        (2, "name", "name_needed"),
        (3, "phone", "phone_digits"),
        (4, "phone", "phone_start"),
        (5, "phone", "phone_shortened"),
        (6, "phone", "phone_or_unit_needed"),
        (7, "unit", "unit_unknown"),
        (8, "unit", "unit_ambiguous"),
        (9, "unit_code", "unit_code_unknown"),
        (10, "unit", "unit_closed"),
        (11, "unit", "unit_other_name"),
        (12, "industry", "industry_unknown"),
        (12, "job_role", "job_role_unknown"),
        (12, "birth_year", "birth_year_unknown"),
        (12, "sex", "sex_unknown"),
        (12, "key_group", "key_group_unknown"),
        (13, "name", "name_without_letters"),
        (13, "industry", "industry_closed"),
        (14, "name", "name_long"),
        (14, "unit", "unit_unknown"),  # a unit out of reach looks like none
    ]
    assert batch.faults[6][3] == {"count": 2, "codes": ["LZ", "LZ2"]}
    assert batch.summary["faulty"] == 13
    with pytest.raises(ImportFaulty):
        desk.apply(batch)
    assert desk.entries() == []
    assert desk.count(Person) == 0


def test_the_same_person_twice_counts_once_and_a_shared_number_is_told(desk: Desk) -> None:
    batch = desk.rows(
        ["李建国", "13800001234", "", "", "", "", "", ""],
        ["李 建国", "138 0000 1234", "", "", "", "", "", ""],
        ["李小红", "13800001234", "", "", "", "", "", ""],
    )
    assert batch.faults == []
    assert batch.summary["repeated_rows"] == [[3, 2]]
    assert batch.summary["shared_rows"] == [[4, 2]]
    assert desk.apply(batch).summary["added"] == 2
    assert [name for name, *_ in desk.entries()] == ["李建国", "李小红"]


def test_without_a_number_a_name_must_be_the_only_one_of_its_unit(desk: Desk) -> None:
    with desk.database.session() as db, transaction(db):
        for _ in range(2):
            make_person(db, name="赵伟", unit_id=desk.left.id, source="roster")
    batch = desk.rows(
        ["周敏", "", "紫兴社区", "", "", "", "", ""],
        ["周敏", "", "紫兴社区", "", "", "", "", ""],
        ["钱一", "", "紫兴社区", "", "", "", "", ""],
        ["钱一", "13800001234", "紫兴社区", "", "", "", "", ""],
        ["孙一", "13800001235", "紫兴社区", "", "", "", "", ""],
        ["孙一", "", "紫兴社区", "", "", "", "", ""],
        ["周敏", "", "绿洲社区", "", "", "", "", ""],
        ["赵伟", "", "紫兴社区", "", "", "", "", ""],
    )
    assert [(row, code, data) for row, _, code, data in batch.faults] == [
        (3, "name_repeated", {"row": 2}),
        (4, "name_repeated", {"row": 5}),
        (7, "name_repeated", {"row": 6}),
        (9, "name_several", {"count": 2}),
    ]


def test_who_is_known_is_joined_and_left_as_they_are(desk: Desk) -> None:
    with desk.database.session() as db, transaction(db):
        known = make_person(
            db, name="李建国", phone_hash=desk.keys.phone_hash("13800001234"), unit_id=desk.left.id,
            source="account", birth_year=1970, job_role="head",
        )  # fmt: skip
        other = make_person(db, name="周敏", unit_id=desk.right.id, source="roster")
    batch = desk.rows(
        ["李建国", "13800001234", "", "", "", "1980", "女", ""],
        ["周敏", "", "绿洲社区", "", "", "", "", ""],
    )
    assert (batch.summary["new"], batch.summary["known"]) == (0, 2)
    desk.apply(batch)
    assert desk.entries() == [("李建国", "紫兴社区", "import"), ("周敏", "绿洲社区", "import")]
    with desk.database.session() as db:
        assert db.scalars(select(RosterEntry.person_id).order_by(RosterEntry.id)).all() == [known.id, other.id]
        person = db.get_one(Person, known.id)
        assert (person.source, person.birth_year, person.sex) == ("account", 1970, None)
        assert str(person.rostered_on) == "2026-11-23"
    assert desk.count(Person) == 2
    # the same file again: nobody twice
    batch = desk.rows(["李建国", "13800001234", "", "", "", "", "", ""], ["周敏", "", "绿洲社区", "", "", "", "", ""])
    assert (batch.summary["on_roster"], batch.summary["on_roster_rows"]) == (2, [[2], [3]])
    assert desk.apply(batch).summary["added"] == 0
    assert len(desk.entries()) == 2


def test_somebody_out_of_reach_is_joined_for_counting_and_shows_nothing(desk: Desk) -> None:
    with desk.database.session() as db, transaction(db):
        stranger = make_person(
            db, name="李建国", phone_hash=desk.keys.phone_hash("13800001234"), unit_id=desk.foreign.id,
            source="roster", job_role="head",
        )  # fmt: skip
    batch = desk.rows(
        ["李建国", "13800001234", "", "", "", "", "", ""], ["王秀兰", "13800001235", "", "", "", "", "", ""]
    )
    # whoever is known elsewhere looks like anybody new
    assert (batch.summary["new"], batch.summary["known"]) == (2, 0)
    desk.apply(batch)
    assert desk.entries() == [("李建国", None, "import"), ("王秀兰", None, "import")]
    with desk.database.session() as db:
        entry = db.scalars(select(RosterEntry).order_by(RosterEntry.id)).first()
        assert entry is not None
        assert (entry.person_id, entry.unit_id, entry.unit_path, entry.job_role) == (stranger.id, None, None, None)


def test_a_merged_person_is_whom_they_were_merged_into(desk: Desk) -> None:
    with desk.database.session() as db, transaction(db):
        last = make_person(db, name="李建国", unit_id=desk.left.id, source="roster")
        middle = make_person(db, name="李建国", unit_id=desk.left.id, merged_into_id=last.id, source="roster")
        make_person(
            db, name="李建国", phone_hash=desk.keys.phone_hash("13800001234"), merged_into_id=middle.id, source="typed"
        )
    desk.apply(desk.rows(["李建国", "13800001234", "", "", "", "", "", ""]))
    with desk.database.session() as db:
        assert db.scalars(select(RosterEntry.person_id)).all() == [last.id]


def test_texts_that_look_like_formulas_stay_texts(desk: Desk) -> None:
    desk.apply(desk.bring(make_csv([["姓名", "电话"], ["=HYPERLINK(甲)", "13800001234"], ["@乙", "13800001235"]])))
    assert [name for name, *_ in desk.entries()] == ["=HYPERLINK(甲)", "@乙"]


def test_unknown_headings_are_chosen_by_hand_and_kept_for_the_corrected_file(desk: Desk) -> None:
    rows = [["甲栏", "乙栏"], ["138000012", "李建国"], ["13800001235", "王秀兰"]]
    batch = desk.bring(make_csv(rows))
    assert (batch.state, batch.columns, batch.summary["heads"]) == (ImportState.READ, {}, ["甲栏", "乙栏"])
    with desk.database.session() as db, transaction(db):
        choose_columns(
            db, db.get_one(ImportBatch, batch.id), columns={"name": 1, "phone": 0}, head_row=1,
            reach=desk.reach, actor=desk.actor, now=START,
        )  # fmt: skip
    run_pending(desk)
    batch = desk.again(batch)
    assert [(row, code) for row, _, code, _ in batch.faults] == [(2, "phone_digits")]
    rows[1][0] = "13800001234"
    second = desk.bring(make_csv(rows), after=batch)
    assert desk.again(batch).state == ImportState.DROPPED
    assert (second.columns, second.faults) == ({"name": 1, "phone": 0}, [])
    assert desk.apply(second).summary["added"] == 2


def test_a_table_without_headings_begins_at_once(desk: Desk) -> None:
    batch = desk.bring(make_csv([["李建国", "13800001234"], ["王秀兰", "13800001235"]]))
    assert batch.summary["heads"] == ["李建国", "*" * 8 + "234"]  # numbers among headings may be somebody's
    with desk.database.session() as db, transaction(db):
        choose_columns(
            db, db.get_one(ImportBatch, batch.id), columns={"name": 0, "phone": 1}, head_row=0,
            reach=desk.reach, actor=desk.actor, now=START,
        )  # fmt: skip
    run_pending(desk)
    assert desk.apply(batch).summary["added"] == 2


def test_a_file_that_cannot_be_read_says_why(desk: Desk) -> None:
    with pytest.raises(TableUnreadable):
        desk.bring(b"%PDF-1.7\x00")
    assert desk.count(StoredFile) == 0
    damaged = io.BytesIO()
    with zipfile.ZipFile(damaged, "w") as folder:
        folder.writestr("xl/workbook.xml", "<nothing/>")
    batch = desk.bring(damaged.getvalue())
    assert (batch.state, batch.summary["error"], batch.file_id) == (ImportState.FAILED, "table_unreadable", None)
    assert desk.count(StoredFile) == 0


def test_one_double_press_takes_in_once_and_a_job_that_runs_twice_too(desk: Desk) -> None:
    batch = desk.rows(["李建国", "13800001234", "", "", "", "", "", ""])
    desk.apply(batch, run=False)
    desk.apply(batch, run=False)
    with desk.database.session() as db:
        applying = db.scalars(select(Job).where(Job.name == "apply_roster_import")).all()
        assert len(applying) == 1
        arguments = applying[0].arguments
    run_pending(desk)
    from quizapp.core.registry import TASKS
    from quizapp.jobs.worker import JobContext

    assert TASKS["apply_roster_import"](JobContext(desk, applying[0].id, 1), arguments) == {"state": "applied"}
    assert len(desk.entries()) == 1


def test_what_has_become_wrong_meanwhile_sends_the_import_back(desk: Desk) -> None:
    batch = desk.rows(["李建国", "13800001234", "紫兴社区", "", "", "", "", ""])
    desk.apply(batch, run=False)
    with desk.database.session() as db, transaction(db):
        db.get_one(OrgUnit, desk.left.id).closed_at = START
    run_pending(desk)
    batch = desk.again(batch)
    assert (batch.state, [fault[2] for fault in batch.faults]) == (ImportState.READ, ["unit_closed"])
    assert desk.entries() == []


def test_a_session_that_closes_meanwhile_takes_nobody_in(desk: Desk) -> None:
    batch = desk.rows(["李建国", "13800001234", "", "", "", "", "", ""])
    desk.apply(batch, run=False)
    with desk.database.session() as db, transaction(db):
        close_session(db, session=db.get_one(TrainingSession, desk.session_id), actor=desk.actor, now=START)
    run_pending(desk)
    batch = desk.again(batch)
    assert (batch.state, batch.summary["error"]) == (ImportState.FAILED, "roster_frozen")
    assert desk.entries() == []
    assert desk.count(Person) == 0


def test_a_file_whose_term_is_over_is_read_no_more(desk: Desk) -> None:
    batch = desk.rows(["李建国", "13800001234", "", "", "", "", "", ""])
    desk.clock.forward(days=8)
    batch = desk.apply(batch)
    assert (batch.state, batch.summary["error"]) == (ImportState.FAILED, "import_expired")
    assert desk.entries() == []


def test_a_dropped_import_is_gone_with_its_file(desk: Desk) -> None:
    batch = desk.rows(["李建国", "13800001234", "", "", "", "", "", ""])
    for _ in range(2):
        with desk.database.session() as db, transaction(db):
            drop_batch(db, db.get_one(ImportBatch, batch.id), actor=desk.actor, now=START)
    assert desk.count(StoredFile) == 0
    with pytest.raises(ImportMoved):
        desk.apply(batch)


def test_no_number_and_no_name_stands_in_jobs_faults_log_or_the_kept_file(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    batch = desk.rows(
        ["李建国", "13800001234", "", "", "", "", "", ""], ["王秀兰", "1390000567", "没有的社区", "", "", "", "", ""]
    )
    with desk.database.session() as db:
        kept = db.scalars(select(StoredFile.content)).one()
        text = "".join(
            str(row)
            for row in [
                *db.execute(select(Job.arguments, Job.result)),
                *db.scalars(select(AuditEvent.details)),
                batch.faults,
                batch.summary,
                caplog.text,
            ]
        )
    for secret in ("13800001234", "1390000567", "李建国", "王秀兰", "没有的社区"):
        assert secret not in text
        assert secret.encode() not in kept
    assert "138****1234" in text


def test_a_crash_while_writing_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last step of the transaction breaks: everything before it is undone, and the batch says so."""
    batch = desk.rows(["李建国", "13800001234", "", "", "", "", "", ""])
    desk.apply(batch, run=False)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("quizapp.trainings.services.roster_imports.finish_batch", broken)
    run_pending(desk)
    assert desk.entries() == []
    assert desk.count(Person) == 0
    assert (desk.again(batch).state, desk.again(batch).summary["error"]) == (ImportState.FAILED, "crashed")


@pytest.mark.race
@pytest.mark.postgres
def test_two_files_at_once_make_one_person(postgres_database: Database, tmp_path: Path, keys: Keys) -> None:
    desk = Desk(postgres_database, make_settings(tmp_path, postgres_database), keys)
    rows = [[f"人{number}", f"138{number:08}", "", "", "", "", "", ""] for number in range(300)]
    batches = [desk.rows(*rows), desk.rows(*reversed(rows))]
    for batch in batches:
        desk.apply(batch, run=False)
    together(lambda: run_pending(desk))
    assert {desk.again(batch).state for batch in batches} == {ImportState.APPLIED}
    assert (desk.count(Person), len(desk.entries())) == (300, 300)


@pytest.mark.race
@pytest.mark.postgres
def test_without_taking_turns_two_files_would_make_one_person_twice(
    postgres_database: Database, tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what the lock is for."""
    desk = Desk(postgres_database, make_settings(tmp_path, postgres_database), keys)
    with desk.database.session() as db, transaction(db):
        other = make_session(db, desk.street, kind="joint").id
    rows = [[f"人{number}", f"138{number:08}", "", "", "", "", "", ""] for number in range(50)]
    batches = [desk.rows(*rows)]
    desk.session_id = other
    batches.append(desk.rows(*rows))
    for batch in batches:
        desk.apply(batch, run=False)
    barrier = threading.Barrier(2)
    from quizapp.organisation.imports import people

    def late(db: Session, rows: Any, encrypted: Any, *, now: datetime, today: Any) -> dict[int, int]:
        barrier.wait(30)
        return people.write_people(db, rows, encrypted, now=now, today=today)

    monkeypatch.setattr("quizapp.trainings.services.roster_imports.take_turns", lambda _: None)
    monkeypatch.setattr("quizapp.trainings.services.roster_imports.write_people", late)
    together(lambda: run_pending(desk))
    assert desk.count(Person) == 100


def together(work: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
