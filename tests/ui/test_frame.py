"""Headers, preferences, languages, error pages, and the serving of built files."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from quizapp.core.errors import DomainError
from quizapp.ui.preferences import safe_next
from quizapp.ui.words import STATUS_WORDS, words_for

PAGES = ("parts", "question", "forms?errors=1", "home", "result", "practice", "desk", "checkin", "create")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_one_document_with_one_title_and_one_h1(visitor: FlaskClient, page: str) -> None:
    import html5lib

    reply = visitor.get(f"/ui/gallery/{page}")
    text = reply.get_data(as_text=True)
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    document = parser.parse(text)
    # html5lib is older than <dialog> and autocomplete of closing p; what it does report must be none of nesting or duplicates.
    assert [error for error in parser.errors if "duplicate" in error[1] or "unexpected-end" in error[1]] == []
    assert len(document.findall(".//h1")) == 1
    assert document.findtext(".//title")
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)


def test_every_page_carries_the_policy_and_its_companions(visitor: FlaskClient) -> None:
    headers = visitor.get("/ui/gallery/home").headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "report-uri /csp" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Permissions-Policy"].startswith("camera=(self)")
    assert headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in headers["Vary"]


def test_reports_are_kept_in_tests_only(gallery: Flask) -> None:
    visitor = gallery.test_client()
    body = {"csp-report": {"effective-directive": "style-src-attr", "blocked-uri": "inline", "script-sample": "secret"}}
    assert visitor.post("/csp", json=body, content_type="application/csp-report").status_code == 204
    assert visitor.get("/csp").get_json() == [{"effective-directive": "style-src-attr", "blocked-uri": "inline"}]
    assert visitor.post("/csp", data=b"no json").status_code == 204
    assert visitor.post("/csp", data=b"x" * 30_000).status_code == 413
    gallery.testing = False
    assert visitor.get("/csp").status_code == 404


def test_the_switches_work_without_scripts_and_come_back(visitor: FlaskClient) -> None:
    reply = visitor.post("/preferences", data={"elder": "1", "next": "/ui/gallery/home?a=1"})
    assert reply.status_code == 303
    assert reply.location == "/ui/gallery/home?a=1"
    cookie = reply.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    page = visitor.get("/ui/gallery/home").get_data(as_text=True)
    assert re.search(r"<html[^>]* data-elder", page)
    assert "标准版" in page
    visitor.post("/preferences", data={"text": "largest", "lang": "en", "elder": "0"})
    page = visitor.get("/ui/gallery/home").get_data(as_text=True)
    assert re.search(r'<html lang="en" data-text="largest">', page)


def test_a_preference_that_does_not_exist_is_ignored(visitor: FlaskClient) -> None:
    reply = visitor.post("/preferences", data={"text": "huge", "lang": "fr", "elder": "yes"})
    assert "Set-Cookie" not in reply.headers


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "\\\\evil",
        "/\\evil",
        "http:evil",
        "evil",
        "",
        "/a\nb",
    ],
)
def test_next_never_leads_elsewhere(gallery: Flask, address: str) -> None:
    with gallery.test_request_context():
        assert safe_next(address, "/safe") == "/safe"


@given(st.text(max_size=40))
def test_whatever_next_holds_the_answer_is_a_path_of_ours(address: str) -> None:
    from tests.ui.gallery import make_gallery

    app = _kept.setdefault("app", make_gallery())
    with app.test_request_context():
        target = safe_next(address)
        assert target.startswith("/")
        assert not target.startswith(("//", "/\\"))


_kept: dict[str, Flask] = {}


@pytest.mark.parametrize(
    ("headers", "lang"),
    [
        ({}, "zh-CN"),
        ({"Accept-Language": "en-GB,en;q=0.8"}, "en"),
        ({"Accept-Language": "fr"}, "zh-CN"),
        ({"Accept-Language": "zh-TW,en;q=0.5"}, "zh-CN"),
        ({"Accept-Language": "en", "lang": "zh"}, "zh-CN"),
        ({"lang": "en"}, "en"),
    ],
)
def test_the_language_is_the_cookies_then_the_browsers_then_chinese(
    visitor: FlaskClient, headers: dict[str, str], lang: str
) -> None:
    headers = dict(headers)
    if "lang" in headers:
        visitor.set_cookie("lang", headers.pop("lang"))
    assert f'<html lang="{lang}"' in visitor.get("/ui/gallery/home", headers=headers).get_data(as_text=True)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 429, 500, 503])
def test_an_error_page_says_what_failed_and_what_to_do(visitor: FlaskClient, status: int) -> None:
    reply = visitor.get(f"/refuse/{status}")
    page = reply.get_data(as_text=True)
    assert reply.status_code == status
    assert str(STATUS_WORDS[status][0]) in page
    assert str(STATUS_WORDS[status][1]) in page
    assert "回首页" in page
    assert ("错误号" in page) is (status >= 500)


def test_a_crash_shows_a_number_and_nothing_of_its_cause(gallery: Flask) -> None:
    gallery.config["PROPAGATE_EXCEPTIONS"] = False
    reply = gallery.test_client().get("/refuse/crash")
    assert reply.status_code == 500
    assert "错误号" in reply.get_data(as_text=True)
    assert "ValueError" not in reply.get_data(as_text=True)


def test_a_script_gets_the_refusal_as_json(visitor: FlaskClient) -> None:
    reply = visitor.get("/refuse/many", headers={"Accept": "application/json"})
    assert reply.status_code == 429
    assert reply.headers["Retry-After"] == "30"
    assert reply.get_json() == {"error": {"code": "too_many", "message": "试的次数太多。过 30 秒再试。"}}
    assert visitor.get("/refuse/conflict").mimetype == "text/html"


def test_a_refusal_without_words_falls_back_to_its_status(gallery: Flask) -> None:
    class Unheard(DomainError):
        code = "unheard"
        status = 409

    with gallery.test_request_context():
        assert words_for(Unheard()) == str(STATUS_WORDS[409][1])


def test_built_files_never_change_under_their_name(gallery: Flask, visitor: FlaskClient) -> None:
    page = visitor.get("/ui/gallery/home").get_data(as_text=True)
    for address, kind in ((r"/static/app\.\w+\.css", "text/css"), (r"/static/app\.\w+\.js", "text/javascript")):
        found = re.search(address, page)
        assert found is not None
        reply = visitor.get(found[0], headers={"Accept-Encoding": "br"})
        assert reply.status_code == 200
        assert reply.headers["Content-Encoding"] == "br"
        assert reply.headers["Content-Type"].startswith(kind)
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "immutable" in reply.headers["Cache-Control"]
        assert "max-age=31536000" in reply.headers["Cache-Control"]
        reply.close()
    assert visitor.get("/static/app.js").status_code == 404


def test_the_service_worker_stands_at_the_root_and_knows_this_build(gallery: Flask, visitor: FlaskClient) -> None:
    reply = visitor.get("/sw.js")
    text = reply.get_data(as_text=True)
    assert reply.mimetype == "text/javascript"
    assert reply.headers["Cache-Control"] == "no-cache"
    assert re.search(r"/static/app\.\w{10}\.css", text)
    assert "__" not in text
    gallery.extensions["quizapp_assets"].manifest["app.css"] = "app.0123456789.css"
    versions = [re.search(r"static-(\w+)", body) for body in (text, visitor.get("/sw.js").get_data(as_text=True))]
    assert versions[0] is not None
    assert versions[1] is not None
    assert versions[0][1] != versions[1][1]


def test_a_page_without_a_build_says_how_to_get_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.ui.gallery import make_gallery

    visitor = make_gallery(dist=tmp_path_factory.mktemp("empty")).test_client()
    with pytest.raises(RuntimeError, match="make install"):
        visitor.get("/ui/gallery/home")


@pytest.mark.parametrize("state", ["right", "wrong", "missed"])
def test_a_verdict_is_a_word_and_not_a_colour_alone(visitor: FlaskClient, state: str) -> None:
    word = {"right": "正确", "wrong": "您选的", "missed": "正确，您没选"}[state]
    page = visitor.get("/ui/gallery/parts").get_data(as_text=True)
    card = page[page.index(f'class="choice choice-{state}') :]
    assert word in card[: card.index("</div>")]


def test_the_legend_of_the_grid_counts_every_question(visitor: FlaskClient) -> None:
    page = visitor.get("/ui/gallery/question").get_data(as_text=True)
    # what waits counts as answered, and is named beside it
    counts = re.findall(r'data-legend="(open|answered|refused)".*?data-count>(\d+)<', page, re.DOTALL)
    assert sum(int(count) for _, count in counts) == 50
    assert 'aria-label="第 7 题，未答，已标记"' in page


def test_errors_lead_to_their_fields(visitor: FlaskClient) -> None:
    page = visitor.get("/ui/gallery/forms?errors=1").get_data(as_text=True)
    targets = re.findall(r'<li><a href="#([\w-]+)">', page)
    assert targets
    assert all(f'id="{target}"' in page for target in targets)
    assert 'aria-invalid="true"' in page
