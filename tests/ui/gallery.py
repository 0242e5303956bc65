"""An application with nothing but the look: every part in every state, for tests and for eyes.

python -m tests.ui.gallery        serves it on port 8900
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, abort, flash, jsonify, render_template, request
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import (
    BooleanField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Optional

from quizapp.core.errors import Conflict, TooMany
from quizapp.core.registry import NavigationEntry
from quizapp.core.scope import Permission
from quizapp.ui.build import DIST
from quizapp.ui.setup import init_ui

UNITS = [
    {"id": 1, "name": "紫兴社区", "path": "滨江街道", "kind": "社区"},
    {"id": 2, "name": "紫兴街道", "path": "临江区", "kind": "街道"},
    {"id": 3, "name": "紫兴路小学", "path": "紫兴街道", "kind": "学校"},
]
OPTIONS = ["打开抽油烟机，把气排出去", "关闭燃气阀门，打开门窗", "在屋里马上打电话报修", "开灯查看是哪里漏气"]


def pairs(texts: dict[str, str]) -> list[SelectChoice]:
    """Values and their texts as WTForms wants them."""
    return [SelectChoice(value, text) for value, text in texts.items()]


class GalleryForm(FlaskForm):
    """One field of each kind."""

    class Meta:
        """The gallery keeps nothing."""

        csrf = False

    name = StringField("姓名", [Optional()])
    phone = StringField("手机号", [DataRequired("手机号要有 11 位，现在是 9 位")])
    password = PasswordField("密码")
    limit = IntegerField("时限")
    tries = IntegerField("次数")
    quiz = SelectField("测验", choices=pairs({"1": "公民基本科学素质测试（2026 版）", "2": "居家用电用气安全测验"}))
    about = TextAreaField("说明", [Optional()])
    band = RadioField(
        "年龄段", choices=pairs({v: v for v in ("18–29", "30–39", "40–49", "50–59", "60–69", "70 及以上")})
    )
    shown = RadioField(
        "答完看什么", choices=pairs({"all": "成绩和每题解析", "score": "只看成绩", "later": "截止后再公布"})
    )
    asked = SelectMultipleField(
        "问答题人什么", choices=pairs({"unit": "单位", "sex": "性别", "name": "姓名（可不填）"})
    )
    agree = BooleanField("我看过数据说明，同意", [DataRequired("要同意才能开始")])
    unit_id = IntegerField("单位或社区")


def qr_svg() -> Markup:
    """A code as the features make it."""
    import qrcode
    from qrcode.image.svg import SvgPathImage

    code = qrcode.QRCode(border=4, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data("http://127.0.0.1:8000/q/7K4M92XA")
    return Markup(code.make_image(image_factory=SvgPathImage).to_string(encoding="unicode"))  # noqa: S704 # our own


def make_gallery(dist: Path = DIST) -> Flask:
    """The application."""
    app = Flask("gallery", static_folder=None, template_folder=str(Path(__file__).parent / "templates"))
    app.config.update(TESTING=True, SECRET_KEY="gallery", SERVER_NAME=None)
    init_ui(app, dist=dist)
    now = datetime(2026, 11, 27, 6, 0, tzinfo=UTC)

    def entry(endpoint: str, label: str, icon: str, group: str) -> tuple[NavigationEntry, str]:
        return NavigationEntry(endpoint, label, icon, group, Permission.SEE_FIGURES), f"/{endpoint}"

    navigation = [
        ("工作", [entry("overview", "总览", "chart-column", ""), entry("rates", "参与与合格率", "users", "")]),
        ("测验", [entry("deliveries", "测验安排", "send", ""), entry("banks", "题库", "library", "")]),
        ("名册", [entry("units", "单位与人员", "building-2", ""), entry("settings", "设置", "settings", "")]),
    ]

    def form(errors: bool) -> GalleryForm:
        made = GalleryForm(
            data={"quiz": "1", "limit": 40, "tries": 2, "shown": "all", "asked": ["unit"], "phone": "138 0000 0"}
        )
        if errors:
            made.process(data={"quiz": "1", "phone": "138 0000 0"})
            made.validate()
        return made

    @app.get("/ui/gallery/<page>")
    def gallery(page: str) -> str:
        if page not in ("parts", "question", "forms", "home", "result", "practice", "desk", "checkin", "create"):
            abort(404)
        if request.args.get("flash"):
            flash("已保存", "success")
        context: dict[str, Any] = {
            "form": form(bool(request.args.get("errors"))),
            "units": UNITS,
            "options": OPTIONS,
            "now": now,
            "start": now,
            "end": now + timedelta(minutes=90),
            "today": date(2026, 11, 27),
            "navigation": navigation,
            "current_endpoint": "rates",
            "qr": qr_svg(),
        }
        return render_template(f"gallery/{page}.html", **context)

    @app.get("/units/search")
    def units() -> Any:
        return jsonify([unit for unit in UNITS if request.args.get("q", "") in str(unit["name"])])

    @app.get("/refuse/<kind>")
    def refuse(kind: str) -> str:
        if kind == "conflict":
            raise Conflict
        if kind == "many":
            raise TooMany(wait_seconds=30)
        if kind == "crash":
            raise ValueError(kind)
        abort(int(kind))

    return app


if __name__ == "__main__":
    make_gallery().run(port=8900)
