"""Two years on one scale: which to compare, what came out, and its files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission
from quizapp.core.spreadsheet import Chart, Column, Kind, Point, Sheet, write_csv, write_xlsx
from quizapp.core.web import get_actor, get_db, get_now, get_scope, requires
from quizapp.jobs.models import Job, JobState
from quizapp.jobs.views import JobWords
from quizapp.measurement.floors import FEWEST, anchors_needed
from quizapp.reports.exports import Format, note_export
from quizapp.reports.forms.years import read_side
from quizapp.reports.views import bp
from quizapp.reports.views.exporting import address, file_response
from quizapp.reports.views.words import delivery_title
from quizapp.reports.years.queries import (
    MOST_PEOPLE,
    Choice,
    Side,
    SideKind,
    choices,
    common_questions,
    count_taken,
    get_choice,
)
from quizapp.reports.years.services import TASK, ask_for_years, find_years
from quizapp.ui.filters import format_day, format_moment, lang_text

#: The first year's mean and SD on the scale that is shown.
MIDDLE, UNIT = 500, 100


@dataclass(frozen=True)
class Asked:
    """What stands in the address: two sides in reach, or None."""

    choices: list[Choice]
    first: Choice | None
    second: Choice | None
    #: The second side is the first: nothing is compared, and the page says so at the field.
    same: bool = False

    @property
    def query(self) -> dict[str, str]:
        """As it stands in an address."""
        sides = (("first", self.first), ("second", self.second))
        return {name: choice.side.as_text() for name, choice in sides if choice is not None}


@bp.get("/reports/years")
@requires(Permission.EXPORT_FIGURES)
def years() -> str:
    """Choose two years; what they have in common; the comparison, once a job has made it."""
    asked = _read(request.args)
    before = _before(asked.first, asked.second) if asked.first and asked.second else None
    job = _job(asked)
    return render_template(
        "reports/years.html",
        asked=asked,
        sides=_groups(asked.choices),
        label=label,
        before=before,
        job=job,
        result=Shown(job.result) if job is not None and job.state == JobState.DONE and job.result else None,
        most=MOST_PEOPLE,
        method_words=method_words,
        people_words=people_words,
        units_words=units_words,
        model_words=model_words,
        rate_words=rate_words,
    )


@bp.post("/reports/years")
@requires(Permission.EXPORT_FIGURES)
def compare_years() -> BaseResponse:
    """Ask for the comparison; the job's page shows how far it is."""
    first, second = read_side(request.form.get("first")), read_side(request.form.get("second"))
    if first is None or second is None:
        raise NotFound
    if first == second:
        return redirect(url_for("reports.years", first=first.as_text(), second=second.as_text()), 303)
    db, actor, now = get_db(), get_actor(), get_now()
    with transaction(db):
        job = ask_for_years(db, first=first, second=second, actor=actor, now=now)
    return redirect(url_for("jobs.job", public_id=job.public_id), 303)


@bp.get("/reports/years.<form>")
@requires(Permission.EXPORT_FIGURES)
def years_file(form: str) -> BaseResponse:
    """What came out as a file: the figures, and in a workbook the common questions on a second sheet. Nothing yet: back to the page."""
    if form not in tuple(Format):
        raise NotFound
    asked = _read(request.args)
    job = _job(asked)
    shown = Shown(job.result) if job is not None and job.result else None
    if job is None or shown is None or not shown.found or asked.first is None or asked.second is None:
        return redirect(address("reports.years", asked.query), 303)
    kind, names = Format(form), (label(asked.first), label(asked.second))
    rows = _rows(shown)
    columns = _columns(names)
    if kind is Format.CSV:
        content = write_csv(columns, rows)
    else:
        content = write_xlsx(
            columns,
            rows,
            title=_("两年对比"),
            facts_title=_("说明"),
            facts=_facts(shown, job, names),
            chart=_chart(shown, names),
            more=(Sheet(_("共同的题"), _anchor_columns(names), map(_anchor_cells, shown.anchors)),),
        )
    db = get_db()
    with transaction(db):
        note_export(
            db,
            query={"figures": "years", **asked.query},
            form=kind,
            unit_id=None,
            rows=len(rows),
            actor=get_actor(),
            now=get_now(),
        )
    first, second = asked.first.side.as_text(), asked.second.side.as_text()
    return file_response(content, kind.media_type, f"years-{first}-{second}.{kind.value}")


def job_words(job: Job) -> JobWords | None:
    """What the progress page says of a comparison."""
    if job.name != TASK:
        return None
    query = {name: job.arguments[name] for name in ("first", "second")}
    return JobWords(_l("两年对比"), _l("看对比结果"), url_for("reports.years", **query))


def label(choice: Choice) -> str:
    """A side in words: the delivery with its first day, or the quiz and the year."""
    if choice.side.kind is SideKind.QUIZ:
        title = lang_text(choice.deliveries[0].blueprint.title)
        return str(_("%(quiz)s，%(year)s年合计", quiz=title, year=choice.side.year))
    delivery = choice.deliveries[0]
    return f"{delivery_title(delivery)} · {format_day(delivery.opens_at, words=False)}"


