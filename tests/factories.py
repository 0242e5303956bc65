"""Rows for tests: services where they are what is tested elsewhere, plain rows where only the shape matters."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.accounts.models import Account, AccountGrant
from quizapp.accounts.passwords import hash_password
from quizapp.banks.models import Item, ItemBank, ItemFigure, ItemVersion, Topic
from quizapp.certificates.models import Certificate
from quizapp.core.clock import local_date, to_ms
from quizapp.core.scope import Role
from quizapp.core.tokens import Keys, new_poster_code
from quizapp.organisation.models import OrgUnit, Person
from quizapp.quizzes.models import Attempt, AttemptState, Delivery, DeliveryState, Paper, PaperItem, QuizBlueprint
from quizapp.trainings.models import Attendance, Course, CourseRun, Registration, TrainingSession
from tests.conftest import START

_numbers = itertools.count(1)

#: The password of every account that `make_account` makes.
PASSWORD = "three green leaves"


def make_unit(db: Session, parent: OrgUnit | None = None, **values: Any) -> OrgUnit:
    """A unit below another (or at the top)."""
    number = next(_numbers)
    unit = OrgUnit(
        **{
            "name": f"单位{number}",
            "code": f"U{number}",
            "initials": f"dw{number}",
            "kind": "community",
            "created_at": START,
            "path": f"/new{number}/",
            "parent_id": parent.id if parent else None,
            **values,
        }
    )
    db.add(unit)
    db.flush()
    unit.path = f"{parent.path if parent else '/'}{unit.id}/"
    db.flush()
    return unit


def make_items(db: Session, count: int = 5, bank_code: str | None = None) -> list[ItemVersion]:
    """A bank with one topic and items of the three types in turn; option b (t, or a and c) is right."""
    number = next(_numbers)
    bank = ItemBank(code=bank_code or f"bank{number}", title={"zh": "题库", "en": "Bank"})
    db.add(bank)
    db.flush()
    topic = Topic(bank_id=bank.id, code=f"topic{number}", title={"zh": "主题", "en": "Topic"})
    db.add(topic)
    db.flush()
    versions = []
    for index in range(count):
        item = Item(code=f"TST-{number}-{index + 1:03}", topic_id=topic.id)
        db.add(item)
        db.flush()
        kind = ("single_choice", "true_false", "multiple_choice")[index % 3]
        options = (
            [{"id": "t"}, {"id": "f"}]
            if kind == "true_false"
            else [{"id": o, "zh": f"选项{o}{index}", "en": f"Option {o}{index}"} for o in "abcd"]
        )
        version = ItemVersion(
            item_id=item.id,
            number=1,
            type=kind,
            use="both",
            dimension="knowledge",
            difficulty=0.6,
            fact=f"F{number}-{index}",
            objective={"zh": "考点", "en": "Objective"},
            stem={"zh": f"第{index + 1}个问题", "en": f"Question {index + 1}"},
            options=options,
            key={"single_choice": ["b"], "true_false": ["t"], "multiple_choice": ["a", "c"]}[kind],
            rationale={"zh": f"解析密钥{index}", "en": f"Secret rationale {index}"},
            citation={"document": "文件", "article": f"第{index + 1}条", "year": 2021},
            review_by="2030-12",
            content_hash="0" * 64,
            created_at=START,
        )
        db.add(version)
        db.flush()
        item.current_version_id = version.id
        versions.append(version)
    db.flush()
    return versions


def make_figure(
    db: Session, version: ItemVersion, *, asked: int = 300, flags: Sequence[str] = (), **figures: Any
) -> ItemFigure:
    """What is kept of a version, as the job would write it; few and sound unless `flags` and `figures` say otherwise."""
    right = {
        "difficulty": 0.7,
        "low": 0.65,
        "high": 0.75,
        "rest": 0.35,
        "upper_lower": 0.4,
        "length": 50.0,
        "omitted": 0,
    }
    figure = ItemFigure(
        item_version_id=version.id,
        asked=asked,
        figures={
            "unreached": 0,
            "options": [],
            **right,
            **figures,
            "right": round(asked * figures.get("difficulty", 0.7)),
        },
        flags=list(flags),
        harm=float(asked * len(flags)),
        counted_at=START,
    )
    db.add(figure)
    db.flush()
    return figure


RIGHT = {"single_choice": "b", "true_false": "t", "multiple_choice": "a,c"}


def make_delivery(
    db: Session, unit: OrgUnit | None = None, *, items: int = 5, papers: int = 1, now: datetime = START, **values: Any
) -> Delivery:
    """A ready delivery with its papers: open from an hour ago for a week."""
    unit = unit or make_unit(db, kind="district")
    versions = make_items(db, items)
    bank_id = versions[0].item.topic.bank_id
    blueprint = QuizBlueprint(
        code=f"test{next(_numbers)}",
        bank_id=bank_id,
        title={"zh": "测验", "en": "Quiz"},
        description={"zh": "问什么", "en": "What is asked"},
        rules={
            "items": items,
            "types": dict(Counter(version.type for version in versions)),
            "points_each": 20,
            "pass_score": items * 20 * 60 // 100,
            "minutes": 30,
        },
    )
    db.add(blueprint)
    db.flush()
    delivery = Delivery(
        **{
            "poster_code": new_poster_code(),
            "blueprint_id": blueprint.id,
            "title": "测试测验",
            "title_en": "Test quiz",
            "unit_id": unit.id,
            "opens_at": to_ms(now - timedelta(hours=1)),
            "closes_at": to_ms(now + timedelta(days=7)),
            "time_limit_s": 1800,
            "grace_s": 30,
            "tries": None,
            "capacity": None,
            "pass_score": items * 20 * 60 // 100,
            "max_score": items * 20,
            "item_count": items,
            "paper_count": papers,
            "reveal": "at_once",
            "guests": True,
            "fields": {},
            "notice": {
                "version": "1",
                "purpose": "统计合格率",
                "keeper": "科协",
                "contact": "010-1",
                "retention_months": 36,
            },
            "guess_pass": 0.01,
            "state": DeliveryState.READY,
            "seed": "seed",
            "created_at": to_ms(now),
            **values,
        }
    )
    db.add(delivery)
    db.flush()
    for number in range(1, papers + 1):
        paper = Paper(delivery_id=delivery.id, number=number)
        db.add(paper)
        db.flush()
        for position, version in enumerate(versions, start=1):
            db.add(PaperItem(paper_id=paper.id, position=position, item_version_id=version.id, points=20))
    db.flush()
    return delivery


def make_attempt(
    db: Session, delivery: Delivery, unit: OrgUnit | None = None, *, now: datetime = START, **values: Any
) -> Attempt:
    """A plain attempt row: submitted, passed, the first of nobody in particular unless `values` say otherwise."""
    number = next(_numbers)
    started = to_ms(now)
    attempt = Attempt(
        **{
            "public_id": f"attempt{number}",
            "delivery_id": delivery.id,
            "paper_id": db.scalars(select(Paper.id).where(Paper.delivery_id == delivery.id)).first(),
            "secret_hash": b"s",
            "order_seed": "seed",
            "state": AttemptState.SUBMITTED,
            "started_at": started,
            "deadline_at": started + 1_800_000,
            "accepts_until": started + 1_830_000,
            "local_date": local_date(now),
            "is_first": True,
            "identity_level": "matched",
            "unit_id": unit.id if unit else None,
            "unit_path": unit.path if unit else None,
            "unit_known": "self_declared" if unit else "none",
            "notice_version": "1",
            "passed": True,
            **values,
        }
    )
    db.add(attempt)
    db.flush()
    return attempt


def make_person(db: Session, **values: Any) -> Person:
    """A typed person."""
    person = Person(**{"name": f"张{next(_numbers)}", "source": "typed", "created_at": START, **values})
    db.add(person)
    db.flush()
    return person


def make_account(
    db: Session,
    *grants: tuple[Role, OrgUnit | None],
    username: str | None = None,
    phone: str | None = None,
    keys: Keys | None = None,
    password: str = PASSWORD,
    name: str = "林晓",
    unit: OrgUnit | None = None,
) -> Account:
    """Somebody who can sign in with `PASSWORD`: by a name (staff) or by a phone number, with these grants."""
    person = Person(name=name, source="account", unit_id=unit.id if unit else None, created_at=START)
    if phone and keys:
        person.phone_hash, person.phone_encrypted = keys.phone_hash(phone), keys.encrypt_phone(phone)
    db.add(person)
    db.flush()
    account = Account(
        username=username or (None if phone else f"staff{next(_numbers)}"),
        phone_hash=keys.phone_hash(phone) if phone and keys else None,
        password_hash=_hash(password),
        person_id=person.id,
        created_at=START,
    )
    db.add(account)
    db.flush()
    for role, granted in grants:
        db.add(
            AccountGrant(
                account_id=account.id, role=role.value, unit_id=granted.id if granted else None, granted_at=START
            )
        )
    db.flush()
    return account


@cache
def _hash(password: str) -> str:
    return hash_password(password)


def make_session(db: Session, unit: OrgUnit, **values: Any) -> TrainingSession:
    """A lecture of two hours that begins at START, with a code for a poster."""
    values = {"starts_at": to_ms(START), **values}
    begin = values["starts_at"]
    values = {"ends_at": begin + 7_200_000, **values}
    session = TrainingSession(
        **{
            "code": new_poster_code(),
            "title": "培训",
            "place": "二楼",
            "unit_id": unit.id,
            "kind": "lecture",
            "code_mode": "poster",
            "check_in_from": begin - 7_200_000,
            "check_in_until": values["ends_at"] + 7_200_000,
            "created_at": to_ms(START),
            **values,
        }
    )
    db.add(session)
    db.flush()
    return session


def make_attendance(db: Session, session_id: int, person_id: int, **values: Any) -> Attendance:
    """Somebody who scanned a poster when the session began."""
    at_ms = values.get("at_ms", to_ms(START))
    attendance = Attendance(
        **{
            "session_id": session_id,
            "person_id": person_id,
            "method": "poster",
            "matched": "typed",
            "at_ms": at_ms,
            "self_at_ms": at_ms,
            "received_at": at_ms,
            **values,
        }
    )
    db.add(attendance)
    db.flush()
    return attendance


def make_run(db: Session, unit: OrgUnit) -> CourseRun:
    """A run of a course of its own."""
    course = Course(unit_id=unit.id, title="课程", created_at=to_ms(START))
    db.add(course)
    db.flush()
    run = CourseRun(course_id=course.id, unit_id=unit.id, number=1, title="第 1 期", created_at=to_ms(START))
    db.add(run)
    db.flush()
    return run


def make_certificate(db: Session, run: CourseRun, person_id: int, **values: Any) -> Certificate:
    """A valid certificate of a run."""
    number = next(_numbers)
    certificate = Certificate(
        **{
            "number": f"2026-{number:06}-0",
            "check_code": f"check{number}",
            "run_id": run.id,
            "person_id": person_id,
            "course_title": "课程",
            "run_title": "第 1 期",
            "issuer": "科协",
            "hours_tenths": 20,
            "issued_on": local_date(START),
            "issued_at": to_ms(START),
            **values,
        }
    )
    db.add(certificate)
    db.flush()
    return certificate


def make_registration(db: Session, session_id: int, person_id: int, **values: Any) -> Registration:
    """Somebody who registered themselves at START and has a place."""
    registration = Registration(
        **{
            "session_id": session_id,
            "person_id": person_id,
            "state": "registered",
            "via": "self",
            "registered_at": to_ms(START),
            "queued_at": to_ms(START),
            **values,
        }
    )
    db.add(registration)
    db.flush()
    return registration
