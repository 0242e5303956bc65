"""The staff's accounts: list, make, grant, revoke, suspend, hand over a set-up link."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types

from quizapp.accounts import queries, services
from quizapp.accounts.device_words import device_words
from quizapp.accounts.errors import UnitNeeded
from quizapp.accounts.forms import ROLE_WORDS, GrantForm, StaffForm
from quizapp.accounts.models import Account
from quizapp.accounts.services.second_factor import has_second_factor, reset_second_factor
from quizapp.accounts.views import bp
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.phones import mask_phone
from quizapp.core.scope import Permission, Role
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, get_scope, requires
from quizapp.organisation.models import Industry, OrgUnit
from quizapp.organisation.queries import find_open_unit, get_industry, list_industries
from quizapp.organisation.web import PickedUnit


@bp.get("/admin/accounts")
@requires(Permission.MANAGE_ACCOUNTS)
def accounts() -> str:
    """The accounts of the own units; residents too when asked for."""
    args = request.args
    role = Role(args["role"]) if args.get("role") in set(Role) else None
    residents = args.get("who") == "all"
    after = args.get("after", 0, type=int)
    rows = queries.list_accounts(
        get_db(),
        get_scope(),
        keys=get_keys(),
        text=args.get("q", ""),
        role=role,
        residents=residents,
        after_id=after,
        limit=queries.PAGE + 1,
    )
    return render_template(
        "accounts/accounts.html",
        rows=rows[: queries.PAGE],
        more=rows[queries.PAGE - 1].account.id if len(rows) > queries.PAGE else None,
        roles=ROLE_WORDS,
        role=role.value if role else "",
        who="all" if residents else "",
        text=args.get("q", ""),
    )


@bp.route("/admin/accounts/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_ACCOUNTS)
def new_account() -> str | Response | tuple[str, int]:
    """Make a staff account with its first grant; the answer is the set-up link, shown once."""
    db = get_db()
    form = StaffForm()
    unit = _prepare(form)
    if not unit.searching and form.validate_on_submit():
        try:
            chosen, industry = _reach(form, unit)
            with transaction(db):
                account, secret = services.create_staff_account(
                    db,
                    username=form.username.data or "",
                    name=form.name.data or "",
                    role=Role(form.role.data),
                    unit=chosen,
                    industry=industry,
                    actor=get_actor(),
                    now=get_now(),
                )
        except DomainError as error:
            form.show(error)
        else:
            return _link_page(account, form.name.data or "", secret)
    page = render_template("accounts/new_account.html", form=form, unit=unit, all_allowed=_all_allowed())
    return (page, 422) if form.errors else page


@bp.get("/admin/accounts/<int:account_id>")
@requires(Permission.MANAGE_ACCOUNTS)
def account(account_id: int) -> str:
    """One account: who it is, its grants, what can be done."""
    return _account_page(account_id, GrantForm(formdata=None))


@bp.post("/admin/accounts/<int:account_id>/grants")
@requires(Permission.MANAGE_ACCOUNTS)
def add_grant(account_id: int) -> str | BaseResponse | tuple[str, int]:
    """Grant a role at a unit."""
    db = get_db()
    row = queries.get_account(db, get_scope(), account_id)
    form = GrantForm()
    unit = _prepare(form)
    if unit.searching:
        return _account_page(account_id, form)
    if form.validate_on_submit():
        try:
            chosen, industry = _reach(form, unit)
            with transaction(db):
                services.create_grant(
                    db,
                    account=row.account,
                    role=Role(form.role.data),
                    unit=chosen,
                    industry=industry,
                    actor=get_actor(),
                    now=get_now(),
                )
        except DomainError as error:
            form.show(error)
        else:
            flash(_("已授权，对方下次打开页面就生效"), "success")
            return _back(account_id)
    return _account_page(account_id, form), 422


@bp.post("/admin/accounts/<int:account_id>/grants/<int:grant_id>/revoke")
@requires(Permission.MANAGE_ACCOUNTS)
def revoke_grant(account_id: int, grant_id: int) -> BaseResponse:
    """Take a grant back."""
    db = get_db()
    row = queries.get_account(db, get_scope(), account_id)
    with transaction(db):
        services.revoke_grant(db, account=row.account, grant_id=grant_id, actor=get_actor(), now=get_now())
    flash(_("已收回授权"), "success")
    # an account whose last grant in reach is gone may have left the scope
    try:
        queries.get_account(db, get_scope(), account_id)
    except DomainError:
        return redirect(url_for("accounts.accounts"), 303)
    return _back(account_id)


@bp.post("/admin/accounts/<int:account_id>/suspend")
@requires(Permission.MANAGE_ACCOUNTS)
def suspend(account_id: int) -> BaseResponse:
    """End all its sign-ins."""
    db = get_db()
    row = queries.get_account(db, get_scope(), account_id)
    with transaction(db):
        services.suspend_account(db, account=row.account, actor=get_actor(), now=get_now())
    flash(_("账号已停用"), "success")
    return _back(account_id)


@bp.post("/admin/accounts/<int:account_id>/restore")
@requires(Permission.MANAGE_ACCOUNTS)
def restore(account_id: int) -> BaseResponse:
    """Let it sign in again."""
    db = get_db()
    row = queries.get_account(db, get_scope(), account_id)
    with transaction(db):
        services.restore_account(db, account=row.account, actor=get_actor(), now=get_now())
    flash(_("账号已恢复"), "success")
    return _back(account_id)


@bp.post("/admin/accounts/<int:account_id>/sign-ins/end")
@requires(Permission.MANAGE_ACCOUNTS)
def end_sign_ins(account_id: int) -> BaseResponse:
    """End all its sign-ins; it may sign in again."""
    db = get_db()
    row = queries.get_account(db, get_scope(), account_id)
    with transaction(db):
        count = services.end_sessions_of(db, account=row.account, actor=get_actor(), now=get_now())
    flash(_("已让它退出 %(count)s 处登录", count=count), "success")
    return _back(account_id)


@bp.post("/admin/accounts/<int:account_id>/second-factor/reset")
@requires(Permission.MANAGE_ACCOUNTS)
def reset_factor(account_id: int) -> BaseResponse:
    """Take the second factor of somebody away who lost phone and codes."""
    db = get_db()
    row = queries.get_account(db, get_scope(), account_id)
    with transaction(db):
        reset_second_factor(db, account=row.account, actor=get_actor(), now=get_now())
    flash(_("两步验证已重置。对方下次登录只要密码，请当面确认是本人。"), "success")
    return _back(account_id)


@bp.post("/admin/accounts/<int:account_id>/link")
@requires(Permission.MANAGE_ACCOUNTS)
def set_up_link(account_id: int) -> Response:
    """A new link to set the password, to hand over; the page shows it once."""
    db = get_db()
    row = queries.get_account(db, get_scope(), account_id)
    with transaction(db):
        secret = services.make_set_up_link(db, account=row.account, actor=get_actor(), now=get_now())
    return _link_page(row.account, row.person.name, secret)


def unit_access(losing: list[int], gaining: list[int], own: list[int]) -> dict[str, list[dict[str, str]]]:
    """Whose grants stand at these units, as far as the visitor may see them (the slot "unit_access")."""
    db, scope = get_db(), get_scope()
    return {
        name: [
            {
                "name": row.person.name or _("没有姓名"),
                "role": str(ROLE_WORDS[Role(row.grant.role)]),
                "unit": row.unit.name,
            }
            for row in queries.grants_at(db, scope, unit_ids)
        ]
        for name, unit_ids in (("losing", losing), ("gaining", gaining), ("own", own))
    }


def _prepare(form: GrantForm) -> PickedUnit:
    """Offer today's industries and read the unit picker."""
    form.industry_id.choices = [
        SelectChoice("", _l("全部行业")),
        *(SelectChoice(str(i.id), i.name) for i in list_industries(get_db())),
    ]
    return PickedUnit.read(get_db(), form.unit_id)


