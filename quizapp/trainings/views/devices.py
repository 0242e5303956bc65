"""Who scans at a session: the phones, the helpers' passes, and the files that were saved where no network was."""

from __future__ import annotations

import json
from collections import Counter

from flask import make_response, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, NotFound
from quizapp.core.qr import qr_svg
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, get_scope, requires
from quizapp.trainings import queries
from quizapp.trainings.errors import ScanMalformed
from quizapp.trainings.forms import EmptyForm
from quizapp.trainings.forms.scanning import HelperForm, ScanFileForm
from quizapp.trainings.queries.scanning import find_helper_pass, find_phone, helper_passes, phones
from quizapp.trainings.services.scanning import (
    Taken,
    admit_helper,
    parse_entries,
    receive,
    revoke_device,
    revoke_pass,
)
from quizapp.trainings.views import bp

#: What a phone writes at the head of its file.
FILE_FORMAT = "quizapp-scan-1"


@bp.route("/sessions/<int:session_id>/devices", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def devices(session_id: int) -> BaseResponse:
    """The phones and the helpers of a session; a new helper's link is shown once, right after it was made."""
    db, now = get_db(), get_now()
    found = queries.get_session(db, get_scope(), session_id)
    form, link = HelperForm(), None
    if request.method == "POST" and form.validate():
        try:
            with transaction(db):
                helper, secret = admit_helper(
                    db, session=found, label=(form.label.data or "").strip(), actor=get_actor(), now=now
                )
        except DomainError as error:
            if not form.show(error):
                raise
        else:
            link = get_runtime().settings.public_url + url_for("trainings.helper_enter", secret=secret)
            form = HelperForm(formdata=None)
            form.label.data = ""
            new_label = helper.label
    response = make_response(
        render_template(
            "trainings/devices.html",
            session=found,
            form=form,
            empty=EmptyForm(),
            now_ms=to_ms(now),
            link=link,
            new_label=new_label if link else None,
            qr=Markup(qr_svg(link)) if link else None,  # noqa: S704 # our own drawing of our own address
            passes=helper_passes(db, found.id),
            phones=phones(db, found.id),
        ),
        422 if form.errors else 200,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/sessions/<int:session_id>/helpers/<int:pass_id>/revoke")
@requires(Permission.RUN_SESSIONS)
def revoke_helper(session_id: int, pass_id: int) -> BaseResponse:
    """Take a helper's pass back."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    helper = find_helper_pass(db, found.id, pass_id)
    if helper is None:
        raise NotFound
    with transaction(db):
        revoke_pass(db, session=found, helper=helper, actor=get_actor(), now=get_now())
    return redirect(url_for("trainings.devices", session_id=session_id), 303)


@bp.post("/sessions/<int:session_id>/devices/<int:device_id>/revoke")
@requires(Permission.RUN_SESSIONS)
def revoke_phone(session_id: int, device_id: int) -> BaseResponse:
    """Shut a phone out."""
    db = get_db()
    found = queries.get_session(db, get_scope(), session_id)
    device = find_phone(db, found.id, device_id)
    if device is None:
        raise NotFound
    with transaction(db):
        revoke_device(db, session=found, device=device, actor=get_actor(), now=get_now())
    return redirect(url_for("trainings.devices", session_id=session_id), 303)


@bp.route("/sessions/<int:session_id>/scan/file", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def scan_file(session_id: int) -> BaseResponse:
    """Take in the file of a phone that could not deliver; twice is harmless."""
    db, now = get_db(), get_now()
    found = queries.get_session(db, get_scope(), session_id)
    form, taken = ScanFileForm(), None
    if request.method == "POST" and form.validate():
        try:
            content = json.loads(form.file.data.read())
            if not isinstance(content, dict) or content.get("format") != FILE_FORMAT:
                raise ScanMalformed(field="file")
            with transaction(db):
                taken = receive(
                    db,
                    session=found,
                    device_id=str(content.get("device", "")),
                    entries=parse_entries(content),
                    keys=get_keys(),
                    now=now,
                    by_file=True,
                )
        except (ValueError, RecursionError):
            form.refuse(ScanMalformed(field="file"))
        except DomainError as error:
            form.refuse(error)
    response = make_response(
        render_template("trainings/scan_file.html", session=found, form=form, taken=_summary(taken)),
        422 if form.errors else 200,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _summary(taken: list[Taken] | None) -> dict[str, int] | None:
    if taken is None:
        return None
    new = Counter(one.outcome for one in taken if not one.known)
    return {
        "all": len(taken),
        "known": sum(one.known for one in taken),
        "in": new["in"] + new["again"] + new["out"],
        "pending": new["pending"],
        "other": new["undone"] + new["foreign"],
    }
