"""The words for what the staff pages show of a delivery: its state, its checks, why it has no papers, its poster."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import url_for
from flask_babel import gettext as _

from quizapp.core.clock import from_ms, to_ms
from quizapp.core.qr import qr_svg
from quizapp.core.tokens import group_code
from quizapp.core.web import get_now, get_runtime
from quizapp.quizzes.models import Delivery, DeliveryState
from quizapp.quizzes.posters import Poster
from quizapp.quizzes.services.publish_checks import Check
from quizapp.ui.filters import format_moment, format_percent, is_english, lang_text

#: Lower than this is written as "less than".
_SMALL = 0.0001


def state_words(delivery: Delivery) -> tuple[str, str, str]:
    """(state, word, kind of chip) of a delivery now: preparing, failed, waiting, open, ended."""
    now_ms = to_ms(get_now())
    if delivery.state == DeliveryState.FAILED:
        return "failed", _("没有组成"), "red"
    if now_ms >= delivery.closes_at:
        return "ended", _("已结束"), "neutral"
    if delivery.state == DeliveryState.PREPARING:
        return "preparing", _("正在组卷"), "amber"
    if now_ms < delivery.opens_at:
        return "waiting", _("未开始"), "neutral"
    return "open", _("进行中"), "blue"


def chance_words(share: float) -> str:
    """A small probability as people read it: 0.07%."""
    return _("小于 %(share)s", share="0.01%") if share < _SMALL else format_percent(share, 2)


def type_words() -> dict[str, str]:
    """The item types."""
    return {"true_false": _("判断"), "single_choice": _("单选"), "multiple_choice": _("多选")}


def check_words(check: Check) -> dict[str, Any]:
    """A check as the list shows it: state, text, value, reason."""
    text, value, reason = _check(check)
    return {"state": check.state.value, "text": text, "value": value, "reason": reason}


def _check(check: Check) -> tuple[str, str, str]:
    data = check.data
    match check.code:
        case "missing":
            what, cure = failure_words(data["shortfall"])
            return what, "", cure
        case "benchmarks":
            reason = _("题库涉及 %(points)s 个基准点", points=data["points"])
            return _("每条基准都有题"), f"{data['found']}/{data['wanted']}", reason
        case "topics":
            reason = _("题库有 %(items)s 道题可用来测试", items=data["items"])
            return _("每个主题都有题"), f"{data['found']}/{data['wanted']}", reason
        case "guess_pass":
            types = type_words()
            comma = _("、")
            counts = comma.join(
                _("%(type)s %(count)s 题", type=types[kind], count=count) for kind, count in data["types"].items()
            )
            limit = format_percent(data["limit"], 1)
            reason = _("%(counts)s；要低于 %(limit)s", counts=counts, limit=limit)
            return _("只靠猜也合格的概率"), chance_words(data["share"]), reason
        case "overlap":
            if data["papers"] == 1:
                return _("只有 1 份试卷"), "", _("再答一次还是同样的题")
            reason = _("从 %(pool)s 道题里抽，两份卷平均同这么多题", pool=data["pool"])
            value = _("约 %(shared)s/%(items)s", shared=data["shared"], items=data["items"])
            return _("%(papers)s 份平行卷", papers=data["papers"]), value, reason
        case "validity":
            reason = _("最早到期：%(month)s", month=data["first"])
            return _("题目到截止时都有效"), f"{data['good']}/{data['all']}", reason
        case "no_unit":
            return _("没有问单位"), _("要看"), _("各单位的合格率分不开")
        case "many_fields":
            return _("必填的太多"), _("%(count)s 项", count=data["required"]), _("少问一项，多一些人答完")
        case "phone_required":
            return _("手机号必填"), _("要看"), _("统计合格率用不着手机号，会少一些人答")
        case "fields":
            reason = _("按姓名和单位就能算合格率")
            return _("问的和用途相称"), _("%(count)s 项必填", count=data["required"]), reason
        case "guests_counted":
            return _("游客也能答"), "", _("游客没有应测人数，看合格率，不看参与率")
        case _:
            return _("游客可以不留姓名"), _("要看"), _("不留姓名的只计人次，不进首次作答的合格率")


def failure_words(code: str) -> tuple[str, str]:
    """(what is missing, what to do) for the code that an assembly left behind."""
    rule, name, numbers = [*code.split(":"), "", ""][:3]
    have, _slash, need = numbers.partition("/")
    values = {"have": have, "need": need, "name": type_words().get(name, name)}
    cure = _("补题并审定，重新载入题库，再组一次。")
    match rule:
        case "items":
            return _("题库里能用的题只有 %(have)s 道，要 %(need)s 道。", **values), cure
        case "type":
            return _("%(name)s题只有 %(have)s 道，要 %(need)s 道。", **values), cure
        case "benchmark_min":
            return _("第 %(name)s 条基准只有 %(have)s 道题，要 %(need)s 道。", **values), cure
        case "topic_min":
            return _("主题 %(name)s 只有 %(have)s 道题，要 %(need)s 道。", **values), cure
        case "point_max" | "benchmark_max" | "topic_max":
            return _("不同的考点不够：能排出 %(have)s 道题，要 %(need)s 道。", **values), cure
        case "crashed":
            return _("组卷中断了，和题库无关。"), _("再组一次；还不行，请告诉管理员。")
        case _:
            return _("题库不能同时满足这份方案的各项要求。"), cure


def public_url(delivery: Delivery) -> str:
    """The address that the poster carries."""
    path: str = url_for("quizzes.landing", code=delivery.poster_code, _external=False)
    return get_runtime().settings.public_url + path


def poster_of(delivery: Delivery) -> Poster:
    """The poster of a delivery. It is Chinese whatever the coordinator reads, so its words stand here as they are."""
    url = public_url(delivery)
    rules = delivery.blueprint.rules
    minutes = delivery.time_limit_s // 60 if delivery.time_limit_s else None
    content = "26 个基准都有" if "benchmarks" in rules else delivery.blueprint.title["zh"]
    opens, closes = from_ms(delivery.opens_at), from_ms(delivery.closes_at)
    return Poster(
        title=delivery.title,
        subtitle=delivery.title_en or "",
        issuer=delivery.unit.name,
        url=url,
        address=urlsplit(url).netloc,
        code=group_code(delivery.poster_code),
        figures=(
            (str(delivery.item_count), "题", content),
            (str(minutes) if minutes else "不限", "分钟" if minutes else "时间", "断了可以接着答"),
            (str(delivery.pass_score), "分合格", f"满分 {delivery.max_score} 分"),
        ),
        dates=f"{chinese_moment(opens)} 至 {chinese_moment(closes, end=True)}",
        terms="不收费，不用注册，有长辈版" if delivery.guests else "不收费，登录后答，有长辈版",
        contact=f"咨询 {delivery.notice.get('contact', '')}",
        qr=qr_svg(url),
    )


def chinese_moment(moment: Any, *, end: bool = False) -> str:
    """12月1日 周二 08:00, in Chinese on every page."""
    from flask_babel import force_locale

    with force_locale("zh_Hans_CN"):
        return format_moment(moment, end=end, words=False)


def blueprint_title(title: dict[str, str]) -> str:
    """A title in the page's language."""
    return lang_text(title)


def delivery_title(delivery: Delivery) -> str:
    """The title in the page's language, where it has one."""
    return delivery.title_en if is_english() and delivery.title_en else delivery.title