def _reach(form: GrantForm, unit: PickedUnit) -> tuple[OrgUnit | None, Industry | None]:
    """The unit and industry that a form names; None stands for all. Raises UnitNeeded."""
    db = get_db()
    chosen = None
    if not form.all_units.data:
        chosen = find_open_unit(db, unit.unit_id) if unit.unit_id is not None else None
        if chosen is None:
            raise UnitNeeded(field="unit_id")
    return chosen, get_industry(db, int(form.industry_id.data)) if form.industry_id.data else None


def _all_allowed() -> bool:
    return services.may_grant(get_actor(), Role.TRAINER, None, None)


def _account_page(account_id: int, form: GrantForm) -> str:
    row = queries.get_account(get_db(), get_scope(), account_id)
    unit = _prepare(form)
    phone = get_keys().decrypt_phone(row.person.phone_encrypted) if row.person.phone_encrypted else None
    actor = get_actor()
    revocable = {
        g.grant.id
        for g in row.grants
        if services.may_grant(actor, Role(g.grant.role), g.unit.path if g.unit else None, g.grant.industry_id)
    }
    return render_template(
        "accounts/account.html",
        row=row,
        phone=mask_phone(phone) if phone else None,
        form=form,
        unit=unit,
        roles=ROLE_WORDS,
        all_allowed=_all_allowed(),
        revocable=revocable,
        in_reach=len(revocable) == len(row.grants),
        own=row.account.id == actor.account_id,
        sign_ins=[(device_words(one.device), one) for one in queries.list_sign_ins(get_db(), row.account, get_now())],
        factor=has_second_factor(get_db(), row.account.id),
    )


def _link_page(account: Account, name: str, secret: str) -> Response:
    link = f"{get_runtime().settings.public_url}{url_for('accounts.set_up', secret=secret)}"
    response = make_response(render_template("accounts/link.html", link=link, account=account, name=name, days=7))
    response.headers["Cache-Control"] = "no-store"
    return response


def _back(account_id: int) -> BaseResponse:
    return redirect(url_for("accounts.account", account_id=account_id), 303)
