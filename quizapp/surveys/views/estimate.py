"""The estimate: page, weighting, and the same as files."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.audit.services import record
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.core.spreadsheet import Chart, Column, Kind, Point, write_xlsx
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.measurement.sample_size import UNKNOWN_RATE, sample_size
from quizapp.organisation.models import Education
from quizapp.surveys.forms import WeightingForm
from quizapp.surveys.models import Design, Survey
from quizapp.surveys.queries import get_survey, places_of, unit_names
from quizapp.surveys.services.estimating import ask_for_estimate
from quizapp.surveys.services.planning import REFUSAL_MARGIN
from quizapp.surveys.services.rows import design_of, design_toml, sample_csv, survey_rows
from quizapp.surveys.services.weighting import read_margins, set_weighting
from quizapp.surveys.views import bp
from quizapp.surveys.views.drawing import send_text
from quizapp.surveys.views.words import (
    DESIGN_WORDS,
    GROUP_WORDS,
    LEVEL_WORDS,
    REFUSAL_WORDS,
    STANDARD_WORDS,
    WARNING_WORDS,
    group_label,
    margin_names,
    margin_values,
)
from quizapp.ui.filters import format_interval, format_moment, format_number, format_percent

#: Warnings that weaken nothing.
REMARKS = ("effective_n", "trimmed", "not_adults")
#: The order of groups whose codes do not sort by themselves.
_ORDER: dict[str, int] = {code.value: number for number, code in enumerate(Education)}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.route("/surveys/<int:survey_id>/estimate", methods=["GET", "POST"])
@requires(Permission.MANAGE_DELIVERIES)
def estimate(survey_id: int) -> str | BaseResponse | tuple[str, int]:
    """What share of the population is literate, with its error; a POST has it worked out anew."""
    db = get_db()
    survey = get_survey(db, get_scope(), survey_id)
    if survey.drawn_at is None:
        return redirect(url_for("surveys.survey", survey_id=survey.id), 303)
    if request.method == "POST" and survey.first_closed_at is not None:
        with transaction(db):
            job = ask_for_estimate(db, survey=survey, actor=get_actor(), now=get_now())
        return redirect(url_for("jobs.job", public_id=job.public_id), 303)
    return _page(db, survey, WeightingForm(data=_weighting_data(db, survey)))


@bp.post("/surveys/<int:survey_id>/weighting")
@requires(Permission.MANAGE_DELIVERIES)
def weighting(survey_id: int) -> str | BaseResponse | tuple[str, int]:
    """Keep what is known of the population; then it is estimated anew."""
    db = get_db()
    survey = get_survey(db, get_scope(), survey_id)
    if survey.first_closed_at is None:
        return _not_yet(survey)
    form = WeightingForm()
    if form.validate():
        try:
            margins = read_margins(
                form.margins.data or "", margin_names(), margin_values(unit_names(db, survey.counts["strata"]))
            )
            with transaction(db):
                set_weighting(
                    db,
                    survey=survey,
                    margins=margins,
                    cap=float(form.cap.data) if form.cap.data is not None else None,
                    actor=get_actor(),
                    now=get_now(),
                )
                job = ask_for_estimate(db, survey=survey, actor=get_actor(), now=get_now())
            return redirect(url_for("jobs.job", public_id=job.public_id), 303)
        except DomainError as refusal:
            if not form.show(refusal):
                raise
    return _page(db, survey, form), 422


def _weighting_data(db: Session, survey: Survey) -> dict[str, Any]:
    names = unit_names(db, survey.counts["strata"])
    lines = [
        f"{name},{names.get(group, group) if name == 'stratum' else group},{people}"
        for name, groups in (survey.weighting.get("margins") or {}).items()
        for group, people in groups.items()
    ]
    return {"margins": "\n".join(lines), "cap": survey.weighting.get("cap")}


def _not_yet(survey: Survey) -> BaseResponse:
    """To the page that says why scores are not read before the survey was closed."""
    return redirect(url_for("surveys.estimate" if survey.drawn_at else "surveys.survey", survey_id=survey.id), 303)


def _found(survey: Survey) -> dict[str, Any]:
    """The last estimate, as far as it may be read."""
    return (survey.estimate or {}) if survey.first_closed_at is not None else {}


def _page(db: Session, survey: Survey, form: WeightingForm) -> str:
    found = _found(survey)
    answered = sum(place.answered for place in places_of(db, survey))
    tables = _tables(db, survey)
    rate = found["main"]["estimate"] if "main" in found else UNKNOWN_RATE
    return render_template(
        "surveys/estimate.html",
        survey=survey,
        found=found,
        fresh=answered - found.get("answers", 0),
        answered=answered,
        refusal=REFUSAL_WORDS.get(found["refusal"], REFUSAL_WORDS["no_rows"]) if found.get("refusal") else None,
        tables=tables,
        scale=_scale([row for _name, rows in tables for row in rows]),
        warnings=[(*WARNING_WORDS[code], code in REMARKS) for code in found.get("warnings", [])],
        design_word=DESIGN_WORDS[Design(survey.design)],
        standard_word=STANDARD_WORDS.get(found.get("standard", ""), ""),
        margin_words=[str(GROUP_WORDS.get(name, name)) for name in found.get("margins", {})],
        needed=sample_size(rate, REFUSAL_MARGIN),
        fewest=FEWEST_ANSWERS,
        form=form,
    )


def _tables(db: Session, survey: Survey) -> list[tuple[str, list[dict[str, Any]]]]:
    """The lines of the chart: all and the levels, then each group."""
    found = _found(survey)
    if "main" not in found:
        return []
    units = unit_names(db, found["groups"].get("stratum", {}))
    first = [{**found["main"], "label": survey.unit.name, "total": True}]
    levels = found["levels"]
    if len(levels) > 1:
        first = [
            {**level, "label": _("%(level)s（%(score)s 分以上）", level=LEVEL_WORDS[name], score=level["from"]),
             "total": name == "literate"}
            for name, level in levels.items()
        ]  # fmt: skip
    tables = [(str(_("全体")), first)]
    for name, groups in found["groups"].items():
        rows = [
            {**group, "label": group_label(name, value, units), "total": False} for value, group in _in_order(groups)
        ]
        tables.append((str(GROUP_WORDS[name]), rows))
    return tables


def _in_order(groups: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return sorted(groups.items(), key=lambda pair: (_ORDER.get(pair[0], 0), pair[0]))


def _scale(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """From 0 to the ten above all ends: small rates are not squeezed into a corner."""
    highest = max((row["high"] for row in rows if row.get("high") is not None), default=0.9)
    return 0.0, min(1.0, max(0.2, -(-int(highest * 100) // 10) / 10 + 0.1))


@bp.get("/surveys/<int:survey_id>/estimate.xlsx")
@requires(Permission.MANAGE_DELIVERIES)
def estimate_xlsx(survey_id: int) -> BaseResponse:
    """The same as a workbook."""
    db = get_db()
    survey = get_survey(db, get_scope(), survey_id)
    found = _found(survey)
    if "main" not in found:
        return redirect(url_for("surveys.survey", survey_id=survey.id), 303)
    tables = _tables(db, survey)
    rows = [
        (name, row["label"], row["n"], row["estimate"], row.get("low"), row.get("high"), row.get("se"))
        for name, lines in tables
        for row in lines
    ]
    main = found["main"]
    facts = [
        (_("范围"), survey.unit.name),
        (_("调查"), survey.title),
        (_("怎么抽"), str(DESIGN_WORDS[Design(survey.design)])),
        (_("素质标准"), str(STANDARD_WORDS[found["standard"]])),
        (_("抽到"), str(survey.counts["drawn"])),
        (_("算进来的人"), str(main["n"])),
        (_("应答率"), format_percent(found["response"])),
        (_("比例"), f"{format_percent(main['estimate'])} ({format_interval(main['low'], main['high'])})"),
        (_("logit 区间"), format_interval(found["logit"]["low"], found["logit"]["high"])),
        (_("设计效应"), format_number(main["design_effect"], 2) if main["design_effect"] is not None else ""),
        (_("有效人数"), format_number(main["effective_n"]) if main["effective_n"] is not None else ""),
        *((_("要当心"), f"{first}：{second}") for first, second in (WARNING_WORDS[w] for w in found["warnings"])),
        (_("不显示"), _("一组不足 10 人，不显示比例；能推算出它的一组也不显示。")),
        (_("估计时间"), format_moment(survey.estimated_at, words=False)),
        (_("导出人"), get_actor().name),
    ]
    ends = (_("区间下限"), _("区间上限"), _("到下限"), _("到上限"))
    content = write_xlsx(
        (
            Column(_("分组"), Kind.TEXT, 14),
            Column(_("哪些人"), Kind.TEXT, 24),
            Column(_("算进来的人"), Kind.WHOLE),
            Column(_("比例"), Kind.PERCENT),
            Column(_("区间下限"), Kind.PERCENT),
            Column(_("区间上限"), Kind.PERCENT),
            Column(_("标准误"), Kind.PERCENT),
        ),
        rows,
        title=_("估计"),
        facts=facts,
        facts_title=_("说明"),
        chart=Chart(
            title=_("具备科学素质比例"),
            headings=(_("哪些人"), _("比例"), *ends),
            points=[Point(row[1], row[3], row[4], row[5]) for row in rows if row[3] is not None][:60],
        ),
    )
    _note_export(db, survey, "xlsx", len(rows))
    response = Response(content, mimetype=XLSX)
    response.headers.set("Content-Disposition", "attachment", filename=f"survey-{survey.id}.xlsx")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.get("/surveys/<int:survey_id>/sample.csv")
@requires(Permission.MANAGE_DELIVERIES)
def sample(survey_id: int) -> BaseResponse:
    """The rows from which is estimated, without a name, for whoever wants to check it with `quizapp analyse literacy`."""
    db = get_db()
    survey = get_survey(db, get_scope(), survey_id)
    if survey.first_closed_at is None:
        return _not_yet(survey)
    rows = survey_rows(db, survey)
    content = sample_csv(rows)
    _note_export(db, survey, "csv", len(rows.rows))
    return send_text(content, f"sample-{survey.id}.csv", "text/csv")


@bp.get("/surveys/<int:survey_id>/design.toml")
@requires(Permission.MANAGE_DELIVERIES)
def design(survey_id: int) -> BaseResponse:
    """The design of these rows, as the command reads it."""
    db = get_db()
    survey = get_survey(db, get_scope(), survey_id)
    if survey.first_closed_at is None:
        return _not_yet(survey)
    content = design_toml(design_of(survey, survey_rows(db, survey)))
    return send_text(content, f"design-{survey.id}.toml", "application/toml")


def _note_export(db: Session, survey: Survey, suffix: str, rows: int) -> None:
    with transaction(db):
        record(
            db,
            actor=get_actor(),
            action="survey_rows_exported",
            object_type="survey",
            object_id=survey.id,
            unit_id=survey.unit_id,
            details={"format": suffix, "rows": rows},
            now=get_now(),
        )
