"""The import of units: bring a file, look at what was read, take it in."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import Invalid
from quizapp.core.scope import Permission
from quizapp.core.tables import MOST_BYTES
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_scope, requires, takes_files
from quizapp.jobs.models import Job
from quizapp.jobs.views import JobWords
from quizapp.organisation.forms import FileForm
from quizapp.organisation.imports import batches
from quizapp.organisation.imports.batches import APPLY_TASK, READ_TASK, UNITS, find_own_batch, get_own_batch
from quizapp.organisation.imports.pages import (
    Place,
    Steps,
    batch_page,
    chosen_columns,
    faults_file,
    show_refusal,
    stepped,
    template_file,
    upload_page,
)
from quizapp.organisation.imports.reach import reach_of
from quizapp.organisation.models import ImportBatch
from quizapp.organisation.queries import units_to_choose
from quizapp.organisation.views import bp

_OWN = Permission.MANAGE_UNITS


def _place() -> Place:
    return Place(
        heading=_("导入单位"),
        subtitle=_("从表格一次加很多单位"),
        steps=[(_("单位"), url_for("organisation.units"))],
        new=url_for("organisation.import_units"),
        template=url_for("organisation.unit_template"),
        done=url_for("organisation.units"),
        done_text=_("看单位"),
        endpoint="organisation.units",
    )


def _steps(batch: ImportBatch) -> Steps:
    def at(endpoint: str) -> str:
        return url_for(f"organisation.{endpoint}", public_id=batch.public_id)

    return Steps(
        at("unit_import"), at("unit_import_columns"), at("apply_unit_import"), at("drop_unit_import"), at("unit_faults")
    )


def _batch(public_id: str) -> ImportBatch:
    return get_own_batch(get_db(), public_id, kind=UNITS, actor=get_actor())


@bp.get("/admin/units/template.xlsx")
@requires(_OWN)
def unit_template() -> Response:
    """A table to fill in."""
    return template_file(UNITS)


@bp.route("/admin/units/import", methods=["GET", "POST"])
@requires(_OWN)
@takes_files(MOST_BYTES)
def import_units() -> str | BaseResponse | tuple[str, int]:
    """Bring a file; `after` is the import that it corrects."""
    db, actor, scope = get_db(), get_actor(), get_scope()
    form = FileForm()
    after = request.values.get("after", "")[:32]
    if form.validate_on_submit():
        tops = units_to_choose(db, scope, _OWN)
        whole = scope.covers(_OWN, None)
        try:
            with transaction(db):
                batch = batches.receive_file(
                    db,
                    form.file.data.read(MOST_BYTES + 1),
                    kind=UNITS,
                    target_id=None,
                    unit_id=None if whole or len(tops) != 1 else tops[0].id,
                    reach=reach_of(scope, _OWN),
                    after=find_own_batch(db, after, kind=UNITS, actor=actor) if after else None,
                    keys=get_keys(),
                    actor=actor,
                    now=get_now(),
                )
        except Invalid as error:
            show_refusal(form, error)
        else:
            return redirect(_steps(batch).show, 303)
    page = upload_page(_place(), form, UNITS, after or None)
    return (page, 422) if form.errors else page


@bp.get("/admin/units/import/<public_id>")
@requires(_OWN)
def unit_import(public_id: str) -> str:
    """Where it stands."""
    batch = _batch(public_id)
    return batch_page(get_db(), batch, _place(), _steps(batch))


@bp.get("/admin/units/import/<public_id>/faults.xlsx")
@requires(_OWN)
def unit_faults(public_id: str) -> Response:
    """Every row at fault."""
    return faults_file(_batch(public_id))


@bp.post("/admin/units/import/<public_id>/columns")
@requires(_OWN)
def unit_import_columns(public_id: str) -> BaseResponse:
    """Read it again with other columns."""
    db, batch = get_db(), _batch(public_id)
    columns, head_row = chosen_columns(batch)
    return stepped(
        lambda: batches.choose_columns(
            db,
            batch,
            columns=columns,
            head_row=head_row,
            reach=reach_of(get_scope(), _OWN),
            actor=get_actor(),
            now=get_now(),
        ),
        _steps(batch).show,
    )


@bp.post("/admin/units/import/<public_id>/apply")
@requires(_OWN)
def apply_unit_import(public_id: str) -> BaseResponse:
    """Take it in."""
    db, batch = get_db(), _batch(public_id)
    reach = reach_of(get_scope(), _OWN)
    return stepped(
        lambda: batches.ask_to_apply(db, batch, reach=reach, actor=get_actor(), now=get_now()), _steps(batch).show
    )


@bp.post("/admin/units/import/<public_id>/drop")
@requires(_OWN)
def drop_unit_import(public_id: str) -> BaseResponse:
    """Give it up."""
    db, batch = get_db(), _batch(public_id)
    return stepped(lambda: batches.drop_batch(db, batch, actor=get_actor(), now=get_now()), _steps(batch).show)


def job_words(job: Job) -> JobWords | None:
    """What the progress page says of such a job."""
    if job.name not in (READ_TASK[UNITS], APPLY_TASK[UNITS]):
        return None
    batch = get_db().get(ImportBatch, job.arguments["batch_id"])
    return JobWords(_("导入单位"), _("看结果"), _steps(batch).show) if batch else None
