"""A reviewer looks at flagged items and finds nothing wrong: for how long that holds, and how he goes through the list."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.audit.models import AuditEvent
from quizapp.banks.models import Item, ItemCalibration, ItemFigure, ItemLook, ItemVersion
from quizapp.banks.stock import count_waiting, flagged_items, work_list
from quizapp.core.db import Database, transaction
from quizapp.core.scope import Actor, Grant, Role, Scope
from quizapp.measurement.item_flags import HARM
from tests.conftest import START
from tests.factories import make_account, make_figure, make_items

Act = Callable[[Role], FlaskClient]


@pytest.fixture
def three(either_database: Database) -> list[str]:
    """Codes of three flagged items, the most harmful first."""
    with either_database.session() as db, transaction(db):
        versions = make_items(db, 3)
        for version, asked in zip(versions, (300, 200, 100), strict=True):
            make_figure(db, version, flags=["no_discrimination"], asked=asked)
        return [version.item.code for version in versions]


@pytest.fixture
def act(either_app: Flask, either_database: Database) -> Act:
    """Sign in somebody new of a role, called 高远 where he reviews."""

    def client(role: Role, name: str = "高远") -> FlaskClient:
        with either_database.session() as db, transaction(db):
            account = make_account(db, (role, None), name=name)
        actor = Actor(account_id=account.id, name=name, scope=Scope((Grant(role, None),)))
        either_app.config["WTF_CSRF_ENABLED"] = False
        either_app.extensions["quizapp"].load_actor = lambda: actor
        return either_app.test_client()

    return client


def listed(client: FlaskClient, query: str = "") -> list[str]:
    return re.findall(r'data-item="([^"]+)"', client.get(f"/items/work-list?{query}").text)


def look(client: FlaskClient, code: str, **form: str) -> str:
    """Look at an item as its page offers it; gives the address that follows."""
    page = client.get(f"/items/{code}").text
    seen = {name: re.findall(rf'name="{name}" value="([^"]*)"', page)[0] for name in ("version", "flags")}
    reply = client.post(f"/items/{code}/looks", data={**seen, **form})
    assert reply.status_code == 303
    return str(reply.location)


def change(database: Database, code: str, *flags: str, asked: int) -> None:
    """The job counts more answers."""
    with database.session() as db, transaction(db):
        version_id = db.scalars(select(Item.current_version_id).where(Item.code == code)).one()
        figure = db.get_one(ItemFigure, version_id)
        figure.asked, figure.flags, figure.harm = asked, list(flags), float(asked * len(flags))


def test_a_look_takes_the_item_from_the_list_and_the_badge_and_says_who_looked(
    act: Act, three: list[str], either_database: Database
) -> None:
    client = act(Role.REVIEWER)
    assert listed(client) == three
    look(client, three[0], note=" 和依据对过，\n没有错。 ")
    assert listed(client) == three[1:]
    assert listed(client, "looked=1") == three[:1]
    page = client.get(f"/items/{three[0]}").text
    assert re.search(r"高远 [^<]*看过，题没问题", page)
    assert "和依据对过，\n没有错。" in page
    assert "满 600 人次" in page
    assert 'data-look="holds"' in page
    assert "还有 2 道要看" in client.get(f"/items/{three[1]}?work=1").text
    assert "2 道题从作答看出问题" in client.get("/banks").text
    with either_database.session() as db:
        assert count_waiting(db) == len(work_list(db)) == 2
        events = list(db.scalars(select(AuditEvent)))
        assert [(event.action, event.details) for event in events] == [
            ("item_looked_at", {"flags": ["no_discrimination"]})
        ], "the note is not in the log"


def test_it_falls_away_with_a_new_flag_or_with_twice_the_answers_and_stays_in_the_history(
    act: Act, three: list[str], either_database: Database
) -> None:
    client = act(Role.REVIEWER)
    code = three[2]
    look(client, code)
    change(either_database, code, "no_discrimination", asked=199)
    assert code not in listed(client)
    change(either_database, code, "no_discrimination", asked=200)
    assert code in listed(client)
    assert "从 100 人次增加到 200 人次" in client.get(f"/items/{code}").text
    look(client, code)
    assert code not in listed(client)
    change(either_database, code, "key_suspect", "no_discrimination", asked=220)
    assert code in listed(client)
    page = client.get(f"/items/{code}").text
    assert "后来又看出" in page
    assert re.findall(r'data-look="(\w+)"', page) == ["outdated", "ended"]
    change(either_database, code, asked=230)
    assert code not in listed(client) + listed(client, "looked=1"), "nothing stands against it any more"


def test_a_bad_fit_is_a_flag_like_the_others(act: Act, three: list[str], either_database: Database) -> None:
    client = act(Role.REVIEWER)
    look(client, three[0])
    with either_database.session() as db, transaction(db):
        version_id = db.scalars(select(Item.current_version_id).where(Item.code == three[0])).one()
        figures = dict.fromkeys(("a", "b", "se_a", "se_b", "infit", "outfit", "off", "share"), 1.0)
        db.add(
            ItemCalibration(
                item_version_id=version_id,
                own_slope=True,
                n=300,
                flags=["misfit"],
                harm=3.0,
                calibrated_at=START,
                **figures,
            )
        )
    assert listed(client) == three
    assert listed(client, "flag=misfit") == three[:1]
    assert look(client, three[0], work="1", flag="misfit") == "/items/work-list?flag=misfit"
    assert listed(client) == three[1:]
    with either_database.session() as db:
        assert count_waiting(db) == 2


def test_a_look_is_of_one_version(act: Act, three: list[str], either_database: Database) -> None:
    client = act(Role.REVIEWER)
    look(client, three[0])
    with either_database.session() as db, transaction(db):
        item = db.scalars(select(Item).where(Item.code == three[0])).one()
        old = db.get_one(ItemVersion, item.current_version_id)
        columns = {c.name for c in ItemVersion.__table__.columns} - {"id", "number"}
        new = ItemVersion(number=2, **{name: getattr(old, name) for name in columns})
        db.add(new)
        db.flush()
        item.current_version_id = new.id
        make_figure(db, new, flags=["no_discrimination"], asked=150)
    assert three[0] in listed(client)
    assert re.findall(r'data-look="(\w+)"', client.get(f"/items/{three[0]}").text) == ["earlier"]
    stale = client.post(f"/items/{three[0]}/looks", data={"version": "1", "flags": "no_discrimination"})
    assert "换了版本" in client.get(stale.location).text
    assert three[0] in listed(client)


def test_what_the_reviewer_did_not_see_is_not_looked_at(act: Act, three: list[str], either_database: Database) -> None:
    client = act(Role.REVIEWER)
    change(either_database, three[0], "key_suspect", "too_easy", asked=300)
    for form in ({"version": "1", "flags": "too_easy"}, {"version": "x", "flags": "key_suspect,too_easy"}, {}):
        reply = client.post(f"/items/{three[0]}/looks", data=form)
        assert "请再看一看" in client.get(reply.location).text
    assert three[0] in listed(client)
    change(either_database, three[0], asked=300)
    reply = client.post(f"/items/{three[0]}/looks", data={"version": "1", "flags": "too_easy"})
    assert "不用记" in client.get(reply.location).text
    long = client.post(
        f"/items/{three[1]}/looks", data={"version": "1", "flags": "no_discrimination", "note": "长" * 301, "work": "1"}
    )
    assert long.status_code == 422
    assert "长" * 301 in long.text, "what was typed is still there"
    assert "还有 2 道要看" in long.text


def test_it_is_taken_back_once_by_whichever_reviewer(act: Act, three: list[str], either_database: Database) -> None:
    first = act(Role.REVIEWER)
    look(first, three[1])
    with either_database.session() as db:
        look_id = db.scalars(select(ItemLook.id)).one()
    other = act(Role.REVIEWER)
    assert other.post(f"/items/{three[0]}/looks/{look_id}/take-back").status_code == 404, "of another item"
    for _time in range(2):
        assert other.post(f"/items/{three[1]}/looks/{look_id}/take-back").status_code == 303
    assert listed(other) == three
    page = other.get(f"/items/{three[1]}").text
    assert 'data-look="taken_back"' in page
    with either_database.session() as db:
        actions = list(db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))
        assert actions == ["item_looked_at", "item_look_taken_back"]


def test_the_second_of_two_reviewers_keeps_his_words(act: Act, three: list[str], either_database: Database) -> None:
    form = {"version": "1", "flags": "no_discrimination", "note": "题干清楚"}
    client = act(Role.REVIEWER)
    for _pressed_twice in range(2):
        client.post(f"/items/{three[0]}/looks", data=form)
    other = act(Role.REVIEWER)
    told = other.post(f"/items/{three[0]}/looks", data={**form, "note": "我也看了"})
    assert "已经先看过" in other.get(told.location).text
    other.post(f"/items/{three[0]}/looks", data={**form, "note": ""})
    with either_database.session() as db:
        looks = db.execute(select(ItemLook.note, ItemLook.ended_at.is_(None)).order_by(ItemLook.id)).all()
        assert [tuple(row) for row in looks] == [("题干清楚", True), ("我也看了", False)]


def test_a_reviewer_goes_from_item_to_item(act: Act, three: list[str]) -> None:
    client = act(Role.REVIEWER)
    page = client.get(f"/items/{three[0]}?work=1&flag=no_discrimination").text
    assert f'rel="next" href="/items/{three[1]}?work=1&amp;flag=no_discrimination"' in page
    assert (
        look(client, three[0], work="1", flag="no_discrimination") == f"/items/{three[1]}?work=1&flag=no_discrimination"
    )
    assert look(client, three[2], work="1") == "/items/work-list", "he skipped one: it is all that the list has"
    assert look(client, three[1], page="1") == "/items/work-list"
    assert "都看过了" in client.get("/items/work-list").text


def test_from_the_list_he_stays_in_the_list(act: Act, three: list[str]) -> None:
    client = act(Role.REVIEWER)
    assert look(client, three[0], page="2", bank="") == f"/items/work-list?page=2#item-{three[1]}"
    assert look(client, three[1]) == f"/items/{three[1]}#answers", "whoever came to the item alone stays there"


def test_who_does_not_review_reads_and_marks_nothing(act: Act, three: list[str]) -> None:
    look(act(Role.REVIEWER), three[0], note="没有错")
    client = act(Role.EDITOR)
    assert "没有错" in client.get(f"/items/{three[0]}").text
    for path in ("/items/work-list", f"/items/{three[0]}?work=1", f"/items/{three[1]}?work=1"):
        assert "/looks" not in client.get(path).text
    form = {"version": "1", "flags": "no_discrimination"}
    assert client.post(f"/items/{three[1]}/looks", data=form).status_code == 403


@given(
    seen=st.sets(st.sampled_from(HARM), min_size=1),
    now=st.sets(st.sampled_from(HARM)),
    then=st.integers(100, 10**6),
    asked=st.integers(100, 3 * 10**6),
)
def test_a_look_holds_while_nothing_is_new_and_the_answers_have_not_doubled(
    seen: set[str], now: set[str], then: int, asked: int
) -> None:
    look = ItemLook(flags=sorted(seen), asked=then)
    assert look.holds(sorted(now), asked) == (now <= seen and asked / then < 2)
    assert look.new_flags(sorted(now)) == sorted(now - seen)


def test_the_list_and_the_badge_have_one_rule(either_db: Session) -> None:
    versions = make_items(either_db, 6)
    for number, version in enumerate(versions):
        flags = ["no_discrimination", "too_easy"] if number % 2 else ["no_discrimination"]
        make_figure(either_db, version, flags=flags, asked=100 * (number + 1))
        seen = {"flags": ["no_discrimination"], "asked": 200}
        either_db.add(ItemLook(item_version_id=version.id, looked_at=START, **seen))
    either_db.commit()
    assert (
        count_waiting(either_db)
        == len(work_list(either_db))
        == sum(not row.looked_at for row in flagged_items(either_db))
    )
    assert {row.figure.asked for row in flagged_items(either_db) if row.looked_at} == {100, 300}
