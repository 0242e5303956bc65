"""The pages of practice as a browser without scripts sees them."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import func, select

from quizapp.banks.models import Benchmark, BenchmarkPoint, ItemBank, ItemVersion, Topic
from quizapp.core.clock import to_ms
from quizapp.core.db import Database, transaction
from quizapp.practice.models import DailyResult, PracticeAnswer, WrongBookEntry
from quizapp.practice.services import note_wrong
from tests.conftest import START, FakeClock
from tests.factories import make_delivery, make_items
from tests.practice.support import Practiser, sign_in


@pytest.fixture
def bank(database: Database) -> str:
    """A bank of twelve items; its code."""
    with database.session() as db, transaction(db):
        version = make_items(db, 12)[0]
        return db.get(ItemBank, db.get(Topic, version.item.topic_id).bank_id).code  # type: ignore[union-attr]


@pytest.fixture
def practiser(app: Flask) -> Practiser:
    return Practiser(app)


def test_the_list_shows_each_bank_with_its_topics(practiser: Practiser, bank: str) -> None:
    practiser.open("/practice")
    assert f'data-bank="{bank}"' in practiser.page
    assert "12 题" in practiser.page
    assert "错题本" not in practiser.page, "a guest has no wrong book"


def test_a_round_of_a_topic_has_five_questions_and_a_reload_shows_the_same(practiser: Practiser, bank: str) -> None:
    topic = re.search(rf"/practice/{bank}/(\w+)", practiser.open("/practice").text)[1]  # type: ignore[index]
    practiser.open(f"/practice/{bank}/{topic}")
    assert (practiser.state, practiser.position) == ("asking", 1)
    first = practiser.item()
    practiser.open(practiser.address)
    assert practiser.item() == first
    assert len(re.findall(r'<li class="round-', practiser.page)) == 5


def test_the_feedback_says_right_or_wrong_why_and_from_where(practiser: Practiser, bank: str) -> None:
    practiser.open(f"/practice/{bank}")
    practiser.answer(right=False)
    assert practiser.state == "answered"
    assert "答错了，正确是" in practiser.page
    assert "解析密钥" in practiser.page
    assert "依据：<span>文件，第" in practiser.page
    practiser.next()
    practiser.answer(right=True)
    assert "答对了" in practiser.page


def test_an_english_reader_sees_the_source_in_english_and_by_its_original_title(
    practiser: Practiser, bank: str, database: Database
) -> None:
    with database.session() as db, transaction(db):
        for version in db.scalars(select(ItemVersion)):
            document = {"zh": "中华人民共和国安全生产法", "en": "Work Safety Law"}
            version.citation = {"document": document, "article": {"zh": "第五十二条", "en": "Article 52"}, "year": 2021}
    practiser.client.set_cookie("lang", "en")
    practiser.open(f"/practice/{bank}")
    practiser.answer(right=False)
    assert "Source: <span>Work Safety Law (2021), Article 52</span>" in practiser.page
    assert '<span class="citation-other" lang="zh">中华人民共和国安全生产法 第五十二条</span>' in practiser.page
    practiser.client.set_cookie("lang", "zh")
    practiser.open(practiser.address)
    assert "依据：<span>中华人民共和国安全生产法，第五十二条（2021）</span></p>" in practiser.page


def test_the_key_reaches_the_browser_only_after_that_answer(practiser: Practiser, bank: str) -> None:
    practiser.open(f"/practice/{bank}?n=10")
    while practiser.state == "asking":
        for word in ("解析密钥", "Secret rationale", "依据", "choice-right", "choice-missed", "答对了", "正确"):
            assert word not in re.sub(r"<ol class=\"round\">.*?</ol>", "", practiser.page, flags=re.S)
        practiser.answer(right=True)
        practiser.next()
    assert practiser.state == "done"


def test_an_address_that_was_not_earned_shows_no_key(practiser: Practiser, bank: str) -> None:
    practiser.open(f"/practice/{bank}")
    item = practiser.item()
    base = practiser.address
    for forged in ("check=AAAAAAAAAAAAAAAAAAAAAA", "check=é", ""):
        practiser.open(f"{base}&results=1&place=0&item={item}&answer=b&{forged}")
        assert (practiser.state, practiser.position) == ("asking", 2)
        assert "解析密钥" not in practiser.page


def test_a_signature_of_one_item_opens_no_other(practiser: Practiser, bank: str) -> None:
    practiser.open(f"/practice/{bank}")
    practiser.answer(right=True)
    earned = practiser.address
    other = re.sub(r"item=(\d+)", lambda m: f"item={int(m[1]) % 12 + 1}", earned)
    practiser.open(other)
    assert practiser.state == "asking"


def test_wrong_items_come_back_once_at_the_end_of_the_round(practiser: Practiser, bank: str) -> None:
    practiser.open(f"/practice/{bank}?n=5")
    items = []
    for place in range(5):
        items.append(practiser.item())
        practiser.answer(right=place not in (1, 3))
        practiser.next()
    returned = []
    while practiser.state == "asking":
        assert "再来一次" in practiser.page
        returned.append(practiser.item())
        practiser.answer(right=len(returned) == 1)
        practiser.next()
    assert returned == [items[1], items[3]]
    assert practiser.state == "done"
    assert "这一轮答对 3/5" in practiser.page
    assert "答错的 2 题已再做一遍，这次答对 1 题。" in practiser.page


def test_an_empty_answer_asks_for_one_and_shows_nothing(practiser: Practiser, bank: str) -> None:
    practiser.open(f"/practice/{bank}")
    response = practiser.send()
    assert response.status_code == 422
    assert "先选一个答案，再提交。" in practiser.page
    assert practiser.state == "asking"


def test_a_guest_leaves_no_row(practiser: Practiser, bank: str, database: Database) -> None:
    practiser.open(f"/practice/{bank}")
    practiser.answer(right=False)
    with database.session() as db:
        assert db.scalar(select(func.count()).select_from(PracticeAnswer)) == 0


def test_a_benchmark_narrows_the_bank(practiser: Practiser, database: Database) -> None:
    with database.session() as db, transaction(db):
        db.add(Benchmark(number=7, name={"zh": "短名", "en": "Short"}, title={"zh": "题", "en": "T"}))
        db.flush()
        db.add(BenchmarkPoint(number=30, benchmark_number=7, text={"zh": "点", "en": "Point"}))
        db.flush()
        versions = make_items(db, 6, bank_code="literacy")
        versions[4].point_number = 30
    practiser.open("/practice/literacy?benchmark=7")
    assert practiser.item() == str(versions[4].id)
    assert "短名" in practiser.page
    practiser.answer(right=True)
    practiser.next()
    assert practiser.state == "done"


@pytest.mark.parametrize(
    "path", ["/practice/nothing", "/practice/nothing/there", "/practice/{bank}/there", "/practice/{bank}?benchmark=99"]
)
def test_an_unknown_bank_topic_or_benchmark_is_not_found(practiser: Practiser, bank: str, path: str) -> None:
    assert practiser.open(path.format(bank=bank)).status_code == 404


def test_a_bank_whose_items_are_all_in_an_open_test_says_so(practiser: Practiser, database: Database) -> None:
    with database.session() as db, transaction(db):
        code = db.get(ItemBank, make_delivery(db).blueprint.bank_id).code  # type: ignore[union-attr]
    assert "现在没有可练的题" in practiser.open(f"/practice/{code}").text


def test_an_item_that_went_into_a_test_meanwhile_gives_no_feedback(
    practiser: Practiser, bank: str, database: Database
) -> None:
    practiser.open(f"/practice/{bank}")
    with database.session() as db, transaction(db):
        delivery = make_delivery(db)
        from quizapp.quizzes.models import Paper, PaperItem

        paper = db.scalars(select(Paper).where(Paper.delivery_id == delivery.id)).one()
        db.add(PaperItem(paper_id=paper.id, position=9, item_version_id=int(practiser.item()), points=1))
    practiser.answer(right=True)
    assert practiser.state == "asking"
    assert "解析密钥" not in "".join(practiser.seen)


def test_everybody_has_the_same_daily_quiz_and_another_one_tomorrow(
    app: Flask, bank: str, clock: FakeClock, database: Database
) -> None:
    def five() -> list[str]:
        someone = Practiser(app)
        someone.open("/daily")
        stems = []
        for _ in range(5):
            stems.append(someone.item())
            someone.answer(right=True)
            someone.next()
        assert someone.state == "done"
        return stems

    today = five()
    assert len(set(today)) == 5
    assert five() == today
    sign_in(app, database)
    assert five() == today
    clock.forward(days=1)
    assert five() != today


def test_a_guests_daily_quiz_goes_on_after_closing_and_is_remembered_for_the_week(
    practiser: Practiser, bank: str, clock: FakeClock
) -> None:
    practiser.open("/daily")
    for right in (True, False):
        practiser.answer(right)
        practiser.next()
    practiser.open("/daily")
    assert practiser.position == 3
    for _ in range(3):
        practiser.answer(right=True)
        practiser.next()
    assert "再来一次" in practiser.page
    practiser.answer(right=True)
    practiser.next()
    assert "今天完成，答对 4/5" in practiser.page
    assert "今天完成，答对 4/5" in practiser.open("/").text
    clock.forward(days=1)
    assert "昨天答对 4 题" in practiser.open("/").text
    clock.forward(days=7)
    assert "，完成" not in practiser.open("/").text


def test_a_forged_daily_cookie_is_ignored(app: Flask, practiser: Practiser, bank: str) -> None:
    practiser.client.set_cookie("daily", "20261123-11111.AAAAAAAAAAAAAAAAAAAAAA")
    practiser.open("/daily")
    assert (practiser.state, practiser.position) == ("asking", 1)


def test_a_daily_form_sent_twice_counts_once(app: Flask, practiser: Practiser, bank: str, database: Database) -> None:
    sign_in(app, database)
    practiser.open("/daily")
    before = practiser.page
    practiser.answer(right=True)
    practiser.page = before
    practiser.answer(right=False)
    assert "答对了" in practiser.page, "the first answer counts, and its feedback is shown again"
    with database.session() as db:
        row = db.scalars(select(DailyResult)).one()
        assert (row.answered, row.right) == (1, 1)


def test_the_wrong_book_gives_back_what_was_wrong_until_it_was_right_twice(
    app: Flask, practiser: Practiser, bank: str, database: Database
) -> None:
    sign_in(app, database)
    practiser.open(f"/practice/{bank}?n=5")
    wrong = practiser.item()
    practiser.answer(right=False)
    assert "已加入错题本" in practiser.page
    assert "错题本 1 题" in practiser.open("/wrong-book").text
    for words in ("再答对一次就移出错题本", "连对两次，已移出错题本"):
        practiser.open("/wrong-book/round")
        assert practiser.item() == wrong
        practiser.answer(right=True)
        assert words in practiser.page
        address = practiser.address
        practiser.open(address)
        assert words in practiser.page, "a reload shows the same"
    practiser.next()
    assert practiser.state == "done"
    assert "错题本是空的" in practiser.open("/wrong-book").text


def test_a_test_that_is_handed_in_fills_the_wrong_book_and_it_waits_for_its_end(
    app: Flask, practiser: Practiser, database: Database, clock: FakeClock
) -> None:
    account = sign_in(app, database)
    with database.session() as db, transaction(db):
        delivery = make_delivery(db)
        item = db.scalars(select(WrongBookEntry)).first()
        assert item is None
        from quizapp.quizzes.queries.deliveries import items_in_open_tests

        wrong = sorted(items_in_open_tests(db, START))[:2]
    with database.session() as db:
        app.extensions["quizapp"].registry.collect("attempt_closed", db, account.id, wrong, START)
    page = practiser.open("/wrong-book").text
    assert "错题本是空的" in page
    assert "2 题正在考试中，考完再回来。" in page
    clock.forward(days=8)
    assert delivery.closes_at < to_ms(clock())
    assert "错题本 2 题" in practiser.open("/wrong-book").text


def test_the_wrong_book_is_for_accounts(practiser: Practiser, bank: str) -> None:
    assert practiser.client.get("/wrong-book").status_code in (302, 303, 401)


def test_practice_of_one_account_is_not_anothers(
    app: Flask, practiser: Practiser, bank: str, database: Database
) -> None:
    account = sign_in(app, database)
    with database.session() as db, transaction(db):
        note_wrong(db, account.id, 1, to_ms(START))
    sign_in(app, database)
    assert "错题本是空的" in practiser.open("/wrong-book").text


def test_the_share_practised_counts_each_item_once(
    app: Flask, practiser: Practiser, bank: str, database: Database
) -> None:
    sign_in(app, database)
    for _ in range(2):
        practiser.open(f"/practice/{bank}?n=5&seed=same{_}")
        practiser.answer(right=True)
    with database.session() as db:
        count = len(set(db.scalars(select(PracticeAnswer.item_id))))
    assert f"练过 {count}/12 题" in practiser.open("/practice").text


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("elder", ["0", "1"])
def test_every_page_has_one_title_and_fits_the_budget(
    app: Flask, practiser: Practiser, bank: str, database: Database, lang: str, elder: str
) -> None:
    sign_in(app, database)
    practiser.client.set_cookie("lang", lang)
    practiser.client.set_cookie("elder", elder)
    practiser.open(f"/practice/{bank}?n=5")
    practiser.answer(right=False)
    for address in ("/practice", "/wrong-book", "/daily"):
        practiser.open(address)
    for page in practiser.seen:
        assert page.count("<h1") == 1
        assert "style=" not in page
        assert len(page.encode()) < 24_000
