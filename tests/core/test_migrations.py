"""One head, a schema that equals the tables, and the way up and down on both databases with data in them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, inspect, select, update
from sqlalchemy.exc import DatabaseError

from quizapp.accounts.models import AccountSession, RecoveryCode, SecondFactor
from quizapp.accounts.services import open_session
from quizapp.audit.models import AuditEvent
from quizapp.banks.models import ItemFigure, ItemLook
from quizapp.core import migrate
from quizapp.core.db import Database, transaction
from quizapp.core.scope import SYSTEM, Role
from quizapp.core.tokens import Keys
from quizapp.models import Base
from quizapp.organisation.models import OrgUnit, UnitMerge
from quizapp.organisation.unit_merging import merge_units
from quizapp.quizzes.models import Attempt, Delivery, DeliveryAudience
from quizapp.reports.item_tallies import count_items
from quizapp.reports.models import ItemNote, RollupDay, RollupStale
from quizapp.reports.rollups.services import advance, refresh
from quizapp.surveys.models import Survey, SurveyInvitation
from quizapp.trainings.models import Attendance, TrainingSession
from tests.conftest import START
from tests.factories import make_account, make_attempt, make_delivery, make_figure, make_items, make_session, make_unit
from tests.surveys.support import make_district, make_survey, make_test


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(migrate._config()).get_heads()) == 1


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_migrations_make_exactly_the_tables_of_the_models(either_database: Database) -> None:
    with either_database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = compare_metadata(context, Base.metadata)
    assert differences == []


def test_down_and_up_again_with_data_in_it(either_database: Database) -> None:
    with either_database.session() as db, transaction(db):
        delivery = make_delivery(db)
        make_attempt(db, delivery)
    migrate.downgrade(either_database, "base")
    assert set(inspect(either_database.engine).get_table_names()) <= {"alembic_version"}
    migrate.upgrade(either_database)
    assert migrate.current(either_database) == migrate.head()
    with either_database.session() as db:
        assert db.scalar(select(func.count()).select_from(Attempt)) == 0


def test_an_upgrade_of_the_newest_schema_changes_nothing(either_database: Database) -> None:
    with either_database.session() as db, transaction(db):
        make_delivery(db)
    migrate.upgrade(either_database)
    assert migrate.current(either_database) == migrate.head()


def test_sessions_of_before_keep_their_window_and_their_attendances(either_database: Database) -> None:
    migrate.downgrade(either_database, "0001")
    hour = 3_600_000
    rows = [
        "INSERT INTO org_unit (id, path, name, code, initials, kind, created_at)"
        " VALUES (1, '/1/', '东街', 'E', 'dj', 'street', '2026-01-01')",
        "INSERT INTO training_session (id, code, title, place, unit_id, starts_at, ends_at, created_at)"
        f" VALUES (1, 'ABCDEFGH', '演练', '二楼', 1, {10 * hour}, {11 * hour}, 0)",
        *(
            f"INSERT INTO person (id, name, name_key, source, unit_id, created_at) VALUES ({number}, 'A', 'a', 'roster', 1, '2026-01-01')"
            for number in (1, 2)
        ),
        f"INSERT INTO attendance (session_id, person_id, method, at_ms) VALUES (1, 1, 'poster', {10 * hour})",
        f"INSERT INTO attendance (session_id, person_id, method, at_ms) VALUES (1, 2, 'by_hand', {10 * hour})",
    ]
    with either_database.engine.connect().execution_options(writes=True) as connection, connection.begin():
        for row in rows:
            connection.exec_driver_sql(row)
    migrate.upgrade(either_database)
    with either_database.session() as db:
        session = db.get_one(TrainingSession, 1)
        assert (session.check_in_from, session.check_in_until) == (8 * hour, 13 * hour)
        assert (session.kind, session.code_mode, session.registration) == ("lecture", "poster", "closed")
        found = db.scalars(select(Attendance).order_by(Attendance.person_id)).all()
        assert [(row.state, row.matched, row.self_at_ms, row.received_at) for row in found] == [
            ("counted", "typed", 10 * hour, 10 * hour),
            ("counted", "hand", None, 10 * hour),
        ]
    with either_database.session() as db, transaction(db):
        db.execute(update(Attendance).where(Attendance.person_id == 1).values(method="rotating"))
        db.execute(update(Attendance).where(Attendance.person_id == 2).values(state="struck"))
    migrate.downgrade(either_database, "0001")
    with either_database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT person_id, method FROM attendance").all() == [(1, "poster")]


def test_deliveries_of_before_are_for_everybody_and_their_audience_goes_with_the_way_down(
    either_database: Database,
) -> None:
    with either_database.session() as db, transaction(db):
        delivery = make_delivery(db)
        attempt_id = make_attempt(db, delivery).id
        delivery.limited, delivery.revision = True, 7
        db.add(DeliveryAudience(delivery_id=delivery.id, unit_id=delivery.unit_id))
    migrate.downgrade(either_database, "0006")
    migrate.upgrade(either_database)
    with either_database.session() as db:
        found = db.get_one(Delivery, delivery.id)
        assert (found.limited, found.revision, found.asked_at, found.audience) == (False, 1, None, [])
        assert db.get_one(Attempt, attempt_id).delivery_id == found.id


def test_administration_goes_down_and_up_with_data_in_it(either_database: Database) -> None:
    with either_database.session() as db, transaction(db):
        kept, merged = make_unit(db), make_unit(db)
        account = make_account(db, (Role.TRAINER, kept))
        db.add(SecondFactor(account_id=account.id, secret_sealed=b"s", enrolled_at=START))
        db.add(RecoveryCode(account_id=account.id, code_hash=b"c"))
        open_session(db, account=account, device="", remember=True, second_factor=False, now=START)
        merge_units(db, kept_id=kept.id, merged_id=merged.id, actor=SYSTEM, now=START)
    migrate.downgrade(either_database, "0006")
    migrate.upgrade(either_database)
    with either_database.session() as db:
        assert db.scalar(select(func.count()).select_from(AccountSession)) == 0
        assert db.scalar(select(func.count()).select_from(UnitMerge)) == 0
        assert db.get_one(OrgUnit, merged.id).parent_id == kept.id  # what was done stays done
        assert db.scalars(select(AuditEvent.action)).all() == ["unit_merged"]
    round_it = (
        "TRUNCATE audit_event"
        if not either_database.is_sqlite
        else "REPLACE INTO audit_event SELECT * FROM audit_event"
    )
    with pytest.raises(DatabaseError, match="audit_event"), either_database.engine.begin() as connection:
        connection.exec_driver_sql(round_it)


def test_who_took_part_before_is_summed_anew(either_database: Database) -> None:
    with either_database.session() as db, transaction(db):
        make_session(db, make_unit(db), unit_path="/1/")
        for days in (1, 1, 40):
            make_attempt(
                db, make_delivery(db), now=START - timedelta(days=days), state="submitted", score=1, passed=True
            )
    with either_database.session() as db:
        advance(db, START.date())
        while refresh(db):
            pass
    migrate.downgrade(either_database, "0012")
    migrate.upgrade(either_database)
    with either_database.session() as db:
        assert db.scalars(select(TrainingSession.unit_path)).all() == [None]
        noted = db.execute(select(RollupStale.delivery_id, RollupStale.local_date)).all()
        assert sorted(noted) == sorted(db.execute(select(RollupDay.delivery_id, RollupDay.day).distinct()).all())
        assert len(noted) == 3
        while refresh(db):
            pass
        assert db.scalar(select(func.count()).select_from(RollupStale)) == 0


def test_item_statistics_of_before_are_counted_anew_once(either_database: Database) -> None:
    with either_database.session() as db, transaction(db):
        delivery = make_delivery(db)
        for days in (0, 0, 3):
            make_attempt(db, delivery, now=START - timedelta(days=days), right_count=0)
        make_attempt(db, delivery, now=START - timedelta(days=9), state="open")
    with either_database.session() as db:
        assert count_items(db, START) == 2
    for target in ("0017", "0016"):
        migrate.downgrade(either_database, target)
        migrate.upgrade(either_database)
        with either_database.session() as db:
            noted = db.execute(select(ItemNote.delivery_id, ItemNote.local_date, ItemNote.attempt_id)).all()
            days = {(delivery.id, (START - timedelta(days=d)).date(), None) for d in (0, 3)}
            assert set(noted) == days
            assert len(noted) == len(days)
            assert count_items(db, START) == 2
            db.rollback()
            assert {figure.asked for figure in db.scalars(select(ItemFigure))} == {3}


def test_partial_indexes_live_through_a_rebuilt_table(sqlite_database: Database) -> None:
    """SQLite changes a table by making it anew: what says "only where" must still say so."""
    with sqlite_database.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        )
        partial = {name for name, sql in rows if " WHERE " in sql}
    expected = {
        index.name
        for table in Base.metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    assert partial == expected


def test_surveys_go_down_and_up_with_data_in_them(either_database: Database, keys: Keys) -> None:
    with either_database.session() as db, transaction(db):
        top, _streets = make_district(db)
        survey = make_survey(db, top, make_test(db, top), keys=keys)
        delivery_id, drawn = survey.delivery_id, survey.counts["drawn"]
        assert db.scalar(select(func.count(SurveyInvitation.id))) == drawn
    migrate.downgrade(either_database, "0018")
    migrate.upgrade(either_database)
    with either_database.session() as db:
        assert db.scalar(select(func.count(Survey.id))) == 0
        assert db.get_one(Delivery, delivery_id).blueprint.rules["standard"] == "literacy_2016"


def test_surveys_that_go_on_hold_scores_back_and_closed_ones_do_not(either_database: Database, keys: Keys) -> None:
    with either_database.session() as db, transaction(db):
        top, _streets = make_district(db)
        surveys = [make_survey(db, top, make_test(db, top), keys=keys, seed=f"seed of {name}") for name in "ab"]
        surveys[1].closed_at = START
        ids = [(survey.id, survey.delivery_id) for survey in surveys]
    migrate.downgrade(either_database, "0024")
    migrate.upgrade(either_database)
    with either_database.session() as db:
        assert [db.get_one(Survey, survey).first_closed_at for survey, _ in ids] == [None, START]
        assert [db.get_one(Delivery, delivery).scores_held for _, delivery in ids] == [True, False]


def test_looks_go_with_the_way_down_and_flags_stay(either_database: Database) -> None:
    with either_database.session() as db, transaction(db):
        version = make_items(db, 1)[0]
        make_figure(db, version, flags=["too_easy"], asked=120)
        for ended in (START, None):
            db.add(
                ItemLook(
                    item_version_id=version.id,
                    flags=["too_easy"],
                    asked=120,
                    looked_by=1,
                    looked_at=START,
                    ended_at=ended,
                )
            )
            db.flush()
    migrate.downgrade(either_database, "0020")
    assert "item_look" not in inspect(either_database.engine).get_table_names()
    migrate.upgrade(either_database)
    with either_database.session() as db:
        assert db.scalar(select(func.count()).select_from(ItemLook)) == 0
        assert db.scalars(select(ItemFigure.flags)).one() == ["too_easy"]
