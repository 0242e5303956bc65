"""What the people of a session gained between its two tests."""

from __future__ import annotations

import math

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import Invalid
from quizapp.core.scope import Permission
from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.measurement.gain import PairedGain, mcnemar, paired_gain
from quizapp.measurement.intervals import paired_rate_difference
from quizapp.quizzes.models import Delivery
from quizapp.quizzes.views.delivery_words import delivery_title
from quizapp.trainings import queries
from quizapp.trainings.forms.testing import TestsForm
from quizapp.trainings.models import TrainingSession
from quizapp.trainings.queries.gains import choosable_tests, find_tests, gain_data
from quizapp.trainings.services.testing import set_tests
from quizapp.trainings.views import bp
from quizapp.ui.filters import format_day


@bp.route("/sessions/<int:session_id>/gain", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def gain(session_id: int) -> str | BaseResponse | tuple[str, int]:
    """The gain of those who took both tests, with its interval; the form that names the tests."""
    db = get_db()
    session = queries.get_session(db, get_scope(), session_id)
    choices = {str(delivery.id): delivery for delivery in choosable_tests(db, session)}
    tests = find_tests(db, session.id)
    form = TestsForm(data={"before": str(tests.before_id), "after": str(tests.after_id)} if tests else None)
    form.offer([(key, f"{delivery_title(d)} · {format_day(d.opens_at, words=False)}") for key, d in choices.items()])
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                with transaction(db):
                    set_tests(
                        db,
                        session=session,
                        before=choices[form.before.data],
                        after=choices[form.after.data],
                        actor=get_actor(),
                        now=get_now(),
                    )
                return redirect(url_for("trainings.gain", session_id=session.id), 303)
            except Invalid as refusal:
                if not form.show(refusal):
                    raise
    return _page(session, form, choices), status


def _page(session: TrainingSession, form: TestsForm, choices: dict[str, Delivery]) -> str:
    db = get_db()
    tests = find_tests(db, session.id)
    data = gain_data(db, session, tests) if tests else None
    shown: PairedGain | None = None
    passing = change = None
    if data and len(data.pairs) >= FEWEST_ANSWERS:
        units = [-1 if unit is None else unit for unit in data.units]
        shown = paired_gain([before for before, _ in data.pairs], [after for _, after in data.pairs], units=units)
        gained = sum(after and not before for before, after in data.passed)
        lost = sum(before and not after for before, after in data.passed)
        passing = {
            "before": sum(before for before, _ in data.passed),
            "after": sum(after for _, after in data.passed),
            "gained": gained,
            "lost": lost,
            "p": mcnemar(gained, lost)[0],
        }
        both = sum(before and after for before, after in data.passed)
        change = paired_rate_difference(both, gained, lost, len(data.pairs) - both - gained - lost)
    return render_template(
        "trainings/gain.html",
        session=session,
        form=form,
        before=db.get(Delivery, tests.before_id) if tests else None,
        after=db.get(Delivery, tests.after_id) if tests else None,
        data=data,
        shown=shown,
        passing=passing,
        change=change,
        reach=_reach(shown, change, db.get_one(Delivery, tests.after_id).max_score)
        if tests and shown and change
        else None,
        fewest=FEWEST_ANSWERS,
        choices=choices,
    )


def _reach(gain: PairedGain, change: tuple[float, float, float], most: int) -> float:
    """How far the drawing goes to both sides of 0: whole tenths that hold both intervals."""
    ends = [abs(end) / most for end in (gain.mean_gain, gain.low, gain.high) if end is not None]
    return min(1.0, max(1, math.ceil(10 * max([*ends, *map(abs, change)]))) / 10)
