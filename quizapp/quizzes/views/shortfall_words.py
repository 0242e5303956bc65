"""Why papers could not be assembled, in words: which demands of the blueprint the bank cannot meet, and what to do."""

from __future__ import annotations

from flask_babel import gettext as _

from quizapp.banks.views.words import ability_words


def type_words() -> dict[str, str]:
    """The item types."""
    return {"true_false": _("判断"), "single_choice": _("单选"), "multiple_choice": _("多选")}


def _demand_words(code: str) -> str:
    """One of several demands that cannot be met together: how many it takes, and how many there are."""
    rule, name, numbers = [*code.split(":"), "", ""][:3]
    have, _slash, need = numbers.partition("/")
    values = {"have": have, "need": need, "name": {**type_words(), **ability_words()}.get(name, name)}
    match rule:
        case "items":
            return str(_("一共要 %(need)s 道，能用的有 %(have)s 道", **values))
        case "type":
            return str(_("%(name)s题要 %(need)s 道，能用的有 %(have)s 道", **values))
        case "dimension" if name != "all":
            return str(_("%(name)s的题要 %(need)s 道，能用的有 %(have)s 道", **values))
        case "difficulty":
            return str(_("估计难度 %(name)s 的题要 %(need)s 道，能用的有 %(have)s 道", **values))
        case "benchmark" | "benchmark_min":
            return str(_("第 %(name)s 条基准要 %(need)s 道，能用的有 %(have)s 道", **values))
        case "topic" | "topic_min":
            return str(_("主题 %(name)s 要 %(need)s 道，能用的有 %(have)s 道", **values))
        case "benchmark_max":
            return str(_("第 %(name)s 条基准最多 %(need)s 道", **values))
        case "topic_max":
            return str(_("主题 %(name)s 最多 %(need)s 道", **values))
        case "point_max":
            return str(_("基准点 %(name)s 最多 %(need)s 道", **values))
        case "characters":
            return str(_("全卷的字数有上下限"))
        case "fact" | "enemies":
            return str(_("有的题不能在同一份卷上"))
        case _:
            return failure_words(code)[0].rstrip("。.")


def failure_words(code: str) -> tuple[str, str]:
    """(what is missing, what to do) for the code that an assembly left behind; several demands conflict together."""
    demands = code.split(";")
    if len(demands) > 1:
        named = _("；").join(map(_demand_words, demands))
        return _("这几项要求合在一起做不到：%(demands)s。", demands=named), _("补题并审定，重新载入题库，再组一次。")
    rule, name, numbers = [*code.split(":"), "", ""][:3]
    have, _slash, need = numbers.partition("/")
    values = {"have": have, "need": need, "name": {**type_words(), **ability_words()}.get(name, name)}
    cure = _("补题并审定，重新载入题库，再组一次。")
    if have.isdigit() and need.isdigit() and int(have) >= int(need) and not rule.endswith("_max"):
        rule = ""  # enough of these alone: it is the demands together that cannot be met
    match rule:
        case "items":
            return _("题库里能用的题只有 %(have)s 道，要 %(need)s 道。", **values), cure
        case "type":
            return _("%(name)s题只有 %(have)s 道，要 %(need)s 道。", **values), cure
        case "dimension" if name != "all":
            return _("%(name)s的题只有 %(have)s 道，要 %(need)s 道。", **values), cure
        case "difficulty":
            return _("估计难度 %(name)s 的题只有 %(have)s 道，要 %(need)s 道。", **values), cure
        case "use_max":
            return _("每道题用的次数有上限：一共能用 %(have)s 次，要 %(need)s 次。", **values), _(
                "少排几份卷子，或者补题。"
            )
        case "overlap_max":
            return _("卷子之间的重题有上限 %(have)s 道，平均至少要重 %(need)s 道。", **values), _(
                "少排几份卷子，或者补题。"
            )
        case "benchmark" | "benchmark_min":
            return _("第 %(name)s 条基准只有 %(have)s 道题，要 %(need)s 道。", **values), cure
        case "topic" | "topic_min":
            return _("主题 %(name)s 只有 %(have)s 道题，要 %(need)s 道。", **values), cure
        case "point_max" | "benchmark_max" | "topic_max":
            return _("不同的考点不够：能排出 %(have)s 道题，要 %(need)s 道。", **values), cure
        case "crashed":
            return _("组卷中断了，和题库无关。"), _("再组一次；还不行，请告诉管理员。")
        case _:
            return _("题库不能同时满足这份方案的各项要求。"), cure
