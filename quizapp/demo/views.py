"""The chooser of demo roles. It is there for whoever sits at this machine, and for nobody else."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts.web import keep_sign_in, new_sign_in
from quizapp.config import Settings, is_loopback
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.proxies import SOCKET_ADDRESS
from quizapp.core.web import get_db, get_keys, get_now, get_runtime, public
from quizapp.demo.queries import demo_facts, demo_roles, find_demo_account
from quizapp.ui.setup import staff_navigation

bp = Blueprint("demo", __name__, template_folder="templates")

#: Host names by which somebody at this machine calls it.
_OWN_HOSTS = ("localhost", "127.0.0.1", "[::1]")

#: Role → its word, icon, what it can do here, the words of its button.
ROLE_WORDS: dict[str, tuple[Any, str, Any, Any]] = {
    "resident": (_l("居民"), "user", _l("手机上答题、练习、签到"), _l("以居民身份进入")),
    "trainer": (_l("培训教师"), "presentation", _l("投屏签到码，看谁到了，交签到表"), _l("以培训教师身份进入")),
    "coordinator": (_l("单位管理员"), "chart-column", _l("安排测验、看合格率、导出表格"), _l("以单位管理员身份进入")),
    "leader": (
        _l("领导（只看汇总）"),
        "building-2",
        _l("看全区的合格率和参与情况，没有单个人的数据"),
        _l("以领导身份进入"),
    ),
    "editor": (_l("命题员"), "file-text", _l("以命题员的身份浏览"), _l("以命题员身份进入")),
    "reviewer": (_l("审题员"), "list-checks", _l("以审题员的身份浏览"), _l("以审题员身份进入")),
    "administrator": (_l("管理员"), "settings", _l("管单位、账号和授权，查操作记录"), _l("以管理员身份进入")),
}


def is_served(settings: Settings, environ: dict[str, Any]) -> bool:
    """Whether a request may sign in without a password: the demo, a loopback socket at both ends, no proxy, our own name as host."""
    peer = environ.get(SOCKET_ADDRESS) or environ.get("REMOTE_ADDR") or ""
    if not settings.demo or not is_loopback(settings.host) or not is_loopback(peer):
        return False
    if any(name in ("HTTP_FORWARDED", "HTTP_VIA") or name.startswith("HTTP_X_FORWARDED_") for name in environ):
        return False
    name, _, port = str(environ.get("HTTP_HOST") or "").lower().partition("]")
    if name.startswith("["):
        host, port = f"{name}]", port.removeprefix(":")
    else:
        host, _, port = name.partition(":")
    return host in _OWN_HOSTS and (not port or port.isdecimal())


def _check() -> None:
    if not is_served(get_runtime().settings, request.environ):
        raise NotFound


@bp.get("/demo")
@public
def chooser() -> str:
    """The roles, one click each."""
    _check()
    return render_template(
        "demo/chooser.html", roles=demo_roles(), words=ROLE_WORDS, facts=demo_facts(get_db(), to_ms(get_now()))
    )


@bp.post("/demo/sign-in")
@public
def sign_in() -> BaseResponse:
    """Sign in as a role of the demo, without a password; staff come to their desk."""
    _check()
    account = find_demo_account(get_db(), get_keys(), request.form.get("role", ""))
    if account is None:
        raise NotFound
    with transaction(get_db()):
        secret = new_sign_in(account)
    keep_sign_in(secret)
    desk = [url for _group, entries in staff_navigation() for _entry, url in entries]
    return redirect(desk[0] if desk else url_for("portal.home"), 303)
