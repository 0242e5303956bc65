"""The words of surveys: designs, outcomes, levels, groups, warnings and refusals of an estimate."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from quizapp.organisation.models import Residence
from quizapp.organisation.people import AGE_BANDS
from quizapp.organisation.web import RESIDENCE_WORDS
from quizapp.quizzes.forms.profile import EDUCATIONS, SEXES
from quizapp.surveys.models import Design, Outcome, Survey

DESIGN_WORDS = {
    Design.SIMPLE: _l("从全部人里直接抽"),
    Design.STRATIFIED: _l("每个下级单位按人数抽"),
    Design.TWO_STAGE: _l("先抽单位，再抽人"),
    Design.STRATIFIED_TWO_STAGE: _l("每个下级单位里先抽单位，再抽人"),
}
OUTCOME_WORDS = {
    Outcome.INVITED: _l("还没答"),
    Outcome.REFUSED: _l("拒答"),
    Outcome.UNREACHABLE: _l("找不到人"),
    Outcome.INELIGIBLE: _l("不在范围"),
}
LEVEL_WORDS = {"advanced": _l("高阶"), "literate": _l("具备科学素质"), "basic": _l("基本具备")}
STANDARD_WORDS = {
    "literacy_2016": _l("基准测试（60 分）"),
    "survey_2024": _l("调查卷（85、70、55 分）"),
}
GROUP_WORDS = {
    "age_band": _l("年龄段"),
    "sex": _l("性别"),
    "education": _l("文化程度"),
    "residence": _l("城乡"),
    "stratum": _l("单位"),
}
#: What people choose from on the form of a test.
_CHOICES = {"sex": SEXES, "education": EDUCATIONS}
#: Code of a warning → what it says, what it means.
WARNING_WORDS = {
    "few_units": (_l("抽到的单位不足 30 个"), _l("区间盖住真值的机会比它说的小。下次多抽些单位，每个单位少抽些人。")),
    "few_answers": (_l("作答不足 400 人"), _l("区间只是大致可靠，再催一催没答的人。")),
    "low_response": (_l("应答率低于一半"), _l("没答的人可能和答了的不一样，区间里没有这种偏差。")),
    "not_adults": (_l("有人没有算进来"), _l("不满 18 岁、今年才满 18 岁或年龄不明的人有成绩，不算进素质比例。")),
    "no_spread": (
        _l("抽到的单位比例恰好一样"),
        _l("按抽法算的误差是 0，这是碰巧，不能信。区间按有效人数另算，标准误不要用。"),
    ),
    "struck_out": (
        _l("有人答完以后被记成不在范围"),
        _l("他们的成绩没有算进来。这样的人多，要查一查是谁记的、为什么，“操作日志”里都有。"),
    ),
    "stratum_empty": (_l("有的单位一个人也没答"), _l("这些单位的人不知道，结果只代表有人答的单位。")),
    "effective_n": (
        _l("有效人数比实际答的还多"),
        _l("抽到的占全体不少，或分层分得好，误差就更小。这里没有压到实际人数。"),
    ),
    "trimmed": (_l("权重有上限"), _l("压过以后，各组的人数只是大致对得上。")),
    "alone": (
        _l("有的单位只有一个人答"),
        _l("那里的人差别有多大看不出来，按别的单位的差别算。再催一催这些单位。"),
    ),
    "jackknife": (_l("两种误差的算法不一致"), _l("单位太少，或大小差别太大，区间要当心用。")),
}
#: Code of a refusal of an estimate → why there is none, what to do.
REFUSAL_WORDS = {
    "no_rows": _l("还没有满 18 岁的人答完。"),
    "few_counted": _l("答完的满 18 岁的人不足 10 个，先不估计。"),
    "too_few_units": _l("有人答完的单位太少，算不出误差。等更多单位的人答完。"),
    "lonely_psu": _l("有的单位只抽了一个人，或者每个单位都只有一个人答，看不出差别有多大，算不出误差。"),
    "margin_empty": _l("填了人口数的一组里没有人答，把它和相近的组合并。"),
    "margin_unknown": _l("有人答了，他那一组却没有填人口数，补上这一组。"),
    "margins_inconsistent": _l("几张人口表的合计不一样，要是同一批人。"),
    "raking_failed": _l("没有一套权重能同时对上这几张人口表，合并一些组。"),
    "trim_impossible": _l("权重的上限太低，放宽一些。"),
}


def age_words(band: str) -> str:
    """A band of ages as people read it."""
    return _("%(band)s 岁", band=band.replace("-", "–")) if band else ""


def group_label(name: str, value: str, units: Mapping[str, str]) -> str:
    """A group of a table: 60–69 岁, 女, 大专, 东街道."""
    if name == "age_band":
        return age_words(value)
    if not value:
        return str(_("没有填"))
    if name == "stratum":
        return units.get(value, value)
    if name == "residence" and value in set(Residence):
        return str(RESIDENCE_WORDS[Residence(value)])
    words = {choice.value: str(choice.label) for choice in _CHOICES.get(name, [])}
    return words.get(value, value)


def margin_names() -> dict[str, str]:
    """What a column of known numbers may be called → the column."""
    names = {"age_band": ("年龄段", "年龄", "age band"), "sex": ("性别",), "education": ("文化程度", "学历")}
    names |= {"residence": ("城乡", "residence"), "stratum": ("单位", "unit")}
    return {called: column for column, others in names.items() for called in (column, *others)}


def margin_values(units: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Column → what a group may be called → the group; `units`: key → name of the strata."""
    bands = {band: band for _first, band in AGE_BANDS}
    bands |= {f"{band}岁": band for band in bands} | {band.replace("-", "–"): band for band in bands}
    found = {"age_band": bands, "stratum": {name: key for key, name in units.items()} | {key: key for key in units}}
    chinese = {
        "residence": {"城镇": "urban", "城市": "urban", "乡村": "rural", "农村": "rural"},
        "sex": {"女": "female", "男": "male"},
        "education": {
            "小学及以下": "primary",
            "初中": "junior",
            "高中、中专": "senior",
            "大专": "college",
            "本科及以上": "university",
        },
    }
    labels = {name: [(str(c.value), str(c.label)) for c in choices] for name, choices in _CHOICES.items()}
    labels["residence"] = [(code.value, str(word)) for code, word in RESIDENCE_WORDS.items()]
    for name, pairs in labels.items():
        found[name] = {code: code for code, _word in pairs} | {word: code for code, word in pairs} | chinese[name]
    return found


def state_of(survey: Survey) -> tuple[str, str, str]:
    """(state, word, kind of chip): planned, drawn, closed."""
    if survey.drawn_at is None:
        return "planned", _("还没抽"), "amber"
    if survey.closed_at is not None:
        return "closed", _("已结束"), "neutral"
    return "drawn", _("进行中"), "blue"
