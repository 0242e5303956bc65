"""The poster says what it should, and its code opens the delivery."""

from __future__ import annotations

import io

import pypdf
import pytest
import zxingcpp
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy.orm import Session

from quizapp.core import typesetting
from quizapp.core.db import transaction
from quizapp.core.qr import qr_svg
from quizapp.core.typesetting import FaceMissing
from quizapp.quizzes.posters import Poster, cards_pdf, cards_png, poster_pdf, poster_png
from tests.factories import make_delivery, make_unit
from tests.pdf import page_pictures
from tests.quizzes.staff import client_of, coordinator_of

A4_POINTS = (595, 842)


def make_poster(**changes: str) -> Poster:
    values = {
        "title": "公民科学素质测试",
        "subtitle": "",
        "issuer": "临江区科学技术协会",
        "url": "https://kp.example.cn/q/7K4M92XA",
        "address": "kp.example.cn",
        "code": "7K4M-92XA",
        "dates": "12月1日 周二 08:00 至 12月20日 周日 24:00",
        "terms": "不收费",
        "contact": "咨询 0571-0000",
        **changes,
    }
    figures = (("50", "题", "26 个基准都有"), ("60", "分钟", "断了可以接着答"), ("60", "分合格", "满分 100 分"))
    return Poster(**values, figures=figures, qr=qr_svg(values["url"]))


def read_codes(png: bytes) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(Image.open(io.BytesIO(png)).convert("L"))]


def test_the_page_gives_an_a4_sheet_whose_code_at_100_dpi_opens_the_delivery(app: Flask, db: Session) -> None:
    with transaction(db):
        unit = make_unit(db, name="临江区科学技术协会")
        delivery = make_delivery(db, unit, title="居民安全知识测试", poster_code="7K4M92XA", item_count=50)
    client = client_of(app, coordinator_of(unit))
    response = client.get(f"/deliveries/{delivery.id}/poster.pdf")
    assert response.status_code == 200
    assert response.mimetype == "application/pdf"
    assert 'filename="poster-7K4M92XA.pdf"' in response.headers["Content-Disposition"]
    document = pypdf.PdfReader(io.BytesIO(response.data))
    (page,) = document.pages
    assert (round(page.mediabox.width), round(page.mediabox.height)) == A4_POINTS
    text = "".join(page.extract_text().split())
    for words in (
        "居民安全知识测试",
        "7K4M-92XA",
        "临江区科学技术协会",
        "50题",
        "30分钟",
        "60分合格",
        "010-1",
        "localhost",
    ):
        assert words in text, text
    (picture,) = page_pictures(response.data)
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == ["http://localhost/q/7K4M92XA"]
    svg = client.get(f"/deliveries/{delivery.id}/qr.svg")
    assert svg.mimetype == "image/svg+xml"
    assert "style" not in svg.text


def test_black_and_white_print_can_be_read() -> None:
    grey = Image.open(io.BytesIO(poster_png(make_poster()))).convert("L")
    out = io.BytesIO()
    grey.save(out, "png")
    assert read_codes(out.getvalue()) == ["https://kp.example.cn/q/7K4M92XA"]


@settings(max_examples=15, deadline=None)
@given(title=st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=120))
def test_whatever_the_title_the_sheet_stays_one_page_and_its_code_readable(title: str) -> None:
    poster = make_poster(title=title)
    assert len(pypdf.PdfReader(io.BytesIO(poster_pdf(poster))).pages) == 1
    assert read_codes(poster_png(poster)) == [poster.url]


A5_POINTS = (420, 595)


@settings(max_examples=8, deadline=None)
@given(
    title=st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=120),
    subtitle=st.text(st.characters(codec="ascii", exclude_categories=["Cs", "Cc"]), max_size=160),
)
def test_whatever_the_titles_every_card_of_the_sheet_leads_there(title: str, subtitle: str) -> None:
    poster = make_poster(title=title, subtitle=subtitle)
    assert len(pypdf.PdfReader(io.BytesIO(cards_pdf(poster))).pages) == 1
    assert read_codes(cards_png(poster)) == [poster.url] * 10


def test_a5_and_cards_are_printed_in_both_languages_where_there_is_an_english_title(app: Flask, db: Session) -> None:
    with transaction(db):
        unit = make_unit(db, name="临江区科学技术协会")
        both = make_delivery(db, unit, title="居民安全知识测试", title_en="Safety quiz", poster_code="7K4M92XA")
        chinese = make_delivery(db, unit, title="居民安全知识测试", title_en=None)
    client = client_of(app, coordinator_of(unit))
    for name, size, codes in (("poster.pdf?size=a5", A5_POINTS, 1), ("cards.pdf", A4_POINTS, 10)):
        content = client.get(f"/deliveries/{both.id}/{name}").data
        (page,) = pypdf.PdfReader(io.BytesIO(content)).pages
        assert (round(page.mediabox.width), round(page.mediabox.height)) == size
        text = "".join(page.extract_text().split())
        assert all(words in text for words in ("居民安全知识测试", "Safetyquiz", "Scan", "7K4M-92XA")), text
        (picture,) = page_pictures(content)
        assert [one.text for one in zxingcpp.read_barcodes(picture)] == ["http://localhost/q/7K4M92XA"] * codes
        plain = pypdf.PdfReader(io.BytesIO(client.get(f"/deliveries/{chinese.id}/{name}").data)).pages[0]
        assert "Scan" not in plain.extract_text()
    assert client.get(f"/deliveries/{both.id}/poster.pdf?size=a0").status_code == 404


def test_nothing_typed_is_read_as_markup() -> None:
    text = pypdf.PdfReader(io.BytesIO(poster_pdf(make_poster(title='#panic("x") *粗* $1$')))).pages[0].extract_text()
    assert "#panic" in text
    assert "*粗*" in text


def test_without_a_chinese_face_there_is_a_page_with_the_cure_and_no_poster(
    app: Flask, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(db):
        unit = make_unit(db)
        delivery = make_delivery(db, unit, title="没有字体的海报")
    monkeypatch.setattr(typesetting, "FAMILIES", ("No such face",))
    with pytest.raises(FaceMissing):
        poster_pdf(make_poster(title="没有字体"))
    response = client_of(app, coordinator_of(unit)).get(f"/deliveries/{delivery.id}/poster.pdf")
    assert response.status_code == 503
    assert "make install" in response.text
