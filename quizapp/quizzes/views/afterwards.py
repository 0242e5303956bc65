"""Staff pages of a delivery's corrections, of its later end, and of whose result changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than the types

from quizapp.accounts.queries import names_of
from quizapp.audit.services import record
from quizapp.banks.models import ItemType, ItemVersion
from quizapp.core.clock import LOCAL_ZONE
from quizapp.core.db import transaction
from quizapp.core.errors import Invalid, NotFound
from quizapp.core.scope import Permission
from quizapp.core.spreadsheet import Column, Kind, write_xlsx
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.quizzes.forms.afterwards import CorrectionForm, ExtendForm
from quizapp.quizzes.queries.afterwards import (
    PAGE_SIZE,
    corrections_of,
    items_of_delivery,
    list_changes,
)
from quizapp.quizzes.queries.deliveries import get_delivery_in_scope, running_count
from quizapp.quizzes.services.extending import extend_delivery
from quizapp.quizzes.services.proposals import accepted_now, confirm_correction, drop_correction, propose_correction
from quizapp.quizzes.views import bp
from quizapp.quizzes.views.delivery_words import delivery_title
from quizapp.quizzes.views.shortfall_words import type_words
from quizapp.ui.filters import format_moment, lang_text

OWN = Permission.MANAGE_DELIVERIES
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.route("/deliveries/<int:delivery_id>/extend", methods=["GET", "POST"])
@requires(OWN)
def extend(delivery_id: int) -> str | BaseResponse | tuple[str, int]:
    """Move the end to later."""
    db = get_db()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    form = ExtendForm()
    if form.validate_on_submit():
        try:
            with transaction(db):
                extend_delivery(db, found.id, closes_at=_local(form), actor=get_actor(), now=get_now())
        except Invalid as refusal:
            if not form.show(refusal):
                raise
        else:
            flash(_("已延长。赶在新的截止前迟到的作答正在算进来。"), "success")
            return redirect(url_for("quizzes.delivery", delivery_id=delivery_id), 303)
        found = get_delivery_in_scope(db, get_scope(), delivery_id)
    page = render_template(
        "quizzes/staff/extend.html",
        form=form,
        delivery=found,
        title=delivery_title(found),
        running=running_count(db, found.id),
    )
    return (page, 422) if form.errors else page


def _local(form: ExtendForm) -> datetime:
    """The typed end as an instant; the form has checked that there is one."""
    typed = form.closes_at.data
    return typed.replace(tzinfo=LOCAL_ZONE) if typed else get_now()


@bp.get("/deliveries/<int:delivery_id>/corrections")
@requires(OWN)
def corrections(delivery_id: int) -> str:
    """The items of a delivery with what is right today, and the corrections that were proposed."""
    db = get_db()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    rows = corrections_of(db, found.id)
    items = items_of_delivery(db, found.id)
    current = {row.item_version_id: row.accepted for row in reversed(rows) if row.state == "confirmed"}
    return render_template(
        "quizzes/staff/corrections.html",
        delivery=found,
        title=delivery_title(found),
        rows=rows,
        items=items,
        codes={version.id: code for version, code in items},
        current=current,
        names=names_of(db, {one for row in rows for one in (row.proposed_by, row.decided_by)}),
        answer_words=answer_words,
        accepted_words=accepted_words,
        type_words=type_words(),
        own_id=get_actor().account_id,
    )


@bp.route("/deliveries/<int:delivery_id>/corrections/<int:version_id>", methods=["GET", "POST"])
@requires(OWN)
def correction(delivery_id: int, version_id: int) -> str | BaseResponse | tuple[str, int]:
    """Propose a correction of an item's key."""
    db = get_db()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    version, code = next(((v, c) for v, c in items_of_delivery(db, found.id) if v.id == version_id), (None, ""))
    if version is None:
        raise NotFound
    several = version.type == ItemType.MULTIPLE_CHOICE
    current = accepted_now(db, found.id, version)
    first, *more = current
    chosen = (
        {"accepted": first, "also": more[0] if more else []}
        if several
        else {"accepted": [answer[0] for answer in current]}
    )
    form = CorrectionForm(data=chosen)
    options = [SelectChoice(option["id"], option_words(version, option["id"])) for option in version.options]
    form.accepted.choices = form.also.choices = options
    if not several:
        del form.also
    if form.validate_on_submit():
        picked = form.accepted.data or []
        accepted = [picked, form.also.data or []] if several else [[one] for one in picked]
        try:
            with transaction(db):
                propose_correction(
                    db,
                    delivery=found,
                    item_version_id=version_id,
                    accepted=accepted,
                    reason=form.reason.data or "",
                    actor=get_actor(),
                    now=get_now(),
                )
        except Invalid as refusal:
            if not form.show(refusal):
                raise
        else:
            flash(_("已提出。另一个人复核以后才生效。"), "success")
            return redirect(url_for("quizzes.corrections", delivery_id=delivery_id), 303)
        found = get_delivery_in_scope(db, get_scope(), delivery_id)
    page = render_template(
        "quizzes/staff/correction.html",
        form=form,
        delivery=found,
        title=delivery_title(found),
        version=version,
        code=code,
        current=current,
        accepted_words=accepted_words,
        several=several,
    )
    return (page, 422) if form.errors else page


