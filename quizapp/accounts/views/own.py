"""One's own account: where it is signed in, and its second factor."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import queries, services
from quizapp.accounts.device_words import device_words
from quizapp.accounts.forms import CodeForm
from quizapp.accounts.models import Account
from quizapp.accounts.services import second_factor as factors
from quizapp.accounts.views import bp
from quizapp.accounts.web import factor_mode, own_sign_in
from quizapp.core.db import transaction
from quizapp.core.web import get_actor, get_db, get_now, signed_in


@bp.get("/me/account")
@signed_in
def security() -> str:
    """Where one is signed in, and the second factor."""
    return security_page(CodeForm(formdata=None), 0)


@bp.post("/me/account/sign-ins/<int:session_id>/end")
@signed_in
def end_sign_in_elsewhere(session_id: int) -> BaseResponse:
    """End one sign-in; the own one is a sign-out."""
    db = get_db()
    with transaction(db):
        services.end_session(db, session_id=session_id, actor=get_actor(), now=get_now())
    flash(_("已退出那一处登录"), "success")
    return redirect(url_for("accounts.security"), 303)


@bp.post("/me/account/sign-ins/end-others")
@signed_in
def end_other_sign_ins() -> BaseResponse:
    """End all but the own one."""
    db, own = get_db(), own_sign_in()
    with transaction(db):
        count = services.end_other_sessions(db, kept_id=own.id if own else None, actor=get_actor(), now=get_now())
    flash(_("已退出别处的 %(count)s 个登录", count=count), "success")
    return redirect(url_for("accounts.security"), 303)


def security_page(form: CodeForm, wait: int) -> str:
    """The page, with what was refused."""
    db, own = get_db(), own_sign_in()
    account = db.get_one(Account, get_actor().account_id or 0)
    mode = factor_mode()
    enrolled = mode != "off" and factors.has_second_factor(db, account.id)
    return render_template(
        "accounts/security.html",
        form=form,
        wait=wait,
        account=account,
        rows=[
            {"row": row, "device": device_words(row.device), "own": own is not None and row.id == own.id}
            for row in queries.list_sign_ins(db, account, get_now())
        ],
        offered=mode != "off" and factors.is_staff(db, account.id),
        enrolled=enrolled,
        required=mode == "required",
        codes_left=factors.codes_left(db, account.id) if enrolled else 0,
    )
