"""What pages say of what stands at a unit. A part that brings a new kind of rows brings its words here."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from quizapp.core.registry import UnitFact

#: Kind of rows → its name with the measure word.
UNIT_FACT_WORDS = {
    "units": _l("在用单位（个）"),
    "enterprises": _l("其中企业（家）"),
    "people": _l("人员（人）"),
    "accounts": _l("登录账号（个）"),
    "grants": _l("授权（项）"),
    "deliveries": _l("没结束的测验（次）"),
    "sessions": _l("没结束的场次（场）"),
    "courses": _l("课程（门）"),
    "places": _l("场地（处）"),
    "surveys": _l("没结束的调查（次）"),
}

#: What becomes of them in a merge, where some stand there.
UNIT_MOVES_WORDS = {
    "people": _l("%(count)s 人转到留下的单位，签到和答卷当天的单位不变"),
    "deliveries": _l("%(count)s 次没结束的测验转过去，留下的单位的人也能答"),
    "sessions": _l("%(count)s 场没结束的培训转过去"),
    "courses": _l("%(count)s 门课程转过去"),
    "places": _l("场地转过去，同名的不转（共 %(count)s 处）"),
    "surveys": _l("没抽签的调查计划转过去；抽过的留在原单位（共 %(count)s 次）"),
}


def fact_rows(facts: list[UnitFact]) -> list[tuple[str, int]]:
    """Each kind in words, with how many there are, in the order of the words."""
    counts = {fact.kind: fact.count for fact in facts}
    return [(str(word), counts[kind]) for kind, word in UNIT_FACT_WORDS.items() if kind in counts]


def moving(facts: list[tuple[str, int]]) -> list[str]:
    """What would move, or has moved, one sentence each, from (kind, count)."""
    counts = dict(facts)
    return [str(word) % {"count": counts[kind]} for kind, word in UNIT_MOVES_WORDS.items() if counts.get(kind)]
