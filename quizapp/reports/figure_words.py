"""The words of figures: name, rule, unit of measure. One place for page, export and report."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from quizapp.core.spreadsheet import Kind
from quizapp.reports.definitions import DEFINITIONS, FigureCode, Measure

NAMES: dict[FigureCode, LazyString] = {
    FigureCode.STARTED: _l("已开始"),
    FigureCode.CLOSED: _l("已交卷"),
    FigureCode.FIRST: _l("首次作答"),
    FigureCode.PASSED: _l("合格"),
    FigureCode.VOID: _l("作废"),
    FigureCode.UNIDENTIFIED: _l("未识别"),
    FigureCode.PERSONS: _l("参加人数"),
    FigureCode.PASS_RATE: _l("合格率"),
    FigureCode.FIRST_BEFORE: _l("以前的首次作答"),
    FigureCode.PASS_RATE_BEFORE: _l("以前的合格率"),
    FigureCode.PASS_RATE_CHANGE: _l("合格率变化"),
    FigureCode.MEAN_SCORE: _l("平均得分率"),
    FigureCode.ADULTS: _l("18 岁及以上"),
    FigureCode.MINORS: _l("不满 18 岁"),
    FigureCode.AGE_UNKNOWN: _l("年龄不明"),
    FigureCode.LITERATE: _l("具备科学素质"),
    FigureCode.LITERACY_RATE: _l("具备科学素质比例"),
    FigureCode.ROSTER: _l("名册人数"),
    FigureCode.COVERED: _l("名册中已测"),
    FigureCode.COVERAGE: _l("覆盖率"),
    FigureCode.SESSIONS: _l("场次"),
    FigureCode.SESSIONS_BEFORE: _l("以前的场次"),
    FigureCode.ATTENDED_BEFORE: _l("以前的到场"),
    FigureCode.ATTENDANCE_RATE_BEFORE: _l("以前的到课率"),
    FigureCode.ATTENDANCE_RATE_CHANGE: _l("到课率变化"),
    FigureCode.EXPECTED: _l("应到"),
    FigureCode.EXPECTED_CAME: _l("应到中已到"),
    FigureCode.ATTENDANCE_RATE: _l("到课率"),
    FigureCode.REGISTERED: _l("已报名"),
    FigureCode.ATTENDED: _l("到场"),
    FigureCode.ATTENDED_PERSONS: _l("到场人数"),
    FigureCode.WALK_INS: _l("没报名到场"),
    FigureCode.CHECKED_ROTATING: _l("扫动态码"),
    FigureCode.CHECKED_POSTER: _l("扫海报"),
    FigureCode.CHECKED_PERSONAL: _l("个人码"),
    FigureCode.CHECKED_BY_HAND: _l("补登"),
    FigureCode.CHECKED_BACK_FILLED: _l("补录"),
}

#: What is counted in, what it is divided by, when.
RULES: dict[FigureCode, LazyString] = {
    FigureCode.STARTED: _l("开始作答的答卷，不论后来怎样。"),
    FigureCode.CLOSED: _l("交了卷的，和到时间自动交卷的答卷。"),
    FigureCode.FIRST: _l("同一个人在同一测验安排中最早开始、已交卷、没有作废的答卷。"),
    FigureCode.PASSED: _l("首次作答中达到合格线的。"),
    FigureCode.VOID: _l("没有作答就到时间的，或被两人确认作废的答卷，不进合格率。"),
    FigureCode.UNIDENTIFIED: _l("不知道是谁答的答卷，只计人次，不进合格率。"),
    FigureCode.PERSONS: _l("有已交卷、没有作废的答卷的人，同一个人只算一次。不能把各单位的人数相加。"),
    FigureCode.PASS_RATE: _l("合格 ÷ 首次作答，参加者中的比例。不足 10 份不显示。"),
    FigureCode.FIRST_BEFORE: _l("对比时间里的首次作答。"),
    FigureCode.PASS_RATE_BEFORE: _l("对比时间里合格 ÷ 首次作答。"),
    FigureCode.PASS_RATE_CHANGE: _l(
        "现在的合格率减以前的合格率。区间为 Newcombe 法，两端取按单位聚类的区间，因为同一单位的人相像；"
        "同一单位两次都有的，按两次的相关折算。只有一两个单位的，看不出单位之间的差别，区间可能偏窄。区间含 0 的，说不上有变化。"
    ),
    FigureCode.MEAN_SCORE: _l("首次作答的得分占满分的百分比，取平均。"),
    FigureCode.ADULTS: _l("首次作答里，作答那天肯定满 18 岁的（只问出生年份，当年才满的说不准，不算）。"),
    FigureCode.MINORS: _l("首次作答里，作答那天不满 18 岁或说不准的：评分，不进具备科学素质比例。"),
    FigureCode.AGE_UNKNOWN: _l("首次作答里，没有留出生年份的：不进具备科学素质比例。"),
    FigureCode.LITERATE: _l("18 岁及以上的首次作答里，达到这份卷所依标准的分数的，和测验的合格线无关。"),
    FigureCode.LITERACY_RATE: _l("具备科学素质 ÷ 18 岁及以上，参加者中的比例，不代表全体居民。不足 10 人不显示。"),
    FigureCode.ROSTER: _l("今天名册上的人，按今天所在单位。"),
    FigureCode.COVERED: _l("名册上的人中，已有首次作答的。"),
    FigureCode.COVERAGE: _l("名册中已测 ÷ 名册人数。"),
    FigureCode.SESSIONS: _l("已经开始、没有取消的场次。"),
    FigureCode.SESSIONS_BEFORE: _l("对比时间里已经开始、没有取消的场次。"),
    FigureCode.ATTENDED_BEFORE: _l("对比时间里签到有效的，来一次算一次。"),
    FigureCode.ATTENDANCE_RATE_BEFORE: _l("对比时间里应到中已到 ÷ 应到。"),
    FigureCode.ATTENDANCE_RATE_CHANGE: _l("现在的到课率减以前的到课率，单位是百分点。没有抽样，所以没有区间。"),
    FigureCode.REGISTERED: _l("报上名的，取消的不算。"),
    FigureCode.ATTENDED: _l("签到有效的，来一次算一次。"),
    FigureCode.ATTENDED_PERSONS: _l("签到有效的人，同一个人只算一次。不能把各单位的人数相加。"),
    FigureCode.EXPECTED: _l("在场次名册上或报上名的，一人一场算一次。"),
    FigureCode.EXPECTED_CAME: _l("应到的人里签到有效的。"),
    FigureCode.ATTENDANCE_RATE: _l("应到中已到 ÷ 应到。谁都在名单上，没有抽样，所以没有区间。"),
    FigureCode.WALK_INS: _l("没有报名、也不在名册上，签到有效的；谁都可以来的场次不算。"),
    FigureCode.CHECKED_ROTATING: _l("到场的人里，扫投屏动态码签到的。"),
    FigureCode.CHECKED_POSTER: _l("到场的人里，扫固定海报码签到的。"),
    FigureCode.CHECKED_PERSONAL: _l("到场的人里，出示个人码签到的。"),
    FigureCode.CHECKED_BY_HAND: _l("到场的人里，教师当场补登的。"),
    FigureCode.CHECKED_BACK_FILLED: _l("到场的人里，事后照签到表补录的。"),
}


def measure_word(measure: Measure) -> str:
    """The unit of measure as it stands behind a name."""
    words = {Measure.PERSON: _("人"), Measure.PERSON_TIME: _("人次"), Measure.SESSION: _("场")}
    return str(words.get(measure, ""))


def heading_parts(code: FigureCode, *, persons_of_one: bool = False) -> tuple[str, str]:
    """A column's name and its unit of measure ("" for a rate). In a table of one delivery a first attempt is a person."""
    measure = DEFINITIONS[code].measure
    if persons_of_one and code in (FigureCode.FIRST, FigureCode.PASSED):
        measure = Measure.PERSON
    return str(NAMES[code]), measure_word(measure)


def heading(code: FigureCode, *, persons_of_one: bool = False) -> str:
    """The same as one text."""
    name, word = heading_parts(code, persons_of_one=persons_of_one)
    return str(_("%(name)s（%(measure)s）", name=name, measure=word)) if word else name


def kind_of_column(code: FigureCode) -> Kind:
    """How a column is written in a file."""
    return Kind.PERCENT if DEFINITIONS[code].measure in (Measure.RATE, Measure.POINTS) else Kind.WHOLE
