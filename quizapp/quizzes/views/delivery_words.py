"""The words for what the staff pages show of a delivery: its state, its checks, why it has no papers, its poster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import url_for
from flask_babel import gettext as _

from quizapp.core.clock import from_ms, to_ms
from quizapp.core.errors import DomainError
from quizapp.core.qr import qr_svg
from quizapp.core.tokens import group_code
from quizapp.core.web import get_now, get_runtime
from quizapp.quizzes.errors import AudienceUnknowable
from quizapp.quizzes.models import Delivery, DeliveryState
from quizapp.quizzes.posters import Poster
from quizapp.quizzes.services.publish_checks import Check, CheckState
from quizapp.quizzes.views.shortfall_words import failure_words, type_words
from quizapp.ui.filters import format_duration, format_moment, format_number, format_percent, is_english, lang_text
from quizapp.ui.words import words_for

#: From this reliability on most people would have the same result on a parallel paper.
_STEADY = 0.8
#: Lower than this is written as "less than".
_SMALL = 0.0001


@dataclass(frozen=True)
class DeliveryLink:
    """One more thing to do with a delivery, from a feature above: a provider of the slot "delivery_links" gives a list of them."""

    label: str
    second: str
    url: str
    icon: str


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


def span_words(seconds: int) -> str:
    """How long a window stands open: whole days where it is more than two."""
    days = seconds // 86_400
    return _("%(days)s 天", days=days) if days >= 2 else format_duration(seconds)


def check_words(check: Check) -> dict[str, Any]:
    """A check as the list shows it: state, text, value, reason, and how it is computed where that is not plain."""
    text, value, reason = _check(check)
    return {"state": check.state.value, "text": text, "value": value, "reason": reason, "method": _method(check)}


def _check(check: Check) -> tuple[str, str, str]:
    return _plan_check(check) or _forecast_check(check) or _paper_check(check) or _pool_check(check)


def _method(check: Check) -> str:
    """How it is computed, for whoever asks."""
    match check.code:
        case "guess_pass" | "paper_guess":
            return str(
                _(
                    "判断题蒙对的可能是 1/2，单选题是 1/选项数，多选题要选全才算对；"
                    "把每道题蒙对蒙错的可能合起来，就是蒙到合格线的可能。"
                )
            )
        case "forecast_pass":
            return str(
                _(
                    "每道题以前的答对率相加，是平均分；再由每道题和别的题的相关，推出分数有多分散；以前各卷的分数分布移到这个平均分和分散程度，"
                    "过合格线的部分就是预计合格率。"
                    "前提是这次来答的人和以前答这些题的人水平相当，题目没有外泄。"
                    "在模拟里，十次有九次误差不到 3 个百分点；以前作答少时可到 9 个。"
                )
            )
        case "calibrated" | "paper_at_pass":
            return str(
                _(
                    "每道题的难度和区分度，由全部测验的首次作答按双参数模型（作答还少的用共同区分度）估计，各次测验靠共同的题放到一把尺上。"
                    "合格线换成这把尺上的水平，再看各卷在这个水平和上下一个标准差处预计答对几题、量得多准（信息量）。"
                )
            )
        case "forecast_reliability":
            return str(
                _(
                    "信度（KR-20）从 0 到 1：分数的差别里，有多少来自人和人的差别，其余来自抽到哪些题、一时对错。"
                    "由每道题的答对率和与别的题的相关推出；考完以后可以和实际的比。"
                )
            )
        case _:
            return ""


def _forecast_check(check: Check) -> tuple[str, str, str] | None:
    """What earlier answers let expect."""
    data = check.data
    basis = {"known": data.get("known"), "items": data.get("items")}
    match check.code:
        case "forecast_unknown":
            reason = _(
                "%(items)s 道题里只有 %(known)s 道有 30 人次以上的作答，八成以上才推算。用过几次就有了。", **basis
            )
            return _("预计合格率、信度"), _("还说不准"), reason
        case "forecast_pass":
            value = _("约 %(share)s", share=_range(format_percent(data["low"], 0), format_percent(data["high"], 0)))
            reason = _("来答的人和以前水平相当的话。%(items)s 道题里 %(known)s 道有 30 人次以上的作答。", **basis)
            if check.state != CheckState.OK:
                reason += _("几乎人人合格，或几乎没人合格，测不出什么：看一看合格线。")
            return _("预计合格率"), value, reason
        case "forecast_reliability":
            value = _range(f"{data['low']:.2f}", f"{data['high']:.2f}")
            if data["low"] >= _STEADY:
                return _("预计信度"), value, _("稳：换一份平行卷再答，多数人结果一样")
            if check.state == CheckState.OK:
                return _("预计信度"), value, _("看一群人够用；看一个人，换一份卷可能不一样")
            return _("预计信度"), value, _("偏低：分数里碰运气的成分大。多出几道题，或换掉区分不出的题")
        case _:
            return None


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low}–{high}"


def _paper_check(check: Check) -> tuple[str, str, str] | None:
    """What stands in the papers."""
    data = check.data
    match check.code:
        case "paper_benchmarks":
            value = f"{data['found']}/{data['wanted']}"
            if data["lacking"]:
                numbers = _("、").join(map(str, data["lacking"]))
                return (
                    _("有的卷缺基准"),
                    value,
                    _("缺第 %(numbers)s 条。改一改平行卷的份数，试卷会重新组；还缺就补题。", numbers=numbers),
                )
            return _("每份卷每条基准都有题"), value, _("涉及 %(points)s 个基准点", points=data["points"])
        case "paper_topics":
            reason = _("一共用了 %(different)s 道不同的题", different=data["different"])
            return _("每份卷都有的主题"), f"{data['found']}/{data['wanted']}", reason
        case "paper_guess":
            limit = format_percent(data["limit"], 1)
            reason = _("按最容易猜的一份算；要低于 %(limit)s", limit=limit)
            return _("只靠猜也合格的概率"), chance_words(data["share"]), reason
        case "paper_overlap":
            value = _("最多 %(most)s/%(items)s", most=data["most"], items=data["items"])
            reason = _("两份卷平均同 %(mean)s 题", mean=f"{data['mean']:.1f}")
            return _("%(papers)s 份平行卷", papers=data["papers"]), value, reason
        case "paper_at_pass":
            reason = _(
                "刚好在合格线上的人，答最易和最难的一份，平均分相差；量得最不准的一份，信息量是最准的 %(exact)s。"
                "%(items)s 道题里 %(known)s 道已估计难度和区分度。",
                exact=format_percent(data["exact"], 0),
                known=data["known"],
                items=data["items"],
            )
            return _("各卷在合格线上一样难、一样准"), _("差 %(spread)s 分", spread=f"{data['spread']:.1f}"), reason
        case "paper_scores":
            value = _("差 %(spread)s 分", spread=f"{data['spread']:.1f}")
            return _("平行卷一样难"), value, _("按题目难度估计的平均分，最易和最难的一份相比")
        case _:
            return None


def _plan_check(check: Check) -> tuple[str, str, str] | None:
    """Window, audience, fields."""
    data = check.data
    match check.code:
        case "window_past":
            return _("截止时间已经过去"), "", _("把截止改到现在以后。")
        case "window_empty":
            return _("截止早于开始"), "", _("把截止改到开始以后。")
        case "window_below_limit":
            reason = _(
                "开放 %(left)s，时限 %(limit)s。推后截止，或缩短时限。",
                left=format_duration(data["left"]),
                limit=format_duration(data["limit"]),
            )
            return _("开放的时间比时限还短"), "", reason
        case "window":
            value = span_words(data["left"])
            if check.state == CheckState.OK:
                return _("开放时间"), value, ""
            return _("开放时间很短"), value, _("不到一小时，容易错过")
        case "audience_unknowable":
            what = {"unit": _("单位或社区"), "industry": _("行业")}[data["needs"]]
            reason = _("限定了对象，就要把“%(field)s”设为必填，不然分不出谁在里面。", field=what)
            return _("分不出谁在对象里"), "", reason
        case "audience_closed":
            return _("对象里有停用的单位"), "", _("去掉%(names)s。", names=_("、").join(data["names"]))
        case "people":
            reason = (
                _("按对象里 %(count)s 个单位的名册", count=data["units"])
                if data["units"]
                else _("按举办单位和下面各单位的名册")
            )
            return _("名册上的人"), _("%(count)s 人", count=format_number(data["people"])), reason
        case "no_people":
            return _("名册上没有人"), _("要看"), _("看得到合格率，看不到参与率。可以先导入名册。")
        case "phone_unmatched":
            return _("只问手机号没有用"), _("要看"), _("手机号只和姓名一起区分同名的人；不问姓名就不用问手机号")
        case "education_unused":
            return _("文化程度用不上"), _("要看"), _("只有科学素质测试按文化程度统计")
        case "key_group_unused":
            return _("重点人群用不上"), _("要看"), _("重点人群是科学素质工作的分法，别的测试一般按单位和年龄统计")
        case "industry_unused":
            return _("行业用不上"), _("要看"), _("对象没有按行业限定；按单位就能统计")
        case "asks_age":
            return _("先问是否满 14 岁"), "", _("问姓名或手机号之前自动先问；不满 14 岁要监护人同意，不留手机号")
        case _:
            return None


def _pool_check(check: Check) -> tuple[str, str, str]:
    """The pool, the guessing, what is asked of whom."""
    data = check.data
    match check.code:
        case "missing":
            what, cure = failure_words(data["shortfall"])
            return what, "", cure
        case "benchmarks" | "topics" if data["lacking"]:
            names = _("、").join(map(str, data["lacking"]))
            text = _("有的基准没有题") if check.code == "benchmarks" else _("有的主题没有题")
            return text, f"{data['found']}/{data['wanted']}", _("缺 %(names)s。补题并审定，重新载入题库。", names=names)
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
        case "calibrated":
            if check.state == CheckState.OK:
                reason = _("组卷时让各卷在合格线附近一样难、一样准；没有估计的题，按预计答对率和平均区分度代入。")
            else:
                reason = _(
                    "不到一半，组卷先按答对率或作者估计让各卷一样难。一道题满 100 人次首次作答后，夜里自动估计。"
                )
            return _("已估计难度和区分度的题"), f"{data['known']}/{data['items']}", reason
        case "overlap":
            if data["papers"] == 1:
                return _("只有 1 份试卷"), "", _("再答一次还是同样的题")
            reason = _("从 %(pool)s 道题里抽，两份卷平均同这么多题", pool=data["pool"])
            value = _("约 %(shared)s/%(items)s", shared=data["shared"], items=data["items"])
            others = _("，").join(_("%(papers)s 份约 %(shared)s 题", papers=n, shared=k) for n, k in data["others"])
            return (
                _("%(papers)s 份平行卷", papers=data["papers"]),
                value,
                _("%(reason)s；%(others)s", reason=reason, others=others),
            )
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


def refusal_words(refusal: DomainError) -> str:
    """What a refusal says at its field; which field an audience needs is said by name."""
    if isinstance(refusal, AudienceUnknowable):
        what = _("单位或社区") if refusal.data["needs"] == "unit" else _("行业")
        return str(_("限定了对象，就要把“%(field)s”设为必填，不然分不出谁在里面。", field=what))
    return words_for(refusal)


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
