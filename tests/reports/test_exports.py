"""Exports that a job writes: the records behind figures, who may have them, and for how long."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from quizapp import tasks
from quizapp.accounts.models import Account, AccountGrant
from quizapp.accounts.queries import find_actor
from quizapp.audit.models import AuditEvent
from quizapp.core.db import Database
from quizapp.core.scope import Role
from quizapp.jobs.models import Job
from quizapp.jobs.worker import run_pending
from quizapp.quizzes.models import Attempt
from tests.conftest import FakeClock
from tests.factories import make_account, make_attempt, make_person
from tests.quizzes.staff import client_of
from tests.reports.test_figures import District, add, fill_at_random, make_district

MakeApp = Callable[..., Flask]
EXPORT = "/reports/export/pass_rates"
WITH_RECORDS = {"format": "xlsx", "records": "y", "reason": "check"}

assert tasks


def coordinator(db: Session, d: District) -> Account:
    """An account that coordinates the first street, signed in from now on."""
    account = make_account(db, (Role.COORDINATOR, d.street))
    db.commit()
    return account


def client_for(db: Session, app: Flask, account: Account) -> FlaskClient:
    db.rollback()
    actor = find_actor(db, account.id, account.session_epoch)
    assert actor is not None
    db.rollback()  # what is written from now on is seen
    return client_of(app, actor)


def ask(client: FlaskClient, query: str = "", **form: str) -> str:
    """Ask for an export by the page; gives the address of its progress."""
    reply = client.post(f"{EXPORT}?{query}", data=form or WITH_RECORDS)
    assert reply.status_code == 303, reply.text
    return str(reply.location)


def test_the_records_go_along_and_equal_the_attempts(either_database: Database, make_app: MakeApp) -> None:
    app = make_app(either_database)
    with either_database.session() as db:
        d = make_district(db)
        fill_at_random(db, d, 120)
        make_attempt(db, d.delivery, d.left, person_id=make_person(db, name='=HYPERLINK("x")').id)
        client = client_for(db, app, coordinator(db, d))
        page = client.get(f"{EXPORT}?from=2026-01-01&to=2026-12-31")
        assert page.status_code == 200
        progress = ask(client, "from=2026-01-01&to=2026-12-31")
        assert run_pending(app.extensions["quizapp"]) >= 1
        db.rollback()
        job = db.scalars(select(Job).where(Job.name == "write_export")).one()
        assert job.error is None
        assert f"/reports/exports/{job.public_id}" in client.get(progress).text
        book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"/reports/exports/{job.public_id}").data))
        assert book.sheet_names == ["说明", "参与与合格率", "合格率图", "答卷明细"]
        head, *lines = book.get_sheet_by_name("答卷明细").to_python()
        below = Attempt.unit_path.startswith(d.street.path)
        expected = db.scalars(select(Attempt).where(below).order_by(Attempt.id)).all()
        assert [line[0] for line in lines] == [attempt.public_id for attempt in expected]
        assert [line[head.index("合格")] for line in lines] == [
            {True: "是", False: "否", None: ""}[attempt.passed] for attempt in expected
        ]
        assert '=HYPERLINK("x")' in [line[head.index("姓名")] for line in lines]
        assert f"{len(lines)} 行" in page.text
        event = db.scalars(select(AuditEvent).where(AuditEvent.action == "records_exported")).one()
        assert (event.details["records"], event.details["reason"]) == (len(lines), "check")
        assert event.details["personal_data"] is True


def test_records_as_csv_are_the_records_alone(db: Session, app: Flask) -> None:
    d = make_district(db)
    add(db, d.delivery, d.left, 12, 3)
    client = client_for(db, app, coordinator(db, d))
    ask(client, format="csv", records="y", reason="report")
    run_pending(app.extensions["quizapp"])
    db.rollback()
    job = db.scalars(select(Job).where(Job.name == "write_export")).one()
    lines = list(csv.reader(io.StringIO(client.get(f"/reports/exports/{job.public_id}").data.decode("utf-8-sig"))))
    assert lines[0][0] == "答卷号"
    assert len(lines) == 1 + 15


def test_without_a_reason_nothing_is_written(db: Session, app: Flask) -> None:
    d = make_district(db)
    add(db, d.delivery, d.left, 12)
    client = client_for(db, app, coordinator(db, d))
    reply = client.post(EXPORT, data={"format": "csv", "records": "y", "reason": ""})
    assert reply.status_code == 422
    assert "附上明细要选一个用途" in reply.text
    assert 'value="csv" checked' in reply.text  # what was chosen stays
    db.rollback()
    assert db.scalar(select(func.count()).select_from(Job)) == 0
    assert db.scalar(select(func.count()).where(AuditEvent.action.like("%exported"))) == 0


@pytest.mark.parametrize("when", ["before it is written", "before it is fetched"])
def test_who_lost_the_grant_in_between_gets_nothing(db: Session, app: Flask, when: str) -> None:
    d = make_district(db)
    add(db, d.delivery, d.left, 12)
    account = coordinator(db, d)
    ask(client_for(db, app, account))
    written = when == "before it is fetched"
    if written:
        run_pending(app.extensions["quizapp"])
        db.rollback()
    db.execute(delete(AccountGrant).where(AccountGrant.account_id == account.id))
    make_grant = AccountGrant(account_id=account.id, role=Role.COORDINATOR, unit_id=d.other.id, granted_at=app_now(app))
    db.add(make_grant)  # moved to another unit this morning
    db.commit()
    if not written:
        run_pending(app.extensions["quizapp"])
    db.rollback()
    job = db.scalars(select(Job).where(Job.name == "write_export")).one()
    reply = client_for(db, app, account).get(f"/reports/exports/{job.public_id}")
    if written:
        assert reply.status_code == 409
        assert "您的授权在导出之后变了" in reply.text
    else:
        assert reply.status_code == 404
        assert job.error == "export_grant_changed"
        page = client_for(db, app, account).get(f"/jobs/{job.public_id}").text
        assert "您的授权在导出之后变了" in page
        assert db.scalar(select(func.count()).where(AuditEvent.action == "records_exported")) == 0


def test_the_file_is_gone_after_a_day_and_never_another_account_s(db: Session, app: Flask, clock: FakeClock) -> None:
    d = make_district(db)
    add(db, d.delivery, d.left, 12)
    account, other = coordinator(db, d), coordinator(db, d)
    ask(client_for(db, app, account))
    run_pending(app.extensions["quizapp"])
    db.rollback()
    address = f"/reports/exports/{db.scalars(select(Job).where(Job.name == 'write_export')).one().public_id}"
    assert client_for(db, app, other).get(address).status_code == 404
    clock.forward(hours=23)
    assert client_for(db, app, account).get(address).status_code == 200
    clock.forward(hours=2)
    assert client_for(db, app, account).get(address).status_code == 404


def app_now(app: Flask) -> object:
    return app.extensions["quizapp"].clock()
