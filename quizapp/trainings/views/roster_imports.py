"""A file of people for a roster: bring it, look at what was read, take it in."""

from __future__ import annotations

from flask import Response, flash, redirect, request, url_for
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
from quizapp.organisation.imports.batches import APPLY_TASK, READ_TASK, ROSTER, find_own_batch, get_own_batch
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
from quizapp.trainings import queries
from quizapp.trainings.errors import RosterFrozen, RosterNotKept
from quizapp.trainings.models import TrainingSession
from quizapp.trainings.services.rosters import check_roster
from quizapp.trainings.views import bp
from quizapp.ui.words import words_for

_OWN = Permission.RUN_SESSIONS


def _place(session: TrainingSession) -> Place:
    back = url_for("trainings.roster", session_id=session.id)
    return Place(
        heading=_("导入名册"),
        subtitle=session.title,
        steps=[
            (_("培训场次"), url_for("trainings.sessions")),
            (session.title, url_for("trainings.session", session_id=session.id)),
            (_("名册"), back),
        ],
        new=url_for("trainings.import_roster", session_id=session.id),
        template=url_for("trainings.roster_template"),
        done=back,
        done_text=_("看名册"),
        endpoint="trainings.sessions",
    )


def _steps(batch: ImportBatch) -> Steps:
    def at(endpoint: str) -> str:
        return url_for(f"trainings.{endpoint}", session_id=batch.target_id, public_id=batch.public_id)

    return Steps(
        at("roster_import"),
        at("roster_import_columns"),
        at("apply_roster_import"),
        at("drop_roster_import"),
        at("roster_faults"),
    )


def _batch(session_id: int, public_id: str) -> tuple[TrainingSession, ImportBatch]:
    db = get_db()
    session = queries.get_session(db, get_scope(), session_id)
    return session, get_own_batch(db, public_id, kind=ROSTER, actor=get_actor(), target_id=session.id)


@bp.get("/sessions/roster-template.xlsx")
@requires(_OWN)
def roster_template() -> Response:
    """A table to fill in."""
    return template_file(ROSTER)


@bp.route("/sessions/<int:session_id>/roster/import", methods=["GET", "POST"])
@requires(_OWN)
@takes_files(MOST_BYTES)
def import_roster(session_id: int) -> str | BaseResponse | tuple[str, int]:
    """Bring a file; `after` is the import that it corrects."""
    db, actor, scope = get_db(), get_actor(), get_scope()
    session = queries.get_session(db, scope, session_id)
    form = FileForm()
    after = request.values.get("after", "")[:32]
    try:
        check_roster(session)
    except (RosterFrozen, RosterNotKept) as error:
        flash(words_for(error), "attention")
        return redirect(url_for("trainings.roster", session_id=session_id), 303)
    if form.validate_on_submit():
        earlier = find_own_batch(db, after, kind=ROSTER, actor=actor, target_id=session.id) if after else None
        try:
            with transaction(db):
                batch = batches.receive_file(
                    db,
                    form.file.data.read(MOST_BYTES + 1),
                    kind=ROSTER,
                    target_id=session.id,
                    unit_id=session.unit_id,
                    reach=reach_of(scope, _OWN),
                    after=earlier,
                    keys=get_keys(),
                    actor=actor,
                    now=get_now(),
                )
        except Invalid as error:
            show_refusal(form, error)
        else:
            return redirect(_steps(batch).show, 303)
    page = upload_page(_place(session), form, ROSTER, after or None)
    return (page, 422) if form.errors else page


@bp.get("/sessions/<int:session_id>/roster/import/<public_id>")
@requires(_OWN)
def roster_import(session_id: int, public_id: str) -> str:
    """Where it stands."""
    session, batch = _batch(session_id, public_id)
    return batch_page(get_db(), batch, _place(session), _steps(batch))


@bp.get("/sessions/<int:session_id>/roster/import/<public_id>/faults.xlsx")
@requires(_OWN)
def roster_faults(session_id: int, public_id: str) -> Response:
    """Every row at fault."""
    return faults_file(_batch(session_id, public_id)[1])


@bp.post("/sessions/<int:session_id>/roster/import/<public_id>/columns")
@requires(_OWN)
def roster_import_columns(session_id: int, public_id: str) -> BaseResponse:
    """Read it again with other columns."""
    db, (_session, batch) = get_db(), _batch(session_id, public_id)
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


@bp.post("/sessions/<int:session_id>/roster/import/<public_id>/apply")
@requires(_OWN)
def apply_roster_import(session_id: int, public_id: str) -> BaseResponse:
    """Take it in."""
    db, (_session, batch) = get_db(), _batch(session_id, public_id)
    reach = reach_of(get_scope(), _OWN)
    return stepped(
        lambda: batches.ask_to_apply(db, batch, reach=reach, actor=get_actor(), now=get_now()), _steps(batch).show
    )


@bp.post("/sessions/<int:session_id>/roster/import/<public_id>/drop")
@requires(_OWN)
def drop_roster_import(session_id: int, public_id: str) -> BaseResponse:
    """Give it up."""
    db, (_session, batch) = get_db(), _batch(session_id, public_id)
    return stepped(lambda: batches.drop_batch(db, batch, actor=get_actor(), now=get_now()), _steps(batch).show)


def job_words(job: Job) -> JobWords | None:
    """What the progress page says of such a job."""
    if job.name not in (READ_TASK[ROSTER], APPLY_TASK[ROSTER]):
        return None
    batch = get_db().get(ImportBatch, job.arguments["batch_id"])
    return JobWords(_("导入名册"), _("看结果"), _steps(batch).show) if batch else None
