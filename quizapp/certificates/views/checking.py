"""What anybody may read of a certificate: scan its code, or type its number with the check code beside it.

The pages are kept by no cache and by no search engine.
"""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from quizapp.accounts import throttle
from quizapp.certificates.errors import CertificateUnknown, NumberMistyped
from quizapp.certificates.forms import CheckForm
from quizapp.certificates.queries import find_by_check_code
from quizapp.certificates.services import look_up
from quizapp.certificates.views import bp
from quizapp.core.errors import TooMany
from quizapp.core.tokens import normalize_code
from quizapp.core.web import get_db, get_keys, get_now, public
from quizapp.quizzes.views.access import guess_subjects
from quizapp.ui.words import words_for


def _unkept(page: str, status: int = 200) -> Response:
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@bp.route("/c", methods=["GET", "POST"])
@public
def check_by_number() -> BaseResponse:
    """For a certificate on paper and no camera: its number and its check code."""
    db, now = get_db(), get_now()
    form = CheckForm()
    subjects = guess_subjects(form.number.data or "")
    guesses: dict[str, Any] = {"keys": get_keys(), "kind": "certificate", "subjects": subjects}
    wait = None
    if request.method == "POST" and form.validate():
        try:
            throttle.check(db, **guesses, token=request.form.get("not_before"), now=now)
            found = look_up(db, number=form.number.data or "", code=form.code.data or "")
        except CertificateUnknown as refusal:
            wait = throttle.record_failure(db, **guesses, now=now)
            form.show(refusal)
        except NumberMistyped as refusal:
            form.show(refusal)  # guesses nothing: it cannot be the number of a certificate
        except TooMany as refusal:
            form.code.errors = [*form.code.errors, words_for(refusal)]
        else:
            return redirect(url_for("certificates.checked", code=found.check_code), 303)
    wait = wait or throttle.delay(db, **guesses, now=now)
    page = render_template("certificates/check_form.html", form=form, wait=wait)
    return _unkept(page, 422 if form.errors else 200)


@bp.get("/c/<code>")
@public
def checked(code: str) -> BaseResponse:
    """What the code of a certificate opens: whether it holds, and what it says, the name masked."""
    if (normal := normalize_code(code)) != code and normal:
        return redirect(url_for("certificates.checked", code=normal), 302)
    found = find_by_check_code(get_db(), code)
    if found is None:
        return _unkept(render_template("certificates/unknown.html"), 404)
    return _unkept(render_template("certificates/checked.html", certificate=found))