@bp.post("/deliveries/<int:delivery_id>/corrections/<int:correction_id>/<any(confirm, drop):decision>")
@requires(OWN)
def decide_correction(delivery_id: int, correction_id: int, decision: str) -> BaseResponse:
    """Confirm somebody else's correction, or refuse it; take back one's own."""
    db = get_db()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    with transaction(db):
        if decision == "confirm":
            confirm_correction(db, correction_id, delivery=found, actor=get_actor(), now=get_now())
        else:
            drop_correction(db, correction_id, delivery=found, actor=get_actor(), now=get_now())
    flash(_("已更正，正在重新评分。") if decision == "confirm" else _("没有更正。"), "success")
    return redirect(url_for("quizzes.corrections", delivery_id=delivery_id), 303)


@bp.get("/deliveries/<int:delivery_id>/changes")
@requires(OWN)
def changes(delivery_id: int) -> str:
    """Whose result changed."""
    db = get_db()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    page = max(1, request.args.get("page", 1, type=int))
    rows, total = list_changes(db, get_scope(), found.id, page=page)
    return render_template(
        "quizzes/staff/changes.html",
        delivery=found,
        title=delivery_title(found),
        rows=rows,
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE_SIZE)),
        page_url=lambda number: url_for("quizzes.changes", delivery_id=delivery_id, page=number),
        cause_words=cause_words(),
        result_words=result_words,
    )


@bp.get("/deliveries/<int:delivery_id>/changes.xlsx")
@requires(OWN)
def changes_xlsx(delivery_id: int) -> BaseResponse:
    """The same as a workbook; with names, so it is written into the log."""
    db, now = get_db(), get_now()
    found = get_delivery_in_scope(db, get_scope(), delivery_id)
    rows, total = list_changes(db, get_scope(), found.id, page=None)
    words = cause_words()
    columns = (
        Column(_("姓名"), Kind.TEXT, 12),
        Column(_("当天单位"), Kind.TEXT, 26),
        Column(_("答卷号"), Kind.TEXT, 20),
        Column(_("原因"), Kind.TEXT, 12),
        Column(_("原来得分"), Kind.WHOLE, 10),
        Column(_("现在得分"), Kind.WHOLE, 10),
        Column(_("原来结果"), Kind.TEXT, 10),
        Column(_("现在结果"), Kind.TEXT, 10),
        Column(_("时间"), Kind.MOMENT, 18),
    )
    cells = [
        (
            row.person.name if row.person else None,
            row.unit.name if row.unit else None,
            row.attempt.public_id,
            words[change.cause],
            change.before["score"],
            change.after["score"],
            result_words(change.before),
            result_words(change.after),
            change.at,
        )
        for change, row in rows
    ]
    facts = [
        (_("测验"), delivery_title(found)),
        (_("条数"), str(total)),
        (_("导出时间"), format_moment(now, words=False)),
        (_("导出人"), get_actor().name),
    ]
    content = write_xlsx(columns, cells, title=_("结果有变的人"), facts_title=_("说明"), facts=facts)
    with transaction(db):
        record(
            db,
            actor=get_actor(),
            action="result_changes_exported",
            object_type="delivery",
            object_id=found.id,
            unit_id=found.unit_id,
            details={"rows": len(cells), "personal_data": True},
            now=now,
        )
    response = Response(content, mimetype=XLSX)
    response.headers.set("Content-Disposition", "attachment", filename=f"changes-{found.poster_code}.xlsx")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def option_words(version: ItemVersion, option: str) -> str:
    """The text of an option."""
    if version.type == ItemType.TRUE_FALSE:
        return str(_("对")) if option == "t" else str(_("错"))
    return next((lang_text(one) for one in version.options if one["id"] == option), option)


def answer_words(version: ItemVersion, answer: list[str]) -> str:
    """An answer: the texts of its options."""
    return "；".join(option_words(version, option) for option in answer)


def accepted_words(version: ItemVersion, accepted: list[list[str]]) -> str:
    """All answers that are right."""
    return str(_(" 或 ")).join(answer_words(version, answer) for answer in accepted)


def cause_words() -> dict[str, str]:
    """Why a result changed."""
    return {"correction": _("答案更正"), "extension": _("截止延长"), "voided": _("作废")}


def result_words(result: dict[str, Any]) -> str:
    """What a result was: passed, not passed, void."""
    if result["state"] == "void":
        return str(_("作废"))
    return str(_("合格")) if result["passed"] else str(_("未合格"))