def _read(values: Mapping[str, str]) -> Asked:
    found = choices(get_db(), get_scope(), get_now())

    def side(name: str) -> Choice | None:
        asked: Side | None = read_side(values.get(name))
        return get_choice(found, asked) if asked is not None else None

    first, second = side("first"), side("second")
    same = first is not None and second is not None and second.side == first.side
    return Asked(found, first, None if same else second, same)


def _groups(found: list[Choice]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The choices for a select: single deliveries, whole years."""
    kinds = ((SideKind.DELIVERY, str(_("一次测验"))), (SideKind.QUIZ, str(_("一年里同一份测验合计"))))
    groups = [(word, [(c.side.as_text(), label(c)) for c in found if c.side.kind is kind]) for kind, word in kinds]
    return [(word, options) for word, options in groups if options]


def _job(asked: Asked) -> Job | None:
    if asked.first is None or asked.second is None:
        return None
    return find_years(get_db(), asked.first.side, asked.second.side, get_actor())


def _before(first: Choice, second: Choice) -> dict[str, Any]:
    """What is there and what is needed, before anything is computed."""
    db, scope = get_db(), get_scope()
    sides = (first, second)
    people = [count_taken(db, scope, side) for side in sides]
    common = common_questions(db, first, second)
    needed = {"people": FEWEST["rasch"], "common": anchors_needed(max(side.length for side in sides))}
    enough = min(people) >= needed["people"] and common >= needed["common"]
    return {"people": people, "common": common, "needed": needed, "enough": enough}


class Shown:
    """A job's result as the page shows it."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        self.refused: Mapping[str, Any] | None = result.get("refused")
        #: Empty where it was refused.
        self.found: Mapping[str, Any] = result.get("found") or {}
        self.anchors: list[Mapping[str, Any]] = result.get("anchors", [])
        self.raw: Mapping[str, Any] = result["raw"]
        self.both: int = result["both"]
        self.drawn: list[int] = result["drawn"]

    @property
    def sampled(self) -> bool:
        """Whether a part of the attempts went into the model."""
        return any(n < side["n"] for n, side in zip(self.drawn, self.raw["sides"], strict=True))

    @property
    def gone(self) -> list[Mapping[str, Any]]:
        """The common questions that were left out."""
        return [anchor for anchor in self.anchors if anchor["drifted"]]

    def level(self) -> dict[str, list[float]]:
        """Both years and their difference on the scale that is shown: value, low, high."""
        level = self.found["level"]
        zero = level["first"][0]
        shown = {name: [MIDDLE + UNIT * (x - zero) for x in level[name]] for name in ("first", "second")}
        return {**shown, "difference": [UNIT * x for x in level["difference"]]}

    def scale(self) -> tuple[float, float]:
        """By hundreds around all intervals, as thousandths: the charts are drawn by tenths."""
        level = self.level()
        lows, highs = [level[n][1] for n in ("first", "second")], [level[n][2] for n in ("first", "second")]
        return math.floor(min(lows) / 100 - 0.2) / 10, math.ceil(max(highs) / 100 + 0.2) / 10

    def rates(self) -> list[dict[str, Any]]:
        """What stands in the second table: what it is, both years, the difference with its interval."""
        sides = self.raw["sides"]
        rows = [{"code": code, **self.found[code]} for code in ("score", "passing") if self.found[code] is not None]
        raw = [(side["rate"], *side["interval"]) for side in sides]
        return [*rows, {"code": "raw", "first": raw[0], "second": raw[1], "difference": self.raw["difference"]}]

    def rate_scale(self) -> tuple[float, float]:
        """Symmetric, by twenties, around all differences: then 0 has its line and its figure."""
        most = max(abs(x) for row in self.rates() for x in row["difference"])
        end = max(1, math.ceil(most * 5)) / 5
        return -end, end


def rate_words(code: str) -> str:
    """What a row of the second table is."""
    return {
        "score": str(_("在前一次的卷上预计得分率")),
        "passing": str(_("在前一次的卷上预计合格率")),
        "raw": str(_("原始合格率（各考各的卷）")),
    }[code]


def model_words(model: str) -> str:
    """The model's name."""
    return str(_("双参数模型（2PL）")) if model == "2pl" else str(_("Rasch 模型"))


def method_words(shown: Shown) -> str:
    """The method in one sentence."""
    return str(
        _(
            "用两次都有的 %(used)s 道题作尺子，按%(model)s把两次放到同一把尺上再比，所以卷子难易不同不影响。",
            used=shown.found["used"],
            model=model_words(shown.found["model"]),
        )
    )


def units_words(shown: Shown) -> str:
    """Why the interval is rough: units not known, too few of them, or few."""
    first, second = shown.found["units"]
    if shown.found["basis"] == "no_units":
        return str(_("没有人填单位，只能把每个人当作互不相干；同一单位的人其实相像，区间多半偏窄。"))
    if shown.found["basis"] == "too_few_units":
        return str(
            _(
                "知道的单位太少（前一次 %(first)s 个，后一次 %(second)s 个，都要至少 3 个），"
                "看不出单位之间的差别，只能把每个人当作互不相干，区间多半偏窄。",
                first=first,
                second=second,
            )
        )
    return str(
        _(
            "单位少，或者几个大单位占了多数（前一次 %(first)s 个，后一次 %(second)s 个）：单位之间的差别只能粗略估计。",
            first=first,
            second=second,
        )
    )


def people_words(shown: Shown) -> str:
    """How people of one unit count, in a sentence or two."""
    found = shown.found
    if found["basis"] != "units":
        return units_words(shown)
    words = _(
        "同一单位的人相像，所以人的误差按单位算，把每个单位对结果的影响合起来"
        "（前一次 %(first)s 个单位，后一次 %(second)s 个，自由度约 %(df)s）；"
        "同一单位两次都有的当作一个。若把人当作互不相干，标准误是 %(strangers)s 分。",
        first=found["units"][0],
        second=found["units"][1],
        df=round(found["df_units"]),
        strangers=f"{UNIT * found['se_strangers']:.1f}",
    )
    if found["without_unit"]:
        words += _("没有填单位的 %(count)s 份，各当作一个单位。", count=found["without_unit"])
    return str(words)


def _columns(names: tuple[str, str]) -> tuple[Column, ...]:
    return (
        Column(_("比什么"), Kind.TEXT, 34),
        Column(_("单位"), Kind.TEXT, 10),
        Column(names[0], Kind.DECIMAL, 24),
        Column(names[1], Kind.DECIMAL, 24),
        Column(_("相差"), Kind.DECIMAL, 12),
        Column(_("95% 区间下限"), Kind.DECIMAL, 12),
        Column(_("95% 区间上限"), Kind.DECIMAL, 12),
    )


def _rows(shown: Shown) -> list[tuple[Any, ...]]:
    level = shown.level()
    rows: list[tuple[Any, ...]] = [
        (_("平均水平"), _("水平分"), level["first"][0], level["second"][0], *level["difference"])
    ]
    for row in shown.rates():
        values = (row["first"][0], row["second"][0], *row["difference"])
        rows.append((rate_words(row["code"]), "%", *(100 * value for value in values)))
    return rows


def _facts(shown: Shown, job: Job, names: tuple[str, str]) -> list[tuple[str, str]]:
    return [
        (_("前一次"), _("%(name)s，首次作答 %(count)s 份", name=names[0], count=shown.raw["sides"][0]["n"])),
        (_("后一次"), _("%(name)s，首次作答 %(count)s 份", name=names[1], count=shown.raw["sides"][1]["n"])),
        (_("方法"), method_words(shown)),
        (_("平均水平"), _("前一次的人平均定为 500 分，标准差定为 100 分。")),
        (_("原始合格率"), _("两次的卷子难易不同，原始合格率不能直接比。")),
        (_("人的误差"), people_words(shown)),
        (_("没有用的共同题"), "；".join(anchor["code"] for anchor in shown.gone) or _("没有")),
        (_("数据截至"), format_moment(job.created_at, words=False)),
        (_("导出时间"), format_moment(get_now(), words=False)),
        (_("导出人"), get_actor().name),
    ]


def _chart(shown: Shown, names: tuple[str, str]) -> Chart | None:
    """The share that passes on the first year's papers, of both years."""
    row = next((row for row in shown.rates() if row["code"] == "passing"), None)
    if row is None:
        return None
    points = [Point(name, *row[side]) for name, side in zip(names, ("first", "second"), strict=True)]
    ends = (_("95% 区间下限"), _("95% 区间上限"), _("到下限"), _("到上限"))
    return Chart(title=rate_words("passing"), headings=(_("测验"), rate_words("passing"), *ends), points=points)


def _anchor_columns(names: tuple[str, str]) -> tuple[Column, ...]:
    return (
        Column(_("题号"), Kind.TEXT, 14),
        Column(_("题目"), Kind.TEXT, 60),
        Column(_("%(name)s答对率", name=names[0]), Kind.PERCENT, 16),
        Column(_("%(name)s答对率", name=names[1]), Kind.PERCENT, 16),
        Column(_("变化（logit）"), Kind.DECIMAL, 12),
        Column(_("稳健 z"), Kind.DECIMAL, 12),
        Column(_("用作尺子"), Kind.TEXT, 10),
    )


def _anchor_cells(anchor: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        anchor["code"],
        lang_text(anchor["stem"]),
        *anchor["rates"],
        anchor["moved"],
        anchor["robust_z"],
        _("没有用") if anchor["drifted"] else _("用了"),
    )
