"""The sheet says what it should, in two languages, and its code opens the check page."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pypdf
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from quizapp.certificates import paper
from quizapp.certificates.numbers import make_number
from quizapp.certificates.paper import Page, certificates_pdf
from quizapp.core import typesetting
from quizapp.core.typesetting import FaceMissing
from tests.pdf import page_pictures

A4_POINTS = (595, 842)


def make_page(key: int = 1, **changes: Any) -> Page:
    values: dict[str, Any] = {
        "name": "周敏",
        "course": "公民安全素质培训",
        "run": "2026 年第 3 期",
        "first": date(2026, 11, 23),
        "last": date(2026, 11, 25),
        "hours": 85,
        "number": make_number(2026, key),
        "code": "7QKX-93MH",
        "url": f"https://kp.example.cn/c/7QKX93MHABCDEFGHJKMNPQ{key:04}",
        "address": "kp.example.cn/c",
        "issuer": "临江区应急管理局",
        "issued": date(2026, 11, 26),
        "until": date(2027, 11, 25),
        **changes,
    }
    return Page(**values)


def texts(content: bytes) -> list[str]:
    return ["".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(content)).pages]


def codes(content: bytes) -> list[str]:
    return [zxingcpp.read_barcodes(picture)[0].text for picture in page_pictures(content, 100)]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "zh",
            ("证书", "周敏", "于2026年11月23日至25日参加", "公民安全素质培训", "2026年第3期", "完成培训8.5学时，特发此证。",
             "编号2026-000001-", "校验码7QKX-93MH", "kp.example.cn/c", "临江区应急管理局", "2026年11月26日",
             "有效期至2027年11月25日"),
        ),
        (
            "en",
            ("Certificate", "周敏", "attendedfrom23to25November2026", "公民安全素质培训", "completed8.5traininghours.",
             "Number2026-000001-", "Checkcode7QKX-93MH", "临江区应急管理局", "26November2026",
             "Validuntil25November2027"),
        ),
    ],
)  # fmt: skip
def test_a_sheet_in_both_languages(language: str, words: tuple[str, ...]) -> None:
    content = certificates_pdf([make_page()], language)
    (page,) = pypdf.PdfReader(io.BytesIO(content)).pages
    assert (round(page.mediabox.width), round(page.mediabox.height)) == A4_POINTS
    (text,) = texts(content)
    for part in words:
        assert part in text, text
    assert codes(content) == [make_page().url]


def test_each_person_has_a_page_with_their_own_code() -> None:
    pages = [make_page(key, name=name) for key, name in enumerate(("李建国", "王秀兰", "张伟"), start=1)]
    heard: list[int] = []
    content = certificates_pdf(pages, "zh", heard.append)
    assert heard == []  # fewer than a hundred
    for page, text in zip(pages, texts(content), strict=True):
        assert page.name in text
        assert page.number in text
    assert codes(content) == [page.url for page in pages]


@pytest.mark.parametrize(("language", "words"), [("zh", "持证人凭编号核验"), ("en", "Theholderofthisnumber")])
def test_of_an_erased_person_the_number_alone_speaks(language: str, words: str) -> None:
    (text,) = texts(certificates_pdf([make_page(name="", until=None, first=None, last=None, hours=0)], language))
    assert words in text
    assert "有效期" not in text
    assert "Valid" not in text


@pytest.mark.parametrize(
    ("first", "last", "zh", "en"),
    [
        (date(2026, 11, 23), date(2026, 11, 23), "于2026年11月23日参加", "attendedon23November2026"),
        (date(2026, 10, 30), date(2026, 11, 1), "于2026年10月30日至11月1日参加", "from30Octoberto1November2026"),
        (
            date(2026, 12, 30), date(2027, 1, 2), "于2026年12月30日至2027年1月2日参加",
            "from30December2026to2January2027",
        ),
    ],
)  # fmt: skip
def test_a_period_says_each_part_once(first: date, last: date, zh: str, en: str) -> None:
    for language, words in (("zh", zh), ("en", en)):
        (text,) = texts(certificates_pdf([make_page(first=first, last=last)], language))
        assert words in text, text


TYPED = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1)


@settings(max_examples=15, deadline=None)
@given(name=TYPED.map(lambda t: t[:80]), course=TYPED.map(lambda t: t[:60]), language=st.sampled_from(["zh", "en"]))
def test_whatever_was_typed_the_sheet_stays_one_page_and_its_code_readable(
    name: str, course: str, language: str
) -> None:
    content = certificates_pdf([make_page(name=name, course=course)], language)
    assert codes(content) == [make_page().url]


def test_the_longest_words_stay_apart() -> None:
    page = make_page(name="欧阳" * 40, course="安全" * 30, run="第三期" * 20, issuer="应急管理局" * 24)
    for language in paper.LANGUAGES:
        content = certificates_pdf([page], language)
        assert codes(content) == [page.url]
        assert page.number in texts(content)[0]


def test_nothing_typed_is_read_as_markup() -> None:
    (text,) = texts(certificates_pdf([make_page(name='#panic("x") *粗* $1$')], "zh"))
    assert "#panic" in text
    assert "*粗*" in text


def test_without_a_chinese_face_there_is_a_refusal_and_no_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetting, "FAMILIES", ("No Such Face",))
    monkeypatch.setattr(paper, "SERIF", ("No Such Face",))
    with pytest.raises(FaceMissing):
        certificates_pdf([make_page()], "zh")


def test_where_no_serif_face_is_there_the_other_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "SERIF", ("No Such Face",))
    (text,) = texts(certificates_pdf([make_page()], "zh"))
    assert "周敏" in text
