"""The words of the data inventory: kinds of data, what for, how long, and what becomes of it. Tests hold that every code has its word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

#: Kind of an entry → what is kept.
KINDS = {
    "contact": _l("姓名、手机号、单位、年龄段等个人资料"),
    "codes": _l("个人码"),
    "merges": _l("两条人员记录合成一条的经过"),
    "attempts": _l("答卷：每题的作答、得分、是否合格"),
    "changed_attempts": _l("延时、作废和改分的经过"),
    "transfers": _l("换浏览器继续作答的一次性码"),
    "attendances": _l("签到：何时、在哪一场、怎样签到"),
    "registrations": _l("报名和收提醒的邮箱"),
    "mails": _l("等待发出的提醒邮件"),
    "rosters": _l("培训名单"),
    "photos": _l("现场照片和纸质签到表的照片"),
    "calendars": _l("日历订阅"),
    "certificates": _l("培训证书"),
    "accounts": _l("账号、密码（只存加密后的样子）和授权"),
    "failures": _l("登录和输码没成功的次数"),
    "log": _l("操作记录：谁在什么时候改了什么"),
    "practice": _l("练习、错题和每日一练"),
    "invitations": _l("抽样调查抽到谁，答没答"),
}
#: Purpose of an entry → what for.
PURPOSES = {
    "identify": _l("让每个人只计一次"),
    "door": _l("签到时证明是本人"),
    "count_once": _l("让每个人只计一次，合错了能退回"),
    "figures": _l("统计参与率和合格率，改进题目"),
    "fair": _l("查得清成绩为什么变了"),
    "change_phone": _l("换一部手机或浏览器接着答"),
    "training_record": _l("证明谁参加过培训"),
    "places": _l("安排名额，变动时通知"),
    "reminders": _l("提醒培训时间"),
    "coverage": _l("统计应训和已训"),
    "evidence": _l("证明培训真的办了"),
    "proof": _l("证书要能长期查验"),
    "sign_in": _l("登录"),
    "guessing": _l("防止有人猜密码和码"),
    "accountability": _l("出了问题能查清"),
    "learning": _l("自己复习"),
    "literacy": _l("估计多少人具备科学素质，抽签经得起核对"),
}
#: Name of a rule → what becomes of the rows that are due.
RULES = {
    "attempts": _l("答卷：去掉凭证、浏览器标记和链接，得分留下"),
    "people": _l("只填过姓名或手机的人：去掉姓名、手机和个人资料，人数不变"),
    "registrations": _l("报名：去掉邮箱和报名链接"),
    "attendances": _l("签到：去掉浏览器标记和备注，到场记录留下"),
    "mails": _l("邮件：去掉地址，没发出的不再发"),
    "photos": _l("照片：删除"),
    "audit": _l("操作记录：删除"),
}
#: Whose term it is → the word in the list of settings.
SETTINGS = {"attempts": "ATTEMPT_DAYS", "contact": "CONTACT_DAYS", "photos": "EVIDENCE_DAYS", "audit": "AUDIT_DAYS"}
#: Terms that are no number of days.
_LASTING = {
    "day": _l("用过或过期后一天内删除"),
    "person": _l("到本人要求删除为止"),
    "lasting": _l("长期保存；本人要求删除后，只留不知是谁的记录"),
}


def term_text(term: str, terms: Mapping[str, int]) -> str:
    """How long something is kept, in plain words."""
    if term in terms:
        return _duration(terms[term], contact=term == "contact")
    return str(_LASTING[term])


def _duration(days: int, *, contact: bool) -> str:
    years, rest = divmod(days, 365)
    if contact:
        return str(_("最后一次来之后 %(days)s 天；在培训名单上、有账号或证书的，留到不再需要为止", days=days))
    whole = years > 1 and rest <= years // 3
    return str(_("%(years)s 年", years=years) if whole else _("%(days)s 天", days=days))


def action_facts(details: Mapping[str, Any]) -> list[tuple[Any, int]]:
    """What a turn dealt with: the words of its rules, with the rows."""
    return [(RULES[name], int(details[f"{name}_aged"])) for name in RULES if f"{name}_aged" in details]
