"""How a survey goes: the response by stratum, everybody who was drawn, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.quizzes.queries.deliveries import standard_of
from quizapp.surveys.forms import EmptyForm, OutcomeForm
from quizapp.surveys.models import Design, Outcome, Survey
from quizapp.surveys.queries import PAGE_SIZE, Place, get_invitation, get_survey, places_of, unit_names
from quizapp.surveys.services.announcing import frame_today
from quizapp.surveys.services.inviting import close_survey, note_outcome, reopen_survey
from quizapp.surveys.services.planning import Sizes, numbers_of
from quizapp.surveys.views import bp
from quizapp.surveys.views.words import DESIGN_WORDS, OUTCOME_WORDS, STANDARD_WORDS, state_of
from quizapp.ui.words import words_for


@dataclass(frozen=True)
class ResponseRow:
    """One stratum (or unit), or all."""

    label: str
    drawn: int
    answered: int
    started: int
    refused: int
    unreachable: int
    ineligible: int

    @property
    def eligible(self) -> int:
        """Drawn, and not found to be outside of the population."""
        return self.drawn - self.ineligible

    @property
    def rate(self) -> float | None:
        """Answered of those."""
        return self.answered / self.eligible if self.eligible else None

    @property
    def waiting(self) -> int:
        """Of whom nothing is known yet."""
        return self.eligible - self.answered - self.refused - self.unreachable


def group_of(survey: Survey, place: Place) -> str:
    """The key of the line on which an invitation stands: its stratum, else its unit."""
    return place.invitation.stratum if Design(survey.design).in_strata else place.invitation.home


def response_rows(
    survey: Survey, places: list[Place], names: Mapping[str, str]
) -> tuple[ResponseRow, list[ResponseRow]]:
    """All, and by stratum (without strata: by unit), where the fewest answer first."""
    groups: dict[str, list[Place]] = {}
    for place in places:
        groups.setdefault(group_of(survey, place), []).append(place)
    rows = [_row(names.get(key, key), members) for key, members in groups.items()]
    rows.sort(key=lambda row: (row.rate if row.rate is not None else 2, row.label))
    return _row(_("合计"), places), rows


def _row(label: str, places: list[Place]) -> ResponseRow:
    outcomes = [place.invitation.outcome for place in places if not place.answered]
    ineligible = sum(place.invitation.outcome == Outcome.INELIGIBLE for place in places)
    return ResponseRow(
        label=label,
        drawn=len(places),
        answered=sum(place.answered and place.invitation.outcome != Outcome.INELIGIBLE for place in places),
        started=sum(place.attempt is not None and not place.answered for place in places),
        refused=outcomes.count(Outcome.REFUSED),
        unreachable=outcomes.count(Outcome.UNREACHABLE),
        ineligible=ineligible,
    )


def survey_page(db: Session, survey: Survey) -> str:
    """The page of a survey: its plan, or the response."""
    now = get_now()
    sizes: Sizes | None = None
    left_out: dict[str, int] = {}
    rows: list[ResponseRow] = []
    refusal, total = None, None
    if survey.drawn_at is None:
        try:
            _frame, sizes, left_out = frame_today(db, survey, now)
        except DomainError as reason:
            refusal = words_for(reason)
        names = unit_names(db, [name for name, _there, _drawn in sizes.strata]) if sizes else {}
    else:
        places = places_of(db, survey)
        names = unit_names(db, {group_of(survey, place) for place in places})
        total, rows = response_rows(survey, places, names)
    standard = standard_of(survey.delivery)
    return render_template(
        "surveys/survey.html",
        survey=survey,
        state=state_of(survey),
        numbers=numbers_of(survey),
        sizes=sizes,
        left_out=left_out,
        refusal=refusal,
        total=total,
        rows=rows,
        names=names,
        design_word=DESIGN_WORDS[Design(survey.design)],
        standard_word=STANDARD_WORDS[standard.code] if standard else "",
        over=to_ms(now) >= survey.delivery.closes_at,
        form=EmptyForm(),
    )


@bp.get("/surveys/<int:survey_id>/people")
@requires(Permission.MANAGE_DELIVERIES)
def people(survey_id: int) -> str:
    """Everybody who was drawn, with what became of them."""
    db = get_db()
    survey = get_survey(db, get_scope(), survey_id)
    places = places_of(db, survey, people=True)
    names = unit_names(db, {place.invitation.home for place in places})
    wanted = request.args.get("state", "")
    home = request.args.get("unit", "")
    shown = [
        place
        for place in places
        if (not wanted or _state(place) == wanted) and (not home or place.invitation.home == home)
    ]
    pages = max(1, -(-len(shown) // PAGE_SIZE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    return render_template(
        "surveys/people.html",
        survey=survey,
        rows=shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        state=_state,
        words={"answered": _("已答完"), "started": _("正在答"), **OUTCOME_WORDS},
        outcomes=OUTCOME_WORDS,
        names=names,
        units=sorted(names.items(), key=lambda pair: pair[1]),
        query={"state": wanted, "unit": home},
        page=page,
        pages=pages,
        total=len(shown),
    )


def _state(place: Place) -> str:
    if place.invitation.outcome == Outcome.INELIGIBLE:
        return Outcome.INELIGIBLE.value
    if place.answered:
        return "answered"
    return "started" if place.attempt is not None else place.invitation.outcome


@bp.post("/surveys/<int:survey_id>/people/<int:invitation_id>")
@requires(Permission.MANAGE_DELIVERIES)
def outcome(survey_id: int, invitation_id: int) -> BaseResponse:
    """Note what became of an invitation."""
    db = get_db()
    survey = get_survey(db, get_scope(), survey_id)
    invitation = get_invitation(db, survey.id, invitation_id)
    form = OutcomeForm()
    back: dict[str, Any] = {name: request.args[name] for name in ("state", "unit", "page") if request.args.get(name)}
    if form.validate_on_submit():
        try:
            with transaction(db):
                note_outcome(
                    db,
                    survey=survey,
                    invitation=invitation,
                    outcome=Outcome(form.outcome.data),
                    actor=get_actor(),
                    now=get_now(),
                )
            flash(_("卡号 %(number)s 记下了", number=invitation.number), "success")
        except DomainError as refusal:
            flash(words_for(refusal), "attention")
    return redirect(url_for("surveys.people", survey_id=survey.id, **back), 303)


@bp.post("/surveys/<int:survey_id>/close")
@requires(Permission.MANAGE_DELIVERIES)
def close(survey_id: int) -> BaseResponse:
    """Take no more answers."""
    db = get_db()
    with transaction(db):
        close_survey(db, survey=get_survey(db, get_scope(), survey_id), actor=get_actor(), now=get_now())
    return redirect(url_for("surveys.survey", survey_id=survey_id), 303)


@bp.post("/surveys/<int:survey_id>/reopen")
@requires(Permission.MANAGE_DELIVERIES)
def reopen(survey_id: int) -> BaseResponse:
    """Take answers again."""
    db = get_db()
    with transaction(db):
        reopen_survey(db, survey=get_survey(db, get_scope(), survey_id), actor=get_actor(), now=get_now())
    return redirect(url_for("surveys.survey", survey_id=survey_id), 303)
