"""Photos that show a session or its paper sheet: for whoever runs the session, and nobody else."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, NotFound
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, get_scope, requires, takes_files
from quizapp.files.photos import MOST_BYTES, kept_photo
from quizapp.files.services import read_file
from quizapp.trainings import queries
from quizapp.trainings.forms import EmptyForm, EvidenceForm
from quizapp.trainings.queries.lists import evidence_of, get_evidence
from quizapp.trainings.services import add_evidence, keep_evidence, remove_evidence
from quizapp.trainings.views import bp


@bp.route("/sessions/<int:session_id>/evidence", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
@takes_files(MOST_BYTES)
def evidence(session_id: int) -> str | BaseResponse | tuple[str, int]:
    """The photos of a session, and the form for another one."""
    db, now = get_db(), get_now()
    found = queries.get_session(db, get_scope(), session_id)
    form = EvidenceForm()
    if form.is_submitted() and form.validate():
        try:
            with form.photo.data.stream as stream:
                jpeg = kept_photo(stream.read())
            with transaction(db):
                add_evidence(
                    db,
                    session=found,
                    kind=form.kind.data,
                    jpeg=jpeg,
                    keep_days=get_runtime().settings.evidence_days,
                    keys=get_keys(),
                    actor=get_actor(),
                    now=now,
                )
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            flash(_("照片已加密存好"), "success")
            return redirect(url_for("trainings.evidence", session_id=session_id), 303)
    page = render_template(
        "trainings/evidence.html",
        session=found,
        form=form,
        remove_form=EmptyForm(),
        photos=evidence_of(db, found.id),
        days=get_runtime().settings.evidence_days,
        megabytes=MOST_BYTES // (1024 * 1024),
    )
    return (page, 422) if form.errors else page


@bp.get("/sessions/<int:session_id>/evidence/<int:evidence_id>.jpg")
@requires(Permission.RUN_SESSIONS)
def evidence_photo(session_id: int, evidence_id: int) -> Response:
    """One photo."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    photo = get_evidence(db, found.id, evidence_id)
    if photo.file_id is None:
        raise NotFound
    response = Response(read_file(db, photo.file_id, keys=get_keys(), now=get_now()), mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Disposition"] = "inline"
    return response


@bp.post("/sessions/<int:session_id>/evidence/<int:evidence_id>/keep")
@requires(Permission.RUN_SESSIONS)
def keep_photo(session_id: int, evidence_id: int) -> BaseResponse:
    """Somebody was erased, and is not to be known on this photo."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    photo = get_evidence(db, found.id, evidence_id)
    with transaction(db):
        keep_evidence(db, session=found, evidence=photo, actor=get_actor(), now=get_now())
    flash(_("照片留下了"), "success")
    return redirect(url_for("trainings.evidence", session_id=session_id), 303)


@bp.post("/sessions/<int:session_id>/evidence/<int:evidence_id>/remove")
@requires(Permission.RUN_SESSIONS)
def remove_photo(session_id: int, evidence_id: int) -> BaseResponse:
    """Take a photo out."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    photo = get_evidence(db, found.id, evidence_id)
    with transaction(db):
        remove_evidence(db, session=found, evidence=photo, actor=get_actor(), now=get_now())
    flash(_("照片已移除"), "success")
    return redirect(url_for("trainings.evidence", session_id=session_id), 303)
